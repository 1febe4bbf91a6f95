"""The arguments of a `Redaction`, checked: what is wrong is said before anything leaks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from aquila_cassette.errors import UsageError

__all__ = ["compiled", "listed", "strings", "unique"]

_STR_ONLY = re.UNICODE | re.DEBUG


def listed(name: str, value: object) -> tuple[object, ...]:
    """Take a list of things; a single one is refused, for a string is a list of letters."""
    if isinstance(value, str | bytes | re.Pattern) or not isinstance(value, Iterable):
        shown = repr(value)
        raise UsageError(
            f"Redaction({name}=...) takes a list.",
            facts=[f"expected: [{shown}]", f"got:      {shown}"],
            fix=f"Write {name}=[{shown}].",
        )
    return tuple(value)


def strings(name: str, value: object) -> tuple[str, ...]:
    """Take a list of strings that are not empty."""
    values = listed(name, value)
    for one in values:
        if not isinstance(one, str) or not one:
            raise UsageError(
                f"Redaction({name}=...) takes strings that are not empty.",
                facts=["expected: a string", f"got:      {one!r}"],
                fix=f"Take {one!r} out of {name}.",
            )
    return unique(values)


def unique(values: Iterable[object]) -> tuple[Any, ...]:
    """Give `values` in their order, each once."""
    return tuple(dict.fromkeys(values))


def compiled(pattern: object) -> re.Pattern[bytes]:
    """Compile a pattern for bytes; secrets are searched before anybody knows a text's encoding."""
    flags = 0
    source = pattern
    if isinstance(pattern, re.Pattern):
        source, flags = pattern.pattern, pattern.flags & ~_STR_ONLY
    if isinstance(source, str):
        if not source.isascii():
            raise UsageError(
                f"The pattern {source!r} is not ASCII.",
                facts=["patterns are searched in bytes, where one such character is several"],
                fix=f"Give its bytes: re.compile({source.encode()!r}).",
            )
        source = source.encode()
    if not isinstance(source, bytes):
        raise UsageError(
            "Redaction(patterns=...) takes regular expressions.",
            facts=["expected: str, bytes or re.Pattern", f"got:      {pattern!r}"],
            fix=f"Take {pattern!r} out of patterns.",
        )
    try:
        return re.compile(source, flags)
    except re.error as error:
        raise UsageError(
            f"The pattern {pattern!r} is no regular expression.",
            facts=[f"reason: {error}"],
            fix="Mend it, or give a literal value as re.compile(re.escape(value)).",
        ) from error
