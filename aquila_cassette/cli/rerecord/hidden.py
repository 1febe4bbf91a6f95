"""What redaction took out of a request, put back from the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.cli.rerecord.requests import RequestDocument
from aquila_cassette.redaction import REDACTED
from aquila_cassette.redaction.names import plain_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aquila_cassette.cli.rerecord.leaves import Path
    from aquila_cassette.model import Request

__all__ = ["Unhidden", "unhidden"]

# Fields of these names hold the key of whoever is asked.
_KEYS = frozenset({"key", "apikey", "xapikey", "xgoogapikey", "apitoken", "accesstoken", "token"})
_WHOLE = ("url", "target")


class Unhidden(Exception):  # noqa: N818 - it says what cannot be put back
    """A secret of a request that nobody knows; its text says where it stood."""


def unhidden(
    request: Request, *, key: str | None, environ: Mapping[str, str]
) -> tuple[Request, list[str]]:
    """Put the secrets of a request back.

    A field that is named like a variable of the environment gets that variable's value (in any
    style: ``openaiApiKey`` is ``OPENAI_API_KEY``), a field that is just named a key the key of the
    provider that is asked.

    Args:
        request: As it is on the cassette.
        key: The key of the provider.
        environ: The environment.

    Returns:
        The request as it goes out, and the secrets that were put back.

    Raises:
        Unhidden: Something cannot be put back.

    Example:
        >>> from aquila_cassette.model import Request
        >>> request = Request("GET", "https://a.example/v1?key=[redacted]&page=2")
        >>> whole, secrets = unhidden(request, key="k1", environ={})
        >>> whole.url, secrets
        ('https://a.example/v1?key=k1&page=2', ['k1'])
    """
    if not _hides(request):
        return request, []
    variables = {plain_name(name): value for name, value in environ.items() if value}
    document = RequestDocument(request)
    values: dict[Path, str | int] = {}
    secrets: list[str] = []
    for leaf in document.leaves:
        if leaf.path[0] in _WHOLE or REDACTED not in leaf.text or leaf.is_container:
            continue
        name = plain_name(leaf.name)
        value = variables.get(name) or (key if name in _KEYS else None)
        if leaf.value != REDACTED or value is None or leaf.path[0] == "path":
            raise Unhidden(leaf.shown)
        values[leaf.path] = value
        secrets.append(value)
    whole = document.replaced(values)
    if _hides(whole):
        raise Unhidden("body")
    return whole, secrets


def _hides(request: Request) -> bool:
    texts = (request.url, *(value for _, value in request.headers))
    return REDACTED.encode() in request.body or any(REDACTED in text for text in texts)
