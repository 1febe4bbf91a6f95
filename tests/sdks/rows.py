"""The rows of the matrix, and the environments in which they run; it imports no SDK."""

import importlib
import re
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Any

from examples.sdks import test_sdks


@dataclass(frozen=True)
class Row:
    """One way of using one SDK.

    `maker` is the module of `tests.sdks.drivers` and its function that makes the driver (none where
    only an example uses the SDK), `through` the HTTP libraries that it uses, sync and async. `in_suite` says that the project's own tests run
    it as well, `warns` filters warnings that users see too, `collects` are the faces with which the
    SDK itself reads to the end before it shows anything, and `reads_on` those with which it reads
    the rest by itself when its consumer stops early.
    """

    title: str
    maker: str
    through: str
    environment: str = "providers"
    in_suite: bool = False
    warns: tuple[str, ...] = ()
    collects: tuple[str, ...] = ()
    reads_on: tuple[str, ...] = ()

    @property
    def package(self) -> str:
        name = self.title.partition(",")[0]
        return "pydantic-ai-slim" if name == "pydantic-ai" else name

    @property
    def examples(self) -> dict[str, str]:
        """The names of its tests in `examples/sdks`, by face."""
        name = "test_" + re.sub(r"\W+", "_", self.title.lower())
        found = {one: getattr(test_sdks, one, None) for one in (name, f"{name}_async")}
        return {
            "async" if iscoroutinefunction(test) else "sync": one
            for one, test in found.items()
            if test is not None
        }

    def driver(self) -> Any:
        """Import the SDK and make its driver."""
        module, _, name = self.maker.partition(".")
        return getattr(importlib.import_module(f"tests.sdks.drivers.{module}"), name)()


_GOOGLE = ("ignore:Inheritance class AiohttpClientSession:DeprecationWarning",)
_LITELLM = ("ignore:Items? .* on TypedDict class:UserWarning",)
ROWS = (
    Row("openai, chat", "chats.openai_chat", "httpx2", in_suite=True),
    Row("openai, responses", "providers.openai_responses", "httpx2", in_suite=True),
    Row("openai, DefaultAioHttpClient", "chats.openai_aiohttp", "aiohttp", in_suite=True),
    Row("anthropic", "providers.anthropic", "httpx2", in_suite=True),
    Row("anthropic, DefaultAioHttpClient", "providers.anthropic_aiohttp", "aiohttp", in_suite=True),
    Row("google-genai", "providers.google_genai", "httpx2, aiohttp", in_suite=True, warns=_GOOGLE),
    Row("mistralai", "chats.mistral", "httpx2"),
    Row("groq", "chats.groq", "httpx"),
    Row("cohere", "chats.cohere", "httpx"),
    Row("ollama", "chats.ollama", "httpx"),
    Row("litellm", "chats.litellm", "httpx, aiohttp", "litellm", warns=_LITELLM),
    Row("dspy", "frameworks.dspy", "lm15", "litellm"),
    Row("together", "chats.together", "httpx"),
    Row("huggingface_hub", "chats.huggingface", "httpx2"),
    Row("boto3, bedrock-runtime", "providers.bedrock", "urllib3", in_suite=True),
    Row("boto3, dynamodb", "", "urllib3"),
    Row("azure-ai-documentintelligence", "", "requests, aiohttp"),
    Row("mcp, streamable HTTP", "", "httpx2"),
    Row("mcp, SSE", "", "httpx2"),
    Row("fastmcp", "", "httpx2"),
    Row("langchain-openai", "frameworks.langchain_openai", "httpx2"),
    Row("langchain-openai, astream_events", "frameworks.langchain_events", "httpx2"),
    Row("langchain-anthropic", "frameworks.langchain_anthropic", "httpx2"),
    Row("langgraph", "frameworks.langgraph", "httpx2", reads_on=("sync",)),
    Row("pydantic-ai", "frameworks.pydantic_ai", "httpx2"),
    Row("pydantic-ai, run_stream_events", "frameworks.pydantic_ai_events", "httpx2"),
    Row("pydantic-ai, iter", "frameworks.pydantic_ai_nodes", "httpx2"),
    Row("openai-agents", "frameworks.openai_agents", "httpx2"),
    Row("instructor", "frameworks.instructor", "httpx2", "instructor", collects=("sync",)),
    Row("llama-index-llms-openai", "chats.llama_index", "httpx", "llama_index"),
)

_PROVIDERS = """
anthropic[aiohttp]>=2.12 azure-ai-documentintelligence>=1.0 boto3>=1.44 cohere>=7.3 fastmcp>=4.2
google-genai>=3.4 groq>=1.7 huggingface_hub>=2.4 langchain-anthropic>=1.7 langchain-openai>=1.7
langgraph>=1
mcp>=2.3 mistralai>=3.7 ollama>=0.6 openai-agents>=0.24
openai[aiohttp]>=3.54 pydantic-ai-slim[openai]>=2.68 together>=3.1
"""
ENVIRONMENTS: dict[str, list[str]] = {
    "providers": _PROVIDERS.split(),
    "litellm": ["dspy>=3.4", "litellm>=1.106", "mcp>=1.9"],
    "instructor": ["instructor>=1.17"],
    "llama_index": ["llama-index-llms-openai>=0.8"],
}
"""What is installed together; who pins another openai or jiter than the rest is alone."""


def rows_of(environment: str | None) -> list[Row]:
    """List the rows that run in an environment; in that of the project's own tests for None."""
    if environment is None:
        return [row for row in ROWS if row.in_suite]
    return [row for row in ROWS if row.environment == environment]
