"""The operators' page: who may do what, and a meeting by clicks in headless Chromium."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.conductor.requests import ShowAudit
from agent.core.model.agenda import Agenda, AgendaItem, encode_agenda
from agent.core.model.commands import Attendance, Meeting
from tests.support.broker import Hub, free_port
from tests.support.chromium import Chromium, Page
from tests.support.hub_site import HubSite
from tests.support.waiting import wait_for

PASSWORD = "rất dài và lạ"
ROOMS = ("xa-a", "xa-b")


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


def add_account(hub: HubSite, name: str, role: str) -> None:
    command = [sys.executable, "-m", "agent.conductor.main", "--config", str(hub.conductor.config)]
    subprocess.run(
        [*command, "--account", name, "--role", role],
        input=PASSWORD + "\n",
        text=True,
        check=True,
        timeout=60,
    )


@pytest.fixture
def site(make_hub: Callable[..., HubSite]) -> Site:
    hub = make_hub(*ROOMS)
    hub.conductor.stop()
    hub.conductor.settings["console"] = {"port": free_port()}
    hub.conductor.start()
    hub.conductor.wait_linked()
    add_account(hub, "ha", "operator")
    add_account(hub, "khach", "viewer")
    return Site(hub)


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
    assert site.ask("/api/act", {"type": "end", "meeting": "hop"})[0] == 403
    audit = site.audit()
    for line in (
        ("ha", "login", "wrong-password"),
        ("khach", "start", "not-permitted"),
        ("ha", "/api/act", "foreign-origin"),
        ("ha", "start", "done"),
        ("khach", "end", "not-permitted"),
    ):
        assert line in audit


def test_who_guesses_passwords_has_to_wait(site: Site) -> None:
    statuses = [site.login("ha", f"guess number {number}") for number in range(6)]
    assert statuses == [401] * 5 + [429]
    assert site.login("ha") == 429


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chromium]:
    nothing = tmp_path / "nothing"
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


def test_a_meeting_by_clicks_on_a_phones_screen(site: Site, browser: Chromium) -> None:
    with Page(browser) as page:
        page._send(
            "Emulation.setDeviceMetricsOverride",
            width=360,
            height=740,
            deviceScaleFactor=2,
            mobile=True,
        )
        page._send("Page.navigate", url=site.url)

        def see(expression: str, what: str) -> Any:
            return wait_for(lambda: page.evaluate(expression), 20, what)

        def click(selector: str) -> None:
            see(f"document.querySelector({json.dumps(selector)}) !== null", selector)
            page.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

        def fill(selector: str, text: str) -> None:
            see(f"document.querySelector({json.dumps(selector)}) !== null", selector)
            page.evaluate(
                f"(e => {{ e.value = {json.dumps(text)}; e.dispatchEvent(new Event('input')) }})"
                f"(document.querySelector({json.dumps(selector)}))"
            )

        fill("#name", "ha")
        fill("#password", PASSWORD)
        click("#login button")
        see("document.querySelectorAll('.tile').length === 2", "two tiles")
        publish_agenda(site.hub)
        see(
            "document.querySelector('#day [data-item=chieu]')?.textContent.includes('0/2')",
            "the day",
        )
        assert page.evaluate("document.documentElement.scrollWidth <= 360"), "it fits"
        click("#start-open")
        fill("#start-id", "hop")
        fill("#start-chair", "xa-a")
        fill("#start-rooms", "xa-a xa-b")
        click("#start-go")
        see("document.querySelectorAll('.roster .good').length === 2", "both are there")
        click("[data-key='give-hop-xa-b']")
        see("document.querySelector('.holders li')?.textContent === 'Phòng xa-b'", "it speaks")
        site.hub.conductor.kill()
        see("!document.querySelector('#lost').hidden", "says that the conductor is lost")
        site.hub.conductor.start()
        site.hub.conductor.wait_linked()
        see("document.querySelector('#login') !== null", "a restart logs out")
        fill("#name", "ha")
        fill("#password", PASSWORD)
        click("#login button")
        click("[data-key='end-hop']")
        click("[data-key='end-hop']")
        see("document.querySelectorAll('article').length === 0", "it is over")
    wait_for(lambda: site.hub.meeting_of("xa-b") is None, 20, "the room has left")
