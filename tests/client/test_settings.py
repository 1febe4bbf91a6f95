"""Whom a client asks and with what; and that it needs neither a key nor anything but httpx."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from aquila_cassette import aquila_cassette
from aquila_cassette.client import AsyncClient, Client, Error
from aquila_cassette.errors import MissError, UsageError
from aquila_cassette.provider import Provider
from tests.client.talk import answering
from tests.live.rows import seed_row

GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash"
ENDPOINTS = [
    ("gpt-4o-mini", "https://api.openai.com/v1/chat/completions", "OPENAI"),
    ("claude-sonnet-5-5", "https://api.anthropic.com/v1/messages", "ANTHROPIC"),
    ("models/gemini-2.5-flash", f"{GEMINI}:streamGenerateContent?alt=sse", "GEMINI"),
]
"""A model, whom it asks, and how the variables begin."""
KEYS = {"OPENAI": "authorization", "ANTHROPIC": "x-api-key", "GEMINI": "x-goog-api-key"}


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI", "ANTHROPIC", "GEMINI"):
        monkeypatch.delenv(f"{name}_API_KEY", raising=False)
        monkeypatch.delenv(f"{name}_BASE_URL", raising=False)


def asked(made: dict[str, Any] | None = None, **options: Any) -> httpx.Request:
    """Ask, and give the request that went out."""
    requests: list[httpx.Request] = []
    with Client(answering(b"", asked=requests), **made or {}) as client:
        list(client.stream("Hi", **options))
    return requests[0]


@pytest.mark.parametrize(("model", "url", "provider"), ENDPOINTS)
def test_key_and_address_come_from_arguments_then_from_the_environment_of_the_models_provider(
    model: str, url: str, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = asked(model=model)
    assert request.url == url
    header, before = KEYS[provider], "Bearer " if provider == "OPENAI" else ""
    assert header not in request.headers
    monkeypatch.setenv(f"{provider}_API_KEY", "from-there")
    monkeypatch.setenv(f"{provider}_BASE_URL", "http://there.test/v1")
    request = asked(model=model)
    assert (request.headers[header], request.url.host) == (f"{before}from-there", "there.test")
    request = asked({"api_key": "given", "base_url": "http://given.test"}, model=model)
    assert (request.headers[header], request.url.host) == (f"{before}given", "given.test")


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
    ("options", "what"),
    [
        ({}, "No model is named."),
        ({"model": "m", "endpoint": "x"}, "There is no endpoint 'x'."),
        (
            {"model": "claude-5", "previous_response_id": "x"},
            "The endpoint 'messages' cannot continue a stored response.",
        ),
        ({"model": "m", "temperature": 1}, "There is no option 'temperature'."),
    ],
)
def test_invalid_options_are_refused(options: dict[str, Any], what: str) -> None:
    with pytest.raises(UsageError) as raised:
        Client(answering()).stream(**{"prompt": "Hi"} | options)
    assert raised.value.what == what
    assert raised.value.fix


@seed_row(2)
async def test_a_cassette_replays_equal_events_any_number_of_times_without_a_key_or_a_server(
    tmp_path: Path,
) -> None:
    options: dict[str, Any] = {"cassette_dir": tmp_path, "repeats": True}
    with Provider(gap=0) as provider:
        made: dict[str, Any] = {"base_url": f"{provider.url}/v1", "model": "gpt-4o-mini"}
        with aquila_cassette("talk", mode="once", **options), Client(**made, api_key="k") as client:
            recorded = list(client.stream("Say hello", ref="r"))
    with aquila_cassette("talk", mode="none", **options):
        with Client(**made) as client:
            for _ in range(50):
                assert list(client.stream("Say hello", ref="r")) == recorded
        async with AsyncClient(**made) as client:
            assert [event async for event in client.stream("Say hello", ref="r")] == recorded


def test_a_miss_is_an_error_with_the_whole_message(tmp_path: Path) -> None:
    with pytest.raises(MissError), aquila_cassette("none", mode="none", cassette_dir=tmp_path):
        with Client(model="gpt-4o-mini") as client:
            (error,) = client.stream("Hi")
        assert isinstance(error, Error)
        assert error.kind == "transport"
        assert isinstance(error.cause, MissError)
        assert error.reason == str(error.cause)


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
