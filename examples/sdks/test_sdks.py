"""A test with each SDK, as its users write one; `make sdks` records and replays them all."""

from __future__ import annotations

import json
import os
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

URL = "http://127.0.0.1:1"  # of who answers; without it each SDK asks its provider
PROMPT = "Call get_weather: how is the weather in Paris?"
ANSWER = "sunny in Paris"
GPT, CLAUDE = "gpt-4o-mini", "claude-sonnet-5-5"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}


def get_weather(city: str) -> str:
    """Tell the weather now.

    Args:
        city: Where.
    """
    return f"sunny in {city}"


def result(call: Any) -> dict[str, Any]:
    """Call the tool, and tell a chat its result."""
    content = get_weather(**json.loads(call.function.arguments))
    return {"role": "tool", "tool_call_id": call.id, "content": content}


def test_openai_chat(cassette: Any) -> None:
    from openai import OpenAI

    messages: list[Any] = [{"role": "user", "content": PROMPT}]
    asked: dict[str, Any] = {"model": GPT, "messages": messages, "tools": [FUNCTION]}
    with OpenAI(base_url=f"{URL}/v1") as client:
        with client.chat.completions.stream(**asked) as stream:
            stream.until_done()
            message: Any = stream.get_final_completion().choices[0].message
        messages += [message, *map(result, message.tool_calls)]
        with client.chat.completions.create(**asked, stream=True) as chunks:
            text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert ANSWER in text


async def test_openai_responses(cassette: Any) -> None:
    from openai import AsyncOpenAI

    turns: list[Any] = [{"role": "user", "content": PROMPT}]
    tool = {"type": "function", "strict": False, **FUNCTION["function"]}  # type: ignore[dict-item]
    asked: dict[str, Any] = {"model": GPT, "input": turns, "tools": [tool]}
    async with AsyncOpenAI(base_url=f"{URL}/v1") as client:
        async with client.responses.stream(**asked) as stream:
            response: Any = await stream.get_final_response()
        turns += response.output
        for call in response.output:
            output = get_weather(**json.loads(call.arguments))
            turns.append(
                {"type": "function_call_output", "call_id": call.call_id, "output": output}
            )
        async with client.responses.stream(**asked) as stream:
            response = await stream.get_final_response()
    assert ANSWER in response.output_text


def test_anthropic(cassette: Any) -> None:
    from anthropic import Anthropic, beta_tool

    asked: dict[str, Any] = {"model": CLAUDE, "max_tokens": 99}
    asked |= {"messages": [{"role": "user", "content": PROMPT}], "tools": [beta_tool(get_weather)]}
    with Anthropic(base_url=URL) as client:
        for stream in client.beta.messages.tool_runner(**asked, stream=True):
            text = "".join(
                getattr(event.delta, "text", "")
                for event in stream
                if event.type == "content_block_delta"
            )
    assert ANSWER in text


def test_google_genai(cassette: Any) -> None:
    from google import genai

    with genai.Client(http_options={"base_url": URL}) as client:
        chat = client.chats.create(model="gemini-2.5-flash", config={"tools": [get_weather]})
        text = "".join(chunk.text or "" for chunk in chat.send_message_stream(PROMPT))
    assert ANSWER in text


async def test_google_genai_async(cassette: Any) -> None:
    from google import genai

    async with genai.Client(http_options={"base_url": URL}).aio as client:
        chat = client.chats.create(model="gemini-2.5-flash", config={"tools": [get_weather]})
        text = "".join([chunk.text or "" async for chunk in await chat.send_message_stream(PROMPT)])
    assert ANSWER in text


async def test_litellm(cassette: Any) -> None:
    import litellm

    messages: list[Any] = [{"role": "user", "content": PROMPT}]
    asked: dict[str, Any] = {"model": f"openai/{GPT}", "messages": messages, "tools": [FUNCTION]}
    asked |= {"api_base": f"{URL}/v1", "stream": True}
    chunks = list(litellm.completion(**asked))
    built: Any = litellm.stream_chunk_builder(chunks, messages=messages)
    message = built.choices[0].message
    messages += [message, *map(result, message.tool_calls)]
    text = [one.choices[0].delta.content or "" async for one in await litellm.acompletion(**asked)]
    assert ANSWER in "".join(text)


async def test_pydantic_ai(cassette: Any) -> None:
    from openai import AsyncOpenAI
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    provider = OpenAIProvider(openai_client=AsyncOpenAI(base_url=f"{URL}/v1"))
    agent: Any = Agent(OpenAIChatModel(GPT, provider=provider), tools=[get_weather])
    async with agent.run_stream(PROMPT) as answer:
        text = "".join([part async for part in answer.stream_text(delta=True)])
    assert ANSWER in text


def _langchain(model: Any) -> None:
    from langchain_core.messages import HumanMessage
    from langchain_core.tools import tool

    weather: Any = tool(get_weather)
    messages: list[Any] = [HumanMessage(PROMPT)]
    model = model.bind_tools([weather])
    called: Any = reduce(add, model.stream(messages))
    messages += [called, *map(weather.invoke, called.tool_calls)]
    assert ANSWER in "".join(chunk.text for chunk in model.stream(messages))


def test_langchain_openai(cassette: Any) -> None:
    from langchain_openai import ChatOpenAI

    _langchain(ChatOpenAI(model=GPT, base_url=f"{URL}/v1"))


def test_langchain_anthropic(cassette: Any) -> None:
    from langchain_anthropic import ChatAnthropic

    _langchain(ChatAnthropic(model=CLAUDE, base_url=URL))  # type: ignore[call-arg]


async def test_openai_agents(cassette: Any) -> None:
    from agents import Agent, OpenAIProvider, RunConfig, Runner, function_tool

    agent = Agent("weather", model=GPT, tools=[function_tool(get_weather)])
    config = RunConfig(model_provider=OpenAIProvider(base_url=f"{URL}/v1"))
    run = Runner.run_streamed(agent, PROMPT, run_config=config)
    assert [event async for event in run.stream_events()]
    assert ANSWER in run.final_output


def test_huggingface_hub(cassette: Any, tmp_path: Path) -> None:
    from huggingface_hub import HfApi

    api = HfApi(URL)
    assert [one.id for one in api.list_models(author="Paris")] == ["Paris/one", "Paris/two"]
    assert api.get_hf_file_metadata(url=f"{URL}/Paris/one/resolve/main/a.txt").etag == "e7a6"
    file = api.hf_hub_download("Paris/one", "a.txt", cache_dir=tmp_path)
    assert Path(file).read_text("utf-8") == "/Paris/one/resolve/main/a.txt"


def test_azure_ai_documentintelligence(cassette: Any) -> None:
    from azure.ai.documentintelligence import DocumentIntelligenceClient
    from azure.core.credentials import AzureKeyCredential

    key = AzureKeyCredential(os.environ["DOCUMENTINTELLIGENCE_API_KEY"])
    with DocumentIntelligenceClient(URL, key) as client:
        body = {"urlSource": "https://example.com/Paris.pdf"}
        poller: Any = client.begin_analyze_document("prebuilt-read", body)
        assert poller.result().content == "Paris"


async def test_azure_ai_documentintelligence_async(cassette: Any) -> None:
    from azure.ai.documentintelligence.aio import DocumentIntelligenceClient
    from azure.core.credentials import AzureKeyCredential

    key = AzureKeyCredential(os.environ["DOCUMENTINTELLIGENCE_API_KEY"])
    async with DocumentIntelligenceClient(URL, key) as client:
        body = {"urlSource": "https://example.com/Paris.pdf"}
        poller: Any = await client.begin_analyze_document("prebuilt-read", body)
        assert (await poller.result()).content == "Paris"


def test_boto3_dynamodb(cassette: Any) -> None:
    import boto3

    client: Any = boto3.client("dynamodb", endpoint_url=URL, region_name="us-east-1")
    key = {"city": {"S": "Paris"}}
    client.put_item(TableName="Paris", Item=key)
    assert client.get_item(TableName="Paris", Key=key)["Item"] == key
    pages = client.get_paginator("scan").paginate(TableName="Paris")
    assert [page["Items"] for page in pages] == [[key], [key]]


def test_boto3_bedrock_runtime(cassette: Any) -> None:
    import boto3

    client: Any = boto3.client("bedrock-runtime", endpoint_url=URL, region_name="us-east-1")
    messages: list[Any] = [{"role": "user", "content": [{"text": PROMPT}]}]
    spec = {"name": "get_weather", "inputSchema": {"json": SCHEMA}}
    asked: dict[str, Any] = {"modelId": "amazon.nova-lite-v1:0", "messages": messages}
    asked |= {"toolConfig": {"tools": [{"toolSpec": spec}]}}

    call, arguments = {}, ""
    for event in client.converse_stream(**asked)["stream"]:
        call |= event.get("contentBlockStart", {}).get("start", {}).get("toolUse", {})
        delta = event.get("contentBlockDelta", {}).get("delta", {})
        arguments += delta.get("toolUse", {}).get("input", "")
    call["input"] = json.loads(arguments)
    told = {"toolUseId": call["toolUseId"], "content": [{"text": get_weather(**call["input"])}]}
    messages += [
        {"role": "assistant", "content": [{"toolUse": call}]},
        {"role": "user", "content": [{"toolResult": told}]},
    ]
    events = client.converse_stream(**asked)["stream"]
    deltas = [event.get("contentBlockDelta", {}).get("delta", {}) for event in events]
    assert "".join(delta.get("text", "") for delta in deltas) == "sunny in Paris"

    body = json.dumps(
        {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 9,
            "messages": [{"role": "user", "content": PROMPT}],
        }
    )
    stream = client.invoke_model_with_response_stream(modelId="anthropic.claude-v3", body=body)
    chunks = [json.loads(event["chunk"]["bytes"]) for event in stream["body"]]
    assert "".join(chunk.get("delta", {}).get("text", "") for chunk in chunks) == "sunny in Paris"


async def _mcp(streams: Any) -> None:
    from mcp import ClientSession

    async with streams as (read, write, *_), ClientSession(read, write) as session:
        await session.initialize()
        assert [tool.name for tool in (await session.list_tools()).tools] == ["get_weather"]
        for city in ("Paris", "Oslo"):
            told: Any = await session.call_tool("get_weather", {"city": city})
            assert told.content[0].text == f"sunny in {city}"


async def test_mcp_streamable_http(cassette: Any) -> None:
    from mcp.client.streamable_http import streamable_http_client

    await _mcp(streamable_http_client(f"{URL}/mcp"))


async def test_mcp_sse(cassette: Any) -> None:
    from mcp.client.sse import sse_client

    await _mcp(sse_client(f"{URL}/sse"))


async def test_fastmcp(cassette: Any) -> None:
    from fastmcp import Client

    async with Client(f"{URL}/mcp") as client:
        assert [tool.name for tool in await client.list_tools()] == ["get_weather"]
        told = await client.call_tool("get_weather", {"city": "Paris"})
        assert told.content[0].text == "sunny in Paris"
