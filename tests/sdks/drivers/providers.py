"""SDKs of providers with a dialect of their own. Each imports its SDK itself."""

from collections.abc import Iterator
from typing import Any

from tests.sdks.driver import WEATHER, Ask, Driver, called, driver
from tests.sdks.drivers.chats import openai_client
from tests.sdks.wires import BEDROCK, GEMINI, MESSAGES, RESPONSES, TOOL


def openai_responses() -> Driver:
    import openai

    def events(client: Any, ask: Ask) -> Any:
        tool = {"type": "function", "name": TOOL, "parameters": WEATHER, "strict": False}
        tools = {"tools": [tool]} if ask.tool else {}
        asked = {"model": "gpt-4o-mini", "input": ask.prompt, "stream": True, **tools}
        return client.responses.create(**asked)

    def parts(event: Any) -> Iterator[str]:
        if event.type == "response.output_text.delta":
            yield event.delta
        elif event.type == "response.function_call_arguments.delta":
            yield called("", event.delta)

    makes = openai.OpenAI, openai.AsyncOpenAI
    return driver(RESPONSES, makes, openai_client, events, parts)


def anthropic(*, aiohttp: bool = False) -> Driver:
    import anthropic

    def client(make: Any, ask: Ask) -> Any:
        options: dict[str, Any] = {"api_key": "sk-ant-test", "max_retries": 0}
        if aiohttp:
            options["http_client"] = anthropic.DefaultAioHttpClient()
        return make(base_url=ask.url, **options)

    def events(client: Any, ask: Ask) -> Any:
        tool = {"name": TOOL, "description": "The weather now.", "input_schema": WEATHER}
        tools = {"tools": [tool]} if ask.tool else {}
        model = {"model": "claude-sonnet-5-5", "max_tokens": 100, "stream": True}
        return client.messages.create(**model, messages=ask.messages, **tools)

    def parts(event: Any) -> Iterator[str]:
        if event.type == "content_block_start" and event.content_block.type == "tool_use":
            yield called(event.content_block.name, "")
        elif event.type == "content_block_delta":
            delta = event.delta
            yield delta.text if delta.type == "text_delta" else called("", delta.partial_json)

    makes = None if aiohttp else anthropic.Anthropic, anthropic.AsyncAnthropic
    return driver(MESSAGES, makes, client, events, parts)


def anthropic_aiohttp() -> Driver:
    return anthropic(aiohttp=True)


def google_genai() -> Driver:
    from google import genai
    from google.genai import types

    def client(make: Any, ask: Ask) -> Any:
        made = make(api_key="AIza-test", http_options=types.HttpOptions(base_url=ask.url))
        return made.aio if ask.is_async else made

    def events(client: Any, ask: Ask) -> Any:
        function = types.FunctionDeclaration(name=TOOL, parameters_json_schema=WEATHER)
        tools = [types.Tool(function_declarations=[function])] if ask.tool else None
        config = types.GenerateContentConfig(tools=tools)
        return client.models.generate_content_stream(
            model="gemini-2.5-flash", contents=ask.prompt, config=config
        )

    def parts(chunk: Any) -> Iterator[str]:
        for part in chunk.candidates[0].content.parts:
            if part.text:
                yield part.text
            if part.function_call:
                yield called(part.function_call.name, part.function_call.args)

    return driver(GEMINI, (genai.Client, genai.Client), client, events, parts)


def bedrock() -> Driver:
    import boto3
    from botocore.config import Config

    def client(make: Any, ask: Ask) -> Any:
        options = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return make(
            "bedrock-runtime",
            endpoint_url=ask.url,
            region_name="us-east-1",
            config=Config(retries={"total_max_attempts": 1}),
            **options,
        )

    def events(client: Any, ask: Ask) -> Any:
        spec = {"name": TOOL, "inputSchema": {"json": WEATHER}}
        tools = {"toolConfig": {"tools": [{"toolSpec": spec}]}} if ask.tool else {}
        messages = [{"role": "user", "content": [{"text": ask.prompt}]}]
        asked = {"modelId": "amazon.nova-lite-v1:0", "messages": messages, **tools}
        return client.converse_stream(**asked)["stream"]

    def parts(event: dict[str, Any]) -> Iterator[str]:
        if start := event.get("contentBlockStart", {}).get("start", {}).get("toolUse"):
            yield called(start["name"], "")
        delta = event.get("contentBlockDelta", {}).get("delta", {})
        if "text" in delta:
            yield delta["text"]
        if "toolUse" in delta:
            yield called("", delta["toolUse"]["input"])

    return driver(BEDROCK, (boto3.client, None), client, events, parts)
