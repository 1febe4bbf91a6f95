"""The tables of names: fields that hold secrets, headers to keep of requests and to leave out of responses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

Place = Literal["sent", "received", "query", "form", "link", "header"]
"""Where a name is: JSON of a request or a response, a query, a form, a link in a text."""

Sensitivity = Literal["always", "if_random", "never"]

# Names of secret fields, in lower case and without separators: `OPENAI_API_KEY` and `openai-apiKey`
# are one. To add a name, add it here; its end must be in NAME_ENDINGS.

NAME_ENDINGS = ("key", "token", "secret", "password", "passwd", "passphrase", "pwd", "jwt", "hmac", "sig",
                "keys", "tokens", "secrets", "passwords", "passphrases", "jwts", "authorization", "credential", "credentials", "assertion", "verifier",
                "code")  # fmt: skip
"""How every secret name ends; a name that ends otherwise is not looked at."""

_SECRETS = (
    "apikey", "accesskey", "secretkey", "privatekey", "signingkey", "encryptionkey", "authkey",
    "subscriptionkey", "accountkey", "sharedkey", "masterkey", "applicationkey",
    "apitoken", "accesstoken", "refreshtoken", "authtoken", "authenticationtoken", "bearertoken",
    "sessiontoken", "securitytoken", "oauthtoken", "csrftoken", "secrettoken",
    "secret", "password", "passwd", "passphrase", "pwd", "jwt", "clientassertion", "codeverifier",
)  # fmt: skip
_SECRET_SUFFIXES = (*_SECRETS, *[f"{name}s" for name in _SECRETS])
_SECRET_NAMES = frozenset({
    "idtoken", "authorization", "proxyauthorization", "xauthorization", "httpauthorization",
    "authcode", "authorizationcode",
})  # fmt: skip
_SECRET_IN_QUERIES = frozenset({
    "key", "token", "auth", "idtoken", "xamzcredential", "xgoogcredential", "awsaccesskeyid",
})  # fmt: skip
_SECRET_IN_FORMS = frozenset({"token", "assertion"})
SIGNATURES = ("sig", "signature", "hmac")
"""How the names of the signatures of links and forms end."""
_RANDOM_IN_URLS = frozenset({"code", "credential"})

# Tokens that say where to go on in a list; those that a tokeniser makes or counts; those by which a
# protocol (MCP, LSP, AWS) knows a request again.
_PAGE_TOKENS = (
    "pagetoken", "nexttoken", "continuationtoken", "synctoken", "resumetoken", "resumptiontoken",
    "cursortoken", "starttoken", "endtoken", "prevtoken", "previoustoken", "paginationtoken",
)  # fmt: skip
_TEXT_TOKENS = (
    "bostoken", "eostoken", "padtoken", "unktoken", "masktoken", "septoken", "clstoken",
    "stoptoken", "specialtoken", "texttoken", "prompttoken", "firsttoken", "lasttoken",
    "maxtoken", "mintoken", "pertoken",
)  # fmt: skip
_REQUEST_TOKENS = (
    "progresstoken", "workdonetoken", "partialresulttoken", "clientrequesttoken",
    "idempotencytoken", "cancellationtoken", "canceltoken",
)  # fmt: skip

# Headers. Nobody reads those of a request on replay; of a response, SDKs read what they like.

KEPT_SENT = frozenset({
    "content-type", "content-disposition", "content-language", "mcp-protocol-version",
    "x-goog-upload-status", "x-goog-upload-chunk-granularity", "x-goog-upload-command",
    "x-goog-upload-offset", "x-goog-upload-protocol", "soapaction", "x-http-method-override",
    "x-amz-copy-source", "x-amz-copy-source-range", "dropbox-api-arg", "content-range",
    "upload-offset", "x-ms-range",
    "accept", "anthropic-version", "anthropic-beta", "openai-beta", "x-goog-api-version",
    "api-version", "x-github-api-version", "x-amz-target", "prefer", "range", "last-event-id",
})  # fmt: skip
"""Kept of a request: what says how the body is to be read, and which API was asked for."""

NOISE = frozenset({
    "date", "server", "via", "age", "alt-svc", "strict-transport-security", "expect-ct", "nel",
    "report-to", "reporting-endpoints", "server-timing", "timing-allow-origin", "x-powered-by",
    "x-served-by", "x-timer", "x-varnish", "x-runtime", "x-amzn-trace-id", "traceparent",
    "x-cloud-trace-context", "tracestate", "x-frame-options", "x-content-type-options",
    "x-xss-protection", "permissions-policy", "referrer-policy",
})  # fmt: skip
"""Not kept of a response: what one connection, proxy or CDN says of itself, and what browsers read."""

NOISE_PREFIXES = (
    "cf-", "x-cache", "x-envoy-", "x-amz-cf-", "x-fastly-", "x-vercel-", "fly-", "x-akamai-",
    "x-b3-", "access-control-", "cross-origin-", "content-security-policy", "x-aspnet",
)  # fmt: skip
"""Beginnings of further names of such headers."""

FRAMING = frozenset({
    "content-length", "content-encoding", "transfer-encoding", "connection", "keep-alive",
    "trailer", "te", "upgrade", "proxy-connection",
})  # fmt: skip
"""Headers that say how the bytes came over one connection; on replay they would be wrong.

Of a response, `Recorder` and importers leave a length that still holds, and an encoding that is still
there.
"""

_SEPARATORS = re.compile(r"[\W_]+")
_TOKEN = re.compile(r"(?:.*[^A-Za-z]|.*(?=T)|)(?:[Tt]oken|TOKEN)|[A-Z]+", re.DOTALL)
_RANDOM = re.compile(rb"(?=[^0-9]*[0-9])(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9._~+/=%-]{20,}")


def plain_name(name: str) -> str:
    """Return `name` in lower case without separators: ``X-Api-Key`` and ``xApiKey`` are equal."""
    low = name.lower()
    return _SEPARATORS.sub("", low) or low


def looks_random(value: bytes) -> bool:
    return _RANDOM.fullmatch(value) is not None


class SecretNames:
    """The names that hold secrets: those above and `more` (whole names), without `allow`."""

    def __init__(self, more: Iterable[str] = (), allow: Iterable[str] = ()) -> None:
        self.more = frozenset(plain_name(name) for name in more)
        self._allow = frozenset(plain_name(name) for name in allow)
        self.sensitivity = lru_cache(maxsize=2048)(self._sensitivity)

    def is_allowed(self, name: str) -> bool:
        return plain_name(name) in self._allow

    def _sensitivity(self, name: str, place: Place) -> Sensitivity:
        plain = plain_name(name)
        if not plain or plain in self._allow:
            return "never"
        if plain in self.more or plain in _SECRET_NAMES or plain.endswith(_SECRET_SUFFIXES):
            # A link in a text may be an example; its placeholders are no secrets.
            return "if_random" if place == "link" and plain not in self.more else "always"
        if place in ("query", "link", "form"):
            known = _SECRET_IN_FORMS if place == "form" else _SECRET_IN_QUERIES
            if plain in known or plain.endswith(SIGNATURES):
                return "if_random" if place == "link" else "always"
            if plain in _RANDOM_IN_URLS:
                return "if_random"
        if plain == "token" and place in ("sent", "header"):
            return "always"
        if plain.endswith(("credential", "credentials", "hmac", "sig")):
            return "if_random"
        if plain.endswith("token") and not plain.endswith((*_PAGE_TOKENS, *_REQUEST_TOKENS)):
            # In `tiktoken` it is no word of its own.
            own = _TOKEN.fullmatch(name) and not plain.endswith(_TEXT_TOKENS)
            return "always" if own and place in ("sent", "query", "form") else "if_random"
        return "never"
