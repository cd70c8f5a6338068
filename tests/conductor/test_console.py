"""The operators' page: who may do what, and a meeting by clicks in headless Chromium."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.conductor.console.logins import Logins
from agent.conductor.core.model.acts import End, Give, StartMeeting
from agent.conductor.core.model.orders import JoinOrder, Publish
from agent.conductor.main import TOKENS
from agent.conductor.requests import ShowAudit
from agent.conductor.tokens import Tokens
from agent.core.model.agenda import Agenda, AgendaItem, encode_agenda
from agent.core.model.commands import Attendance, Meeting
from tests.support.broker import Broker, Hub, free_port
from tests.support.chromium import Chromium
from tests.support.console_page import ConsolePage
from tests.support.hub_site import HubSite
from tests.support.media_server import MediaServer
from tests.support.peers import Publisher
from tests.support.pictures import shows
from tests.support.waiting import wait_for

PASSWORD = "rất dài và lạ"
ROOMS = ("xa-a", "xa-b")
RED, BLUE = (200, 40, 40), (40, 70, 210)


class Site:
    """The page of a hub, as a browser without scripts would use it."""

    def __init__(self, hub: HubSite) -> None:
        self.hub = hub
        self.port = hub.conductor.settings["console"]["port"]
        self.url = f"http://127.0.0.1:{self.port}"
        self.cookie = self.csrf = ""

    def ask(
        self, path: str, body: object = None, origin: str | None = None, csrf: str | None = None
    ) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data)
        request.add_header("Origin", self.url if origin is None else origin)
        request.add_header("X-CSRF", self.csrf if csrf is None else csrf)
        request.add_header("Cookie", self.cookie)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                if cookie := answer.headers.get("Set-Cookie"):
                    assert "HttpOnly" in cookie
                    assert "SameSite=strict" in cookie
                    self.cookie = cookie.partition(";")[0]
                assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
                text = answer.read()
                return answer.status, json.loads(text) if text[:1] in b"{[" else text.decode()
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def login(self, name: str, password: str = PASSWORD) -> int:
        status, answer = self.ask("/login", {"name": name, "password": password})
        self.csrf = answer.get("csrf", "")
        return status

    def audit(self) -> list[tuple[str, str, str]]:
        lines = self.hub.conductor.ask(ShowAudit()).audit or []
        return [(line.who, line.what.split()[0], line.outcome) for line in lines]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all tests: each ends what it began."""
    folder = tmp_path_factory.mktemp("site")
    port = free_port()
    with (
        Broker(folder / "broker", persistent=True) as broker,
        MediaServer(jwks=f"http://127.0.0.1:{port}/jwks.json") as server,
    ):
        hub = HubSite(folder, broker, server.url)
        try:
            hub.conductor.settings["console"] = {"port": port}
            hub.conductor.start()
            for room in ROOMS:
                hub.add_room(room)
            hub.conductor.wait_linked(40)
            hub.conductor.add_account("ha", "operator", PASSWORD)
            hub.conductor.add_account("khach", "viewer", PASSWORD)
            yield Site(hub)
        finally:
            hub.close()


def test_only_who_may_can_and_all_of_it_is_audited(site: Site) -> None:
    assert site.ask("/api/me")[0] == 401
    assert site.ask("/api/act", {"type": "meetings"})[0] == 401
    assert site.login("ha", "falsch") == 401
    assert site.login("nobody") == 401
    assert site.ask("/login", {"name": "ha", "password": PASSWORD}, origin="http://evil")[0] == 403
    assert site.login("khach") == 200
    start = {"type": "start", "meeting": "hop", "rooms": list(ROOMS), "chair": "xa-a"}
    assert site.ask("/api/act", start)[1]["code"] == "not-permitted"
    assert site.login("ha") == 200
    assert site.ask("/api/act", start, origin="http://evil")[0] == 403
    assert site.ask("/api/act", start, csrf="guessed")[0] == 403
    status, answer = site.ask("/api/act", start)
    assert (status, answer["meeting"]["started_by"]) == (200, "ha")
    assert site.login("khach") == 200
    end = {"type": "end", "meeting": "hop"}
    assert site.ask("/api/act", end)[0] == 403
    assert site.login("ha") == 200
    assert site.ask("/api/act", end)[0] == 200
    audit = site.audit()
    for line in (
        ("ha", "login", "wrong-password"),
        ("khach", "start", "not-permitted"),
        ("ha", "/api/act", "foreign-origin"),
        ("ha", "start", "done"),
        ("khach", "end", "not-permitted"),
    ):
        assert line in audit


def test_nobody_says_himself_from_where_he_comes(site: Site) -> None:
    """By a header of proxies the limit of tries for an address would be none, and the audit false."""
    body = json.dumps({"name": "ai-do", "password": "đoán"}).encode()
    request = urllib.request.Request(f"{site.url}/login", body, {"Origin": site.url})
    request.add_header("X-Forwarded-For", "203.0.113.7")
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(request, timeout=60)
    lines = site.hub.conductor.ask(ShowAudit()).audit or []
    assert [one.what for one in lines if one.who == "ai-do"] == ["login from 127.0.0.1"]
    assert site.login("ha") == 200, "which forgives the address its failure"


def test_a_stranger_s_name_that_leads_here_is_not_ours(site: Site) -> None:
    """A page of `evil` whose name was made to mean this machine is of one origin with it, for the browser."""
    evil = f"evil.example:{site.port}"
    body = json.dumps({"name": "ha", "password": PASSWORD}).encode()
    headers = {"Host": evil, "Origin": f"http://{evil}"}
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(f"{site.url}/login", body, headers))
    assert refused.value.code == 403


def test_another_password_and_a_removed_account_end_sessions(site: Site) -> None:
    conductor = site.hub.conductor
    conductor.add_account("tam", "operator", PASSWORD)
    assert site.login("tam") == 200
    assert site.ask("/api/me")[1]["role"] == "operator"
    conductor.add_account("tam", "viewer", PASSWORD)
    assert site.ask("/api/me")[0] == 401
    assert site.login("tam") == 200
    conductor.remove_account("tam")
    assert site.ask("/api/me")[0] == 401
    assert site.ask("/api/act", {"type": "meetings"})[0] == 401
    assert site.ask("/api/events")[0] == 401
    assert site.ask("/api/minutes/1")[0] == 401
    assert site.login("tam") == 401
    assert site.login("ha") == 200, "which forgives the address its failures"


def test_an_open_page_is_no_use_of_its_session() -> None:
    logins = Logins(60)
    cookie, _ = logins.begin("ha", "proof", 0)
    assert logins.find(cookie, 59, used=False)
    assert logins.find(cookie, 61, used=False) is None
    assert logins.find(cookie, 59)
    assert logins.find(cookie, 61)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    nothing = tmp_path_factory.mktemp("browser") / "nothing"
    nothing.touch()
    with Chromium(nothing, nothing) as chromium:
        yield chromium


def publish_agenda(hub: HubSite) -> None:
    """A meeting of everybody's, in two hours."""
    now = datetime.now(UTC)
    starts, ends = now + timedelta(hours=2), now + timedelta(hours=3)
    item = AgendaItem("chieu", "Giao ban chiều", starts, ends, Attendance(Meeting("chieu")))
    document = Agenda(1, 1, now, now + timedelta(days=1), [item])
    with Hub(hub.broker.port, []) as client:
        client.send("diemcau/v1/group/all/agenda", encode_agenda(document), retain=True)


@pytest.fixture
def page(site: Site, browser: Chromium) -> Iterator[ConsolePage]:
    browser.call("Storage.clearCookies")
    with ConsolePage(browser) as page:
        page.open(site.url)
        yield page


def test_a_meeting_by_clicks_on_a_phones_screen(site: Site, page: ConsolePage) -> None:
    phone = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    page.send("Emulation.setDeviceMetricsOverride", **phone)
    page.login("ha", PASSWORD)
    page.see("document.querySelectorAll('.tile').length === 2", "two tiles")
    publish_agenda(site.hub)
    page.see(
        "document.querySelector('#day [data-item=chieu]')?.textContent.includes('0/2')", "the day"
    )
    assert page.evaluate("document.documentElement.scrollWidth <= 360"), "it fits"
    page.click("#start-open")
    page.fill("#start-id", "hop")
    page.fill("#start-chair", "xa-a")
    page.fill("#start-rooms", "xa-a xa-b")
    page.click("#start-go")
    page.see("document.querySelectorAll('.roster .good').length === 2", "both are there")
    page.click("[data-key='give-hop-xa-b']")
    page.see("document.querySelector('.holders li')?.textContent === 'Phòng xa-b'", "it speaks")
    site.hub.conductor.kill()
    page.see("!document.querySelector('#lost').hidden", "says that the conductor is lost")
    site.hub.conductor.start()
    site.hub.conductor.wait_linked()
    page.see("document.querySelector('#login') !== null", "a restart logs out")
    page.login("ha", PASSWORD)
    page.click("[data-key='end-hop']")
    page.click("[data-key='end-hop']")
    page.see("document.querySelectorAll('article').length === 0", "it is over")
    wait_for(lambda: site.hub.meeting_of("xa-b") is None, 20, "the room has left")


def test_a_meeting_by_the_keyboard_alone(site: Site, page: ConsolePage) -> None:
    page.type("#name", "ha")
    page.type("#password", PASSWORD)
    page.press("Enter")
    page.tab_to("#start-open")
    page.press("Enter")
    page.type("#start-id", "hop")
    page.type("#start-chair", "xa-a")
    page.type("#start-rooms", "xa-a xa-b")
    page.press("Enter")
    page.see("document.querySelectorAll('.roster .good').length === 2", "both are there")
    site.hub.rooms["xa-b"].ask(type="floor", state="queued")
    page.see("document.querySelector('.queue .row') !== null", "the hand")
    page.tab_to("#logout")  # out of the form, where letters are letters
    page.press("n")
    page.see("document.querySelector('.holders li')?.textContent === 'Phòng xa-b'", "it speaks")
    page.press("m")
    page.see("document.querySelector('.holders li') === null", "nobody speaks")
    page.type("[data-key='text-hop']", "Xin chào")
    page.tab_to("[data-key='message-hop']")
    page.press(" ")
    page.see("document.querySelector('#meeting').textContent.includes('Xin chào')", "the message")
    page.tab_to("[data-key='end-hop']")
    page.press("Enter")
    page.see("document.activeElement.dataset.key === 'end-hop'", "the focus stays where it was")
    page.press("Enter")
    page.see("document.querySelectorAll('article').length === 0", "it is over")


def test_it_is_read_in_both_languages_by_day_and_by_night(page: ConsolePage) -> None:
    page.login("khach", PASSWORD)
    page.see("document.querySelectorAll('.tile').length === 2", "two tiles")
    language = page.evaluate("document.documentElement.lang")
    headings = {language: page.text("#rooms h2")}
    page.click("#language")
    headings[page.evaluate("document.documentElement.lang")] = page.text("#rooms h2")
    assert headings == {"vi": "Các phòng (2)", "en": "Rooms (2)"}
    page.evaluate(
        "for (const name of ['good', 'warn', 'bad']) { const p = document.createElement('p'); "
        "p.className = name; document.body.append(p) }"
    )
    grounds = {}
    for scheme in ("light", "dark"):
        page.prefer(scheme)
        grounds[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
        for selector in ("body", "p.good", "p.warn", "p.bad", "#logout"):
            assert page.contrast(selector) >= 4.5, (scheme, selector)
    assert grounds["light"] != grounds["dark"]


def test_a_browser_that_slept_for_an_hour_is_right_again(site: Site, page: ConsolePage) -> None:
    page.login("ha", PASSWORD)
    page.see("document.querySelectorAll('.tile').length === 2", "two tiles")
    page.evaluate("{ const now = Date.now; Date.now = () => now.call(Date) + 3600e3; }")
    site.hub.conductor.ask(StartMeeting("hop", ["xa-a"], chair="xa-a"))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.see("document.querySelector('[data-meeting=hop]') !== null", "the meeting")
    page.see("document.querySelector('#lost').hidden", "and it is true")
    site.hub.conductor.ask(End("hop"))


def publishing(site: Site, room: str, colour: tuple[int, int, int]) -> Publisher:
    """In the room's place, whose media process is a stand-in here; with the token that its join has."""
    url = f"{site.hub.media_url}/hop-{room}/whip"
    join = JoinOrder(Meeting("hop"), Publish(url), [], "muted")
    tokens = Tokens(Path(site.hub.conductor.settings["conductor"]["path"]) / TOKENS, 600)
    filled = tokens.fill(room, join, time.time())
    assert isinstance(filled, JoinOrder)
    return Publisher(url, filled.publish.token, colour=colour, size=(320, 180), framerate=5)


def test_the_pictures_of_a_meeting_are_played_the_speakers_large(
    site: Site, page: ConsolePage
) -> None:
    site.hub.conductor.ask(StartMeeting("hop", list(ROOMS), chair="xa-a"))
    site.hub.conductor.ask(Give("hop", "xa-b"))
    with publishing(site, "xa-a", RED), publishing(site, "xa-b", BLUE):
        page.login("ha", PASSWORD)
        page.click("#pictures")
        for place, colour in (("[data-room=xa-a].tile", RED), (".speaker", BLUE)):
            wait_for(
                lambda place=place, colour=colour: shows(page.picture(place), colour, 60),
                60,
                f"the picture in {place}",
            )
        page.click("#pictures")
        page.see("document.querySelector('video') === null", "none is played")
    site.hub.conductor.ask(End("hop"))


def test_who_guesses_passwords_has_to_wait(site: Site) -> None:
    """The last one here: nobody else gets in meanwhile either."""
    statuses = [site.login("ha", f"guess number {number}") for number in range(6)]
    assert statuses == [401] * 5 + [429]
    assert site.login("ha") == 429
