"""Which tests record which cassettes, and which of them are to run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aquila_cassette.transcript.humanize import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from aquila_cassette.model import CassetteData, Interaction

__all__ = ["Picked", "merged", "module_of", "pick", "tests_of", "tests_that_missed", "whose"]

_TEARDOWN = " (teardown)"


@dataclass(frozen=True, slots=True)
class Picked:
    """A cassette that is to be recorded again.

    Args:
        name: What the commands find it by.
        path: The file.
        cassette: What it holds; nothing where there is no file yet.
        tests: The tests that are to run for it.
        unsigned: How many of the interactions to be recorded again no test has signed.
    """

    name: str
    path: Path
    tape: CassetteData
    tests: tuple[str, ...]
    unsigned: int = 0


def whose(interaction: Interaction) -> str | None:
    """Give the test that records `interaction`; None where none has signed it.

    Args:
        interaction: Off a cassette. What a fixture's teardown asks for is the test's as well.

    Example:
        >>> from aquila_cassette.model import Interaction, Request, Response
        >>> answered = Request("GET", "https://a.example"), Response(200)
        >>> whose(Interaction(*answered, recorded_by="tests/test_a.py::test_it[x] (teardown)"))
        'tests/test_a.py::test_it[x]'
    """
    by = interaction.recorded_by
    return by.removesuffix(_TEARDOWN) if by else None


def tests_of(interactions: Iterable[Interaction]) -> tuple[str, ...]:
    """List the tests that record `interactions`, each once, in their order.

    Args:
        interactions: Off one cassette.
    """
    return tuple(dict.fromkeys(filter(None, map(whose, interactions))))


def pick(
    name: str, path: Path, tape: CassetteData, *, before: datetime | None = None
) -> Picked | None:
    """Pick what of a cassette is to be recorded again, and the tests that do it.

    Args:
        name: The cassette's name.
        path: Its file.
        cassette: What it holds.
        before: Only what was recorded before that time. What does not say when it was recorded
            is not known to be that old.

    Returns:
        None where nothing of it was recorded before that time.
    """
    old = [one for one in tape.interactions if before is None or _is_before(one, before)]
    if before is not None and not old:
        return None
    unsigned = sum(whose(one) is None for one in old)
    return Picked(name, path, tape, tests_of(old), unsigned)


def merged(picks: Iterable[Picked]) -> list[Picked]:
    """Give each cassette once that was picked more than once, with the tests of all picks.

    Args:
        picks: In any order; the first place of a cassette is kept.
    """
    by_path: dict[Path, Picked] = {}
    for one in picks:
        path = one.path.absolute()
        if known := by_path.get(path):
            tests = tuple(dict.fromkeys([*known.tests, *one.tests]))
            unsigned = max(known.unsigned, one.unsigned)
            one = replace(known, tests=tests, unsigned=unsigned)
        by_path[path] = one
    return list(by_path.values())


def tests_that_missed(noted: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Turn the note of a run, tests and the files they missed in, about.

    Args:
        noted: For each test the files.

    Returns:
        For each file the tests.

    Example:
        >>> tests_that_missed({"test_a": ["x.yaml", "y.yaml"], "test_b": ["x.yaml"]})
        {'x.yaml': ['test_a', 'test_b'], 'y.yaml': ['test_a']}
    """
    turned: dict[str, list[str]] = {}
    for test, missed in noted.items():
        for file in missed:
            turned.setdefault(file, []).append(test)
    return turned


def module_of(test: str) -> str:
    """Give the file that a test is in.

    Args:
        test: A pytest node id.

    Example:
        >>> module_of("tests/test_a.py::TestIt::test_b[x::y]")
        'tests/test_a.py'
    """
    return test.partition("::")[0]


def _is_before(interaction: Interaction, limit: datetime) -> bool:
    at = parse_time(interaction.recorded_at)
    return at is not None and at < limit
