"""SDKs of chat completions: OpenAI's, and those that are used like it. Each imports its SDK itself."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.sdks.driver import FUNCTION, Ask, Driver, called, chunk_parts, driver
from tests.sdks.wires import CHAT, COHERE, MISTRAL, OLLAMA


def openai_client(make: Any, ask: Ask, **options: Any) -> Any:
    return make(base_url=f"{ask.url}/v1", api_key="sk-test", max_retries=0, **options)


def _completions(
    makes: tuple[Any, Any], client: Callable[[Any, Ask], Any] = openai_client
) -> Driver:
    """Make the driver of an SDK with ``client.chat.completions.create``."""

    def create(client: Any, ask: Ask) -> Any:
        return client.chat.completions.create(**ask.chat("gpt-4o-mini", stream=True))

    return driver(CHAT, makes, client, create, chunk_parts)


def openai_chat() -> Driver:
    import openai

    return _completions((openai.OpenAI, openai.AsyncOpenAI))


def openai_aiohttp() -> Driver:
    import openai

    def client(make: Any, ask: Ask) -> Any:
        return openai_client(make, ask, http_client=openai.DefaultAioHttpClient())

    return _completions((None, openai.AsyncOpenAI), client)


def groq() -> Driver:
    import groq

    def client(make: Any, ask: Ask) -> Any:
        return make(base_url=ask.url, api_key="gsk-test", max_retries=0)

    return _completions((groq.Groq, groq.AsyncGroq), client)


def together() -> Driver:
    import together

    return _completions((together.Together, together.AsyncTogether))


def mistral() -> Driver:
    from mistralai.client import Mistral

    def events(client: Any, ask: Ask) -> Any:
        stream = client.chat.stream_async if ask.is_async else client.chat.stream
        return stream(**ask.chat("mistral-small-latest"))

    return driver(
        MISTRAL,
        (Mistral, Mistral),
        lambda make, ask: make(api_key="test", server_url=ask.url),
        events,
        lambda event: chunk_parts(event.data),
    )


def huggingface() -> Driver:
    from huggingface_hub import AsyncInferenceClient, InferenceClient

    return driver(
        CHAT,
        (InferenceClient, AsyncInferenceClient),
        lambda make, ask: make(base_url=ask.url, api_key="hf-test"),
        lambda client, ask: client.chat_completion(**ask.chat("llama", stream=True)),
        chunk_parts,
    )


def litellm() -> Driver:
    import litellm

    def events(complete: Any, ask: Ask) -> Any:
        options = {"api_base": f"{ask.url}/v1", "api_key": "sk-test", "max_retries": 0}
        return complete(**ask.chat("openai/gpt-4o-mini", stream=True, **options))

    functions = litellm.completion, litellm.acompletion
    return driver(CHAT, functions, lambda complete, _: complete, events, chunk_parts)


def cohere() -> Driver:
    import cohere

    def parts(event: Any) -> Iterator[str]:
        if event.type == "content-delta":
            yield event.delta.message.content.text
        elif event.type in ("tool-call-start", "tool-call-delta"):
            function = event.delta.message.tool_calls.function
            yield called(getattr(function, "name", None) or "", function.arguments)

    return driver(
        COHERE,
        (cohere.ClientV2, cohere.AsyncClientV2),
        lambda make, ask: make(api_key="test", base_url=ask.url),
        lambda client, ask: client.chat_stream(**ask.chat("command-a-03-2025")),
        parts,
    )


def ollama() -> Driver:
    import ollama

    def parts(chunk: Any) -> Iterator[str]:
        if chunk.message.content:
            yield chunk.message.content
        for call in chunk.message.tool_calls or ():
            yield called(call.function.name, dict(call.function.arguments))

    return driver(
        OLLAMA,
        (ollama.Client, ollama.AsyncClient),
        lambda make, ask: make(host=ask.url),
        lambda client, ask: client.chat(**ask.chat("llama3.2", stream=True)),
        parts,
    )


def llama_index() -> Driver:
    from llama_index.core.llms import ChatMessage
    from llama_index.llms.openai import OpenAI

    def client(make: Any, ask: Ask) -> Any:
        url = f"{ask.url}/v1"
        return make(model="gpt-4o-mini", api_base=url, api_key="sk-test", max_retries=0)

    def events(model: Any, ask: Ask) -> Any:
        tools = {"tools": [FUNCTION]} if ask.tool else {}
        chat = model.astream_chat if ask.is_async else model.stream_chat
        return chat(messages=[ChatMessage(role="user", content=ask.prompt)], **tools)

    def parts(answer: Any) -> Iterator[str]:
        if answer.delta:
            yield answer.delta
        for call in answer.raw.choices[0].delta.tool_calls or () if answer.raw.choices else ():
            yield called(call.function.name or "", call.function.arguments)

    return driver(CHAT, (OpenAI, OpenAI), client, events, parts)
