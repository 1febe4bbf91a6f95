from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anthropic
import httpx
import openai
import pytest
from google import genai
from google.genai import errors

from aquila_cassette.provider import Provider

from .asking import ESSAY

if TYPE_CHECKING:
    from collections.abc import Iterator

CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
MESSAGES = "/v1/messages"
GEMINI = "/v1beta/models/{model}:streamGenerateContent"
TOKEN = {CHAT: '"content":"', RESPONSES: ".delta\n", MESSAGES: "text_delta", GEMINI: '"text"'}


def body(path: str, model: str, *, stream: bool = True) -> dict[str, Any]:
    if path == GEMINI:
        return {"contents": [{"parts": [{"text": ESSAY}]}]}
    turns = [{"role": "user", "content": ESSAY}]
    turns_field = "input" if path == RESPONSES else "messages"
    return {"model": model, turns_field: turns, "max_tokens": 99, "stream": stream}


@pytest.fixture
def client(provider: Provider) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=provider.url, trust_env=False) as client:
        yield client


def read(client: httpx.Client, path: str, model: str) -> tuple[str, Exception | None]:
    """Read a stream to its end; give what came and what it ended with."""
    pieces: list[bytes] = []
    error = None
    url = path.format(model=model)
    try:
        with client.stream("POST", url, json=body(path, model)) as response:
            assert response.status_code == 200
            pieces.extend(response.iter_raw())
    except httpx.TransportError as raised:
        error = raised
    return b"".join(pieces).decode(), error


@pytest.mark.parametrize("path", [CHAT, RESPONSES, MESSAGES, GEMINI])
def test_a_drop_is_a_read_error_after_five_tokens(client: httpx.Client, path: str) -> None:
    text, error = read(client, path, "drop-after-5")
    assert text.count(TOKEN[path]) - (path == CHAT) == 5
    assert type(error) is httpx.ReadError


@pytest.mark.parametrize("path", [CHAT, RESPONSES, MESSAGES, GEMINI])
def test_a_cut_is_a_clean_end_after_five_tokens(client: httpx.Client, path: str) -> None:
    text, error = read(client, path, "cut")
    assert text.count(TOKEN[path]) - (path == CHAT) == 5
    assert error is None


@pytest.mark.parametrize("path", [CHAT, RESPONSES, MESSAGES, GEMINI])
def test_a_hang_stalls_after_three_tokens(client: httpx.Client, path: str) -> None:
    client.timeout = httpx.Timeout(5, read=0.3)
    text, error = read(client, path, "hang")
    assert text.count(TOKEN[path]) - (path == CHAT) == 3
    assert type(error) is httpx.ReadTimeout


def test_a_hang_lasts_no_longer_than_the_provider() -> None:
    with (
        httpx.Client(trust_env=False) as client,
        Provider(gap=0) as provider,
        client.stream("POST", provider.url + CHAT, json=body(CHAT, "hang")) as response,
    ):
        pieces = response.iter_raw()
        for _ in range(4):
            next(pieces)
        provider.stop()
        with pytest.raises(httpx.TransportError):
            next(pieces)


@pytest.mark.parametrize(
    ("fault", "error"),
    [("drop-after-5", httpx.ReadError), ("cut", httpx.RemoteProtocolError)],
)
def test_an_answer_in_one_breaks_half_way(
    client: httpx.Client, fault: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        client.post(CHAT, json=body(CHAT, fault, stream=False))


def test_a_fault_comes_before_the_end_of_a_short_answer(client: httpx.Client) -> None:
    ask = body(CHAT, "error-midstream") | {"max_tokens": 2}
    text = client.post(CHAT, json=ask).text
    assert text.count('"content":"') == 3
    assert '"finish_reason":"' not in text
    assert "server_error" in text


@pytest.mark.parametrize("where", ["model", "prompt", "header"])
def test_a_fault_is_asked_for_by_model_prompt_or_header(client: httpx.Client, where: str) -> None:
    ask = body(CHAT, "error-429" if where == "model" else "gpt-4o-mini")
    if where == "prompt":
        ask["messages"][0]["content"] = "error-429"
    headers = {"x-provider-fault": "error-429"} if where == "header" else {}
    assert client.post(CHAT, json=ask, headers=headers).status_code == 429


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
def test_openai_raises_the_class_of_the_status(
    provider: Provider, status: int, error: type[openai.APIStatusError]
) -> None:
    with openai_client(provider) as sdk, pytest.raises(error) as caught:
        sdk.responses.create(model=f"error-{status}", input="hi")
    assert caught.value.status_code == status
    assert caught.value.response.headers.get("retry-after") == ("20" if status == 429 else None)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, "authentication_error"), (429, "rate_limit_error"), (529, "overloaded_error")],
)
def test_anthropic_raises_the_error_of_the_status(
    provider: Provider, status: int, kind: str
) -> None:
    with anthropic_client(provider) as sdk, pytest.raises(anthropic.APIStatusError) as caught:
        sdk.messages.create(**body(MESSAGES, f"error-{status}"))
    assert caught.value.status_code == status
    assert caught.value.body["error"]["type"] == kind  # type: ignore[index]


def test_gemini_raises_the_error_of_the_status(provider: Provider) -> None:
    with gemini_client(provider) as sdk, pytest.raises(errors.ClientError) as caught:
        sdk.models.generate_content(model="error-429", contents="hi")
    assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")


def test_openai_chat_raises_an_error_midstream(provider: Provider) -> None:
    got: list[Any] = []
    with (
        openai_client(provider) as sdk,
        pytest.raises(openai.APIError, match="The server had an error") as caught,
    ):
        got.extend(sdk.chat.completions.create(**body(CHAT, "error-midstream")))
    assert len(got) == 6
    assert caught.value.code == "server_error"


def test_openai_responses_reports_an_error_midstream(provider: Provider) -> None:
    ask = body(RESPONSES, "error-midstream")
    del ask["max_tokens"]
    with openai_client(provider) as sdk:
        events: list[Any] = list(sdk.responses.create(**ask))
    assert [event.type for event in events[-3:]] == [
        "response.output_text.delta",
        "error",
        "response.failed",
    ]
    assert [event.sequence_number for event in events] == list(range(11))
    assert events[-1].response.status == "failed"
    assert events[-1].response.error.code == "server_error"


def test_anthropic_raises_an_error_midstream(provider: Provider) -> None:
    got: list[Any] = []
    with (
        anthropic_client(provider) as sdk,
        pytest.raises(anthropic.APIStatusError, match="overloaded_error"),
    ):
        got.extend(sdk.messages.create(**body(MESSAGES, "error-midstream")))
    assert len(got) == 7


def test_gemini_raises_an_error_midstream(provider: Provider) -> None:
    got: list[Any] = []
    with gemini_client(provider) as sdk, pytest.raises(errors.ServerError) as caught:
        got.extend(sdk.models.generate_content_stream(model="error-midstream", contents=ESSAY))
    assert len(got) == 5
    assert caught.value.code == 503


def test_an_answer_in_one_cannot_fail_midstream_and_is_an_error(client: httpx.Client) -> None:
    answer = client.post(CHAT, json=body(CHAT, "error-midstream", stream=False))
    assert answer.status_code == 500


@pytest.mark.parametrize("key", ["", "Bearer invalid"])
def test_a_missing_or_invalid_key_is_refused_when_keys_are_checked(key: str) -> None:
    with Provider(gap=0, check_key=True) as provider:
        answer = httpx.post(
            provider.url + CHAT,
            json=body(CHAT, "m"),
            headers={"authorization": key} if key else {},
            trust_env=False,
        )
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"authorization": "Bearer k"}, ""),
        ({"x-api-key": "k"}, ""),
        ({"x-goog-api-key": "k"}, ""),
        ({}, "?key=k"),
    ],
)
def test_a_key_is_found_wherever_an_sdk_puts_it(headers: dict[str, str], query: str) -> None:
    with Provider(gap=0, check_key=True) as provider:
        url = provider.url + CHAT + query
        answer = httpx.post(url, json=body(CHAT, "m"), headers=headers, trust_env=False)
    assert answer.status_code == 200


def test_no_key_is_needed_otherwise(client: httpx.Client) -> None:
    assert client.post(CHAT, json=body(CHAT, "m")).status_code == 200


def openai_client(provider: Provider) -> openai.OpenAI:
    return openai.OpenAI(api_key="k", base_url=f"{provider.url}/v1", max_retries=0)


def anthropic_client(provider: Provider) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="k", base_url=provider.url, max_retries=0)


def gemini_client(provider: Provider) -> genai.Client:
    return genai.Client(api_key="k", http_options={"base_url": provider.url})
