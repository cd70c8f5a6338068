"""The closed lists of the contract in the reader's words: states, codes, phases, device names.

The daemon speaks English codes for machines; here they become what a technician would say.
"""

from __future__ import annotations

import pwd
import re

from agent.core.model.commands import SIGNED_BY, Ack, AckState, Code
from agent.core.model.documents import EventDocument, Phase
from agent.locale import gettext as _
from agent.locale import translate

DEVICE_KINDS = ("camera", "microphone", "speaker", "display", "panel")


def ack_state(state: AckState) -> str:
    """Progress of a command, in a word."""
    return {
        AckState.ACCEPTED: _("accepted"),
        AckState.RUNNING: _("running"),
        AckState.SUCCEEDED: _("done"),
        AckState.FAILED: _("failed"),
        AckState.REJECTED: _("refused"),
        AckState.EXPIRED: _("expired"),
        AckState.SUPERSEDED: _("superseded"),
    }[state]


def ack_code(code: Code) -> str:
    """Why a command ended as it did, in a sentence."""
    return {
        Code.OK: _("in order"),
        Code.ALREADY: _("it was so already"),
        Code.NOT_JSON: _("the command can't be read"),
        Code.TOO_LARGE: _("the command is too long"),
        Code.UNKNOWN_COMMAND: _("the daemon doesn't know this command; is it an older version?"),
        Code.BAD_FIELD: _("something in the command is not as it must be"),
        Code.MISSING_FIELD: _("something is missing in the command"),
        Code.RETAINED: _("the hub sent it as a retained message"),
        Code.EXPIRED: _("it came too late"),
        Code.CLOCK_UNSYNCHRONISED: _("the room's clock can't be trusted yet"),
        Code.NOT_PERMITTED: _("not permitted"),
        Code.UNSIGNED: _("the command is not signed"),
        Code.BAD_SIGNATURE: _("the command's signature is wrong"),
        Code.IN_MEETING: _("not while the room is in a meeting"),
        Code.NOT_IN_MEETING: _("the room is in no meeting"),
        Code.BUSY: _("the room can't take more now"),
        Code.NO_MEDIA_URL: _("no media server address, neither given nor in the settings"),
        Code.MUTED_BY_HAND: _("somebody pressed the mute button; only the button unmutes"),
        Code.TIMEOUT: _("it took too long"),
        Code.UPLINK_REFUSED: _("the media server refused our picture and sound"),
        Code.DOWNLINK_REFUSED: _("the media server refused to play the meeting"),
        Code.WRONG_PEER: _("somebody else answered in the media server's place"),
        Code.MEDIA_UNREACHABLE: _("the media server can't be reached"),
        Code.NO_PICTURE_OR_SOUND: _("no picture or sound came"),
        Code.DEVICE_ABSENT: _("a device is not there; see: diemcau doctor"),
        Code.DEVICE_FAILED: _("a device does not work; see: diemcau doctor"),
        Code.MEDIA_PROCESS_FAILED: _("the media process failed; see: diemcau logs"),
        Code.RECORDING_FAILED: _("the recording failed; see: diemcau logs"),
        Code.DISK_FULL: _("the disk is full"),
        Code.NO_FLOOR: _("the room does not have the floor"),
        Code.FLOOR_OPEN: _("everybody may speak in this meeting"),
        Code.UNANSWERED: _("nobody answered"),
        Code.CHECK_FAILED: _("the check itself failed; see: diemcau doctor"),
        Code.INTERRUPTED: _("it was interrupted"),
        Code.WITHDRAWN: _("a later command made it pointless"),
    }.get(code, str(code))


def text(english: str) -> str:
    """What the daemon, a driver or the settings' reader says, in the reader's language."""
    return translate(english)


def sender(who: str) -> str:
    """Who or what asked, as people know them: a local user by name, else the key or the way it came."""
    if local := re.match(r"uid (\d+) pid \d+", who):
        return _user(int(local[1])) + who[local.end() :]
    if who.startswith(SIGNED_BY):
        return _("key {name}").format(name=who.removeprefix(SIGNED_BY))
    return {"hub": _("hub"), "group": _("hub, to the group"), "local": _("here")}.get(who, who)


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def audited(what: str) -> str:
    """A kind of event in a word or two; a command is called what it is typed as."""
    return {
        "device-opened": _("opened"),
        "device-closed": _("closed"),
        "picture-taken": _("picture taken"),
        "fault": _("fault"),
        "fault-cleared": _("works again"),
        "mute-pressed": _("button pressed"),
        "camera-pressed": _("camera button pressed"),
        "hand-raised": _("hand raised"),
        "hand-lowered": _("hand lowered"),
        "floor-given": _("floor given"),
        "floor-returned": _("floor given back"),
        "floor-taken": _("floor taken"),
        "call-answered": _("call answered"),
        "call-unanswered": _("call not answered"),
        "show-answered": _("message answered"),
        "recording-started": _("recording"),
        "recording-stopped": _("recording ended"),
        "recording-failed": _("recording failed"),
        "reconnecting": _("reconnecting"),
        "reconnected": _("connected again"),
        "media-restarted": _("media restarted"),
        "meeting-over": _("meeting over"),
        "power-restored": _("power is back"),
        "resumed": _("resumed"),
        "command-refused": _("refused"),
        "events-dropped": _("events lost"),
        "joining-again": _("joining again"),
        "join-given-up": _("join given up"),
        "wrong-peer": _("wrong server"),
        "readiness": _("checked"),
        "checked": _("checked"),
        "agenda-changed": _("new agenda"),
        "agenda-refused": _("agenda refused"),
        "agenda-joining": _("joining by the agenda"),
        "agenda-elsewhere": _("in another meeting"),
        "agenda-dismissed": _("left by hand"),
        "agenda-cancelled": _("meeting called off"),
    }.get(what, what)


def ack_text(ack: Ack) -> str:
    """What an ack says beyond its state: why in the reader's words, and the daemon's own."""
    said = text(ack.text)
    if ack.code is Code.OK:
        return "" if ack.state is AckState.ACCEPTED else said
    why = ack_code(ack.code)
    if said.lower().startswith(why.lower()):
        return said
    return f"{why} ({said})" if said else why


def ack_lacks(ack: Ack) -> list[str]:
    """What a join that succeeded goes without, and what a check found amiss."""
    detail = ack.detail
    troubles = [one for one in detail.findings or () if one.severity in ("warning", "failed")]
    return [
        *(f"{one.code}: {text(one.seen)} ({text(one.advice)})" for one in troubles),
        *(text(one) for one in (detail.missing or {}).values()),
        *(
            _("nothing arrives from {source}").format(source=source)
            for source in detail.silent_sources or ()
        ),
        *_again(ack),
    ]


def _again(ack: Ack) -> list[str]:
    """A join that failed goes on by itself: nobody should be surprised by that."""
    if (seconds := ack.detail.again_in_seconds) is None:
        return []
    said = _("The room tries again by itself in {seconds:.0f} s; to stop that: diemcau leave")
    return [said.format(seconds=seconds)]


def phase(value: Phase) -> str:
    """What the room is doing."""
    return {
        Phase.STANDBY: _("on standby"),
        Phase.JOINING: _("joining"),
        Phase.IN_MEETING: _("in a meeting"),
        Phase.RECONNECTING: _("reconnecting"),
        Phase.LEAVING: _("leaving"),
        Phase.FAULT: _("fault"),
    }[value]


def group_name(group: str) -> str:
    """A subject of the doctor; of a device the same word as in the status."""
    return {
        "settings": _("settings"),
        "service": _("service"),
        "clock": _("clock"),
        "power": _("power"),
        "storage": _("storage"),
        "network": _("network"),
        "hub": _("hub"),
        "media-server": _("media server"),
    }.get(group) or device_name(group)


def device_name(kind: str) -> str:
    """A device kind of the health document."""
    return {
        "camera": _("camera"),
        "microphone": _("microphone"),
        "speaker": _("loudspeaker"),
        "display": _("display"),
        "panel": _("lamp/button"),
    }.get(kind, kind)


def event(document: EventDocument) -> str:
    """What happened, in a sentence; the daemon's own text for what has none here."""
    kind, device = document.type, document.detail.device or ""
    if device in DEVICE_KINDS:
        return _device_event(kind, device, document)
    return {
        "fault": host_trouble(document.code, document.text),
        "mute-pressed": _("The mute button was pressed"),
        "camera-pressed": _("The camera's button was pressed"),
        "power-restored": _("The power is back"),
        "resumed": _("Back into the meeting of before"),
        "joining-again": _("The join that failed is tried again"),
        "join-given-up": _("The meeting's time is over, and the room never got in"),
        "meeting-over": _("The meeting's time is over"),
        "reconnecting": _("The connection with the meeting is lost"),
        "reconnected": _("The connection with the meeting is back"),
        "wrong-peer": _(
            "Somebody else answered in the media server's place; nothing was sent to it"
        ),
        "media-restarted": _("The media process ended and is started again"),
        "recording-started": _("Recording began"),
        "recording-stopped": _("Recording ended"),
        "recording-failed": _("The recording failed; see: diemcau logs"),
        "command-refused": _("A command was refused"),
        "hand-raised": _("The room asks for the floor"),
        "hand-lowered": _("The room lowered its hand"),
        "floor-given": _("The room has the floor"),
        "floor-returned": _("The room gave the floor back"),
        "floor-taken": _("The floor was taken from the room"),
        "call-answered": _("Somebody answered the call"),
        "call-unanswered": _("Nobody answered the call"),
        "show-answered": _("Somebody answered the message on the screen"),
        "checked": _("The room was checked"),
        "agenda-changed": _("There is a new agenda"),
        "agenda-refused": _("An agenda can't be used"),
        "agenda-joining": _("The room joins by its agenda"),
        "agenda-elsewhere": _("The agenda's meeting begins, but the room is in another"),
        "agenda-dismissed": _("Left by hand: not joined again by the agenda"),
        "agenda-cancelled": _("The agenda's meeting was cancelled or moved"),
        "readiness": _("The room was checked before a meeting"),
        "events-dropped": _("Older events are lost: too many waited for the hub"),
    }.get(kind, text(document.text))


def _device_event(kind: str, device: str, document: EventDocument) -> str:
    from agent.diagnostics.checks.trouble import describe

    name = device_name(device)
    if kind == "fault":
        return describe(device, document.code, document.text).title
    return {
        "fault-cleared": _("{device}: works again"),
        "device-opened": _("{device}: opened"),
        "device-closed": _("{device}: closed"),
        "picture-taken": _("{device}: a still was taken"),
    }.get(kind, "{device}: " + kind).format(device=name[:1].upper() + name[1:])


def host_trouble(code: str, text: str) -> str:
    """What is wrong with the machine; the daemon's own text for a code that is not here."""
    return {
        "clock-unsynchronised": _("The clock is not synchronised"),
        "under-voltage": _("The power supply is too weak"),
        "under-voltage-occurred": _("The power supply was too weak for a moment"),
        "overheating": _("The box is too hot"),
        "disk-full": _("The disk is full"),
        "disk-low": _("The disk is almost full"),
        "store-read-only": _("Nothing can be written"),
        "memory-low": _("There is little memory left"),
        "certificate-expired": _("This room's certificate has expired"),
        "certificate-ends-soon": _("This room's certificate ends soon"),
        "journal-replaced": _("The journal was damaged and begun anew; is the SD card bad?"),
        "journal-taken-away": _("Somebody deleted or replaced the journal; it was written anew"),
        "journal-not-kept": _("The journal can't be written: nothing survives a power cut"),
        "journal-failed": _("The journal can't be written: nothing survives a power cut"),
        "device-failed": _("A device hangs; restart the box"),
        "host-stuck": _("The machine's figures can't be read; restart the box"),
        "probe-stuck": _("Looking for devices hangs; restart the box"),
        "wifi-weak": _("The Wi-Fi is weak"),
        "wifi-power-save": _("The Wi-Fi saves power, which makes sound and picture late"),
    }.get(code, translate(text))
