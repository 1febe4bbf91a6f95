"""Which names of fields, query parameters and headers hold secrets."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "FRAMING",
    "KEPT_PREFIXES",
    "KEPT_RECEIVED",
    "KEPT_SENT",
    "LINKS",
    "NAME_ENDINGS",
    "Place",
    "SecretNames",
    "Sensitivity",
    "looks_random",
    "plain_name",
]

Place = Literal["sent", "received", "query", "form", "link", "header"]
"""Where a name stands: JSON of a request or a response, a query, a form, a link in a text."""

Sensitivity = Literal["always", "if_random", "never"]
"""Whether the value of a field is a secret: always, only if it looks random, or never."""

NAME_ENDINGS = ("key", "token", "secret", "password", "passwd", "passphrase", "pwd", "authorization",
           "credential", "credentials", "assertion", "verifier", "code")  # fmt: skip
"""How every name below ends; what ends otherwise need not be looked at."""

# SecretNames are compared without case and separators: `OPENAI_API_KEY` and `openai-apiKey` are one.
_SUFFIXES = (
    "apikey", "accesskey", "secretkey", "privatekey", "signingkey", "encryptionkey", "authkey",
    "subscriptionkey", "accountkey", "sharedkey", "masterkey", "applicationkey",
    "apitoken", "accesstoken", "refreshtoken", "authtoken", "authenticationtoken", "bearertoken",
    "sessiontoken", "securitytoken", "oauthtoken", "csrftoken", "secrettoken",
    "secret", "password", "passwd", "passphrase",
    "clientassertion", "codeverifier",
)  # fmt: skip
_EXACT = frozenset({
    "idtoken", "authorization", "proxyauthorization", "xauthorization", "httpauthorization",
    "authcode", "authorizationcode",
})  # fmt: skip
_QUERY = frozenset({
    "key", "sig", "signature", "token", "pwd", "auth", "jwt", "idtoken",
    "xamzsignature", "xamzcredential", "xgoogsignature", "xgoogcredential", "awsaccesskeyid",
})  # fmt: skip
_FORM = frozenset({"token", "pwd", "sig", "signature", "jwt", "assertion"})
_OPAQUE_IN_URLS = frozenset({"code", "credential"})

# Tokens of these names say where to go on in a list, or are text of a model.
_HARMLESS_TOKENS = (
    "pagetoken", "nexttoken", "continuationtoken", "synctoken", "resumetoken", "resumptiontoken",
    "cursortoken", "starttoken", "endtoken", "prevtoken", "previoustoken", "paginationtoken",
)  # fmt: skip
# Tokens of these names are a tokeniser's, or are counted.
_TEXT_TOKENS = (
    "bostoken", "eostoken", "padtoken", "unktoken", "masktoken", "septoken", "clstoken",
    "stoptoken", "specialtoken", "texttoken", "prompttoken", "firsttoken", "lasttoken",
    "maxtoken", "mintoken", "pertoken",
)  # fmt: skip

_SEPARATORS = re.compile(r"[^a-z0-9]+")
_OPAQUE = re.compile(rb"(?=[^0-9]*[0-9])(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9._~+/=%-]{20,}")


def plain_name(name: str) -> str:
    """Give `name` in lower case without its separators, so that all styles of it are equal.

    Example:
        >>> plain_name("X-Api-Key"), plain_name("xApiKey")
        ('xapikey', 'xapikey')
    """
    return _SEPARATORS.sub("", name.lower())


def looks_random(value: bytes) -> bool:
    """Tell whether `value` looks random: 20 characters of a token or more, letters and digits."""
    return _OPAQUE.fullmatch(value) is not None


class SecretNames:
    """The names that hold secrets: the defaults, those that a user adds, without those exempted.

    Args:
        more: Further names, in any style; they match whole names.
        allow: SecretNames that hold no secrets.

    Example:
        >>> names = SecretNames(more=["tenant"], allow=["password"])
        >>> names.sensitivity("openai_api_key", "sent"), names.sensitivity("Tenant", "received")
        ('always', 'always')
        >>> names.sensitivity("password", "sent"), names.sensitivity("prompt_tokens", "received")
        ('never', 'never')
    """

    def __init__(self, more: Iterable[str] = (), allow: Iterable[str] = ()) -> None:
        self.more = frozenset(plain_name(name) for name in more)
        self._allow = frozenset(plain_name(name) for name in allow)
        self.sensitivity = lru_cache(maxsize=2048)(self._sensitivity)

    def _sensitivity(self, name: str, place: Place) -> Sensitivity:
        bare = plain_name(name)
        if not bare or bare in self._allow:
            return "never"
        if bare in self.more or bare in _EXACT or bare.endswith(_SUFFIXES):
            # A link in a text may be an example; its placeholders are no secrets.
            return "if_random" if place == "link" and bare not in self.more else "always"
        if place in ("query", "link") and bare in _QUERY:
            return "always" if place == "query" else "if_random"
        if place == "form" and bare in _FORM:
            return "always"
        if place in ("query", "link", "form") and bare in _OPAQUE_IN_URLS:
            return "if_random"
        if bare == "token" and place in ("sent", "header"):
            return "always"
        if bare.endswith(("credential", "credentials")):
            return "if_random"
        if bare.endswith("token") and not bare.endswith(_HARMLESS_TOKENS):
            own = place in ("sent", "query", "form") and not bare.endswith(_TEXT_TOKENS)
            return "always" if own else "if_random"
        return "never"


_BOTH = frozenset({
    "content-type", "content-disposition", "content-language", "mcp-protocol-version",
    "x-goog-upload-status", "x-goog-upload-chunk-granularity", "x-goog-upload-command",
    "x-goog-upload-offset", "x-goog-upload-protocol",
})  # fmt: skip

KEPT_SENT = _BOTH | {
    "accept", "anthropic-version", "anthropic-beta", "openai-beta", "x-goog-api-version",
    "api-version", "x-github-api-version", "x-amz-target", "prefer", "range", "last-event-id",
}  # fmt: skip
"""Kept of a request: what says how the body is to be read, and which API was asked for."""

KEPT_RECEIVED = _BOTH | {
    "retry-after", "retry-after-ms", "x-should-retry", "ratelimit", "ratelimit-policy",
    "location", "link", "www-authenticate", "openai-version", "anthropic-version", "allow",
    "content-range", "accept-ranges", "x-amzn-errortype", "x-ms-error-code", "x-goog-upload-url",
    "warning", "deprecation", "sunset",
    # Of a live response it comes here only where the body could not be decoded, and is as it came.
    "content-encoding",
}  # fmt: skip
"""Kept of a response: what an SDK acts on. Dates, ids, cookies and organisations are not."""

KEPT_PREFIXES = ("x-ratelimit-", "ratelimit-", "anthropic-ratelimit-", "x-amzn-bedrock-")
"""Beginnings of further names kept of a response."""

LINKS = frozenset({"location", "x-goog-upload-url"})
"""Headers whose whole value is a URL."""

FRAMING = frozenset({
    "content-length", "content-encoding", "transfer-encoding", "connection", "keep-alive",
    "trailer", "te", "upgrade", "proxy-connection",
})  # fmt: skip
"""Headers that say how the bytes came over one wire; on a replay they would be lies."""
