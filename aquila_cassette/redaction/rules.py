"""The tables: patterns of API keys, names of secret fields, headers that are kept."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, NamedTuple

Place = Literal["sent", "received", "query", "form", "link", "header"]
"""Where a name is: JSON of a request or a response, a query, a form, a link in a text."""

Sensitivity = Literal["always", "if_random", "never"]

# Names of secret fields, in lower case and without separators: `OPENAI_API_KEY` and `openai-apiKey`
# are one. To add a name, add it here; its end must be in NAME_ENDINGS.

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


def plain_name(name: str) -> str:
    """Return `name` in lower case without separators: ``X-Api-Key`` and ``xApiKey`` are equal."""
    return _SEPARATORS.sub("", name.lower())


def looks_random(value: bytes) -> bool:
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


# Values that are secrets by their looks.


class KeyPattern(NamedTuple):
    name: str  # what people call it
    prefix: str  # how it begins
    rest: str  # the regular expression of what follows; together at least `SHORTEST_RUN` long
    example: str
    is_word: bool = False  # whether it occurs by chance in base64: a `+` before it is no boundary


_TAIL = "aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0"
_AWS = "[A-Z0-9]{16}(?![A-Za-z0-9])"

# fmt: off
KEY_PATTERNS = (
    KeyPattern(
        "a key (sk-...)", "sk-",
        "(?:(?:ant|proj|svcacct|admin|or|org|lf|None|live|test)-[A-Za-z0-9_-]{11,}"
        "|[A-Za-z0-9]{20,}|(?=(?:[A-Za-z_-]*[0-9]){4})[A-Za-z0-9_-]{16,})",
        f"sk-ant-api03-{_TAIL}",
    ),
    KeyPattern("a key (sk_...)", "sk_", "[0-9a-f]{40,}", "sk_" + "0123456789abcdef" * 3),
    *(KeyPattern("a Stripe key", prefix, "[A-Za-z0-9]{16,}", prefix + _TAIL)
      for prefix in ("sk_live_", "sk_test_", "rk_live_")),
    KeyPattern("a Google API key", "AIza", "[A-Za-z0-9_-]{30,}", f"AIzaSy{_TAIL}", True),
    KeyPattern("a Google API key", "AQ.", "[A-Za-z0-9_-]{30,}", f"AQ.{_TAIL}", True),
    KeyPattern("a Google access token", "ya29.", "[A-Za-z0-9_.-]{20,}", f"ya29.a0{_TAIL}", True),
    *(KeyPattern("a GitHub token", prefix, "[A-Za-z0-9]{20,}", prefix + _TAIL)
      for prefix in ("ghp_", "gho_", "ghs_", "ghu_", "ghr_")),
    KeyPattern("a GitHub token", "github_pat_", "[A-Za-z0-9_]{20,}", f"github_pat_{_TAIL}"),
    KeyPattern("a GitLab token", "glpat-", "[A-Za-z0-9_-]{20,}", f"glpat-{_TAIL}"),
    KeyPattern("an AWS access key id", "AKIA", _AWS, "AKIAIOSFODNN7EXAMPLE", True),
    KeyPattern("an AWS access key id", "ASIA", _AWS, "ASIAIOSFODNN7EXAMPLE", True),
    KeyPattern("a Bedrock key", "ABSK", "[A-Za-z0-9+/]{80,}={0,2}", f"ABSK{_TAIL * 3}", True),
    KeyPattern("a Groq key", "gsk_", "[A-Za-z0-9]{20,}", f"gsk_{_TAIL}"),
    KeyPattern("an xAI key", "xai-", "[A-Za-z0-9]{20,}", f"xai-{_TAIL}"),
    KeyPattern("a Hugging Face token", "hf_", "[A-Za-z0-9]{30,}", f"hf_{_TAIL}"),
    KeyPattern("a Perplexity key", "pplx-", "[A-Za-z0-9]{20,}", f"pplx-{_TAIL}"),
    KeyPattern("a Replicate token", "r8_", "[A-Za-z0-9]{30,}", f"r8_{_TAIL}"),
    KeyPattern("a Cerebras key", "csk-", "[A-Za-z0-9]{20,}", f"csk-{_TAIL}"),
    KeyPattern("a Together key", "tgp_v1_", "[A-Za-z0-9_-]{20,}", f"tgp_v1_{_TAIL}"),
    KeyPattern("a Fireworks key", "fw_", "(?=[A-Za-z]*[0-9])[A-Za-z0-9]{20,}", f"fw_{_TAIL}"),
    KeyPattern("an NVIDIA key", "nvapi-", "[A-Za-z0-9_-]{20,}", f"nvapi-{_TAIL}"),
    KeyPattern("a Tavily key", "tvly-", "[A-Za-z0-9_-]{20,}", f"tvly-{_TAIL}"),
    KeyPattern("a LangSmith key", "lsv2_", "[ps][tk]_[A-Za-z0-9_]{20,}", f"lsv2_pt_{_TAIL}"),
    KeyPattern("a Databricks token", "dapi", "[0-9a-f]{32}", "dapi" + "0123456789abcdef" * 2),
    KeyPattern("a Slack token", "xox", "[abeoprs]-(?=[A-Za-z-]*[0-9])[A-Za-z0-9-]{14,}",
               "xoxb-123456789012-abcdefghij"),
    KeyPattern(
        "a JSON web token", "eyJ",
        r"[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+){0,2}",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", True,
    ),
)
# fmt: on
"""All kinds of keys that are known. To add one, add a row: its example is its test."""

SHORTEST_RUN = 19
"""The shortest run of key characters, in bytes, that a key is looked for in."""

_PEM_NAME = rb"[ +](?:[A-Z0-9]+[ +])*PRIVATE[ +]KEY(?:[ +]BLOCK)?-----"
_BREAK = rb"(?:\s|\\+[nr]|%0[ADad])*"
PRIVATE_KEY = re.compile(
    # Also where it is in a string of JSON (`\n`), in a form (`+`, `%0A`), or was cut off.
    rb"-----BEGIN" + _PEM_NAME
    + rb"(?:(?:[A-Za-z0-9+/=\s\\%:,.]|-(?!----))*-----END" + _PEM_NAME
    + rb"|" + _BREAK + rb"(?:[A-Za-z0-9+/=]{16,}" + _BREAK + rb")+)"
)  # fmt: skip
BEARER = re.compile(
    rb"(?:[bB]earer|BEARER)(?:[ \t]+|\+|%20)"
    rb"(?P<token>sk-[A-Za-z0-9_-]{4,}"
    rb"|(?=[A-Za-z._~+/=-]*[0-9])(?=[0-9._~+/=-]*[A-Za-z])[A-Za-z0-9._~+/=-]{7,}[A-Za-z0-9_~+/=-])"
)
