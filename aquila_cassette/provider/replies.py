"""Make the texts and tool calls that the embedded provider answers with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from aquila_cassette.dialects.json_access import Table, as_dict, as_dicts
from aquila_cassette.provider.request import DeterministicRandom, ParsedRequest, tokens

_LONG_WORD = re.compile(r"[^\W\d_]{4,}")
_GREETING = re.compile(r"\b(?:hello|hi|hey)\b", re.IGNORECASE)
_NAME = re.compile(r"\b[A-Z][a-z]\w*(?: [A-Z][a-z]\w*)*")
_SENTENCE_START = re.compile(r"(?:^|[.!?:])\s*")
_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"\d{1,15}")
_MAX_SCHEMA_DEPTH = 12

_COMMON_WORDS = """
about also call could describe does each explain five four from give have help into just know like
list make more most much name need only please sentence should show some tell than that their them
then there these they this three used using very want were what when where which while whose will
with words would write your
"""
_GREETINGS = (
    "Hello! 👋 How can I help you today?",
    "Hello! It is good to hear from you — what is on your mind?",
    "Hello! I am all ears. ☕ What shall we look at first?",
)
_SENTENCES = {
    "opener": (
        "Let me begin with “{0}”, since the rest follows from it.",
        "Good question. The heart of it is “{0}”.",
        "In short: “{0}” matters most here.",
    ),
    "middle": (
        "Many start from “{1}” instead, which is a naïve way to go about it — but a common one.",
        "Where “{1}” comes in, look twice — the devil is in the details.",
        "It goes hand in hand with “{1}”, piece by piece, as streams do.",
    ),
    "closer": (
        "And “{2}”? That can wait until the first two are clear. ✨",
        "Once that works, “{2}” is a small step.",
        "Try it on something small, then come back to “{2}” → it will look simpler.",
    ),
}


class FunctionCall(NamedTuple):
    """A call by the model: its arguments, and their JSON text cut into tokens."""

    name: str
    arguments: Table
    tokens: tuple[str, ...]


@dataclass(frozen=True)
class ModelReply:
    """What the model answers: text in tokens, or calls, never both; `cut` at max_tokens."""

    tokens: tuple[str, ...] = ()
    calls: tuple[FunctionCall, ...] = ()
    cut: bool = False

    @property
    def text(self) -> str:
        return "".join(self.tokens)

    @property
    def output_tokens(self) -> int:
        return len(self.tokens) + sum(len(call.tokens) for call in self.calls)


class ReplyFrame(NamedTuple):
    """One frame's bytes; whether it carries a token of the reply, whether it ends the stream."""

    data: bytes
    token: bool = False
    terminal: bool = False


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def encode(text: str) -> bytes:
    """Encode to UTF-8; half a surrogate pair, which a prompt's JSON can hold, becomes ``?``."""
    return text.encode("utf-8", "replace")


def sse_frame(data: str, event: str = "") -> bytes:
    return encode(f"event: {event}\ndata: {data}\n\n" if event else f"data: {data}\n\n")


def reply_to(request: ParsedRequest) -> ModelReply:
    """Reply with the results of functions, the calls that the prompt names, or in words."""
    if request.results:
        found = " ".join(f"I asked {name}: {text[:200]}" for name, text in request.results)
        answer = f"{found} — is there anything else you would like to know?"
    elif calls := tuple(_calls(request)):
        return ModelReply(calls=calls)
    else:
        answer = _answer_in_words(request.prompt)
    every = tokens(answer)
    kept = tuple(every[: request.max_tokens])
    return ModelReply(kept, cut=len(kept) < len(every))


def _answer_in_words(prompt: str) -> str:
    random = DeterministicRandom(prompt)
    if _GREETING.search(prompt) and len(prompt.split()) <= 8:
        return random.pick("greeting", _GREETINGS)
    words = {word.lower(): word for word in _LONG_WORD.findall(prompt)}
    unique = [word for lower, word in words.items() if lower not in _COMMON_WORDS.split()]
    topics = (*unique, "the question", "the details", "the rest")[:3]
    sentences = [random.pick(label, options) for label, options in _SENTENCES.items()]
    return " ".join(sentences).format(*topics)


def _calls(request: ParsedRequest) -> Iterator[FunctionCall]:
    for name, schema in request.functions:
        spoken = re.escape(name).replace("_", "[ _]")
        named = re.compile(rf"(?<![^\W_]){spoken}(?![^\W_])", re.IGNORECASE)
        if named.search(request.prompt):
            arguments = fill_arguments(schema, request.prompt.replace(name, " "))
            yield FunctionCall(name, arguments, tuple(tokens(compact(arguments))))


def fill_arguments(schema: Table, prompt: str) -> Table:
    """Return arguments that fit a JSON schema, with the names, options and numbers of `prompt`.

    Example:
        >>> schema = {"properties": {"city": {"type": "string"}}}
        >>> fill_arguments(schema, "What is it like in New York?")
        {'city': 'New York'}
    """
    definitions = as_dict(schema.get("$defs"))
    numbers = iter(_NUMBER.findall(prompt))
    starts = {match.end() for match in _SENTENCE_START.finditer(prompt)}
    names = [match[0] for match in _NAME.finditer(prompt) if match.start() not in starts]
    names = names or [max(_WORD.findall(prompt), key=len, default="something")]

    def fill(schema: Table, depth: int) -> Any:
        if depth > _MAX_SCHEMA_DEPTH:  # a schema that refers to itself
            return None
        if reference := schema.get("$ref"):
            return fill(as_dict(definitions.get(str(reference).rpartition("/")[2])), depth + 1)
        choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        if choices := as_dicts(choices):
            return fill(choices[0], depth + 1)
        options = schema.get("enum")
        if isinstance(options, list) and options:
            mentioned = (one for one in options if str(one).lower() in prompt.lower())
            return next(mentioned, options[0])
        if "const" in schema:
            return schema["const"]
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((one for one in kind if one != "null"), "null")
        match str(kind).lower():
            case "object":
                fields = as_dict(schema.get("properties")).items()
                return {name: fill(as_dict(field), depth + 1) for name, field in fields}
            case "array":
                return [fill(as_dict(schema.get("items")), depth + 1)]
            case "integer" | "number":
                return int(next(numbers, "1"))
            case "boolean":
                return True
            case "null":
                return None
            case _:
                return names.pop(0) if len(names) > 1 else names[0]

    return as_dict(fill({**schema, "type": "object"}, 0))
