"""SDKs of chat completions: OpenAI's, and those that are used like it. Each imports its SDK itself."""

from collections.abc import Callable, Iterator
from contextlib import aclosing, closing
from typing import Any

from tests.sdks.driver import FUNCTION, Ask, Driver, called, chunk_parts, driver
from tests.sdks.wires import CHAT, COHERE, MISTRAL, OLLAMA


def openai_client(make: Any, ask: Ask, **options: Any) -> Any:
    return make(base_url=f"{ask.url}/v1", api_key="sk-test", max_retries=0, **options)


def _completions(client: Callable[[Ask], Any] | None, async_client: Callable[[Ask], Any]) -> Driver:
    """Make the driver of an SDK with ``client.chat.completions.create``."""

    def opened(ask: Ask, enter: Any) -> Any:
        assert client is not None
        completions = enter(client(ask)).chat.completions
        return enter(completions.create(**ask.chat("gpt-4o-mini", stream=True)))

    async def opened_async(ask: Ask, enter: Any) -> Any:
        completions = (await enter(async_client(ask))).chat.completions
        return await enter(await completions.create(**ask.chat("gpt-4o-mini", stream=True)))

    return driver(CHAT, client and opened, opened_async, chunk_parts)


def openai_chat() -> Driver:
    import openai

    return _completions(
        lambda ask: openai_client(openai.OpenAI, ask),
        lambda ask: openai_client(openai.AsyncOpenAI, ask),
    )


def openai_aiohttp() -> Driver:
    import openai

    def client(ask: Ask) -> Any:
        http_client = openai.DefaultAioHttpClient()
        return openai_client(openai.AsyncOpenAI, ask, http_client=http_client)

    return _completions(None, client)


def groq() -> Driver:
    import groq

    options: dict[str, Any] = {"api_key": "gsk-test", "max_retries": 0}
    return _completions(
        lambda ask: groq.Groq(base_url=ask.url, **options),
        lambda ask: groq.AsyncGroq(base_url=ask.url, **options),
    )


def together() -> Driver:
    import together

    return _completions(
        lambda ask: openai_client(together.Together, ask),
        lambda ask: openai_client(together.AsyncTogether, ask),
    )


def mistral() -> Driver:
    from mistralai.client import Mistral

    def client(ask: Ask) -> Any:
        return Mistral(api_key="test", server_url=ask.url)

    def opened(ask: Ask, enter: Any) -> Any:
        return enter(enter(client(ask)).chat.stream(**ask.chat("mistral-small-latest")))

    async def opened_async(ask: Ask, enter: Any) -> Any:
        chat = (await enter(client(ask))).chat
        return await enter(await chat.stream_async(**ask.chat("mistral-small-latest")))

    return driver(MISTRAL, opened, opened_async, lambda event: chunk_parts(event.data))


def huggingface() -> Driver:
    from huggingface_hub import AsyncInferenceClient, InferenceClient

    def opened(ask: Ask, enter: Any) -> Any:
        client = enter(InferenceClient(base_url=ask.url, api_key="hf-test"))
        return enter(closing(client.chat_completion(**ask.chat("llama", stream=True))))

    async def opened_async(ask: Ask, enter: Any) -> Any:
        client = await enter(AsyncInferenceClient(base_url=ask.url, api_key="hf-test"))
        return await enter(aclosing(await client.chat_completion(**ask.chat("llama", stream=True))))

    return driver(CHAT, opened, opened_async, chunk_parts)


def litellm() -> Driver:
    import litellm

    def arguments(ask: Ask) -> dict[str, Any]:
        options = {"api_base": f"{ask.url}/v1", "api_key": "sk-test", "max_retries": 0}
        return ask.chat("openai/gpt-4o-mini", stream=True, **options)

    async def opened_async(ask: Ask, enter: Any) -> Any:
        return await enter(aclosing(await litellm.acompletion(**arguments(ask))))

    return driver(
        CHAT, lambda ask, enter: litellm.completion(**arguments(ask)), opened_async, chunk_parts
    )


def cohere() -> Driver:
    import cohere

    def parts(event: Any) -> Iterator[str]:
        if event.type == "content-delta":
            yield event.delta.message.content.text
        elif event.type in ("tool-call-start", "tool-call-delta"):
            function = event.delta.message.tool_calls.function
            yield called(getattr(function, "name", None) or "", function.arguments)

    def opened(ask: Ask, enter: Any) -> Any:
        client = enter(cohere.ClientV2(api_key="test", base_url=ask.url))
        return enter(closing(client.chat_stream(**ask.chat("command-a-03-2025"))))

    async def opened_async(ask: Ask, enter: Any) -> Any:
        client = await enter(cohere.AsyncClientV2(api_key="test", base_url=ask.url))
        return await enter(aclosing(client.chat_stream(**ask.chat("command-a-03-2025"))))

    return driver(COHERE, opened, opened_async, parts)


def ollama() -> Driver:
    import ollama

    def parts(chunk: Any) -> Iterator[str]:
        if chunk.message.content:
            yield chunk.message.content
        for call in chunk.message.tool_calls or ():
            yield called(call.function.name, dict(call.function.arguments))

    def opened(ask: Ask, enter: Any) -> Any:
        client = enter(ollama.Client(host=ask.url))
        return enter(closing(client.chat(**ask.chat("llama3.2", stream=True))))

    async def opened_async(ask: Ask, enter: Any) -> Any:
        client = await enter(ollama.AsyncClient(host=ask.url))
        return await enter(aclosing(await client.chat(**ask.chat("llama3.2", stream=True))))

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

    def opened(ask: Ask, enter: Any) -> Any:
        return enter(closing(model(ask).stream_chat(**arguments(ask))))

    async def opened_async(ask: Ask, enter: Any) -> Any:
        return await enter(aclosing(await model(ask).astream_chat(**arguments(ask))))

    return driver(CHAT, opened, opened_async, parts)
