"""Whole conversations with the embedded provider, with tools, and the examples of the pages."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import httpx2
import pytest

from aquila_cassette.client import AsyncClient, Chunk, Client, Done, Error, ToolCall, tool
from aquila_cassette.errors import StreamError
from aquila_cassette.provider import Provider
from tests.client.talk import MODELS, answering, each_backend, each_endpoint, events_of
from tests.live.rows import seed_row
from tests.servers import CHAT_FRAMES

Made = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider(gap=0) as provider:
        yield provider


@pytest.fixture
def made(provider: Provider) -> Made:
    """Return the arguments of a client that asks an endpoint of the provider."""
    return lambda endpoint: {
        "base_url": f"{provider.url}/v1" if endpoint in ("chat", "responses") else provider.url,
        "model": MODELS[endpoint],
        "endpoint": endpoint,
        "api_key": "none",
    }


@tool
def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"It rains in {city}."


@tool
async def population(city: str) -> int:
    """Tell how many people live in a city."""
    await anyio.sleep(0)
    return len(city)


@seed_row(31)
@each_backend
@each_endpoint
def test_tools_run_and_the_model_answers_with_their_results_in_the_order_of_the_calls(
    backend: str, endpoint: str, made: Made, provider: Provider
) -> None:
    prompt = "Ask weather and population of Malmö"
    before = len(provider.requests)
    events = events_of(backend, prompt, made=made(endpoint), tools=[weather, population])
    calls = [event for event in events if isinstance(event, ToolCall)]
    assert [(call.phase, call.name, call.result) for call in calls] == [
        ("start", "weather", None),
        ("start", "population", None),
        ("result", "weather", "It rains in Malmö."),
        ("result", "population", "5"),
    ]
    assert [call.id for call in calls[:2]] == [call.id for call in calls[2:]]
    done = events[-1]
    assert isinstance(done, Done)
    text = "I was told: It rains in Malmö. 5"
    assert done.text.startswith(text)
    assert done.text.count(text) == 1
    assert len(provider.requests) == before + 2
    meta = done.meta
    assert (meta.model, meta.status, meta.endpoint) == (MODELS[endpoint], "completed", endpoint)
    assert meta.response_id
    assert meta.usage
    if endpoint == "chat":
        roles = [message["role"] for message in provider.requests[-1].json["messages"]]
        assert roles == ["user", "assistant", "tool", "tool"]


@each_endpoint
def test_the_messages_of_an_answer_can_be_sent_again(endpoint: str, made: Made) -> None:
    with Client(**made(endpoint)) as client:
        first = client.ask("Ask weather of Lund", tools=[weather])
        again = client.ask([*first.messages, {"role": "user", "content": "Say hello"}])
    assert again.text.startswith("Hello!")
    assert again.messages[: len(first.messages)] == first.messages
    assert len(again.messages) == len(first.messages) + 2


@each_backend
def test_a_connection_that_drops_within_an_answer_keeps_its_text(backend: str, made: Made) -> None:
    *before, error = events_of(backend, "drop-after-5", made=made("chat"), idle_timeout=10)
    assert isinstance(error, Error)
    assert (error.kind, error.meta.status) == ("transport", "transport")
    chunks = [event.text for event in before if isinstance(event, Chunk)]
    assert len(chunks) == 5
    assert error.text == "".join(chunks)


@pytest.mark.parametrize("lib", [httpx, httpx2])
async def test_any_client_of_httpx_or_httpx2_may_be_passed_in(lib: Any, made: Made) -> None:
    with lib.Client(verify=False) as http:
        assert Client(http, **made("chat")).ask("Say hello").text.startswith("Hello!")
        assert not http.is_closed
    async with lib.AsyncClient(verify=False) as http:
        answer = await AsyncClient(http, **made("chat")).ask("Say hello")
        assert answer.text.startswith("Hello!")
        assert not http.is_closed


def test_rounds_are_limited_and_without_tools_a_call_is_the_users_to_run(made: Made) -> None:
    with Client(**made("chat")) as client:
        with pytest.raises(StreamError) as raised:
            client.ask("Ask weather of Lund", tools=[weather], max_rounds=1)
        assert str(raised.value) == "The model still calls tools after 1 rounds."
        offer = {"type": "function", "function": {"name": "weather", "parameters": {}}}
        call, done = client.stream("Ask weather", extra_body={"tools": [offer]})
    assert isinstance(call, ToolCall)
    assert (call.phase, call.name, call.arguments) == ("start", "weather", "{}")
    assert isinstance(done, Done)
    assert done.meta.finish_reason == "tool_calls"
    assert done.messages[-1]["tool_calls"][0]["function"]["name"] == "weather"


DOCS = Path(__file__).parents[2] / "docs"


def examples(name: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (DOCS / name).read_text("utf-8"), re.DOTALL)


def test_the_examples_of_the_clients_page_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Provider(gap=0) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{provider.url}/v1")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", provider.url)
        scope: dict[str, Any] = {"__name__": "docs"}
        for source in examples("client.md"):
            exec(source, scope)
        scope["client"].close()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Hello!")
    assert re.fullmatch(r"stop, \d+ tokens", lines[1])


def test_the_endpoint_of_the_dialects_page_asks_and_listens() -> None:
    scope: dict[str, Any] = {}
    (source,) = examples("adding-a-dialect.md")
    exec(source, scope)
    asked: list[Any] = []
    client = Client(
        answering(b"".join(CHAT_FRAMES), asked=asked),
        endpoint=scope["HOUSE_CHAT"],
        model="house-1",
        api_key="k",
    )
    assert client.ask("Hi").text == "Hello, wörld"
    assert asked[0].url == "https://models.house.example/v2/talk"
    assert asked[0].headers["x-house-key"] == "k"
