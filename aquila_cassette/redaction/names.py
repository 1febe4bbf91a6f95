"""Which names hold secrets (fields, parameters, headers), and which headers a cassette keeps."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Place = Literal["sent", "received", "query", "form", "link", "header"]
"""Where a name is: JSON of a request or a response, a query, a form, a link in a text."""

Sensitivity = Literal["always", "if_random", "never"]
"""Whether the value of a field is a secret."""

# Names of secret fields. They are compared in lower case and without separators: `OPENAI_API_KEY`
# and `openai-apiKey` are one. To add a name, add it here; its end must be in NAME_ENDINGS.

NAME_ENDINGS = ("key", "token", "secret", "password", "passwd", "passphrase", "pwd",
                "authorization", "credential", "credentials", "assertion", "verifier",
                "code")  # fmt: skip
"""How every secret name ends; a name that ends otherwise is not looked at."""

_SECRET_SUFFIXES = (
    "apikey", "accesskey", "secretkey", "privatekey", "signingkey", "encryptionkey", "authkey",
    "subscriptionkey", "accountkey", "sharedkey", "masterkey", "applicationkey",
    "apitoken", "accesstoken", "refreshtoken", "authtoken", "authenticationtoken", "bearertoken",
    "sessiontoken", "securitytoken", "oauthtoken", "csrftoken", "secrettoken",
    "secret", "password", "passwd", "passphrase", "clientassertion", "codeverifier",
)  # fmt: skip
_SECRET_NAMES = frozenset({
    "idtoken", "authorization", "proxyauthorization", "xauthorization", "httpauthorization",
    "authcode", "authorizationcode",
})  # fmt: skip
_SECRET_IN_QUERIES = frozenset({
    "key", "sig", "signature", "token", "pwd", "auth", "jwt", "idtoken",
    "xamzsignature", "xamzcredential", "xgoogsignature", "xgoogcredential", "awsaccesskeyid",
})  # fmt: skip
_SECRET_IN_FORMS = frozenset({"token", "pwd", "sig", "signature", "jwt", "assertion"})
_RANDOM_IN_URLS = frozenset({"code", "credential"})

# Tokens that say where to go on in a list, and tokens that a tokeniser makes or counts.
_PAGE_TOKENS = (
    "pagetoken", "nexttoken", "continuationtoken", "synctoken", "resumetoken", "resumptiontoken",
    "cursortoken", "starttoken", "endtoken", "prevtoken", "previoustoken", "paginationtoken",
)  # fmt: skip
_TEXT_TOKENS = (
    "bostoken", "eostoken", "padtoken", "unktoken", "masktoken", "septoken", "clstoken",
    "stoptoken", "specialtoken", "texttoken", "prompttoken", "firsttoken", "lasttoken",
    "maxtoken", "mintoken", "pertoken",
)  # fmt: skip

# Headers. An allow-list, so that a header nobody thought of cannot leak.

_KEPT = frozenset({
    "content-type", "content-disposition", "content-language", "mcp-protocol-version",
    "x-goog-upload-status", "x-goog-upload-chunk-granularity", "x-goog-upload-command",
    "x-goog-upload-offset", "x-goog-upload-protocol",
})  # fmt: skip

KEPT_SENT = _KEPT | {
    "accept", "anthropic-version", "anthropic-beta", "openai-beta", "x-goog-api-version",
    "api-version", "x-github-api-version", "x-amz-target", "prefer", "range", "last-event-id",
}  # fmt: skip
"""Kept of a request: what says how the body is to be read, and which API was asked for."""

KEPT_RECEIVED = _KEPT | {
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
"""Headers with a URL as their value."""

FRAMING = frozenset({
    "content-length", "content-encoding", "transfer-encoding", "connection", "keep-alive",
    "trailer", "te", "upgrade", "proxy-connection",
})  # fmt: skip
"""Headers that say how the bytes came over one connection; on replay they would be wrong."""

_SEPARATORS = re.compile(r"[^a-z0-9]+")
_RANDOM = re.compile(rb"(?=[^0-9]*[0-9])(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9._~+/=%-]{20,}")
_WIDTH = 5


def plain_name(name: str) -> str:
    """Return `name` in lower case without separators: ``X-Api-Key`` and ``xApiKey`` are equal."""
    return _SEPARATORS.sub("", name.lower())


def looks_random(value: bytes) -> bool:
    """Return True for 20 or more characters of a token, with letters and digits."""
    return _RANDOM.fullmatch(value) is not None


class SecretNames:
    """The names that hold secrets: those above and `more` (whole names), without `allow`."""

    def __init__(self, more: Iterable[str] = (), allow: Iterable[str] = ()) -> None:
        self.more = frozenset(plain_name(name) for name in more)
        self._allow = frozenset(plain_name(name) for name in allow)
        self.sensitivity = lru_cache(maxsize=2048)(self._sensitivity)

    def _sensitivity(self, name: str, place: Place) -> Sensitivity:
        plain = plain_name(name)
        if not plain or plain in self._allow:
            return "never"
        if plain in self.more or plain in _SECRET_NAMES or plain.endswith(_SECRET_SUFFIXES):
            # A link in a text may be an example; its placeholders are no secrets.
            return "if_random" if place == "link" and plain not in self.more else "always"
        if place in ("query", "link") and plain in _SECRET_IN_QUERIES:
            return "always" if place == "query" else "if_random"
        if place == "form" and plain in _SECRET_IN_FORMS:
            return "always"
        if place in ("query", "link", "form") and plain in _RANDOM_IN_URLS:
            return "if_random"
        if plain == "token" and place in ("sent", "header"):
            return "always"
        if plain.endswith(("credential", "credentials")):
            return "if_random"
        if plain.endswith("token") and not plain.endswith(_PAGE_TOKENS):
            own = place in ("sent", "query", "form") and not plain.endswith(_TEXT_TOKENS)
            return "always" if own else "if_random"
        return "never"


def lookbehinds(endings: Iterable[str], more: Iterable[str]) -> tuple[bytes, bytes]:
    """Return patterns, 2 and 5 bytes wide, of the ends of names: what regex lookbehinds need.

    Of the names in `more` only the last two characters count, since a separator may be anywhere.
    """
    wide: dict[bytes, bytes] = {}
    for ending in endings:
        end = ending[-_WIDTH:].encode()
        wide[b"." * (_WIDTH - len(end)) + end] = end[-2:]
    for name in more:
        last = name[-1:].encode()
        two = b"(?:%s|[-_. ])%s" % (name[-2:-1].encode(), last) if len(name) > 1 else b"." + last
        wide[b"..." + two] = two
    return b"|".join(sorted(set(wide.values()))), b"|".join(sorted(wide))
