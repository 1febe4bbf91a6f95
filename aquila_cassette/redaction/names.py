"""Which names of fields, query parameters and headers hold secrets."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ENDINGS", "Names", "Place", "Verdict", "looks_opaque", "plain"]

Place = Literal["sent", "received", "query", "form", "link", "header"]
"""Where a name stands: JSON of a request or a response, a query, a form, a link in a text."""

Verdict = Literal["always", "opaque", "never"]
"""Whether the value of a field is a secret: always, only if it looks random, or never."""

ENDINGS = ("key", "token", "secret", "password", "passwd", "passphrase", "pwd", "authorization",
           "credential", "credentials", "assertion", "verifier", "code")  # fmt: skip
"""How every name below ends; what ends otherwise need not be looked at."""

# Names are compared without case and separators: `OPENAI_API_KEY` and `openai-apiKey` are one.
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


def plain(name: str) -> str:
    """Give `name` in lower case without its separators, so that all styles of it are equal.

    Example:
        >>> plain("X-Api-Key"), plain("xApiKey")
        ('xapikey', 'xapikey')
    """
    return _SEPARATORS.sub("", name.lower())


def looks_opaque(value: bytes) -> bool:
    """Tell whether `value` looks random: 20 characters of a token or more, letters and digits."""
    return _OPAQUE.fullmatch(value) is not None


class Names:
    """The names that hold secrets: the defaults, those that a user adds, without those exempted.

    Args:
        more: Further names, in any style; they match whole names.
        allow: Names that hold no secrets.

    Example:
        >>> names = Names(more=["tenant"], allow=["password"])
        >>> names.verdict("openai_api_key", "sent"), names.verdict("Tenant", "received")
        ('always', 'always')
        >>> names.verdict("password", "sent"), names.verdict("prompt_tokens", "received")
        ('never', 'never')
    """

    def __init__(self, more: Iterable[str] = (), allow: Iterable[str] = ()) -> None:
        self.more = frozenset(plain(name) for name in more)
        self._allow = frozenset(plain(name) for name in allow)
        self.verdict = lru_cache(maxsize=2048)(self._verdict)

    def _verdict(self, name: str, place: Place) -> Verdict:
        bare = plain(name)
        if not bare or bare in self._allow:
            return "never"
        if bare in self.more or bare in _EXACT or bare.endswith(_SUFFIXES):
            # A link in a text may be an example; its placeholders are no secrets.
            return "opaque" if place == "link" and bare not in self.more else "always"
        if place in ("query", "link") and bare in _QUERY:
            return "always" if place == "query" else "opaque"
        if place == "form" and bare in _FORM:
            return "always"
        if place in ("query", "link", "form") and bare in _OPAQUE_IN_URLS:
            return "opaque"
        if bare == "token" and place in ("sent", "header"):
            return "always"
        if bare.endswith(("credential", "credentials")):
            return "opaque"
        if bare.endswith("token") and not bare.endswith(_HARMLESS_TOKENS):
            own = place in ("sent", "query", "form") and not bare.endswith(_TEXT_TOKENS)
            return "always" if own else "opaque"
        return "never"
