"""Scripted servers on loopback that give a test control of every byte on the wire.

They never sleep: a server goes on when the test says so, and a watchdog ends what would hang.
"""

from __future__ import annotations

from .frames import CHAT_FRAMES, CHAT_TEXT, MESSAGES_FRAMES, RESPONSES_FRAMES
from .h2 import H2Server, H2Stream
from .http1 import (
    FRAMES,
    Connection,
    GateServer,
    Proxy,
    RawServer,
    Script,
    answers,
    chat,
    sends,
)
from .listener import Request, ScriptError, client_context, server_context

__all__ = [
    "CHAT_FRAMES",
    "CHAT_TEXT",
    "FRAMES",
    "MESSAGES_FRAMES",
    "RESPONSES_FRAMES",
    "Connection",
    "GateServer",
    "H2Server",
    "H2Stream",
    "Proxy",
    "RawServer",
    "Request",
    "Script",
    "ScriptError",
    "answers",
    "chat",
    "client_context",
    "sends",
    "server_context",
]
