"""What a request may have from an earlier answer and nobody can follow: it is refused.

A value of the answer (all of it, a line, a leaf of its JSON) that no longer stands where it stood
must stand nowhere in what is new in the request; only among the same words as before the answer, or
in the same field, it is not from there. Words, names and numbers out of the answer's sentences must
not either, if they are neither in an earlier request nor in the new answer.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aquila_cassette.cli.rerecord.leaves import shown
from aquila_cassette.cli.rerecord.quoting import quoted
from aquila_cassette.cli.rerecord.refusal import Refusal, cropped
from aquila_cassette.cli.rerecord.values import escapes, is_explained, occurrences, value_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aquila_cassette.cli.rerecord.leaves import Leaf, Mark, Path
    from aquila_cassette.cli.rerecord.turns import Turn
    from aquila_cassette.cli.rerecord.values import Value

__all__ = ["refuse_host", "refuse_mark", "refuse_plain", "refuse_text", "refuse_void"]

_WHOLE = ("headers",)
_DECLARED = frozenset({"tools", "functions", "response_format", "tool_choice"})
_TOP = 2  # steps: the name of a field of the body


def refuse_text(turns: Iterable[Turn], leaf: Leaf, rest: str) -> None:
    """Refuse a string that has something of an answer.

    Args:
        turns: The answers before it.
        leaf: Where it stands.
        rest: It, without what was followed.

    Raises:
        Refusal: It has, or may have.
    """
    for turn in turns:
        if turn.had(leaf.path, leaf.value) or turn.repeats(leaf.text):
            continue
        _refuse_values(turn, leaf.path, rest, is_whole=leaf.path[0] in _WHOLE)
        if turn.changed and leaf.text not in turn.known:
            is_prompt = leaf.author == "user" or (
                len(leaf.path) == _TOP and leaf.path[0] in ("body", "query")
            )
            _refuse_quotes(turn, leaf.path, rest, is_prompt=is_prompt)


def refuse_plain(turns: Iterable[Turn], text: str) -> None:
    """Refuse a body that is no JSON, but text, and has something of an answer.

    Args:
        turns: The answers before it.
        text: It, without the ids that were followed.

    Raises:
        Refusal: It has, or may have.
    """
    for turn in turns:
        if text not in turn.texts:
            _refuse_values(turn, ("body",), text, is_whole=False)
            if turn.changed:
                _refuse_quotes(turn, ("body",), text, is_prompt=False)


def _refuse_values(turn: Turn, path: Path, text: str, *, is_whole: bool) -> None:
    whole = value_of(text)
    for value in turn.lost:
        if whole is not None and _is_same(value, whole):
            raise _quotes(turn, value.text, path)
        for form in (*(() if is_whole else (value,)), *escapes(value)):
            places = occurrences(form, text)
            if not all(is_explained(form, at, text, turn.texts) for at in places):
                raise _quotes(turn, value.text, path)


def _is_same(one: Value, other: Value) -> bool:
    return one.kind == other.kind and one.text.lower() == other.text.lower()


def _refuse_quotes(turn: Turn, path: Path, text: str, *, is_prompt: bool) -> None:
    part = quoted(
        text,
        turn.old.quotable,
        known=turn.texts,
        said_now=turn.new.quotable,
        is_prompt=is_prompt and not _DECLARED.intersection(path),
    )
    if part is not None:
        raise _quotes(turn, part, path)


def _quotes(turn: Turn, part: str, path: Path) -> Refusal:
    return Refusal(
        f"it quotes a part of answer {turn.number}, which now is another.",
        f"quoted: {cropped(part)} in {shown(path)}",
    )


def refuse_host(turns: Iterable[Turn], host: str) -> None:
    """Refuse a host in whose name a value of an answer stands.

    Args:
        turns: The answers before it.
        host: It, with its port.

    Raises:
        Refusal: There is one, and it was not asked before the answer came.
    """
    for turn in turns:
        if host not in turn.hosts:
            _refuse_values(turn, ("host",), host, is_whole=False)


def refuse_mark(turns: Iterable[Turn], path: Path, mark: Mark) -> None:
    """Refuse a number, a truth value or a field's name that an answer may have given.

    Args:
        turns: The answers before it.
        path: Where it stands.
        mark: It.

    Raises:
        Refusal: An answer had it, and no longer has, and the field did not have it before.
    """
    value = value_of(mark)
    for turn in turns:
        if value is None or turn.had(path, mark):
            continue
        is_quoted = value in turn.lost or (
            value.kind == "number" and turn.changed and _is_number_of(turn, value.text)
        )
        if is_quoted:
            raise _chance(turn, value.text, path)


def refuse_void(turns: Iterable[Turn], path: Path, void: str | None) -> None:
    """Refuse a null, or an empty string, that an answer's JSON may have given.

    Args:
        turns: The answers before it.
        path: Where it stands.
        void: It.

    Raises:
        Refusal: An answer had one, and no longer has it there, and the field had none before.
    """
    for turn in turns:
        if void in turn.lost_voids and not turn.had_void(path, void):
            raise _chance(turn, json.dumps(void), path)


def _chance(turn: Turn, text: str, path: Path) -> Refusal:
    return Refusal(
        f"it cannot be told whether it has {text} from answer {turn.number}, which now is another.",
        f"it stands in: {shown(path)}",
    )


def _is_number_of(turn: Turn, number: str) -> bool:
    said_now = turn.new.quotable
    return quoted(number, turn.old.quotable, known=turn.texts, said_now=said_now) is not None
