"""What the examples ask, on loopback: models, the clouds of others, an MCP server."""

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from typing import Any

from aquila_cassette.provider import Provider
from examples.sdks.test_sdks import get_weather
from tests.sdks.wires import BEDROCK
from tests.servers import Connection, RawServer, Request
from tests.servers.bedrock import EVENTSTREAM, wrapped

AZURE = "/documentintelligence/documentModels/prebuilt-read"


def service(package: str) -> Callable[[int], AbstractContextManager[Any]]:
    """Return what serves an SDK, at a port."""
    clouds = ("boto3", "azure-ai-documentintelligence", "huggingface_hub")
    others = dict.fromkeys(clouds, _clouds) | {"mcp": _mcp, "fastmcp": _mcp}
    return others.get(package, lambda port: Provider(gap=0, port=port))


def _clouds(port: int) -> RawServer:
    """Serve DynamoDB, Bedrock, Azure Document Intelligence and the Hub of Hugging Face."""
    polls = count(1)

    def script(connection: Connection, request: Request) -> None:
        path, _, query = request.path.partition("?")
        url = f"http://{request.headers['host']}"
        city = re.findall("Paris|Rome", request.path + request.body.decode())[0]
        item = {"city": {"S": city}}
        operation = request.headers.get("x-amz-target", "").partition(".")[2]
        status, headers, answer = 200, {"content-type": "application/json"}, {}
        if "/converse-stream" in path:
            arguments = ('{"city": "', city, '"}')
            is_told = b"toolResult" in request.body
            parts, tool = ((get_weather(city),), None) if is_told else (arguments, "get_weather")
            headers = EVENTSTREAM
            answer = b"".join(frame.data for frame in BEDROCK.frames(request, parts, tool))
        elif "/invoke-with-response-stream" in path:
            headers = EVENTSTREAM
            answer = _claude(get_weather(city))
        elif operation == "GetItem":
            answer = {"Item": item}
        elif operation == "Scan":
            answer = {"Items": [item], "Count": 1}
            if "ExclusiveStartKey" not in request.json():
                answer["LastEvaluatedKey"] = item
        elif path == f"{AZURE}:analyze":
            status = 202
            headers["Operation-Location"] = f"{url}{AZURE}/analyzeResults/{city}?{query}"
        elif path.startswith(AZURE):
            headers["Retry-After"] = "1"
            answer = {"status": "running"}
            if next(polls) % 2 == 0:
                answer = {"status": "succeeded", "analyzeResult": {"content": city}}
        elif path == "/api/models":
            answer = [{"id": f"{city}/two"}]
            if "cursor" not in query:
                answer = [{"id": f"{city}/one"}]
                headers["Link"] = f'<{url}{request.path}&cursor=2>; rel="next"'
        elif "/resolve/" in path:
            headers = {"ETag": '"e7a6"', "X-Repo-Commit": "c0ffee" * 6 + "c0de"}
            answer = path.encode()
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        connection.head(status, headers, length=len(body))
        if request.method != "HEAD":
            connection.piece(body)
        connection.end()

    return RawServer(script, port=port)


def _claude(text: str) -> bytes:
    usage = {"input_tokens": 1, "output_tokens": 1}
    message = {"id": "msg_1", "role": "assistant", "model": "claude", "content": [], "usage": usage}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage},
        {"type": "message_stop"},
    ]
    return b"".join(map(wrapped, events))


@contextmanager
def _mcp(port: int) -> Iterator[None]:
    """Serve a tool over both transports: `/mcp`, and `/sse` of before."""
    import uvicorn
    from mcp.server.mcpserver import MCPServer

    server: Any = MCPServer("weather")
    server.tool()(get_weather)
    app = server.streamable_http_app()
    app.routes.extend(server.sse_app().routes)
    with socket.create_server(("127.0.0.1", port)) as listening:
        served = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=served.run, args=[[listening]])
        thread.start()
        try:
            yield
        finally:
            served.should_exit = True
            thread.join()
