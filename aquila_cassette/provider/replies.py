"""Parse a request to the embedded provider, and make the text or tool calls that answer it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, NamedTuple, TypeVar

from aquila_cassette.dialects.json_access import Table, as_dict, as_dicts, as_str, text_of

T = TypeVar("T")

_TOKEN = re.compile(r"\s?(?:[^\W\d_]{1,8}|\d{1,3}|_+|[^\w\s])|\s|\w")

_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens", "maxOutputTokens")
_SCHEMAS = ("parameters", "input_schema", "parametersJsonSchema", "parameters_json_schema")
_LONG_WORD = re.compile(r"[^\W\d_]{4,}")
_GREETING = re.compile(r"\b(?:hello|hi|hey)\b", re.IGNORECASE)
_NAME = re.compile(r"\b[A-Z][a-z]\w*(?: [A-Z][a-z]\w*)*")
_SENTENCE_START = re.compile(r"(?:^|[.!?:])\s*")
_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"\d{1,15}")

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


class DeterministicRandom:
    """Values that look random and depend only on `source`, any JSON value, and a label.

    Not `random`: only its bare `random()` is promised to stay the same between Pythons.
    """

    def __init__(self, source: Any) -> None:
        canonical = json.dumps(source, sort_keys=True, separators=(",", ":"))
        self._root = hashlib.sha256(canonical.encode()).digest()

    def letters(self, label: str, length: int) -> str:
        return hashlib.sha512(self._root + label.encode()).hexdigest()[:length]

    def pick(self, label: str, options: Sequence[T]) -> T:
        return options[int(self.letters(label, 128), 16) % len(options)]


@dataclass(frozen=True)
class ParsedRequest:
    """A request without its dialect."""

    body: Table
    model: str
    prompt: str  # the user's last text
    results: tuple[str, ...]  # of the functions called last
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
    ends = takewhile(bool, (list(_results(turn)) for turn in reversed(turns)))
    path_model, _, method = path.rpartition("/")[2].partition(":")
    limits = {**as_dict(body.get("generationConfig")), **body}
    given_limits = [limits.get(name) for name in _LIMITS]
    instructions = [body.get(name) for name in ("instructions", "system", "systemInstruction")]
    return ParsedRequest(
        body=body,
        model=path_model if method else as_str(body.get("model")),
        prompt=next(filter(None, reversed(prompts)), ""),
        results=tuple(result for results in reversed(list(ends)) for result in results),
        functions=tuple(_functions(body)),
        stream=body.get("stream") is True or method == "streamGenerateContent",
        max_tokens=next((one for one in given_limits if type(one) is int and one > 0), None),
        input_tokens=count_tokens([turns, instructions, body.get("tools")]) + 4 * len(turns),
        random=DeterministicRandom([path, body]),
    )


def _functions(body: Table) -> Iterator[tuple[str, Table]]:
    for tool in as_dicts(body.get("tools")):
        for offer in as_dicts(tool.get("functionDeclarations")) or [tool]:
            offer = as_dict(offer.get("function")) or offer
            if name := as_str(offer.get("name")):
                schemas = (as_dict(offer.get(field)) for field in _SCHEMAS)
                yield name, next(filter(None, schemas), {})


def _results(turn: Table) -> Iterator[str]:
    for part in (turn, *as_dicts(turn.get("content")), *as_dicts(turn.get("parts"))):
        if response := as_dict(part.get("functionResponse")):
            # The SDK wraps a plain value as {"result": value}.
            value = as_dict(response.get("response")).get("result", response.get("response"))
            yield value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        is_result = not part.keys().isdisjoint(("tool_call_id", "call_id", "tool_use_id"))
        if is_result and part.get("type") != "function_call":
            yield text_of(part.get("content") or part.get("output"))


def tokens(text: str) -> list[str]:
    """Cut `text` into pieces of about a word, as a model's tokens are; joined they are the text."""
    return _TOKEN.findall(text)


def count_tokens(value: Any) -> int:
    if isinstance(value, str):
        return len(tokens(value))
    if isinstance(value, dict):
        value = list(value.values())
    return sum(count_tokens(item) for item in value) if isinstance(value, list) else 0


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

    def reason(self, called: str, cut: str, done: str) -> str:
        """Return why it ended, in the dialect's word for it."""
        return called if self.calls else cut if self.cut else done

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
        found = " ".join(text[:200] for text in request.results)
        answer = f"I was told: {found} — is there anything else you would like to know?"
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
    """Return arguments that fit a JSON schema, with the names, options and numbers of `prompt`."""
    numbers = iter(_NUMBER.findall(prompt))
    starts = {match.end() for match in _SENTENCE_START.finditer(prompt)}
    names = [match[0] for match in _NAME.finditer(prompt) if match.start() not in starts]
    names = names or [max(_WORD.findall(prompt), key=len, default="something")]

    def fill(schema: Table) -> Any:
        if choices := as_dicts(schema.get("anyOf")):
            return fill(choices[0])
        options = schema.get("enum")
        if isinstance(options, list) and options:
            mentioned = (one for one in options if str(one).lower() in prompt.lower())
            return next(mentioned, options[0])
        match str(schema.get("type")).lower():
            case "object":
                fields = as_dict(schema.get("properties")).items()
                return {name: fill(as_dict(field)) for name, field in fields}
            case "array":
                return [fill(as_dict(schema.get("items")))]
            case "integer" | "number":
                return int(next(numbers, "1"))
            case "boolean":
                return True
            case _:
                return names.pop(0) if len(names) > 1 else names[0]

    return as_dict(fill({**schema, "type": "object"}))
