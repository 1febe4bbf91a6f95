"""What OpenAI's two dialects have in common: headers, errors, padding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .chance import HEX, Seed
from .frame import compact

if TYPE_CHECKING:
    from .asking import Ask

BROKEN = "The server had an error while processing your request. Sorry about that!"

_ERRORS = {
    401: ("invalid_request_error", "invalid_api_key"),
    429: ("requests", "rate_limit_exceeded"),
    500: ("server_error", "server_error"),
    503: ("server_error", "service_unavailable"),
}


def headers(seed: Seed, *, stream: bool) -> dict[str, str]:
    """Give the headers of an answer."""
    return {
        "content-type": "text/event-stream; charset=utf-8" if stream else "application/json",
        "x-request-id": "req_" + seed.name("request", 32, HEX),
        "openai-organization": "aquila-cassette",
        "openai-processing-ms": str(90 + int(400 * seed.unit("processing"))),
        "openai-version": "2020-10-01",
        "x-ratelimit-limit-requests": "10000",
        "x-ratelimit-limit-tokens": "200000",
        "x-ratelimit-remaining-requests": "9999",
        "x-ratelimit-remaining-tokens": str(199_999 - int(900 * seed.unit("remaining"))),
        "x-ratelimit-reset-requests": "8.64s",
        "x-ratelimit-reset-tokens": "6ms",
    }


def refusal(seed: Seed, status: int, message: str) -> str:
    """Write the body of an error."""
    kind, code = _ERRORS.get(status, ("invalid_request_error", None))
    return compact({"error": {"message": message, "type": kind, "param": None, "code": code}})


def padding(ask: Ask, token: str) -> str:
    """Give the filler that hides a token's length: the two make up a multiple of 16 letters."""
    return ask.seed.name(f"padding {token}", 16 - len(token) % 16)
