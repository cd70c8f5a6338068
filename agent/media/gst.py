"""GStreamer's bindings with their versions pinned: the only place where `gi` is imported.

GstApp gives appsrc and appsink methods, which cost less than their signals. Importing this needs
python3-gi and the distribution's GStreamer; only the media process does it.
"""

from __future__ import annotations

import ctypes
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")

from gi.repository import GLib, Gst, GstApp, GstSdp, GstWebRTC  # noqa: E402

try:
    gi.require_version("Nice", "0.1")
    from gi.repository import Nice
except (ImportError, ValueError):  # gir1.2-nice-0.1 is not there: what needs it is done without
    Nice = None

__all__ = [
    "GLib",
    "Gst",
    "GstApp",
    "GstSdp",
    "GstWebRTC",
    "Nice",
    "available",
    "reply_of",
    "shared",
    "version",
]

Gst.init(None)

ENUMERATIONS = (
    Gst.BufferFlags,
    Gst.EventType,
    Gst.FlowReturn,
    Gst.Format,
    Gst.MessageType,
    Gst.PadDirection,
    Gst.PadProbeReturn,
    Gst.PadProbeType,
    Gst.PromiseResult,
    Gst.QueryType,
    Gst.State,
    Gst.StateChangeReturn,
    Gst.StreamStatusType,
    Gst.TaskState,
    GstSdp.SDPResult,
    GstWebRTC.WebRTCICEGatheringState,
    GstWebRTC.WebRTCRTPTransceiverDirection,
    GstWebRTC.WebRTCSDPType,
    *((Nice.RelayType,) if Nice else ()),
)
STRUCTURES = (
    Gst.Buffer,
    Gst.Caps,
    Gst.Event,
    Gst.Message,
    Gst.Promise,
    Gst.Query,
    Gst.Sample,
    Gst.Structure,
    GstSdp.SDPMessage,
    GstWebRTC.WebRTCSessionDescription,
    *((Nice.Agent,) if Nice else ()),
)
"""All that are in use. PyGObject makes each when it is first asked for, piece by piece, and a second
thread that asks meanwhile finds it half made (gi/module.py): so they are made here, before any thread."""


def version() -> str:
    return str(Gst.version_string())


def shared(given: Any) -> Any:
    """`given`, safe to be let go of: webrtcbin gives its ICE agent away floating, so that PyGObject
    takes webrtcbin's own reference for ours, and the two would free it twice.
    """
    if given.__grefcount__ == 1:
        ctypes.CDLL("libgobject-2.0.so.0").g_object_ref(ctypes.c_void_p(hash(given)))
    return given


def reply_of(promise: Any) -> Any | None:
    """What a promise that has changed was given; None where nobody keeps it any more, as at a session's end."""
    kept = promise.wait() == Gst.PromiseResult.REPLIED  # at once, since it has changed
    return promise.get_reply() if kept else None


def available(*elements: str) -> str | None:
    """The first of these elements that this machine has."""
    return next((name for name in elements if Gst.ElementFactory.find(name)), None)
