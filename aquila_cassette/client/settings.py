"""Whom a client asks, and with what: arguments first, then the environment, then the defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from aquila_cassette.client.dialects.endpoint import Endpoint, Provider

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """What a client was made with; None stands for what the environment says.

    Args:
        model: The model to ask where a call names none.
        provider: The provider to ask where it shall not be told from the model.
        endpoint: The endpoint to ask where a call names none.
        api_key: The key. Where there is none at all, requests go without: that may well be enough,
            as inside a cassette that replays, or for a server on this machine.
        base_url: The server's address.
        headers: Headers of every request, over those of the provider.
    """

    model: str | None = None
    provider: str | None = None
    endpoint: str | Endpoint | None = None
    api_key: str | None = None
    base_url: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def base_url_of(self, provider: Provider) -> str:
        """Give the address of a provider."""
        told = os.environ.get(f"{provider.environment}_BASE_URL")
        return self.base_url or told or provider.base_url

    def headers_of(self, provider: Provider) -> dict[str, str]:
        """Give the headers of a request to a provider."""
        told = os.environ.get(f"{provider.environment}_API_KEY", "")
        key = told if self.api_key is None else self.api_key
        return {
            "accept": "text/event-stream",
            "content-type": "application/json",
            **provider.headers(key),
            **self.headers,
        }
