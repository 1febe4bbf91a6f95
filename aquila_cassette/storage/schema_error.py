"""What is wrong with the values of a cassette, before it is known on which line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aquila_cassette.storage.yaml_reader import List, Map

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Flaw", "refuse_unknown"]


class Flaw(Exception):  # noqa: N818 - what it becomes is an error
    """A value that does not belong where it stands.

    Args:
        within: The mapping or list that it stands in.
        key: Its key or place there; None where it is the mapping or list itself, or is missing.
        problem: What is wrong, a clause that starts in lower case.
        facts: Lines for below, expected before got.
        fix: The edit that mends it.
        missing: Whether something is missing, as it is where a file was cut off.
    """

    def __init__(
        self,
        within: Any,
        key: str | int | None,
        problem: str,
        *,
        facts: Sequence[str] = (),
        fix: str = "",
        missing: bool = False,
    ) -> None:
        self.problem = problem
        self.facts = tuple(facts)
        self.fix = fix
        self.missing = missing
        self.damage = "format"
        self.cut_off = False
        self.line: int | None = None
        if isinstance(within, (Map, List)):
            lines: Any = within.lines
            self.line = within.line if key is None else lines[key]
        super().__init__(problem)


def refuse_unknown(fields: Mapping[str, Any], known: Sequence[str], what: str) -> None:
    """Refuse the first field that is not `known`, and name the closest that is.

    Args:
        fields: The fields there are.
        known: The names of those there may be.
        what: What they are fields of, with its article.

    Raises:
        Flaw: There is one.
    """
    for key in fields:
        if key not in known:
            import difflib  # for a misspelt field only

            close = difflib.get_close_matches(key, known, n=1)
            raise Flaw(
                fields,
                key,
                f"{what} has no field {key!r}",
                facts=[f"known: {', '.join(known)}"],
                fix=f'rename it to "{close[0]}"' if close else "take it out",
            )
