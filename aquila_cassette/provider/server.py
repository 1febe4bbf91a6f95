"""The HTTP server of the embedded provider."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import struct
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, Self

from aquila_cassette.errors import UsageError
from aquila_cassette.provider.anthropic import AnthropicMessages
from aquila_cassette.provider.gemini import GeminiGenerateContent
from aquila_cassette.provider.openai import CREATED, OpenAIChat, OpenAIResponses
from aquila_cassette.provider.replies import compact, encode, reply_to
from aquila_cassette.provider.request import DeterministicRandom, ParsedRequest, parse_request

DIALECTS = (OpenAIChat(), OpenAIResponses(), AnthropicMessages(), GeminiGenerateContent())
ProviderDialect = OpenAIChat | OpenAIResponses | AnthropicMessages | GeminiGenerateContent

STREAM_FAULTS = {"error-midstream": 5, "drop-after-5": 5, "cut": 5, "hang": 3}
"""The faults of a stream, and after how many tokens each happens."""
ERROR_FAULTS = {
    "error-400": (400, "The request was malformed on request."),
    "error-401": (401, "Incorrect API key provided."),
    "error-403": (403, "You are not allowed to use this model."),
    "error-404": (404, "The model does not exist."),
    "error-429": (429, "Rate limit reached. Please try again in 20s."),
    "error-500": (500, "The server had an error while processing your request."),
    "error-503": (503, "The service is temporarily unavailable."),
    "error-529": (529, "Overloaded."),
}
"""The faults in place of an answer: an HTTP status, and the message that comes with it."""

_NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


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
    other statuses, ``error-midstream``, ``drop-after-5``, ``cut``, ``hang``.

    Args:
        gap: Seconds between two tokens, give or take half; 0 sends them at once.
        port: The port; 0 for any that is free.
        check_key: Whether a key that is missing, or ``invalid``, is refused with 401.

    Example:
        >>> from urllib.request import urlopen
        >>> with Provider(gap=0) as provider, urlopen(provider.url + "/v1/models") as answer:
        ...     answer.status
        200
        >>> provider.requests
        [Asked(method='GET', path='/v1/models', json=None)]
    """

    def __init__(self, gap: float = 0.02, *, port: int = 0, check_key: bool = False) -> None:
        self.gap = gap
        self.check_key = check_key
        self.requests: list[Asked] = []
        self._port = port
        self._server: _Server | None = None
        self._url = ""

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``; OpenAI's base URL is this and ``/v1``, the others' this.

        Raises:
            UsageError: The provider was not started yet.
        """
        if not self._url:
            raise UsageError(
                "The provider has no address before it is started.",
                fix="Fix: with Provider() as provider: ...",
            )
        return self._url

    def start(self) -> None:
        """Listen and answer; nothing happens where it does already.

        Raises:
            OSError: The port is taken.
        """
        if self._server is None:
            self._server = _Server(self, self._port)
            self._url = f"http://127.0.0.1:{self._server.server_address[1]}"

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

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *exc: object) -> None:
        self.stop()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, provider: Provider, port: int) -> None:
        super().__init__(("127.0.0.1", port), _RequestHandler)
        self.provider = provider
        self.stopping = threading.Event()
        self._open: set[Any] = set()
        self._thread = threading.Thread(target=self._accept, name="provider", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()
        # Closing a socket does not wake a thread that waits to accept; a connection does.
        socket.create_connection(("127.0.0.1", self.server_address[1])).close()
        self._thread.join()
        self.server_close()
        for sock in list(self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self.stopping.is_set():
            self.handle_request()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        self._open.discard(request)
        super().close_request(request)


class _RequestHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Any  # the provider's, with the `provider` and the event `stopping`

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:  # the client has gone
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def do_POST(self) -> None:
        path = self.path.partition("?")[0]
        body = self._json_body()
        self.server.provider.requests.append(Asked(self.command, path, body))
        posted = DIALECTS if self.command == "POST" else ()
        dialect = next((one for one in posted if one.path.fullmatch(path)), None)
        if dialect is None:
            self._answer_without_model(path)
            return
        request = parse_request(path, body if isinstance(body, dict) else {})
        faults = (self.headers.get("x-provider-fault"), request.model, request.prompt.strip())
        fault = next((one for one in faults if one in STREAM_FAULTS or one in ERROR_FAULTS), None)
        if refusal := self._refusal(dialect, request, body, fault):
            status, message = refusal
            random = DeterministicRandom([path, body])
            headers = dialect.headers(random, stream=False)
            if status == 429:
                headers["retry-after"] = "20"
            self._send_json(status, headers, dialect.error_body(random, status, message))
        elif request.stream:
            self._stream(dialect, request, fault)
        else:
            reply = reply_to(request)
            self.server.stopping.wait(self.server.provider.gap * reply.output_tokens)
            headers = dialect.headers(request.random, stream=False)
            self._send_json(200, headers, dialect.whole(request, reply), fault)

    do_GET = do_POST  # noqa: N815 - the name that http.server looks for

    def _json_body(self) -> Any:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            body = b"".join(self._chunks())
        else:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
        try:
            return json.loads(body)
        except ValueError:
            return None

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline() not in (b"\r\n", b""):
            pass

    def _refusal(
        self, dialect: ProviderDialect, request: ParsedRequest, body: Any, fault: str | None
    ) -> tuple[int, str] | None:
        if self.server.provider.check_key and self._key() in ("", "invalid"):
            return ERROR_FAULTS["error-401"]
        if not isinstance(body, dict):
            return 400, "We could not parse the JSON body of your request."
        if message := dialect.refusal(body):
            return 400, message
        if not request.model:
            return 400, "You must provide a model parameter."
        if fault == "error-midstream" and not request.stream:
            fault = "error-500"
        return ERROR_FAULTS.get(fault or "")

    def _key(self) -> str:
        names = ("authorization", "x-api-key", "x-goog-api-key")
        in_query = self.path.partition("key=")[2].partition("&")[0]
        keys = (*(self.headers.get(name, "") for name in names), in_query)
        return next((key.removeprefix("Bearer").strip() for key in keys if key), "")

    def _answer_without_model(self, path: str) -> None:
        """Answer a request for the list of models, or for what is not there."""
        status, message = 404, f"Invalid URL ({self.command} {path})"
        text = OpenAIChat().error_body(DeterministicRandom(path), status, message)
        if (self.command, path) == ("GET", "/v1/models"):
            fields = {"object": "model", "created": CREATED, "owned_by": "aquila-cassette"}
            models = [{"id": name, **fields} for name in ("gpt-4o-mini", "gpt-4o")]
            status, text = 200, compact({"object": "list", "data": models})
        self._send_json(status, {"content-type": "application/json"}, text)

    def _send_head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response_only(status)
        # A fixed date, so that equal requests get equal bytes.
        fixed = {"date": "Thu, 01 Jan 2026 00:00:00 GMT", "server": "aquila-cassette-provider"}
        for name, value in (fixed | headers).items():
            self.send_header(name, value)
        self.end_headers()

    def _send_json(
        self, status: int, headers: dict[str, str], text: str, fault: str | None = None
    ) -> None:
        body = encode(text)
        self._send_head(status, {**headers, "content-length": str(len(body))})
        self.wfile.write(body[: len(body) // 2] if fault else body)
        self._break_off(fault)

    def _stream(self, dialect: ProviderDialect, request: ParsedRequest, fault: str | None) -> None:
        reply = reply_to(request)
        headers = dialect.headers(request.random, stream=True)
        # Where only the connection's end ends the body, a cut stream lacks but its last event.
        headers |= {"connection": "close"} if fault == "cut" else {"transfer-encoding": "chunked"}
        self._send_head(200, headers)
        send = self.wfile.write if fault == "cut" else self._send_chunk
        tokens = 0
        for sent, frame in enumerate(dialect.frames(request, reply)):
            if fault and (frame.terminal or tokens == STREAM_FAULTS[fault]):
                if fault != "error-midstream":
                    self._break_off(fault)
                    return
                for data in dialect.failure(request, sent):
                    send(data)
                break
            if frame.token:
                tokens += 1
                share = 0.5 + request.random.fraction(f"gap {tokens}")
                self.server.stopping.wait(share * self.server.provider.gap)
            send(frame.data)
        self._send_chunk(b"")

    def _send_chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _break_off(self, fault: str | None) -> None:
        if fault is None:
            return
        self.close_connection = True
        if fault == "drop-after-5":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            # The server shuts sockets down before it closes them: a FIN in place of a reset.
            socket.close(self.connection.detach())
        elif fault == "hang":
            while self.rfile.read1(4096):  # until the client goes or the provider stops
                pass
