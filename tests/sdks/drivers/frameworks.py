"""Frameworks that use an SDK below. Each imports what it needs itself."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from typing import Any

from tests.sdks.driver import FUNCTION, WEATHER, Ask, Driver, called, chunk_parts, driver
from tests.sdks.drivers.chats import openai_client
from tests.sdks.wires import CHAT, MESSAGES, TOOL, Wire


def _langchain(wire: Wire, make: Any, client: Callable[[Any, Ask], Any]) -> Driver:
    def events(model: Any, ask: Ask) -> Any:
        model = model.bind_tools([FUNCTION]) if ask.tool else model
        return (model.astream if ask.is_async else model.stream)(ask.prompt)

    return driver(wire, (make, make), client, events, _chunk_parts)


def _chunk_parts(chunk: Any) -> Iterator[str]:
    if text := chunk.text:
        yield text
    for call in chunk.tool_call_chunks:
        yield called(call["name"] or "", call["args"])


def _gpt(make: Any, ask: Ask) -> Any:
    return openai_client(make, ask, model="gpt-4o-mini")


def langchain_openai() -> Driver:
    from langchain_openai import ChatOpenAI

    return _langchain(CHAT, ChatOpenAI, _gpt)


def langchain_anthropic() -> Driver:
    from langchain_anthropic import ChatAnthropic

    options = {"model": "claude-sonnet-5-5", "api_key": "sk-ant-test", "max_retries": 0}
    return _langchain(MESSAGES, ChatAnthropic, lambda make, ask: make(base_url=ask.url, **options))


def langchain_events() -> Driver:
    from langchain_openai import ChatOpenAI

    def events(model: Any, ask: Ask) -> Any:
        return (model.bind_tools([FUNCTION]) if ask.tool else model).astream_events(ask.prompt)

    def parts(event: Any) -> Iterator[str]:
        if event["event"] == "on_chat_model_stream":
            yield from _chunk_parts(event["data"]["chunk"])

    return driver(CHAT, (None, ChatOpenAI), _gpt, events, parts)


def langgraph() -> Driver:
    from langchain_core.messages import AIMessageChunk
    from langchain_openai import ChatOpenAI
    from langgraph.graph import START, MessagesState, StateGraph
    from langgraph.prebuilt import ToolNode, tools_condition

    def get_weather(city: str) -> str:
        """Tell the weather now."""
        return "sunny"

    def events(model: Any, ask: Ask) -> Any:
        graph: Any = StateGraph(MessagesState)
        graph.add_node("tools", ToolNode([get_weather]))
        bound = model.bind_tools([get_weather]) if ask.tool else model

        def agent(state: Any) -> Any:
            return {"messages": [bound.invoke(state["messages"])]}

        async def aagent(state: Any) -> Any:
            return {"messages": [await bound.ainvoke(state["messages"])]}

        graph.add_node("agent", aagent if ask.is_async else agent)
        graph.add_edge(START, "agent")
        graph.add_conditional_edges("agent", tools_condition)
        graph.add_edge("tools", "agent")
        made = graph.compile()
        stream = made.astream if ask.is_async else made.stream
        return stream({"messages": ask.messages}, stream_mode="messages")

    def parts(event: Any) -> Iterator[str]:
        if isinstance(event[0], AIMessageChunk):
            yield from _chunk_parts(event[0])

    return driver(CHAT, (ChatOpenAI, ChatOpenAI), _gpt, events, parts)


def _agent(client: Any, ask: Ask, calls: list[str]) -> Any:
    """Make an agent of pydantic-ai that notes the calls of its tool."""
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    provider = OpenAIProvider(openai_client=client)
    agent: Any = Agent(OpenAIChatModel("gpt-4o-mini", provider=provider))
    if ask.tool:

        @agent.tool_plain(name=TOOL)
        def get_weather(city: str) -> str:
            calls.append(called(TOOL, city))
            return "sunny"

    return agent


def _pydantic_ai(texts: Callable[[Any, str], AsyncIterator[str]]) -> Callable[[Ask], Any]:
    """Make a driver's function of one of the ways in which an agent of pydantic-ai streams."""
    import openai

    async def astream(ask: Ask) -> AsyncIterator[str]:
        calls: list[str] = []
        async with openai_client(openai.AsyncOpenAI, ask) as client:
            async with aclosing(texts(_agent(client, ask, calls), ask.prompt)) as parts:
                async for part in parts:
                    yield part
            for call in calls:
                yield call

    return astream


def pydantic_ai() -> Driver:
    import openai

    def stream(ask: Ask) -> Iterator[str]:
        calls: list[str] = []
        # It has no sync client: its sync way runs the async one in an event loop of its own.
        client = openai_client(openai.AsyncOpenAI, ask)
        try:
            with _agent(client, ask, calls).run_stream_sync(ask.prompt) as result:
                yield from result.stream_text(delta=True, debounce_by=None)
            yield from calls
        finally:
            with closing(asyncio.get_event_loop()) as loop:
                loop.run_until_complete(client.close())

    async def texts(agent: Any, prompt: str) -> AsyncIterator[str]:
        async with agent.run_stream(prompt) as result:
            async for part in result.stream_text(delta=True, debounce_by=None):
                yield part

    return Driver(CHAT, stream, _pydantic_ai(texts))


def pydantic_ai_events() -> Driver:
    async def texts(agent: Any, prompt: str) -> AsyncIterator[str]:
        async with agent.run_stream_events(prompt) as events:
            async for text in _new_texts(events):
                yield text

    return Driver(CHAT, None, _pydantic_ai(texts))


def pydantic_ai_nodes() -> Driver:
    async def texts(agent: Any, prompt: str) -> AsyncIterator[str]:
        async with agent.iter(prompt) as run:
            async for node in run:
                if agent.is_model_request_node(node):
                    async with node.stream(run.ctx) as events:
                        async for text in _new_texts(events):
                            yield text

    return Driver(CHAT, None, _pydantic_ai(texts))


async def _new_texts(events: AsyncIterator[Any]) -> AsyncIterator[str]:
    """Yield the texts that events of pydantic-ai bring."""
    async for event in events:
        if event.event_kind == "part_start" and event.part.part_kind == "text":
            yield event.part.content
        elif event.event_kind == "part_delta" and event.delta.part_delta_kind == "text":
            yield event.delta.content_delta


def openai_agents() -> Driver:
    import agents
    import openai

    async def astream(ask: Ask) -> AsyncIterator[str]:
        calls: list[str] = []

        def get_weather(city: str) -> str:
            calls.append(called(TOOL, city))
            return "sunny"

        async with openai_client(openai.AsyncOpenAI, ask) as client:
            model = agents.OpenAIChatCompletionsModel("gpt-4o-mini", client)
            tools: list[Any] = [agents.function_tool(get_weather)] if ask.tool else []
            agent = agents.Agent("weather", model=model, tools=tools)
            config = agents.RunConfig(tracing_disabled=True)
            run = agents.Runner.run_streamed(agent, ask.prompt, run_config=config)
            try:
                async for event in run.stream_events():
                    if event.type == "raw_response_event":
                        data: Any = event.data
                        if data.type == "response.output_text.delta":
                            yield data.delta
            finally:
                run.cancel()
            for call in calls:
                yield call

    return Driver(CHAT, None, astream)


def instructor() -> Driver:
    import instructor
    import openai
    from pydantic import create_model

    said: Any = create_model("Said", text=(str, ...))
    weather: Any = create_model(TOOL, city=(str, ...))

    def arguments(ask: Ask) -> dict[str, Any]:
        options = {"response_model": weather if ask.tool else said, "max_retries": 0}
        return {"model": "gpt-4o-mini", "messages": ask.messages, **options}

    def new_in(partial: Any, text: str) -> tuple[str, str]:
        """Return the text of a partial answer, and what is new: each repeats the one before it."""
        now = getattr(partial, "text", None) or getattr(partial, "city", None) or ""
        return now, now.removeprefix(text)

    def stream(ask: Ask) -> Iterator[str]:
        text = ""
        with openai_client(openai.OpenAI, ask) as client:
            create = instructor.from_openai(client).chat.completions.create_partial
            for partial in create(**arguments(ask)):
                text, new = new_in(partial, text)
                if new:
                    yield new

    async def astream(ask: Ask) -> AsyncIterator[str]:
        text = ""
        async with openai_client(openai.AsyncOpenAI, ask) as client:
            create = instructor.from_openai(client).chat.completions.create_partial
            async with aclosing(create(**arguments(ask))) as partials:
                async for partial in partials:
                    text, new = new_in(partial, text)
                    if new:
                        yield new

    return Driver(CHAT, stream, astream, text_tool="Said")


def dspy() -> Driver:
    import dspy
    from dspy.lm15 import FunctionTool, Message, Request

    class Says(dspy.Module):  # type: ignore[misc]
        def __init__(self, ask: Ask) -> None:
            super().__init__()
            model = "openai/gpt-4o-mini"
            options: dict[str, Any] = {"api_key": "sk-test", "cache": False, "num_retries": 0}
            self._lm = dspy.LM(model, api_base=f"{ask.url}/v1", **options)
            tools = (FunctionTool(name=TOOL, parameters=WEATHER),) if ask.tool else ()
            self._request = Request(model=model, messages=(Message.user(ask.prompt),), tools=tools)

        def forward(self) -> Any:
            return dspy.Prediction(said=self._lm(self._request))

        async def aforward(self) -> Any:
            return dspy.Prediction(said=await self._lm.acall(self._request))

    def parts(chunk: Any) -> Iterator[str]:
        if not isinstance(chunk, dspy.Prediction):
            yield from chunk_parts(chunk)

    async def all_chunks(says: Any) -> AsyncIterator[Any]:
        # In a task of its own, which is cancelled: dspy's stream cannot be closed.
        chunks: asyncio.Queue[Any] = asyncio.Queue()

        async def read() -> None:
            try:
                async for chunk in dspy.streamify(says, is_async_program=True)():
                    chunks.put_nowait(chunk)
            finally:
                chunks.put_nowait(None)

        reading = asyncio.create_task(read())
        try:
            while (chunk := await chunks.get()) is not None:
                yield chunk
            await reading
        finally:
            reading.cancel()
            await asyncio.wait([reading])

    def events(says: Any, ask: Ask) -> Any:
        if ask.is_async:
            return all_chunks(says)
        return dspy.streamify(says, async_streaming=False)()

    return driver(CHAT, (Says, Says), lambda make, ask: make(ask), events, parts)
