"""Scripted servers on loopback that give a test control of every byte on the wire.

They never sleep: a server goes on when the test says so, and a watchdog ends what would hang.
"""

from __future__ import annotations

from .certificate import client_context, server_context
from .frames import CHAT_FRAMES, CHAT_TEXT, MESSAGES_FRAMES, RESPONSES_FRAMES
from .gate import GateServer, GateTimeout
from .h2 import H2Server, H2Stream
from .listener import WATCHDOG, ScriptError
from .proxy import Proxy
from .raw import Connection, RawServer, Request
from .scripts import FRAMES, Script, chat, sends

__all__ = [
    "CHAT_FRAMES",
    "CHAT_TEXT",
    "FRAMES",
    "MESSAGES_FRAMES",
    "RESPONSES_FRAMES",
    "WATCHDOG",
    "Connection",
    "GateServer",
    "GateTimeout",
    "H2Server",
    "H2Stream",
    "Proxy",
    "RawServer",
    "Request",
    "Script",
    "ScriptError",
    "chat",
    "client_context",
    "sends",
    "server_context",
]
