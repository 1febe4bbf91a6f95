"""The answers of answers.yaml, and building more streams."""

import json
from pathlib import Path
from typing import Any

import yaml

SSE = "text/event-stream; charset=utf-8"
NDJSON = "application/x-ndjson"

ANSWERS = yaml.safe_load((Path(__file__).parent / "answers.yaml").read_text("utf-8"))
_KINDS = {"sse": SSE, "ndjson": NDJSON, "json": "application/json", "none": None}


def stream(name: str) -> tuple[str | None, bytes]:
    """The content type and the body of an answer of answers.yaml."""
    answer = ANSWERS[name]
    body = answer["body"].replace("\n", "\r\n") if answer.get("eol") else answer["body"]
    return _KINDS[answer.get("kind", "sse")], body.encode()


WHOLE = {name: stream(name) for name, answer in ANSWERS.items() if answer.get("whole")}
NAMES = ("openai-chat", "openai-responses", "anthropic", "anthropic-complete", "gemini", "ollama")
CHAT, RESPONSES, ANTHROPIC, COMPLETE, GEMINI, OLLAMA = (WHOLE[name][1] for name in NAMES)


def data(*values: Any, eol: str = "\n") -> bytes:
    """Write each value as an event without a type; a string as it is, all else as JSON."""
    return b"".join(event(None, value, eol=eol) for value in values)


def typed(*values: dict[str, Any]) -> bytes:
    """Write each value as an event of its own ``type``."""
    return b"".join(event(value["type"], value) for value in values)


def event(type_: str | None, value: Any, *, eol: str = "\n") -> bytes:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    head = f"event: {type_}{eol}" if type_ else ""
    return f"{head}data: {text}{eol}{eol}".encode()


def lines(*values: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def chunk(delta: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """One chunk of a chat completion, with one choice unless `more` says otherwise."""
    choice = {"index": 0, "delta": delta or {}, "finish_reason": more.pop("finish_reason", None)}
    return {"object": "chat.completion.chunk", "model": "m", "choices": [choice], **more}
