"""Whom a client asks and with what; and that it needs neither a key nor anything but httpx."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from aquila_cassette import aquila_cassette
from aquila_cassette.client import AsyncClient, Client
from aquila_cassette.errors import MissError, UsageError
from aquila_cassette.provider import Provider
from tests.client.talk import BACKENDS, answering
from tests.live.rows import seed_row

GOOGLE = "https://generativelanguage.googleapis.com"
KEYS = ("OPENAI", "ANTHROPIC", "GEMINI")


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        monkeypatch.delenv(f"{name}_API_KEY", raising=False)
        monkeypatch.delenv(f"{name}_BASE_URL", raising=False)


def asked(made: dict[str, Any] | None = None, **options: Any) -> httpx.Request:
    """Ask, and give the request that went out."""
    requests: list[httpx.Request] = []
    with Client(answering(b"", asked=requests), **made or {}) as client:
        client.stream("Hi", **options).wait()
    return requests[0]


@pytest.mark.parametrize(
    ("model", "url"),
    [
        ("gpt-4o-mini", "https://api.openai.com/v1/chat/completions"),
        ("llama-4", "https://api.openai.com/v1/chat/completions"),
        ("claude-sonnet-5-5", "https://api.anthropic.com/v1/messages"),
        (
            "models/gemini-2.5-flash",
            f"{GOOGLE}/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
        ),
    ],
)
def test_the_provider_is_told_from_the_model(model: str, url: str) -> None:
    assert asked(model=model).url == url


@pytest.mark.parametrize(
    ("model", "name", "header", "value"),
    [
        ("gpt-4o-mini", "OPENAI", "authorization", "Bearer from-there"),
        ("claude-sonnet-5-5", "ANTHROPIC", "x-api-key", "from-there"),
        ("gemini-2.5-flash", "GEMINI", "x-goog-api-key", "from-there"),
    ],
)
def test_key_and_address_come_from_arguments_then_from_the_environment(
    model: str, name: str, header: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert header not in asked(model=model).headers
    monkeypatch.setenv(f"{name}_API_KEY", "from-there")
    monkeypatch.setenv(f"{name}_BASE_URL", "http://there.test/v1")
    request = asked(model=model)
    assert (request.headers[header], request.url.host) == (value, "there.test")
    given = asked({"api_key": "given", "base_url": "http://given.test"}, model=model)
    assert given.headers[header] == value.replace("from-there", "given")
    assert given.url.host == "given.test"


def test_a_named_provider_and_headers_go_over_what_is_told() -> None:
    made = {"provider": "anthropic", "headers": {"anthropic-version": "2030-01-01", "x-a": "b"}}
    request = asked(made, model="mine")
    assert request.url.path == "/v1/messages"
    assert request.headers["anthropic-version"] == "2030-01-01"
    assert request.headers["x-a"] == "b"


def test_storing_and_continuing_goes_to_the_responses() -> None:
    assert asked(model="gpt-4o-mini", store=True).url.path == "/v1/responses"
    request = asked(model="gpt-4o-mini", previous_response_id="resp_1")
    assert b'"previous_response_id":"resp_1"' in request.content
    assert b'"store":false' in request.content


def test_the_extra_body_goes_over_all_and_none_takes_away() -> None:
    extra = {"seed": 7, "stream_options": None}
    body = asked(model="m", max_tokens=5, instructions="Be brief.", extra_body=extra).content
    assert body == (
        b'{"model":"m","messages":[{"role":"system","content":"Be brief."},'
        b'{"role":"user","content":"Hi"}],"stream":true,"max_completion_tokens":5,"seed":7}'
    )


@pytest.mark.parametrize(
    ("made", "options", "what"),
    [
        ({}, {}, "No model is named."),
        ({}, {"model": "m", "endpoint": "x"}, "There is no endpoint 'x'."),
        ({"provider": "x"}, {"model": "m"}, "There is no provider 'x'."),
        (
            {"provider": "openai"},
            {"model": "m", "endpoint": "messages"},
            "The endpoint 'messages' is not one of the provider 'openai'.",
        ),
        (
            {},
            {"model": "claude-5", "previous_response_id": "x"},
            "The endpoint 'messages' cannot continue a stored response.",
        ),
        ({}, {"model": "m", "temperature": 1}, "There is no option 'temperature'."),
        ({}, {"model": "m", "max_rounds": 0}, "max_rounds is 0."),
    ],
)
def test_what_cannot_be_meant_is_refused(
    made: dict[str, Any], options: dict[str, Any], what: str
) -> None:
    with pytest.raises(UsageError) as raised:
        Client(**made).stream("Hi", **options)
    assert raised.value.what == what
    assert raised.value.fix


@pytest.mark.parametrize("prompt", [{"message": "Hi"}, [], 7, ["Hi"]])
def test_a_form_in_place_of_what_was_said_is_refused(prompt: Any) -> None:
    with pytest.raises(UsageError) as raised:
        Client(model="m").stream(prompt)
    assert raised.value.what == f"A prompt cannot be {prompt!r}."


def test_an_endpoint_that_stores_nothing_has_nothing_to_fetch() -> None:
    with pytest.raises(UsageError) as raised:
        Client(model="claude-5").retrieve("x")
    assert str(raised.value) == (
        "The endpoint 'messages' stores no responses.\nFix: endpoint='responses'"
    )


async def test_a_cassette_records_the_client_and_replays_it_without_a_key_or_a_server(
    tmp_path: Path,
) -> None:
    path = {"cassette_dir": tmp_path}
    with Provider(gap=0, check_key=True) as provider, aquila_cassette("talk", mode="once", **path):
        made: dict[str, Any] = {"base_url": f"{provider.url}/v1", "model": "gpt-4o-mini"}
        with Client(**made, api_key="a-key") as client:
            recorded = list(client.stream("Say hello", ref="r"))
        async with AsyncClient(**made, api_key="a-key") as client:
            also = [event async for event in client.stream("Say hello", ref="r")]
    with aquila_cassette("talk", mode="none", **path):
        with Client(**made) as client:
            assert list(client.stream("Say hello", ref="r")) == recorded
        async with AsyncClient(**made) as client:
            replayed = [event async for event in client.stream("Say hello", ref="r")]
    assert replayed == also == recorded


@seed_row(2)
def test_one_cassette_gives_equal_events_fifty_times(tmp_path: Path) -> None:
    options: dict[str, Any] = {"cassette_dir": tmp_path, "repeats": True}
    with Provider(gap=0) as provider:
        client = Client(base_url=f"{provider.url}/v1", model="gpt-4o-mini")
        with client, aquila_cassette("talk", mode="once", **options):
            first = list(client.stream("Say hello", ref="r"))
    with client, aquila_cassette("talk", mode="none", **options):
        for _ in range(50):
            assert list(client.stream("Say hello", ref="r")) == first


def test_a_request_that_no_tape_knows_is_an_error_with_the_whole_message(tmp_path: Path) -> None:
    with pytest.raises(MissError), aquila_cassette("none", mode="none", cassette_dir=tmp_path):
        with Client(model="gpt-4o-mini") as client:
            (error,) = client.stream("Hi")
        assert error.kind == "transport"
        assert error.reason.startswith("No recording matches POST https://api.openai.com/v1/")
        assert isinstance(error.cause, MissError)


@seed_row(1)
def test_the_client_imports_with_pytest_yaml_and_every_user_interface_blocked() -> None:
    program = """
import sys
for name in ("pytest", "yaml", "rich", "typer", "textual", "starlette", "nicegui", "httpx2", "trio",
             "filelock", "openai", "anthropic", "vcr"):
    sys.modules[name] = None
import aquila_cassette.client
loaded = [name for name in sys.modules if name.startswith("aquila_cassette.")]
print(sorted({name.split(".")[1] for name in loaded}))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "['client', 'dialects', 'errors', 'sse', 'waiting']\n"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_client_in_a_block_is_ready_before_it_is_asked(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def noted(kind: type[httpx.Client] | type[httpx.AsyncClient]) -> Callable[..., Any]:
        def make() -> Any:
            made.append(kind.__name__)
            return kind(verify=False)

        return make

    monkeypatch.setattr(httpx, "Client", noted(httpx.Client))
    monkeypatch.setattr(httpx, "AsyncClient", noted(httpx.AsyncClient))

    async def enter() -> None:
        async with AsyncClient(model="m"):
            assert made == ["AsyncClient"]

    if backend == "sync":
        with Client(model="m"):
            assert made == ["Client"]
    else:
        anyio.run(enter, backend=backend)
