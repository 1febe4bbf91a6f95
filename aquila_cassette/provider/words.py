"""What the stand-in says: short answers woven from the prompt, and tool calls."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .arguments import fill
from .asking import Call, Reply
from .chance import Seed
from .frame import compact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .asking import Ask, Result

_TOKEN = re.compile(r"\s?(?:[^\W\d_]{1,8}|\d{1,3}|_+|[^\w\s])|\s|\w")
_WORD = re.compile(r"[^\W\d_]{4,}")
_GREETING = re.compile(r"\b(?:hello|hi|hey)\b", re.IGNORECASE)

_PLAIN_WORDS = """
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
_OPENERS = (
    "Let me begin with “{0}”, since the rest follows from it.",
    "Good question. The heart of it is “{0}”.",
    "In short: “{0}” matters most here.",
)
_MIDDLES = (
    "Many start from “{1}” instead, which is a naïve way to go about it — but a common one.",
    "Where “{1}” comes in, look twice — the devil is in the details.",
    "It goes hand in hand with “{1}”, piece by piece, as streams do.",
)
_CLOSERS = (
    "And “{2}”? That can wait until the first two are clear. ✨",
    "Once that works, “{2}” is a small step.",
    "Try it on something small, then come back to “{2}” → it will look simpler.",
)


def tokens(text: str) -> list[str]:
    """Cut `text` into pieces of about a word, as a model's tokens are; joined they are the text.

    Example:
        >>> tokens("Hello! Unbelievable, 2026.")
        ['Hello', '!', ' Unbeliev', 'able', ',', ' 202', '6', '.']
    """
    return _TOKEN.findall(text)


def weigh(value: Any) -> int:
    """Count the tokens of all strings in a JSON value."""
    if isinstance(value, str):
        return len(tokens(value))
    if isinstance(value, dict):
        return sum(weigh(item) for item in value.values())
    if isinstance(value, list):
        return sum(weigh(item) for item in value)
    return 0


def respond(ask: Ask) -> Reply:
    """Answer: with what tools gave back, with the calls that the prompt asks for, or in words."""
    if ask.results:
        said = tokens(_use(ask.results))
    elif calls := tuple(_calls(ask)):
        return Reply(calls=calls)
    else:
        said = tokens(_say(ask.prompt))
    kept = said[: ask.max_tokens]
    return Reply(tuple(kept), cut=len(kept) < len(said))


def _say(prompt: str) -> str:
    seed = Seed(prompt)
    if _GREETING.search(prompt) and len(prompt.split()) <= 8:
        return seed.pick("greeting", _GREETINGS)
    first, second, third = _topics(prompt)
    sentences = (
        seed.pick("opener", _OPENERS),
        seed.pick("middle", _MIDDLES),
        seed.pick("closer", _CLOSERS),
    )
    return " ".join(sentences).format(first, second, third)


def _topics(prompt: str) -> tuple[str, str, str]:
    plain = _PLAIN_WORDS.split()
    words = [word for word in _WORD.findall(prompt) if word.lower() not in plain]
    unique = list({word.lower(): word for word in words}.values())
    first, second, third = (*unique, "the question", "the details", "the rest")[:3]
    return first, second, third


def _use(results: tuple[Result, ...]) -> str:
    found = " ".join(f"I asked {result.name}: {result.text[:200]}" for result in results)
    return f"{found} — is there anything else you would like to know?"


def _calls(ask: Ask) -> Iterator[Call]:
    asked_for = [tool for tool in ask.tools if _names(ask.prompt, tool.name)]
    for tool in asked_for or (ask.tools[:1] if ask.forced else ()):
        arguments = fill(tool.parameters, ask.prompt.replace(tool.name, " "))
        yield Call(tool.name, arguments, tuple(tokens(compact(arguments))))


def _names(prompt: str, tool: str) -> bool:
    spoken = re.escape(tool).replace("_", "[ _]")
    return re.search(rf"(?<![^\W_]){spoken}(?![^\W_])", prompt, re.IGNORECASE) is not None
