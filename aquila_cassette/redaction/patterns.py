"""Values that are secrets by their looks: the providers' keys, tokens, private keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aquila_cassette.redaction.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["shaped"]


def _after(prefix: bytes, *, glued: bytes = rb"A-Za-z0-9_-") -> bytes:
    """Match `prefix` where it begins a word: at a boundary or after an escape that ends in letters.

    The lookbehinds come after the prefix, since a pattern that begins with a literal searches
    many times faster. `glued` are the characters that a word goes on from: ``task-`` has no key.
    """
    return (
        prefix
        + rb"(?:(?<![" + glued + rb"]" + prefix + rb")"
        + rb"|(?<=\\[nrtbf]" + prefix + rb")"
        + rb"|(?<=%[0-9A-Fa-f]{2}" + prefix + rb")"
        + rb"|(?<=\\u[0-9A-Fa-f]{4}" + prefix + rb"))"
    )  # fmt: skip


# Prefixes with no `-` or `_` also occur by chance inside base64, hence what they may be glued to.
_BASE64 = rb"A-Za-z0-9_+-"


def _key(
    prefix: str, rest: bytes, kind: str, glued: bytes = rb"A-Za-z0-9_-"
) -> tuple[str, str, re.Pattern[bytes]]:
    escaped = re.escape(prefix.encode())
    return prefix, kind, re.compile(_after(escaped, glued=glued) + rest)


_KEYS = (
    _key(
        "sk-",
        rb"(?:(?:ant|proj|svcacct|admin|or|org|lf|None|live|test)-[A-Za-z0-9_-]{11,}"
        rb"|[A-Za-z0-9]{20,}|(?=(?:[A-Za-z_-]*[0-9]){4})[A-Za-z0-9_-]{16,})",
        "a key (sk-...)",
    ),
    _key("sk_live_", rb"[A-Za-z0-9]{16,}", "a Stripe key"),
    _key("sk_test_", rb"[A-Za-z0-9]{16,}", "a Stripe key"),
    _key("rk_live_", rb"[A-Za-z0-9]{16,}", "a Stripe key"),
    _key("sk_", rb"[0-9a-f]{40,}", "a key (sk_...)"),
    _key("AIza", rb"[A-Za-z0-9_-]{30,}", "a Google API key", _BASE64),
    _key("AQ.", rb"[A-Za-z0-9_-]{30,}", "a Google API key", _BASE64),
    _key("ya29.", rb"[A-Za-z0-9_.-]{20,}", "a Google access token", _BASE64),
    *(_key(f"gh{one}_", rb"[A-Za-z0-9]{20,}", "a GitHub token") for one in "opsur"),
    _key("github_pat_", rb"[A-Za-z0-9_]{20,}", "a GitHub token"),
    _key("glpat-", rb"[A-Za-z0-9_-]{20,}", "a GitLab token"),
    _key("AKIA", rb"[A-Z0-9]{16}(?![A-Za-z0-9])", "an AWS access key id", _BASE64),
    _key("ASIA", rb"[A-Z0-9]{16}(?![A-Za-z0-9])", "an AWS access key id", _BASE64),
    _key("ABSK", rb"[A-Za-z0-9+/]{80,}={0,2}", "a Bedrock key", _BASE64),
    _key("gsk_", rb"[A-Za-z0-9]{20,}", "a Groq key"),
    _key("xai-", rb"[A-Za-z0-9]{20,}", "an xAI key"),
    _key("hf_", rb"[A-Za-z0-9]{30,}", "a Hugging Face token"),
    _key("pplx-", rb"[A-Za-z0-9]{20,}", "a Perplexity key"),
    _key("r8_", rb"[A-Za-z0-9]{30,}", "a Replicate token"),
    _key("csk-", rb"[A-Za-z0-9]{20,}", "a Cerebras key"),
    _key("tgp_v1_", rb"[A-Za-z0-9_-]{20,}", "a Together key"),
    _key("fw_", rb"(?=[A-Za-z]*[0-9])[A-Za-z0-9]{20,}", "a Fireworks key"),
    _key("nvapi-", rb"[A-Za-z0-9_-]{20,}", "an NVIDIA key"),
    _key("tvly-", rb"[A-Za-z0-9_-]{20,}", "a Tavily key"),
    _key("lsv2_", rb"[ps][tk]_[A-Za-z0-9_]{20,}", "a LangSmith key"),
    _key("dapi", rb"[0-9a-f]{32}", "a Databricks token"),
    _key("xox", rb"[abeoprs]-(?=[A-Za-z-]*[0-9])[A-Za-z0-9-]{14,}", "a Slack token"),
    _key(
        "eyJ",
        rb"[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+){0,2}",
        "a JSON web token",
        _BASE64,
    ),
)

_NAME = rb"[ +](?:[A-Z0-9]+[ +])*PRIVATE[ +]KEY(?:[ +]BLOCK)?-----"
_BREAK = rb"(?:\s|\\+[nr]|%0[ADad])*"
_PEM = re.compile(
    # Also where it stands in a string of JSON (`\n`), in a form (`+`, `%0A`), or was cut off.
    rb"-----BEGIN"
    + _NAME
    + rb"(?:(?:[A-Za-z0-9+/=\s\\%:,.]|-(?!----))*-----END"
    + _NAME
    + rb"|"
    + _BREAK
    + rb"(?:[A-Za-z0-9+/=]{16,}"
    + _BREAK
    + rb")+)"
)

_BEARER = re.compile(
    rb"(?:[bB]earer|BEARER)(?:[ \t]+|\+|%20)"
    rb"(?P<token>sk-[A-Za-z0-9_-]{4,}"
    rb"|(?=[A-Za-z._~+/=-]*[0-9])(?=[0-9._~+/=-]*[A-Za-z])[A-Za-z0-9._~+/=-]{7,}[A-Za-z0-9_~+/=-])"
)


def shaped(data: bytes, low: bytes, runs: str) -> Iterator[Span]:
    """Find the values in `data` that look like keys.

    Args:
        data: The bytes to search.
        low: The same in lower case.
        runs: The long runs in them.
    """
    # `find`, not `in`, which first tries the bytes as a number and costs three times as much.
    if runs:
        for prefix, kind, pattern in _KEYS:
            if prefix in runs:
                for match in pattern.finditer(data):
                    yield Span(match.start(), match.end(), kind)
        if data.find(b"-----BEGIN") >= 0:
            for match in _PEM.finditer(data):
                yield Span(match.start(), match.end(), "a private key")
    if low.find(b"bearer") >= 0:
        for match in _BEARER.finditer(data):
            yield Span(*match.span("token"), "a bearer token")
