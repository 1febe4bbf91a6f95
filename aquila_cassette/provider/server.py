"""The HTTP server of the embedded provider."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import socketserver
import struct
import sys
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, Self

from aquila_cassette.dialects.json_access import as_dict, load_json
from aquila_cassette.provider.anthropic import AnthropicMessages
from aquila_cassette.provider.gemini import GeminiGenerateContent
from aquila_cassette.provider.openai import CREATED, OpenAIChat, OpenAIResponses
from aquila_cassette.provider.replies import (
    DeterministicRandom,
    ParsedRequest,
    encode,
    parse_request,
    reply_to,
)

DIALECTS = (OpenAIChat(), OpenAIResponses(), AnthropicMessages(), GeminiGenerateContent())
ProviderDialect = OpenAIChat | OpenAIResponses | AnthropicMessages | GeminiGenerateContent

STREAM_FAULTS = ("error-midstream", "drop-after-5", "cut")
"""The faults of a stream; each happens after five tokens."""
_ERROR = re.compile(r"error-(\d{3})")
_MESSAGES = {
    401: "Incorrect API key provided.",
    429: "Rate limit reached. Please try again in 20s.",
}
_OTHER_MESSAGE = "The server had an error while processing your request."

_NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
_STOP_CHECK = 0.01
"""How often, in seconds, the server looks whether it shall stop."""


@dataclass(frozen=True)
class Asked:
    """One request as the provider got it; `json` is None where the body is no JSON."""

    method: str
    path: str
    json: Any


class Provider:
    """A model provider on 127.0.0.1 while the block is open.

    It answers ``/v1/chat/completions``, ``/v1/responses``, ``/v1/messages``, Gemini's
    ``:generateContent`` and ``:streamGenerateContent``, and ``/v1/models``. Equal requests get
    equal bytes. A prompt that names one of the request's tools gets a call of it. A model, a prompt
    or an ``x-provider-fault`` header that is the name of a fault gets that fault: ``error-429`` and
    other statuses; of a stream also ``error-midstream``, ``drop-after-5``, ``cut``.

    Args:
        gap: Seconds between two tokens; 0 sends them at once.
        port: The port; 0 for any that is free.

    Example:
        >>> from urllib.request import urlopen
        >>> with Provider(gap=0) as provider, urlopen(provider.url + "/v1/models") as answer:
        ...     answer.status
        200
        >>> provider.requests
        [Asked(method='GET', path='/v1/models', json=None)]
    """

    url: str
    """``http://127.0.0.1:PORT``, once it is started; OpenAI's base URL is this and ``/v1``."""

    def __init__(self, gap: float = 0.02, *, port: int = 0) -> None:
        self.gap = gap
        self.requests: list[Asked] = []
        self._port = port
        self._server: _Server | None = None

    def start(self) -> None:
        """Listen and answer; an `OSError` where the port is taken."""
        self._server = _Server(self, self._port)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        """Close every socket and end the threads; nothing happens where it was not started."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, provider: Provider, port: int) -> None:
        super().__init__(("127.0.0.1", port), _RequestHandler)
        self.provider = provider
        self._open: set[Any] = set()
        threading.Thread(target=self.serve_forever, args=[_STOP_CHECK], daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        for sock in list(self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        self._open.discard(request)
        super().close_request(request)


class _RequestHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Any  # a _Server

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:  # the client has gone
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        path = self._note(None)
        if path != "/v1/models":
            self._send_error(OpenAIChat(), 404, f"Invalid URL (GET {path})")
            return
        fields = {"object": "model", "created": CREATED, "owned_by": "aquila-cassette"}
        models = [{"id": name, **fields} for name in ("gpt-4o-mini", "gpt-4o")]
        listed = json.dumps({"object": "list", "data": models})
        self._send_whole(200, {"content-type": "application/json"}, listed)

    def do_POST(self) -> None:
        body = load_json(self.rfile.read(int(self.headers.get("content-length", "0"))))
        path = self._note(body)
        dialect = next((one for one in DIALECTS if one.path.fullmatch(path)), None)
        if dialect is None:
            self._send_error(OpenAIChat(), 404, f"Invalid URL (POST {path})")
            return
        request = parse_request(path, as_dict(body))
        named = (self.headers.get("x-provider-fault", ""), request.model, request.prompt.strip())
        fault = next((one for one in named if one in STREAM_FAULTS), None)
        error = next(filter(None, map(_ERROR.fullmatch, named)), None)
        if error:
            status = int(error[1])
            self._send_error(dialect, status, _MESSAGES.get(status, _OTHER_MESSAGE))
        elif request.stream:
            self._stream(dialect, request, fault)
        else:
            reply = reply_to(request)
            time.sleep(self.server.provider.gap * reply.output_tokens)
            headers = dialect.headers(request.random, stream=False)
            self._send_whole(200, headers, dialect.whole(request, reply))

    def _note(self, body: Any) -> str:
        path = self.path.partition("?")[0]
        self.server.provider.requests.append(Asked(self.command, path, body))
        return path

    def _send_head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response_only(status)
        # A fixed date, so that equal requests get equal bytes.
        fixed = {"date": "Thu, 01 Jan 2026 00:00:00 GMT", "server": "aquila-cassette-provider"}
        for name, value in (fixed | headers).items():
            self.send_header(name, value)
        self.end_headers()

    def _send_whole(self, status: int, headers: dict[str, str], text: str) -> None:
        body = encode(text)
        self._send_head(status, {**headers, "content-length": str(len(body))})
        self.wfile.write(body)

    def _send_error(self, dialect: ProviderDialect, status: int, message: str) -> None:
        random = DeterministicRandom([self.path, status])
        headers = dialect.headers(random, stream=False)
        if status == 429:
            headers["retry-after"] = "20"
        self._send_whole(status, headers, dialect.error_body(random, status, message))

    def _stream(self, dialect: ProviderDialect, request: ParsedRequest, fault: str | None) -> None:
        reply = reply_to(request)
        headers = dialect.headers(request.random, stream=True)
        # Where only the connection's end ends the body, a cut stream lacks but its last event.
        headers |= {"connection": "close"} if fault == "cut" else {"transfer-encoding": "chunked"}
        self._send_head(200, headers)
        send = self.wfile.write if fault == "cut" else self._send_chunk
        tokens = 0
        for sent, frame in enumerate(dialect.frames(request, reply)):
            if fault and (frame.terminal or tokens == 5):
                if fault != "error-midstream":
                    self._break_off(fault)
                    return
                for data in dialect.failure(request, sent):
                    send(data)
                break
            if frame.token:
                tokens += 1
                time.sleep(self.server.provider.gap)
            send(frame.data)
        self._send_chunk(b"")

    def _send_chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _break_off(self, fault: str) -> None:
        self.close_connection = True
        if fault == "drop-after-5":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            # The server shuts sockets down before it closes them: a FIN in place of a reset.
            socket.close(self.connection.detach())
