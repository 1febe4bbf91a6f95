"""SDKs of chat completions: OpenAI's, and those that are used like it. Each imports its SDK itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, closing, contextmanager
from typing import Any

from tests.sdks.driver import FUNCTION, Ask, Driver, called, chunk_parts, driver
from tests.sdks.wires import CHAT, COHERE, MISTRAL, OLLAMA

Make = Callable[[Ask], Any]


def openai_client(make: Any, ask: Ask, **options: Any) -> Any:
    return make(base_url=f"{ask.url}/v1", api_key="sk-test", max_retries=0, **options)


def _completions(client: Make | None, async_client: Make) -> Driver:
    """Make the driver of an SDK with ``client.chat.completions.create``."""

    @contextmanager
    def opened(ask: Ask) -> Iterator[Any]:
        assert client is not None
        request = ask.chat("gpt-4o-mini", stream=True)
        with client(ask) as made, made.chat.completions.create(**request) as chunks:
            yield chunks

    @asynccontextmanager
    async def opened_async(ask: Ask) -> AsyncIterator[Any]:
        request = ask.chat("gpt-4o-mini", stream=True)
        async with (
            async_client(ask) as made,
            await made.chat.completions.create(**request) as chunks,
        ):
            yield chunks

    return driver(CHAT, client and opened, opened_async, chunk_parts)


def openai_chat() -> Driver:
    import openai

    return _completions(
        lambda ask: openai_client(openai.OpenAI, ask),
        lambda ask: openai_client(openai.AsyncOpenAI, ask),
    )


def openai_aiohttp() -> Driver:
    import openai

    return _completions(
        None,
        lambda ask: openai_client(
            openai.AsyncOpenAI, ask, http_client=openai.DefaultAioHttpClient()
        ),
    )


def groq() -> Driver:
    import groq

    options: dict[str, Any] = {"api_key": "gsk-test", "max_retries": 0}
    return _completions(
        lambda ask: groq.Groq(base_url=ask.url, **options),
        lambda ask: groq.AsyncGroq(base_url=ask.url, **options),
    )


def together() -> Driver:
    import together

    options: dict[str, Any] = {"api_key": "test", "max_retries": 0}
    return _completions(
        lambda ask: together.Together(base_url=f"{ask.url}/v1", **options),
        lambda ask: together.AsyncTogether(base_url=f"{ask.url}/v1", **options),
    )


def mistral() -> Driver:
    from mistralai.client import Mistral

    @contextmanager
    def opened(ask: Ask) -> Iterator[Any]:
        request = ask.chat("mistral-small-latest")
        with (
            Mistral(api_key="test", server_url=ask.url) as client,
            client.chat.stream(**request) as events,
        ):
            yield events

    @asynccontextmanager
    async def opened_async(ask: Ask) -> AsyncIterator[Any]:
        request = ask.chat("mistral-small-latest")
        async with (
            Mistral(api_key="test", server_url=ask.url) as client,
            await client.chat.stream_async(**request) as events,
        ):
            yield events

    return driver(MISTRAL, opened, opened_async, lambda event: chunk_parts(event.data))


def huggingface() -> Driver:
    from huggingface_hub import AsyncInferenceClient, InferenceClient

    @contextmanager
    def opened(ask: Ask) -> Iterator[Any]:
        with InferenceClient(base_url=ask.url, api_key="hf-test") as client:
            with closing(client.chat_completion(**ask.chat("llama", stream=True))) as chunks:
                yield chunks

    @asynccontextmanager
    async def opened_async(ask: Ask) -> AsyncIterator[Any]:
        async with AsyncInferenceClient(base_url=ask.url, api_key="hf-test") as client:
            chunks = await client.chat_completion(**ask.chat("llama", stream=True))
            async with aclosing(chunks):
                yield chunks

    return driver(CHAT, opened, opened_async, chunk_parts)


def litellm() -> Driver:
    import litellm

    def arguments(ask: Ask) -> dict[str, Any]:
        options = {"api_base": f"{ask.url}/v1", "api_key": "sk-test", "max_retries": 0}
        return ask.chat("openai/gpt-4o-mini", stream=True, **options)

    @contextmanager
    def opened(ask: Ask) -> Iterator[Any]:
        yield litellm.completion(**arguments(ask))

    @asynccontextmanager
    async def opened_async(ask: Ask) -> AsyncIterator[Any]:
        async with aclosing(await litellm.acompletion(**arguments(ask))) as chunks:
            yield chunks

    return driver(CHAT, opened, opened_async, chunk_parts)


def cohere() -> Driver:
    import cohere

    def parts(event: Any) -> Iterator[str]:
        if event.type == "content-delta":
            yield event.delta.message.content.text
        elif event.type in ("tool-call-start", "tool-call-delta"):
            function = event.delta.message.tool_calls.function
            yield called(getattr(function, "name", None) or "", function.arguments)

    @contextmanager
    def opened(ask: Ask) -> Iterator[Any]:
        with cohere.ClientV2(api_key="test", base_url=ask.url) as client:
            with closing(client.chat_stream(**ask.chat("command-a-03-2025"))) as events:
                yield events

    @asynccontextmanager
    async def opened_async(ask: Ask) -> AsyncIterator[Any]:
        async with cohere.AsyncClientV2(api_key="test", base_url=ask.url) as client:
            async with aclosing(client.chat_stream(**ask.chat("command-a-03-2025"))) as events:
                yield events

    return driver(COHERE, opened, opened_async, parts)


def ollama() -> Driver:
    import ollama

    def parts(chunk: Any) -> Iterator[str]:
        if chunk.message.content:
            yield chunk.message.content
        for call in chunk.message.tool_calls or ():
            yield called(call.function.name, dict(call.function.arguments))

    @contextmanager
    def opened(ask: Ask) -> Iterator[Any]:
        with ollama.Client(host=ask.url) as client:
            with closing(client.chat(**ask.chat("llama3.2", stream=True))) as chunks:
                yield chunks

    @asynccontextmanager
    async def opened_async(ask: Ask) -> AsyncIterator[Any]:
        async with ollama.AsyncClient(host=ask.url) as client:
            async with aclosing(await client.chat(**ask.chat("llama3.2", stream=True))) as chunks:
                yield chunks

    return driver(OLLAMA, opened, opened_async, parts)


def llama_index() -> Driver:
    from llama_index.core.llms import ChatMessage
    from llama_index.llms.openai import OpenAI

    def model(ask: Ask) -> Any:
        url = f"{ask.url}/v1"
        return OpenAI(model="gpt-4o-mini", api_base=url, api_key="sk-test", max_retries=0)

    def arguments(ask: Ask) -> dict[str, Any]:
        tools = {"tools": [FUNCTION]} if ask.tool else {}
        return {"messages": [ChatMessage(role="user", content=ask.prompt)], **tools}

    def parts(answer: Any) -> Iterator[str]:
        if answer.delta:
            yield answer.delta
        for call in answer.raw.choices[0].delta.tool_calls or () if answer.raw.choices else ():
            yield called(call.function.name or "", call.function.arguments)

    @asynccontextmanager
    async def opened_async(ask: Ask) -> AsyncIterator[Any]:
        async with aclosing(await model(ask).astream_chat(**arguments(ask))) as answers:
            yield answers

    return driver(
        CHAT,
        lambda ask: closing(model(ask).stream_chat(**arguments(ask))),
        opened_async,
        parts,
    )
