"""Through openai and anthropic a fault is what a failing server is, their retries included."""

from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest

from aquila_cassette import aquila_cassette, faults
from aquila_cassette.faults import Fault
from tests.servers import (
    CHAT_FRAMES,
    MESSAGES_FRAMES,
    Connection,
    RawServer,
    Request,
    Script,
    sends,
)

ASKED: Any = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
Seen = tuple[str, type[Exception] | None]


def by_openai(url: str) -> Seen:
    text = ""
    with openai.OpenAI(base_url=url, api_key="sk-test", timeout=0.5) as client:
        try:
            for chunk in client.chat.completions.create(**ASKED, stream=True):
                text += chunk.choices[0].delta.content or ""
        except Exception as error:
            return text, type(error)
    return text, None


def by_anthropic(url: str) -> Seen:
    text = ""
    with anthropic.Anthropic(base_url=url, api_key="sk-ant-test", timeout=0.5) as client:
        try:
            with client.messages.stream(**ASKED, max_tokens=100) as stream:
                for part in stream.text_stream:
                    text += part
        except Exception as error:
            return text, type(error)
    return text, None


SDKS = {
    "openai": (by_openai, CHAT_FRAMES),
    "anthropic": (by_anthropic, MESSAGES_FRAMES),
}


def answers(status: int) -> Script:
    def script(connection: Connection, request: Request) -> None:
        connection.head(status, {"content-type": "application/json", "retry-after-ms": "1"})
        connection.piece(b'{"type": "error", "error": {"type": "x", "message": "m"}}')
        connection.end()

    return script


def says_nothing(connection: Connection, request: Request) -> None:
    connection.gone()


FAULTS: list[tuple[Fault, Callable[[tuple[bytes, ...]], Script]]] = [
    (faults.disconnect(after=2), lambda frames: sends(frames[:2], Connection.fin)),
    (faults.stall(after=2), lambda frames: sends(frames[:2], Connection.gone)),
    (faults.truncate(after=2), lambda frames: sends(frames[:2], Connection.end)),
    (faults.rate_limit(times=2), lambda _: answers(429)),
    (faults.overloaded(times=3), lambda frames: answers(529 if frames is MESSAGES_FRAMES else 503)),
    (faults.http_error(500), lambda _: answers(500)),
    (faults.http_error(401), lambda _: answers(401)),
    (faults.timeout(times=3), lambda _: says_nothing),
]


@pytest.mark.parametrize("sdk", SDKS)
@pytest.mark.parametrize(("fault", "real"), FAULTS, ids=[str(fault) for fault, _ in FAULTS])
def test_a_fault_is_what_a_failing_server_is(
    fault: Fault, real: Callable[[tuple[bytes, ...]], Script], sdk: str
) -> None:
    ask, frames = SDKS[sdk]
    asked = 0

    def script(connection: Connection, request: Request) -> None:
        nonlocal asked
        asked += 1
        (real(frames) if asked <= fault.times else sends(frames))(connection, request)

    with RawServer(script) as server:
        live = ask(server.url)
    with RawServer(sends(frames)) as server, aquila_cassette("sdk"):
        ask(server.url)
    with aquila_cassette("sdk", mode="none", faults=[fault]) as cassette:
        assert ask(server.url) == live
    assert len(cassette.attempts) == asked
