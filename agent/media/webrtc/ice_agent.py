"""The ICE agent of one session: where it may look for a way, whom it asks for help, and the way that it found.

webrtcbin heeds the TURN servers that it was given before its offer. Those that become known later (the media server
names them with its answer) are given to libnice itself, which takes more at any time and looks for their
candidates at once.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

from agent.core.model.commands import Endpoint, Source
from agent.core.model.figures import Path
from agent.errors import MediaError
from agent.media.gst import Nice, shared
from agent.media.loop import Loop
from agent.media.webrtc import ice_restart, signaling
from agent.media.webrtc.ice import IceServer, permitted
from agent.media.webrtc.ice_restart import COMPONENT, STREAM
from agent.media.webrtc.network import Network
from agent.media.webrtc.path import PathWatch
from agent.media.webrtc.trickle import Trickle

LOOKUP_SECONDS = 3.0
"""For the name of a server that was just learned of, in a thread that has time."""


class IceAgent:
    """Made before webrtcbin has any candidate; nothing here blocks the loop, and nothing is raised."""

    def __init__(
        self, loop: Loop, webrtc: Any, network: Network, endpoint: Endpoint | Source
    ) -> None:
        self._network = network
        self._endpoint = endpoint
        self._trickle = Trickle(loop)
        self._path: PathWatch | None = PathWatch(webrtc, network.ice.relay_at)
        self._offer, self._answer = "", signaling.Answer("", None)
        ice = shared(webrtc.get_property("ice-agent"))
        self._agent: Any = ice.get_property("agent")
        self._agent.set_property("upnp", False)
        ice.set_property("ice-tcp", True)
        for address in network.addresses_towards(endpoint.url):
            ice.emit("add-local-ip-address", address)
        network.ice.give_to(webrtc, endpoint.url)
        webrtc.connect("on-ice-candidate", self._on_candidate)

    def ask_for_servers(self) -> None:
        """Where media found no way before: ask the server beside the offer whom it names to help (OPTIONS, for
        servers that say so only there).
        """
        if self._network.ice.needed:
            threading.Thread(target=self._ask, name="ice-servers", daemon=True).start()

    def answered(self, offer: str, answer: signaling.Answer) -> None:
        """In a thread that may wait: take the servers that it names, and tell what is found from now on."""
        self._offer, self._answer = offer, answer
        if answer.session_url:
            self._trickle.begin(offer, partial(self._tell, answer.session_url, answer.etag))
        if answer.ice_servers:
            self._use(list(answer.ice_servers))

    def listens_at(self, address: str) -> bool:
        """Whether one of its sockets is at this address."""
        ours = ice_restart.local_candidates(self._agent) if Nice and self._agent else ()
        return any(f" {address} " in one for one in ours)

    def restart(self) -> bool:
        """In a thread that may wait: look for a way anew, in the same session. False where the server (which has said
        by an ETag that it knows ICE's later words) does not do that; then nothing has changed.
        """
        agent, url = self._agent, self._answer.session_url
        if Nice is None or agent is None or url is None or self._answer.etag is None:
            return False
        ours = ice_restart.new_credentials()
        asked = ice_restart.asking(self._offer, ours, ice_restart.local_candidates(agent))
        told = signaling.restart_ice(self._network.http, url, self._endpoint, asked)
        theirs = ice_restart.answered(told, self._answer.sdp) if told else None
        if theirs is None or not ice_restart.restart(agent, ours, theirs):
            return False
        self._answer = self._answer._replace(sdp=told or "")
        return True

    def path(self) -> Path | None:
        """The way that media take, some seconds old at the most; of a session that is connected."""
        watch = self._path
        return watch.poll() if watch else None

    def close(self) -> None:
        """Let go of all that is GStreamer's. What a TURN server lent ends there by itself: libnice's `close_async`
        keeps the agent for ever where its loop has ended, 25 files and a thread for each session.
        """
        self._trickle.stop()
        self._path = self._agent = None

    def _on_candidate(self, _webrtc: Any, _index: int, candidate: str) -> None:
        self._trickle.add(candidate)

    def _tell(self, session_url: str, etag: str | None, fragment: str) -> bool:
        http = self._network.http
        return signaling.trickle(http, session_url, self._endpoint, etag, fragment)

    def _ask(self) -> None:
        try:
            self._use(signaling.named_ice_servers(self._network.http, self._endpoint))
        except MediaError:
            return  # the offer meets the same server, and says what is wrong

    def _use(self, servers: list[IceServer]) -> None:
        """Those that are new; without libnice's bindings they count from the next session on."""
        ice, url = self._network.ice, self._endpoint.url
        asked = permitted(servers, url, self._network.http.hosts, ice.names)
        new, agent = ice.learn(url, asked), self._agent
        if Nice is None or agent is None:
            return
        for server in new:
            kind = Nice.RelayType.UDP if server.transport == "udp" else Nice.RelayType.TCP
            for address, port in self._network.ice.places(server, LOOKUP_SECONDS):
                agent.set_relay_info(
                    STREAM, COMPONENT, address, port, server.username, server.credential, kind
                )
