"""Which dialect answers which path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol

from . import anthropic, gemini, openai_chat, openai_responses

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .asking import Ask, Reply
    from .chance import Seed
    from .frame import Frame
    from .http import Request


class Dialect(Protocol):
    """What a dialect's module has to offer."""

    def headers(self, seed: Seed, *, stream: bool) -> dict[str, str]:
        """Give the headers of an answer."""
        raise NotImplementedError

    def refusal(self, seed: Seed, status: int, message: str) -> str:
        """Write the body of an error."""
        raise NotImplementedError

    def ask(self, path: str, body: dict[str, Any]) -> Ask:
        """Read a request; RefusedError where it lacks what the real one requires."""
        raise NotImplementedError

    def whole(self, ask: Ask, reply: Reply) -> str:
        """Write an answer in one."""
        raise NotImplementedError

    def frames(self, ask: Ask, reply: Reply) -> Iterator[Frame]:
        """Write an answer as a stream."""
        raise NotImplementedError

    def breakdown(self, ask: Ask, sent: int) -> Iterable[bytes]:
        """Write what a stream ends with when the model fails after `sent` frames."""
        raise NotImplementedError


_ROUTES: tuple[tuple[re.Pattern[str], Dialect], ...] = (
    (re.compile(r"/v1/chat/completions"), openai_chat),
    (re.compile(r"/v1/responses"), openai_responses),
    (re.compile(r"/v1/messages"), anthropic),
    (re.compile(r"/v1\w*/models/[^:/]+:(?:generate|streamGenerate)Content"), gemini),
)


def dialect_for(request: Request) -> Dialect | None:
    """Find the dialect of a request; None where its path or method is nobody's."""
    if request.method != "POST":
        return None
    matches = (dialect for path, dialect in _ROUTES if path.fullmatch(request.path))
    return next(matches, None)
