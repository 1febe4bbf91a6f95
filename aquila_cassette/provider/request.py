"""Parse a request to the embedded provider."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, TypeVar

from aquila_cassette.dialects.json_access import Table, as_dict, as_dicts, as_str, text_of

T = TypeVar("T")

_TOKEN = re.compile(r"\s?(?:[^\W\d_]{1,8}|\d{1,3}|_+|[^\w\s])|\s|\w")


class DeterministicRandom:
    """Values that look random and depend only on `source`, any JSON value, and a label.

    Not `random`: only its bare `random()` is promised to stay the same between Pythons.
    """

    def __init__(self, source: Any) -> None:
        canonical = json.dumps(source, sort_keys=True, separators=(",", ":"))
        self._root = hashlib.sha256(canonical.encode()).digest()

    def letters(self, label: str, length: int) -> str:
        return hashlib.sha512(self._root + label.encode()).hexdigest()[:length]

    def fraction(self, label: str) -> float:
        return int(self.letters(label, 13), 16) / 16**13

    def pick(self, label: str, options: Sequence[T]) -> T:
        return options[int(self.letters(label, 128), 16) % len(options)]


@dataclass(frozen=True)
class ParsedRequest:
    """A request without its dialect."""

    body: Table
    model: str
    prompt: str  # the user's last text
    results: tuple[tuple[str, str], ...]  # of the functions called last, with their names
    functions: tuple[tuple[str, Table], ...]  # with the schemas of their arguments
    stream: bool
    max_tokens: int | None
    input_tokens: int
    random: DeterministicRandom


def parse_request(path: str, body: Table) -> ParsedRequest:
    """Parse a request to any of the four endpoints; what is malformed counts as absent."""
    given = body.get("messages") or body.get("input") or body.get("contents")
    turns = as_dicts([{"role": "user", "content": given}] if isinstance(given, str) else given)
    asked = [turn for turn in turns if turn.get("role", "user") == "user"]
    prompts = [text_of(turn.get("content") or turn.get("parts")) for turn in asked]
    names = dict(_call_names(turns))
    ends = takewhile(bool, (list(_results(turn, names)) for turn in reversed(turns)))
    path_model, _, method = path.rpartition("/")[2].partition(":")
    limits = {**as_dict(_field(body, "generationConfig")), **body}
    instructions = [body.get(name) for name in ("instructions", "system", "systemInstruction")]
    return ParsedRequest(
        body=body,
        model=path_model if method else as_str(body.get("model")),
        prompt=next(filter(None, reversed(prompts)), ""),
        results=tuple(result for results in reversed(list(ends)) for result in results),
        functions=tuple(_functions(body)),
        stream=body.get("stream") is True or method == "streamGenerateContent",
        max_tokens=as_count(limits.get("max_completion_tokens") or limits.get("max_tokens"))
        or as_count(limits.get("max_output_tokens") or _field(limits, "maxOutputTokens")),
        input_tokens=count_tokens([turns, instructions, body.get("tools")]) + 4 * len(turns),
        random=DeterministicRandom([path, body]),
    )


def _functions(body: Table) -> Iterator[tuple[str, Table]]:
    for tool in as_dicts(body.get("tools")):
        if tool.get("type", "function") not in ("function", "custom"):
            continue  # one that the provider itself runs, as a web search
        for offer in as_dicts(_field(tool, "functionDeclarations")) or [tool]:
            offer = as_dict(offer.get("function")) or offer
            schema = offer.get("parameters") or offer.get("input_schema")
            if name := as_str(offer.get("name")):
                schema = schema or _field(offer, "parametersJsonSchema")
                yield name, as_dict(schema)


def _call_names(turns: list[Table]) -> Iterator[tuple[str, str]]:
    """Yield the ids of all calls in a conversation, with the names of their functions."""
    for turn in turns:
        for call in (*as_dicts(turn.get("tool_calls")), *as_dicts(turn.get("content")), turn):
            if name := call.get("name") or as_dict(call.get("function")).get("name"):
                yield as_str(call.get("call_id") or call.get("id")), as_str(name)


def _results(turn: Table, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    for part in (turn, *as_dicts(turn.get("content")), *as_dicts(turn.get("parts"))):
        if response := as_dict(_field(part, "functionResponse")):
            # The SDK wraps a plain value as {"result": value}.
            value = as_dict(response.get("response")).get("result", response.get("response"))
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield as_str(response.get("name")), text
        for id_field in ("tool_call_id", "call_id", "tool_use_id"):
            if id_field in part and part.get("type") != "function_call":
                name = names.get(as_str(part[id_field]), "the tool")
                yield name, text_of(part.get("content") or part.get("output"))


def _field(message: Table, name: str) -> Any:
    """Return a field in either spelling that protobuf's JSON takes: camel case or snake case."""
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
    return message.get(name, message.get(snake))


def as_count(value: Any) -> int | None:
    return value if type(value) is int and value > 0 else None


def tokens(text: str) -> list[str]:
    """Cut `text` into pieces of about a word, as a model's tokens are; joined they are the text.

    Example:
        >>> tokens("Hello! Unbelievable, 2026.")
        ['Hello', '!', ' Unbeliev', 'able', ',', ' 202', '6', '.']
    """
    return _TOKEN.findall(text)


def count_tokens(value: Any) -> int:
    if isinstance(value, str):
        return len(tokens(value))
    if isinstance(value, dict):
        value = list(value.values())
    return sum(count_tokens(item) for item in value) if isinstance(value, list) else 0
