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
def client(provider: Provider, http: httpx.Client) -> httpx.Client:
    http.base_url = httpx.URL(provider.url)
    return http


@pytest.fixture(scope="module")
def openai_sdk(provider: Provider) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="k", base_url=f"{provider.url}/v1", max_retries=0) as sdk:
        yield sdk


@pytest.fixture(scope="module")
def anthropic_sdk(provider: Provider) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(api_key="k", base_url=provider.url, max_retries=0) as sdk:
        yield sdk


@pytest.fixture(scope="module")
def gemini_sdk(provider: Provider) -> Iterator[genai.Client]:
    with genai.Client(api_key="k", http_options={"base_url": provider.url}) as sdk:
        yield sdk


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
def test_a_hang_stalls_after_three_tokens_until_the_provider_stops(
    http: httpx.Client, path: str
) -> None:
    wanted = 4 if path == CHAT else 3
    with Provider(gap=0) as provider:
        url = provider.url + path.format(model="hang")
        with http.stream("POST", url, json=body(path, "hang")) as response:
            pieces = response.iter_raw()
            text = ""
            while text.count(TOKEN[path]) < wanted:
                text += next(pieces).decode()
            provider.stop()
            rest: list[bytes] = []
            with pytest.raises(httpx.RemoteProtocolError):
                rest.extend(pieces)
    assert rest == []


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
    openai_sdk: openai.OpenAI, status: int, error: type[openai.APIStatusError]
) -> None:
    with pytest.raises(error) as caught:
        openai_sdk.responses.create(model=f"error-{status}", input="hi")
    assert caught.value.status_code == status
    assert caught.value.response.headers.get("retry-after") == ("20" if status == 429 else None)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, "authentication_error"), (429, "rate_limit_error"), (529, "overloaded_error")],
)
def test_anthropic_raises_the_error_of_the_status(
    anthropic_sdk: anthropic.Anthropic, status: int, kind: str
) -> None:
    with pytest.raises(anthropic.APIStatusError) as caught:
        anthropic_sdk.messages.create(**body(MESSAGES, f"error-{status}"))
    assert caught.value.status_code == status
    assert caught.value.body["error"]["type"] == kind  # type: ignore[index]


def test_gemini_raises_the_error_of_the_status(gemini_sdk: genai.Client) -> None:
    with pytest.raises(errors.ClientError) as caught:
        gemini_sdk.models.generate_content(model="error-429", contents="hi")
    assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")


def test_openai_chat_raises_an_error_midstream(openai_sdk: openai.OpenAI) -> None:
    got: list[Any] = []
    with (
        pytest.raises(openai.APIError, match="The server had an error") as caught,
    ):
        got.extend(openai_sdk.chat.completions.create(**body(CHAT, "error-midstream")))
    assert len(got) == 6
    assert caught.value.code == "server_error"


def test_openai_responses_reports_an_error_midstream(openai_sdk: openai.OpenAI) -> None:
    ask = body(RESPONSES, "error-midstream")
    del ask["max_tokens"]
    events: list[Any] = list(openai_sdk.responses.create(**ask))
    assert [event.type for event in events[-3:]] == [
        "response.output_text.delta",
        "error",
        "response.failed",
    ]
    assert [event.sequence_number for event in events] == list(range(11))
    assert events[-1].response.status == "failed"
    assert events[-1].response.error.code == "server_error"


def test_anthropic_raises_an_error_midstream(anthropic_sdk: anthropic.Anthropic) -> None:
    got: list[Any] = []
    with (
        pytest.raises(anthropic.APIStatusError, match="overloaded_error"),
    ):
        got.extend(anthropic_sdk.messages.create(**body(MESSAGES, "error-midstream")))
    assert len(got) == 7


def test_gemini_raises_an_error_midstream(gemini_sdk: genai.Client) -> None:
    got: list[Any] = []
    with pytest.raises(errors.ServerError) as caught:
        got.extend(
            gemini_sdk.models.generate_content_stream(model="error-midstream", contents=ESSAY)
        )
    assert len(got) == 5
    assert caught.value.code == 503


def test_an_answer_in_one_cannot_fail_midstream_and_is_an_error(client: httpx.Client) -> None:
    answer = client.post(CHAT, json=body(CHAT, "error-midstream", stream=False))
    assert answer.status_code == 500


@pytest.mark.parametrize("key", ["", "Bearer invalid"])
def test_a_missing_or_invalid_key_is_refused_when_keys_are_checked(
    http: httpx.Client, key: str
) -> None:
    headers = {"authorization": key} if key else {}
    with Provider(gap=0, check_key=True) as provider:
        answer = http.post(provider.url + CHAT, json=body(CHAT, "m"), headers=headers)
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
def test_a_key_is_found_wherever_an_sdk_puts_it(
    http: httpx.Client, headers: dict[str, str], query: str
) -> None:
    with Provider(gap=0, check_key=True) as provider:
        url = provider.url + CHAT + query
        answer = http.post(url, json=body(CHAT, "m"), headers=headers)
    assert answer.status_code == 200


def test_no_key_is_needed_otherwise(client: httpx.Client) -> None:
    assert client.post(CHAT, json=body(CHAT, "m")).status_code == 200
