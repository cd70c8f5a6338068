"""Who gets in, who doesn't, and what each is told: real certificates, a real Mosquitto.

The broker runs with config/hub/production.conf, the files are made by the enrolment tool.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from msgspec.structs import replace

from agent import settings
from agent.core.model.agenda import MAX_AGENDA_BYTES
from agent.core.model.events import CommandReceived, LinkChanged
from agent.enrolment.authority import Authority
from agent.hub import tls
from tests.hub.conftest import ROOM, RunningLink, room_state
from tests.support.broker import REPOSITORY, Broker, Hub, wait_until
from tests.support.slow_line import SlowLine

ROOT = "diemcau/v1"
PRODUCTION = REPOSITORY / "config/hub/production.conf"
LOG = ["log_dest stderr", "log_type all"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("authority"))
    made.create(ROOT)
    made.enrol_hub(["localhost", "127.0.0.1"])
    made.enrol_room("thon-5", ["xa-ba-vi"])
    made.enrol_room("thon-6", [])
    made.enrol_operator("ha")
    return made


@pytest.fixture(scope="module")
def secure(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    directory = tmp_path_factory.mktemp("broker")
    with Broker(directory, LOG, config=PRODUCTION, files=authority.broker) as running:
        yield running


@pytest.fixture
def operator(authority: Authority, secure: Broker) -> Iterator[Hub]:
    with operator_of(authority, secure) as hub:
        yield hub


def operator_of(authority: Authority, broker: Broker) -> Hub:
    files = authority.folder / "operators/ha"
    return Hub(broker.ports[8884], [f"{ROOT}/#"], prepare=with_certificate(files, "operator"))


def with_certificate(files: Path, name: str) -> Callable[[mqtt.Client], None]:
    def prepare(client: mqtt.Client) -> None:
        client.tls_set(
            str(files / "ca.pem"), str(files / f"{name}.pem"), str(files / f"{name}.key")
        )

    return prepare


def tls_of(folder: Path) -> settings.Tls:
    return settings.Tls(
        ca=str(folder / "ca.pem"),
        certificate=str(folder / "room.pem"),
        key=str(folder / "room.key"),
    )


@pytest.fixture
def enrolled(authority: Authority, secure: Broker) -> Iterator[Callable[..., RunningLink]]:
    """Makes links; by default of room thon-5 with its own certificate."""
    made: list[RunningLink] = []

    def make(
        files: Path | None = None, *, room: settings.Room = ROOM, port: int = 0, **tls: str | None
    ) -> RunningLink:
        given = replace(tls_of(files or authority.folder / f"rooms/{room.id}"), **tls)
        hub = settings.Hub(
            host="127.0.0.1", port=port or secure.port, tls=given, keepalive_seconds=5
        )
        made.append(RunningLink(hub, room))
        return made[-1]

    yield make
    for one in made:
        one.link.close()


def refusal(running: RunningLink) -> LinkChanged:
    running.link.start(room_state())
    return running.wait_for(LinkChanged, lambda event: not event.up)


def test_an_enrolled_room_and_an_operator_reach_each_other(
    enrolled: Callable[..., RunningLink], operator: Hub
) -> None:
    running = enrolled()
    assert running.start().code == "ok"
    operator.wait_for(f"{ROOT}/room/thon-5/state", lambda one: one["connection"] == "online")
    for target in ("room/thon-5", "group/xa-ba-vi", "group/all"):
        operator.send(f"{ROOT}/{target}/cmd/ping", {"id": target.replace("/", "-")})
    wait_until(lambda: len(running.of(CommandReceived)) == 3, "all three commands")


def test_a_room_neither_reads_nor_writes_anothers(
    authority: Authority,
    secure: Broker,
    enrolled: Callable[..., RunningLink],
    operator: Hub,
) -> None:
    enrolled().start()
    files = authority.folder / "rooms/thon-6"
    everything = [f"{ROOT}/#", f"{ROOT}/room/thon-5/#", f"{ROOT}/group/xa-ba-vi/cmd/+"]
    with Hub(secure.port, everything, prepare=with_certificate(files, "room")) as intruder:
        for topic in ("state", "health", "ack/x", "event/fault", "echo", "cmd/unmute"):
            intruder.send(f"{ROOT}/room/thon-5/{topic}", {"forged": topic}, retain=True)
        intruder.send(f"{ROOT}/group/all/cmd/unmute", {"forged": "group"})
        intruder.send(f"{ROOT}/room/thon-6/cmd/unmute", {"forged": "own command"})
        operator.send(f"{ROOT}/room/thon-5/cmd/ping", {"id": "secret"})
        operator.send(f"{ROOT}/group/xa-ba-vi/cmd/ping", {"id": "secret"})
        operator.send(f"{ROOT}/room/thon-6/cmd/ping", {"id": "its own"})
        operator.send(f"{ROOT}/group/all/cmd/ping", {"id": "everybody's"})
        intruder.wait_for(f"{ROOT}/group/all/cmd/ping")
        topics = {one.topic for one in intruder.seen}
        intruder.send(f"{ROOT}/room/thon-6/health", {"its": "own"})
        operator.wait_for(f"{ROOT}/room/thon-6/health")
    assert topics == {f"{ROOT}/room/thon-6/cmd/ping", f"{ROOT}/group/all/cmd/ping"}
    assert [one for one in operator.seen if one.document and "forged" in one.document] == []


AGENDAS = {
    "room/thon-5": {"thon-5"},
    "room/thon-6": {"thon-6"},
    "group/xa-ba-vi": {"thon-5"},
    "group/all": {"thon-5", "thon-6"},
    "group/xa-khac": set(),
}
"""Whose agenda: the rooms that may read it. None may write any."""


def test_agendas_are_written_by_operators_and_read_by_whom_they_are_for(
    authority: Authority, secure: Broker, operator: Hub
) -> None:
    """Both as they are published and as they are retained; a room can forge or clear not even its own."""
    topics = {f"{ROOT}/{address}/agenda": readers for address, readers in AGENDAS.items()}
    largest = b'{"by": "operator"}'.ljust(MAX_AGENDA_BYTES)

    def of(room: str) -> Hub:
        prepare = with_certificate(authority.folder / f"rooms/{room}", "room")
        wanted = [*topics, f"{ROOT}/+/+/agenda", f"{ROOT}/room/{room}/echo"]
        return Hub(secure.port, wanted, prepare=prepare)

    def read_by(room: Hub, name: str) -> set[tuple[str, str]]:
        """What came until now: the broker keeps the order of a connection."""
        room.send(f"{ROOT}/room/{name}/echo", {})
        room.wait_for(f"{ROOT}/room/{name}/echo")
        agendas = [one for one in room.seen if one.topic.endswith("/agenda")]
        return {(one.topic, (one.document or {}).get("by", "cleared")) for one in agendas}

    for name in ("thon-5", "thon-6"):
        with of(name) as room:
            for topic in topics:
                room.send(topic, {"by": name}, retain=True)
    with of("thon-5") as before, of("thon-6") as clearing:
        for topic in topics:
            operator.send(topic, largest, retain=True)
        rooms = [(before, "thon-5"), (clearing, "thon-6")]
        for (room, _), topic in product(rooms, topics):
            room.send(topic, b"", retain=True)
        live = {name: read_by(room, name) for room, name in rooms}
    with of("thon-5") as five, of("thon-6") as six:
        retained = {name: read_by(room, name) for room, name in ((five, "thon-5"), (six, "thon-6"))}
    for topic in topics:  # other tests begin without agendas
        operator.send(topic, b"", retain=True)
    expected = {
        name: {(topic, "operator") for topic, readers in topics.items() if name in readers}
        for name in ("thon-5", "thon-6")
    }
    assert live == expected
    assert retained == expected


def test_a_room_cannot_throw_another_out_by_its_client_id(
    authority: Authority, secure: Broker, enrolled: Callable[..., RunningLink]
) -> None:
    running = enrolled()
    running.start()
    files = authority.folder / "rooms/thon-6"

    def as_thon_5(client: mqtt.Client) -> None:
        with_certificate(files, "room")(client)
        client._client_id = b"thon-5"

    with Hub(secure.port, [], prepare=as_thon_5) as intruder:
        intruder.send(f"{ROOT}/room/thon-6/health", {})
    assert [event.up for event in running.of(LinkChanged)] == [True]


OPERATORS_ID = "use_username_as_clientid true"


@pytest.mark.parametrize("strict", [False, True], ids=["shipped", "strict"])
def test_an_operator_who_takes_a_rooms_client_id_gets_none_of_its_commands(
    tmp_path: Path, authority: Authority, strict: bool
) -> None:
    """Mosquitto has nothing but use_username_as_clientid against it, which stands ready in the configuration."""
    config = tmp_path / "mosquitto.conf"
    shipped = PRODUCTION.read_text()
    assert shipped.count(f"\n#{OPERATORS_ID}\n") == 1
    config.write_text(shipped.replace(f"#{OPERATORS_ID}", OPERATORS_ID) if strict else shipped)
    files = authority.folder / "operators/ha"

    def as_room(client: mqtt.Client) -> None:
        with_certificate(files, "operator")(client)
        client._client_id = b"thon-5"
        client.reconnect_delay_set(60, 60)

    with Broker(tmp_path / "broker", LOG, config=config, files=authority.broker) as broker:
        hub = settings.Hub("127.0.0.1", broker.port, tls=tls_of(authority.folder / "rooms/thon-5"))
        running = RunningLink(hub, ROOM)
        running.start()
        operators = broker.ports[8884]
        with Hub(operators, [], prepare=as_room, clean_start=False) as intruder:
            intruder.send(f"{ROOT}/room/thon-5/cmd/ping", {"id": "with the intruder there"})
            if not strict:
                running.wait_for(LinkChanged, lambda event: not event.up)
                running.wait_for(LinkChanged, lambda event: event.up, after=2)
        with Hub(operators, [], prepare=with_certificate(files, "operator")) as colleague:
            colleague.send(f"{ROOT}/room/thon-5/cmd/ping", {"id": "one"})
            running.wait_for(CommandReceived, lambda event: event.command.id == "one")
        assert intruder.seen == []
        assert (len(running.of(LinkChanged)) == 1) == strict
        running.link.close()


def test_a_rooms_certificate_does_not_open_the_operators_door(
    secure: Broker, enrolled: Callable[..., RunningLink]
) -> None:
    refused = refusal(enrolled(port=secure.ports[8884]))
    assert refused.code == "tls-refused"
    assert "does not know the CA" in refused.text


def test_a_hub_from_another_ca_is_refused_by_the_room(
    tmp_path: Path, enrolled: Callable[..., RunningLink]
) -> None:
    other = Authority(tmp_path / "other")
    other.create(ROOT)
    refused = refusal(enrolled(ca=str(other.broker / "ca.pem")))
    assert refused.code == "tls-unknown-ca"
    assert "hub.tls.ca" in refused.text


def test_a_hub_with_another_name_is_refused_by_the_room(
    authority: Authority, secure: Broker
) -> None:
    tls = tls_of(authority.folder / "rooms/thon-5")
    with SlowLine(secure.port, host="127.0.0.2") as elsewhere:
        running = RunningLink(settings.Hub(host="127.0.0.2", port=elsewhere.port, tls=tls))
        refused = refusal(running)
        running.link.close()
    assert refused.code == "tls-wrong-host"
    assert "127.0.0.2" in refused.text


@pytest.mark.parametrize(
    ("days", "code", "word"),
    [(-1000, "tls-hub-expired", "expired"), (+1000, "tls-not-yet-valid", "clock")],
)
def test_a_hub_outside_its_time_is_refused_by_the_room(
    tmp_path: Path, days: int, code: str, word: str
) -> None:
    """As a room sees it whose clock is wrong, or whose hub forgot to renew."""
    authority = Authority(tmp_path / "authority")
    authority.create(ROOT)
    authority.enrol_room("thon-5", [])
    then = datetime.now(UTC) + timedelta(days=days)
    Authority(authority.folder, lambda: then).enrol_hub(["127.0.0.1"])
    config = {"config": PRODUCTION, "files": authority.broker}
    authority.enrol_room("thon-5", [])  # makes the revocation list of today
    with Broker(tmp_path / "broker", LOG, **config) as broker:
        hub = settings.Hub(
            host="127.0.0.1", port=broker.port, tls=tls_of(authority.folder / "rooms/thon-5")
        )
        running = RunningLink(hub)
        refused = refusal(running)
        running.link.close()
    assert (refused.code, word in refused.text) == (code, True)


def test_a_room_whose_certificate_has_expired_is_told_so(
    authority: Authority, enrolled: Callable[..., RunningLink]
) -> None:
    then = datetime.now(UTC) - timedelta(days=1000)
    old = Authority(authority.folder, lambda: then)
    files = old.enrol_room("thon-9", [])
    authority.renew("thon-6")  # the lists are of today again
    refused = refusal(enrolled(files, room=settings.Room(id="thon-9")))
    assert refused.code == "tls-expired"
    assert "renew" in refused.text


def test_a_room_without_a_certificate_is_told_so(enrolled: Callable[..., RunningLink]) -> None:
    refused = refusal(enrolled(certificate=None, key=None))
    assert refused.code == "tls-no-certificate"
    assert "hub.tls.certificate" in refused.text


def test_a_revoked_room_is_thrown_out_by_a_restart_and_a_renewed_one_let_in(
    authority: Authority, secure: Broker, enrolled: Callable[..., RunningLink]
) -> None:
    """A restart and not a reload: Mosquitto's SIGHUP drops or crashes on TLS clients' sessions."""
    room = settings.Room(id="thon-7")
    running = enrolled(authority.enrol_room("thon-7", []), room=room)
    running.start()
    later = datetime.now(UTC) + timedelta(minutes=1)  # of two lists of one second the older counts
    assert len(Authority(authority.folder, lambda: later).revoke("thon-7")) == 1
    secure.stop()
    secure.start()
    refused = running.wait_for(LinkChanged, lambda event: event.code == "tls-revoked")
    assert "enrol the room again" in refused.text
    authority.renew("thon-7")
    running.wait_for(LinkChanged, lambda event: event.up, after=1, seconds=40)


def test_a_slow_mobile_line_is_enough_for_a_handshake_and_for_its_refusal(
    authority: Authority, secure: Broker, enrolled: Callable[..., RunningLink]
) -> None:
    with SlowLine(secure.port, delay_seconds=0.4) as line:
        running = enrolled(port=line.port)
        assert running.start().code == "ok"
        running.link.close()
        bare = enrolled(certificate=None, key=None, port=line.port)
        assert refusal(bare).code == "tls-no-certificate"
        bare.link.close()


def test_a_hub_that_speaks_only_tls_1_2_is_fine(
    authority: Authority, tmp_path: Path, enrolled: Callable[..., RunningLink]
) -> None:
    older = tmp_path / "older.conf"
    older.write_text(PRODUCTION.read_text() + "ciphers ECDHE-ECDSA-AES128-GCM-SHA256\n")
    with Broker(tmp_path / "b", LOG, config=older, files=authority.broker) as broker:
        running = enrolled(port=broker.port)
        running.start()
        running.link.close()


def test_a_missing_file_is_named(enrolled: Callable[..., RunningLink]) -> None:
    refused = refusal(enrolled(key="/nowhere/room.key"))
    assert refused.code == "bad-certificate-files"
    assert "/nowhere/room.key" in refused.text


def test_plain_mqtt_on_the_other_side_is_told_apart(
    broker: Broker, enrolled: Callable[..., RunningLink]
) -> None:
    refused = refusal(enrolled(port=broker.port))
    assert "port for TLS" in refused.text


def test_verification_is_never_off(authority: Authority) -> None:
    context = tls.client_context(tls_of(authority.folder / "rooms/thon-5"))
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_a_ca_as_old_instructions_make_it_is_called_so() -> None:
    """Python is strict from 3.13 on; the numbers are OpenSSL's."""
    error = ssl.SSLCertVerificationError("verify failed")
    error.verify_code, error.verify_message = 92, "CA cert does not include key usage extension"
    told = tls.explain(error, settings.Hub(host="hub.example"))
    assert "lacks an extension" in told.text
    assert "(CA cert does not include key usage extension)" in told.text
    assert "wrong file" not in told.text
