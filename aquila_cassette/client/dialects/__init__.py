"""The endpoints that the client can ask, and how one is told from what a user names."""

from __future__ import annotations

from aquila_cassette.client.dialects.anthropic import MESSAGES
from aquila_cassette.client.dialects.endpoint import Endpoint
from aquila_cassette.client.dialects.gemini import GEMINI
from aquila_cassette.client.dialects.openai_chat import CHAT
from aquila_cassette.client.dialects.openai_responses import RESPONSES
from aquila_cassette.errors import UsageError

__all__ = ["ENDPOINTS", "Endpoint", "endpoint_for"]

ENDPOINTS: dict[str, Endpoint] = {one.name: one for one in (CHAT, RESPONSES, MESSAGES, GEMINI)}
"""All endpoints by their names. To add one is to write its module and to put it here."""


def endpoint_for(
    model: str, *, provider: str | None, endpoint: str | Endpoint | None, stored: bool
) -> Endpoint:
    """Tell which endpoint to ask: the one named, or the provider's, or that of the model's maker.

    Args:
        model: The model's name; ``claude...`` is Anthropic's, ``gemini...`` Google's, any other is
            asked for in OpenAI's dialect, as most servers speak it.
        provider: ``openai``, ``anthropic`` or ``gemini``; None to tell it from the model.
        endpoint: The name of an endpoint, or one of your own; None for the provider's first.
        stored: Whether it must be one that knows stored responses, where there is a choice.

    Raises:
        UsageError: There is no such provider or endpoint, or the two do not fit.

    Example:
        >>> endpoint_for("claude-sonnet-5-5", provider=None, endpoint=None, stored=False).name
        'messages'
    """
    if isinstance(endpoint, Endpoint):
        return endpoint
    if endpoint is not None:
        found = ENDPOINTS.get(endpoint)
        if found is None:
            raise _unknown("endpoint", endpoint, list(ENDPOINTS))
        if provider not in (None, found.provider.name):
            raise UsageError(
                f"The endpoint {endpoint!r} is not one of the provider {provider!r}.",
                fix=f"Name one of the two, or provider={found.provider.name!r}",
            )
        return found
    if provider is None:
        name = model.removeprefix("models/")
        provider = next(
            (made for start, made in _MAKERS.items() if name.startswith(start)), "openai"
        )
    offered = [one for one in ENDPOINTS.values() if one.provider.name == provider]
    if not offered:
        providers = list(dict.fromkeys(one.provider.name for one in ENDPOINTS.values()))
        raise _unknown("provider", provider, providers)
    return RESPONSES if stored and RESPONSES in offered else offered[0]


_MAKERS = {"claude": "anthropic", "gemini": "gemini"}


def _unknown(what: str, got: str, known: list[str]) -> UsageError:
    return UsageError(
        f"There is no {what} {got!r}.",
        facts=[f"expected: {', '.join(known)}", f"got:      {got}"],
        fix=f"Fix: {what}={known[0]!r}",
    )
