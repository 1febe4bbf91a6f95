"""Values that are secrets by their looks: one table of the providers' keys, and how it is searched."""

from __future__ import annotations

import re
import string
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from aquila_cassette.redaction.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterator


class KeyPattern(NamedTuple):
    """What one kind of key looks like."""

    name: str  # what people call it
    prefix: str  # how it begins
    rest: str  # the regular expression of what follows; together at least `SHORTEST_RUN` long
    example: str
    # Whether the prefix also occurs by chance inside base64, so that a `+` before it is no
    # boundary.
    is_word: bool = False


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
    KeyPattern("a Stripe key", "sk_live_", "[A-Za-z0-9]{16,}", f"sk_live_{_TAIL}"),
    KeyPattern("a Stripe key", "sk_test_", "[A-Za-z0-9]{16,}", f"sk_test_{_TAIL}"),
    KeyPattern("a Stripe key", "rk_live_", "[A-Za-z0-9]{16,}", f"rk_live_{_TAIL}"),
    KeyPattern("a Google API key", "AIza", "[A-Za-z0-9_-]{30,}", f"AIzaSy{_TAIL}", True),
    KeyPattern("a Google API key", "AQ.", "[A-Za-z0-9_-]{30,}", f"AQ.{_TAIL}", True),
    KeyPattern("a Google access token", "ya29.", "[A-Za-z0-9_.-]{20,}", f"ya29.a0{_TAIL}", True),
    KeyPattern("a GitHub token", "ghp_", "[A-Za-z0-9]{20,}", f"ghp_{_TAIL}"),
    KeyPattern("a GitHub token", "gho_", "[A-Za-z0-9]{20,}", f"gho_{_TAIL}"),
    KeyPattern("a GitHub token", "ghs_", "[A-Za-z0-9]{20,}", f"ghs_{_TAIL}"),
    KeyPattern("a GitHub token", "ghu_", "[A-Za-z0-9]{20,}", f"ghu_{_TAIL}"),
    KeyPattern("a GitHub token", "ghr_", "[A-Za-z0-9]{20,}", f"ghr_{_TAIL}"),
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

_KEY_CHARACTERS = (string.ascii_letters + string.digits + "_-+/").encode()
_MARKED = bytes(ord("x") if byte in _KEY_CHARACTERS else ord(" ") for byte in range(256))
_RUN = b"x" * SHORTEST_RUN
_BEFORE = 5
_LONGEST_RUN = 1024

_NAME = rb"[ +](?:[A-Z0-9]+[ +])*PRIVATE[ +]KEY(?:[ +]BLOCK)?-----"
_BREAK = rb"(?:\s|\\+[nr]|%0[ADad])*"
_PRIVATE_KEY = re.compile(
    # Also where it is in a string of JSON (`\n`), in a form (`+`, `%0A`), or was cut off.
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


class Runs(NamedTuple):
    """The distinct long runs of key characters in some bytes."""

    # The runs, joined by spaces, each after the few bytes before it, for keys whose prefix is no
    # part of the run. A character is a byte: text is searched five times as fast.
    text: str
    cut: bool  # whether some run was too long to be here whole. Those are images and the like


def long_runs(data: bytes) -> Runs:
    """Return the runs that may be keys. Most text has few, which makes redaction fast."""
    marked = data.translate(_MARKED)
    find = marked.find
    start = find(_RUN)
    found: dict[bytes, None] = {}
    cut = False
    while start >= 0:
        end = find(b" ", start + SHORTEST_RUN)
        if end < 0:
            end = len(data)
        shown_end = end
        if end - start > _LONGEST_RUN:
            shown_end, cut = start + _LONGEST_RUN, True
        found[data[start - _BEFORE if start > _BEFORE else 0 : shown_end]] = None
        start = find(_RUN, end)
    return Runs(b" ".join(found).decode("latin-1"), cut)


def find_keys(data: bytes, runs: str) -> Iterator[Span]:
    """Yield the values in `data` that look like keys; `runs` are its long runs."""
    if runs:
        for pattern in KEY_PATTERNS:
            if pattern.prefix in runs:
                for match in _compiled(pattern).finditer(data):
                    yield Span(match.start(), match.end(), pattern.name)
        # `find`, not `in`, which first tries the bytes as a number and costs three times as much.
        if data.find(b"-----BEGIN") >= 0:
            for match in _PRIVATE_KEY.finditer(data):
                yield Span(match.start(), match.end(), "a private key")
    if data.find(b"earer") >= 0 or data.find(b"BEARER") >= 0:
        for match in _BEARER.finditer(data):
            yield Span(*match.span("token"), "a bearer token")


@lru_cache(maxsize=len(KEY_PATTERNS))
def _compiled(pattern: KeyPattern) -> re.Pattern[bytes]:
    """Match a key at the beginning of a word: ``task-...`` is none.

    A word also begins after an escape that ends in letters. The lookbehinds come after the prefix,
    since a pattern that begins with a literal is searched many times faster.
    """
    prefix = re.escape(pattern.prefix.encode())
    word = rb"A-Za-z0-9_+-" if pattern.is_word else rb"A-Za-z0-9_-"
    return re.compile(
        prefix
        + rb"(?:(?<![" + word + rb"]" + prefix + rb")"
        + rb"|(?<=\\[nrtbf]" + prefix + rb")"
        + rb"|(?<=%[0-9A-Fa-f]{2}" + prefix + rb")"
        + rb"|(?<=\\u[0-9A-Fa-f]{4}" + prefix + rb"))"
        + pattern.rest.encode()
    )  # fmt: skip
