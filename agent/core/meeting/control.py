"""The commands about meetings: join, record, leave, and what a restart does in their place.

They decide what shall be; `agent.core.meeting.lifecycle` brings it about and answers when it is so.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import UNSET, structs

from agent.core.context import Context
from agent.core.devices.recording import RecordingControl
from agent.core.meeting.changes import PICTURE
from agent.core.meeting.lifecycle import Lifecycle
from agent.core.meeting.membership import MediaLink, Membership
from agent.core.meeting.window import can_resume
from agent.core.model.clock import Now
from agent.core.model.commands import Code, Command, Join, Leave, Publishing, Stay
from agent.core.model.documents import Phase
from agent.core.model.events import Delivery, MeetingRecord
from agent.core.model.media import SetCamera, SetPicture, SetPublish, SetSources
from agent.core.model.urls import shown


class MeetingControl:
    """Refuses, begins, changes and ends stays."""

    def __init__(self, context: Context, recording: RecordingControl, lifecycle: Lifecycle) -> None:
        self._profile = context.profile
        self._answers = context.answers
        self._tell = context.tell
        self._recording = recording
        self.on_leave: Callable[[Leave, Now], None] = lambda leave, now: None
        """Whoever must know of a leave that is obeyed: not of one that came again or too late."""
        self.lifecycle = lifecycle

    def join(self, command: Command, join: Join, delivery: Delivery | None, now: Now) -> None:
        """Be in this meeting; see docs/contract.md for what is refused and what replaces what."""
        if refusal := self._refusal(join, now):
            self._answers.refuse(command, delivery, *refusal, now)
            return
        self._answers.accept(command, delivery, now)
        self._begin(command, join, now)

    def enter(
        self, command: Command, stay: Stay, now: Now, *, replace: bool, heard: bool = True
    ) -> None:
        """Be in the meeting that this accepted command is about: as a join would, the caller has seen
        to it that it is possible. Not `heard`: muted, whatever the command says."""
        membership = self.lifecycle.membership
        if membership and self.lifecycle.held and membership.id == stay.meeting.id:
            if self.lifecycle.phase is Phase.JOINING:
                self.lifecycle.arrival.wait(command.id)
            else:
                text = f"in meeting {membership.id} already"
                self._answers.succeed(command.id, text, now, code=Code.ALREADY)
            return
        fields = {name: getattr(stay, name) for name in Stay.__struct_fields__}
        fields["replace"] = replace
        if not heard:
            fields["microphone"] = "muted"
        join = Join(**fields)
        self._begin(structs.replace(command, type="join", body=join), join, now)

    def _begin(self, command: Command, join: Join, now: Now) -> None:
        if (
            self.lifecycle.membership
            and self.lifecycle.held
            and self.lifecycle.membership.id == join.meeting.id
        ):
            self._rejoin(self.lifecycle.membership, command, join, now)
        elif self.lifecycle.phase is Phase.STANDBY:
            self.lifecycle.begin(command, join, now)
        else:
            self.lifecycle.supersede_joins("another join took its place", now)
            self.lifecycle.departure.follow_with(command)
            self.lifecycle.stop(now, command, "another join took its place")

    def _refusal(self, join: Join, now: Now) -> tuple[Code, str] | None:
        current = self.lifecycle.elsewhere(join.meeting.id)
        if current is not None and not join.replace:
            return (
                Code.IN_MEETING,
                f"The room is in meeting {current}: leave it first, or join with replace: true",
            )
        return self.impossible(join, now)

    def impossible(self, stay: Stay, now: Now) -> tuple[Code, str] | None:
        """Why nobody could ever be in this meeting."""
        if stay.until is not None and stay.until <= now.wall:
            return Code.BAD_FIELD, f"until: {stay.until.isoformat()} is past"
        if url := self._profile.forbidden_url(stay):
            return (
                Code.NOT_PERMITTED,
                f"{shown(url):.120} is at a host where this room's meetings may not be: name it in "
                "media.allowed_hosts of the room's settings",
            )
        if not self._profile.publish_endpoint(stay) and not self._profile.play_sources(stay):
            return (
                Code.NO_MEDIA_URL,
                "Neither publish nor play has a URL: give one, or set media.publish_url and "
                "media.play_urls in the room's settings",
            )
        return None

    def _rejoin(self, membership: Membership, command: Command, join: Join, now: Now) -> None:
        """The meeting that the room is in: what the join names shall be so; what it leaves out stays as it is."""
        before = membership.join
        changed = structs.replace(before, **self._named(command, join, before))
        if changed.publish is not UNSET and (changed.publish is None) != (
            membership.publish is None
        ):
            self._begin_anew(command, changed, now)
            return
        requests = self._change_devices(command, before, changed, now)
        play = self._profile.play_sources(changed)
        links = play != membership.play or self._move_publishing(membership, changed)
        if play != membership.play:
            membership.set_sources(play)
            self.lifecycle.instruct(SetSources(play))
        self.lifecycle.window.open(changed.until, now)
        self.lifecycle.remember(changed)
        settled = self.lifecycle.phase is Phase.IN_MEETING and membership.flows
        if self.lifecycle.phase is Phase.JOINING:
            if self.lifecycle.retry.trying:
                self.lifecycle.arrival.change(command.id, join.timeout_seconds)
            else:
                self.lifecycle.arrival.wait(command.id)
            self.lifecycle.changes.requests |= requests
            self.lifecycle.check(now)  # with fewer sources it may have all it needs
        elif settled and not (links or requests or self.lifecycle.arrival.awaited):
            text = f"in meeting {membership.id} already"
            code = Code.ALREADY if changed == before else Code.OK
            self._answers.succeed(command.id, text, now, code=code, detail=membership.detail())
        else:
            if self.lifecycle.phase is Phase.RECONNECTING:
                self._answers.running(command.id, f"on the way back into {membership.id}", now)
            self.lifecycle.changes.begin(command, requests, join.timeout_seconds, now)

    @staticmethod
    def _named(command: Command, join: Join, before: Join) -> dict[str, object]:
        """The fields that say something about the meeting; an end or a title is never taken back by being left out."""
        named = command.given if command.given is not None else frozenset(join.__struct_fields__)
        fields = named - {"replace", "timeout_seconds"}
        found = {name: getattr(join, name) for name in fields}
        if isinstance(join.publish, Publishing) and isinstance(before.publish, Publishing):
            found["publish"] = join.publish.over(before.publish)
        if join.until is None:
            found.pop("until", None)
        if join.meeting.title is None:
            found.pop("meeting", None)
        return found

    def _change_floor(self, command: Command, before: Join, changed: Join, now: Now) -> set[str]:
        """Without the floor nobody is heard from here on, whatever else this join says; true once that is confirmed."""
        microphone = self.lifecycle.microphone
        if changed.floor == before.floor:
            return set()
        microphone.gated = changed.floor == "request"
        if not (microphone.gated and microphone.heard):
            return set()
        request = f"{command.id}/floor"
        microphone.follow_join(False, request, now)
        return {request}

    def _change_devices(self, command: Command, before: Join, changed: Join, now: Now) -> set[str]:
        """Camera, microphone and recording; the requests that the media process will confirm."""
        requests = self._change_floor(command, before, changed, now)
        if changed.camera != before.camera:
            requests.add(f"{command.id}/camera")
            by_hand = self.lifecycle.camera.follow_join()
            live = changed.camera == "live" and not by_hand
            self.lifecycle.instruct(SetCamera(live, f"{command.id}/camera", by_hand))
        if changed.picture != before.picture:
            requests.add(f"{command.id}{PICTURE}")
            self.lifecycle.instruct(SetPicture(changed.picture, f"{command.id}{PICTURE}"))
        microphone = self.lifecycle.microphone
        live = changed.microphone == "live"
        named = command.given is None or "microphone" in command.given
        if named and live != microphone.live and not (live and microphone.muted_by_hand):
            requests.add(f"{command.id}/microphone")
            microphone.follow_join(live, f"{command.id}/microphone", now)
        if changed.recording != before.recording:
            requests.add(f"{command.id}/recording")
            self._recording.switch(changed.recording == "on", f"{command.id}/recording", now)
        return requests if self.lifecycle.process.in_meeting else set()

    def _move_publishing(self, membership: Membership, changed: Join) -> bool:
        """Publish where the join says now. Whether that is another place: another token for the stream that flows
        is for its end and for the next session."""
        endpoint, before = self._profile.publish_endpoint(changed), membership.publish
        if endpoint == before or endpoint is None:
            return False
        if before is not None and endpoint.url == before.url and membership.uplink.flowing:
            membership.publish = endpoint
            self.lifecycle.instruct(SetPublish(endpoint))
            return False
        if self.lifecycle.phase is Phase.IN_MEETING and self.lifecycle.process.in_meeting:
            membership.published_before = membership.publish
        membership.publish, membership.uplink = endpoint, MediaLink()
        self.lifecycle.instruct(SetPublish(endpoint))
        return True

    def _begin_anew(self, command: Command, changed: Join, now: Now) -> None:
        """From publishing to not publishing or back: devices are closed or opened, so the meeting begins anew."""
        self.lifecycle.supersede_joins("another join took its place", now)
        following = structs.replace(command, body=changed, given=None)
        self._answers.open[command.id] = following
        self.lifecycle.departure.follow_with(following)
        self.lifecycle.stop(now, command, "the meeting begins anew with other devices")

    def record(self, command_id: str, wanted: bool, now: Now) -> None:
        """Record this meeting or stop."""
        self._recording.switch(wanted, command_id, now)

    def leave(
        self,
        command: Command,
        leave: Leave,
        delivery: Delivery | None,
        now: Now,
        *,
        call_ended: bool,
    ) -> None:
        """Be in no meeting, or not in that one. `call_ended`: it has ended a call with that."""
        self._answers.accept(command, delivery, now)
        self.on_leave(leave, now)
        current = self.lifecycle.membership.id if self.lifecycle.membership else None
        to_come = self.lifecycle.departure.next_meeting
        if to_come and leave.meeting is not None and current != to_come:
            self._leave_one_of_two(command, leave.meeting, now)
            return
        if current is None and self._end_retry(leave):
            self._answers.succeed(command.id, "its meeting is not tried any more", now)
            return
        if current is None or leave.meeting not in (None, current):
            text = f"not in meeting {leave.meeting}" if leave.meeting else "in no meeting"
            if call_ended:
                self._answers.succeed(command.id, f"the call is over; {text}", now)
            else:
                self._answers.succeed(command.id, text, now, code=Code.ALREADY)
            return
        self.lifecycle.supersede_joins("a leave came before it was in", now)
        self.lifecycle.departure.wait(command.id)
        self._answers.running(command.id, f"leaving {current}", now)
        self.lifecycle.stop(now, command, f"left {current}")

    def _end_retry(self, leave: Leave) -> bool:
        """Whether a meeting was to be tried again that this leave names, or any."""
        waiting = self.lifecycle.retry.waiting
        if waiting is None or leave.meeting not in (None, waiting.meeting):
            return False
        self.lifecycle.retry.withdraw()
        self.lifecycle.forget()
        return True

    def _leave_one_of_two(self, command: Command, meeting: str, now: Now) -> None:
        """One meeting is being left for another, and the command names one of them, or neither."""
        if meeting == self.lifecycle.departure.next_meeting:
            self.lifecycle.supersede_joins("a leave came before it was in", now)
        elif self.lifecycle.membership and meeting == self.lifecycle.membership.id:
            self.lifecycle.departure.wait(command.id)
            return
        self._answers.succeed(command.id, f"not in meeting {meeting}", now)

    def resume(self, record: MeetingRecord, now: Now) -> None:
        """Back into the meeting of before the restart, muted, unless its time is over."""
        join = record.command.body
        assert isinstance(join, Join)
        meeting = join.meeting.id
        if not can_resume(record, now):
            self.lifecycle.forget()
            text = f"not back into meeting {meeting}: its time is over"
            self._tell("meeting-over", Code.OK, text, now)
            return
        since = datetime.fromtimestamp(record.since_wall, UTC)
        if record.retrying:
            self.lifecycle.retry.resume(record, since, now)
            return
        self.lifecycle.begin(record.command, join, now, resumed_since=since)
        if record.command.id not in self._answers.open:
            self.lifecycle.go_on()
        self._tell("resumed", Code.OK, f"back into meeting {meeting}, muted", now)
