"""Scripted servers on loopback that give a test control of every byte on the wire.

They never sleep: a server goes on when the test says so, and a watchdog ends what would hang.
"""

from .frames import CHAT_FRAMES as CHAT_FRAMES
from .frames import CHAT_TEXT as CHAT_TEXT
from .frames import MESSAGES_FRAMES as MESSAGES_FRAMES
from .frames import RESPONSES_FRAMES as RESPONSES_FRAMES
from .h2 import H2Server as H2Server
from .http1 import FRAMES as FRAMES
from .http1 import Connection as Connection
from .http1 import GateServer as GateServer
from .http1 import Proxy as Proxy
from .http1 import RawServer as RawServer
from .http1 import Script as Script
from .http1 import answers as answers
from .http1 import chat as chat
from .http1 import says_body as says_body
from .http1 import says_path as says_path
from .http1 import sends as sends
from .listener import Request as Request
from .listener import ScriptError as ScriptError
from .listener import client_context as client_context
from .listener import server_context as server_context
