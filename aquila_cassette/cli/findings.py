"""Findings as people read them, as GitHub shows them beside the lines, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aquila_cassette.cli.options import Format
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.humanize import escape_control_chars

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from aquila_cassette.cli.maintenance.finding import Finding
    from aquila_cassette.cli.output import Screen

__all__ = ["show"]

_STYLES = {"error": "red", "warning": "yellow"}


def show(found: Sequence[Finding], fixed: Collection[Finding], how: Format, screen: Screen) -> None:
    """Write findings, one a line, but for JSON.

    Args:
        found: The findings.
        fixed: Those of them that have been put right.
        how: In which form.
        screen: Where.
    """
    if how is Format.json:
        screen.data([_as_json(one, one in fixed) for one in found])
        return
    for one in found:
        if how is Format.text:
            _line(one, one in fixed, screen)
        elif one not in fixed:
            screen.line(_annotation(one))


def _line(one: Finding, fixed: bool, screen: Screen) -> None:
    where = escape_control_chars(f"{display_path(one.path)}:{one.line}").replace("\n", "\\n")
    rest = "fixed" if fixed else one.fix
    screen.line(
        (where, "bold"),
        ": ",
        (one.kind, "green" if fixed else _STYLES[one.level]),
        f": {_one_line(one.what)}",
        (f" ({_one_line(rest)})" if rest else "", "dim"),
    )


def _annotation(one: Finding) -> str:
    """Write a workflow command of GitHub Actions."""
    message = f"{one.what} ({one.fix})" if one.fix else one.what
    properties = f"file={_property(escape_control_chars(display_path(one.path)))},line={one.line},title={one.kind}"
    return f"::{one.level} {properties}::{_escaped(escape_control_chars(message))}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _one_line(text: str) -> str:
    return escape_control_chars(text).replace("\n", " ")


def _as_json(one: Finding, fixed: bool) -> dict[str, Any]:
    return {
        "path": display_path(one.path),
        "line": one.line,
        "kind": one.kind,
        "level": one.level,
        "message": one.what,
        "fix": one.fix or None,
        "fixable": one.mends,
        "fixed": fixed,
    }
