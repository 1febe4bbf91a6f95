"""One connection to the provider: requests, and answers to them, right or with a fault."""

from __future__ import annotations

import json
import socket
import struct
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

from aquila_cassette.provider.anthropic import AnthropicMessages
from aquila_cassette.provider.gemini import GeminiGenerateContent
from aquila_cassette.provider.openai import CREATED, OpenAIChat, OpenAIResponses
from aquila_cassette.provider.replies import ModelReply, compact, encode, reply_to
from aquila_cassette.provider.request import DeterministicRandom, ParsedRequest, parse_request

ProviderDialect = OpenAIChat | OpenAIResponses | AnthropicMessages | GeminiGenerateContent
DIALECTS: tuple[ProviderDialect, ...] = (
    OpenAIChat(),
    OpenAIResponses(),
    AnthropicMessages(),
    GeminiGenerateContent(),
)

STREAM_FAULTS = {"error-midstream": 5, "drop-after-5": 5, "cut": 5, "hang": 3}
"""The faults of a stream, and after how many tokens each happens."""
ERROR_FAULTS = {
    f"error-{status}": (status, message)
    for status, message in {
        400: "The request was malformed on request.",
        401: "Incorrect API key provided.",
        403: "You are not allowed to use this model.",
        404: "The model does not exist.",
        429: "Rate limit reached. Please try again in 20s.",
        500: "The server had an error while processing your request.",
        503: "The service is temporarily unavailable.",
        529: "Overloaded.",
    }.items()
}
"""The faults in place of an answer: an HTTP status, and the message that comes with it."""

_NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


@dataclass(frozen=True)
class Asked:
    """One request as the provider got it; `json` is None where the body is no JSON."""

    method: str
    path: str
    json: Any


class RequestHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Any  # the provider's, with the `provider` and the event `stopping`

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (OSError, ValueError):  # the client has gone, or what it sent is not HTTP
            self.close_connection = True

    def send_error(self, *_: Any, **__: Any) -> None:
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        body = self._json_body()
        self.server.provider.requests.append(Asked(self.command, path, body))
        posted = DIALECTS if self.command == "POST" else ()
        dialect = next((one for one in posted if one.path.fullmatch(path)), None)
        if dialect is None:
            self._answer_plainly(path)
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

    def _answer_plainly(self, path: str) -> None:
        """Answer a request of no dialect: for the list of models, or for what is not there."""
        if (self.command, path) != ("GET", "/v1/models"):
            message = f"Invalid URL ({self.command} {path})"
            error = OpenAIChat().error_body(DeterministicRandom(path), 404, message)
            self._send_json(404, {"content-type": "application/json"}, error)
            return
        fields = {"object": "model", "created": CREATED, "owned_by": "aquila-cassette"}
        models = [{"id": name, **fields} for name in ("gpt-4o-mini", "gpt-4o")]
        listed = {"object": "list", "data": models}
        self._send_json(200, {"content-type": "application/json"}, compact(listed))

    def _send_head(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        self.send_response_only(status)
        # A fixed date, so that equal requests get equal bytes.
        self.send_header("date", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.send_header("server", "aquila-cassette-provider")
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def _send_json(
        self, status: int, headers: dict[str, str], text: str, fault: str | None = None
    ) -> None:
        body = encode(text)
        self._send_head(status, {**headers, "content-length": str(len(body))}.items())
        self.wfile.write(body[: len(body) // 2] if fault else body)
        self._break_off(fault)

    def _stream(self, dialect: ProviderDialect, request: ParsedRequest, fault: str | None) -> None:
        reply: ModelReply = reply_to(request)
        headers = dialect.headers(request.random, stream=True)
        # Where only the connection's end ends the body, a cut stream lacks but its last event.
        headers |= {"connection": "close"} if fault == "cut" else {"transfer-encoding": "chunked"}
        self._send_head(200, headers.items())
        tokens = 0
        for sent, frame in enumerate(dialect.frames(request, reply)):
            if fault and (frame.terminal or tokens == STREAM_FAULTS[fault]):
                if fault != "error-midstream":
                    self._break_off(fault)
                    return
                for data in dialect.failure(request, sent):
                    self._send_chunk(data)
                break
            if frame.token:
                tokens += 1
                self.server.stopping.wait(
                    self.server.provider.gap * (0.5 + request.random.fraction(f"gap {tokens}"))
                )
            if fault == "cut":
                self.wfile.write(frame.data)
            else:
                self._send_chunk(frame.data)
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
