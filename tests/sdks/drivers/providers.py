"""SDKs of providers with a dialect of their own. Each imports its SDK itself."""

from collections.abc import Iterator
from contextlib import aclosing, closing
from typing import Any

from tests.sdks.driver import WEATHER, Ask, Driver, called, driver
from tests.sdks.drivers.chats import openai_client
from tests.sdks.wires import BEDROCK, GEMINI, MESSAGES, RESPONSES, TOOL


def openai_responses() -> Driver:
    import openai

    def arguments(ask: Ask) -> dict[str, Any]:
        tool = {"type": "function", "name": TOOL, "parameters": WEATHER, "strict": False}
        tools = {"tools": [tool]} if ask.tool else {}
        return {"model": "gpt-4o-mini", "input": ask.prompt, "stream": True, **tools}

    def parts(event: Any) -> Iterator[str]:
        if event.type == "response.output_text.delta":
            yield event.delta
        elif event.type == "response.function_call_arguments.delta":
            yield called("", event.delta)

    def opened(ask: Ask, enter: Any) -> Any:
        client = enter(openai_client(openai.OpenAI, ask))
        return enter(client.responses.create(**arguments(ask)))

    async def opened_async(ask: Ask, enter: Any) -> Any:
        client = await enter(openai_client(openai.AsyncOpenAI, ask))
        return await enter(await client.responses.create(**arguments(ask)))

    return driver(RESPONSES, opened, opened_async, parts)


def anthropic(*, aiohttp: bool = False) -> Driver:
    import anthropic

    def client(make: Any, ask: Ask, **options: Any) -> Any:
        return make(base_url=ask.url, api_key="sk-ant-test", max_retries=0, **options)

    def arguments(ask: Ask) -> dict[str, Any]:
        tool = {"name": TOOL, "description": "The weather now.", "input_schema": WEATHER}
        tools = {"tools": [tool]} if ask.tool else {}
        model = {"model": "claude-sonnet-5-5", "max_tokens": 100, "stream": True}
        return {**model, "messages": ask.messages, **tools}

    def parts(event: Any) -> Iterator[str]:
        if event.type == "content_block_start" and event.content_block.type == "tool_use":
            yield called(event.content_block.name, "")
        elif event.type == "content_block_delta":
            delta = event.delta
            yield delta.text if delta.type == "text_delta" else called("", delta.partial_json)

    def opened(ask: Ask, enter: Any) -> Any:
        messages = enter(client(anthropic.Anthropic, ask)).messages
        return enter(messages.create(**arguments(ask)))

    async def opened_async(ask: Ask, enter: Any) -> Any:
        options = {"http_client": anthropic.DefaultAioHttpClient()} if aiohttp else {}
        messages = (await enter(client(anthropic.AsyncAnthropic, ask, **options))).messages
        return await enter(await messages.create(**arguments(ask)))

    return driver(MESSAGES, None if aiohttp else opened, opened_async, parts)


def anthropic_aiohttp() -> Driver:
    return anthropic(aiohttp=True)


def google_genai() -> Driver:
    from google import genai
    from google.genai import types

    def client(ask: Ask) -> Any:
        return genai.Client(api_key="AIza-test", http_options=types.HttpOptions(base_url=ask.url))

    def arguments(ask: Ask) -> dict[str, Any]:
        function = types.FunctionDeclaration(name=TOOL, parameters_json_schema=WEATHER)
        tools = [types.Tool(function_declarations=[function])] if ask.tool else None
        config = types.GenerateContentConfig(tools=tools)
        return {"model": "gemini-2.5-flash", "contents": ask.prompt, "config": config}

    def parts(chunk: Any) -> Iterator[str]:
        for part in chunk.candidates[0].content.parts:
            if part.text:
                yield part.text
            if part.function_call:
                yield called(part.function_call.name, part.function_call.args)

    def opened(ask: Ask, enter: Any) -> Any:
        models = enter(client(ask)).models
        return enter(closing(models.generate_content_stream(**arguments(ask))))

    async def opened_async(ask: Ask, enter: Any) -> Any:
        models = (await enter(client(ask).aio)).models
        return await enter(aclosing(await models.generate_content_stream(**arguments(ask))))

    return driver(GEMINI, opened, opened_async, parts)


def bedrock() -> Driver:
    import boto3
    from botocore.config import Config

    def arguments(ask: Ask) -> dict[str, Any]:
        spec = {"name": TOOL, "inputSchema": {"json": WEATHER}}
        tools = {"toolConfig": {"tools": [{"toolSpec": spec}]}} if ask.tool else {}
        messages = [{"role": "user", "content": [{"text": ask.prompt}]}]
        return {"modelId": "amazon.nova-lite-v1:0", "messages": messages, **tools}

    def parts(event: dict[str, Any]) -> Iterator[str]:
        if start := event.get("contentBlockStart", {}).get("start", {}).get("toolUse"):
            yield called(start["name"], "")
        delta = event.get("contentBlockDelta", {}).get("delta", {})
        if "text" in delta:
            yield delta["text"]
        if "toolUse" in delta:
            yield called("", delta["toolUse"]["input"])

    def opened(ask: Ask, enter: Any) -> Any:
        client = boto3.client(
            "bedrock-runtime",
            endpoint_url=ask.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}),
        )
        enter(closing(client))
        return enter(closing(client.converse_stream(**arguments(ask))["stream"]))

    return driver(BEDROCK, opened, None, parts)
