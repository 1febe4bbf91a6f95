"""What pytest collected: which tests there are, and which cassettes they open by themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from aquila_cassette.errors import UsageError
from aquila_cassette.redaction import Redaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["TEARDOWN", "Census", "Standing"]

Standing: TypeAlias = Literal["there", "gone", "unknown"]
"""Whether a test exists, as far as can be told."""

TEARDOWN = " (teardown)"
"""What ``recorded_by`` has behind the id of a test whose fixture asked while it was torn down."""


@dataclass(frozen=True)
class Census:
    """What is known of a suite.

    Args:
        root: pytest's root folder, which node ids start from.
        tests: The node id of each test that was collected, and the cassette that its marker or its
            fixture opens; None where neither does.
        files: The files, as node ids, whose tests are all known.
        unsure: The node ids of what failed to load or was skipped: its tests are not known.
        rules: What is kept out of the cassettes of a test, by its node id, beside the defaults.
        marked: The tests all of whose parameters come from marks.
    """

    root: Path
    tests: Mapping[str, str | None]
    files: frozenset[str] = frozenset()
    unsure: tuple[str, ...] = ()
    rules: Mapping[str, Redaction] = field(default_factory=dict)
    marked: frozenset[str] = frozenset()

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Census:
        """Read what the plugin `aquila_cassette.plugin.census` wrote.

        Args:
            data: Its JSON.
        """
        rules = [_rules(one) for one in data["rules"]]
        return cls(
            Path(data["root"]),
            {test: name for test, name, _, _ in data["tests"]},
            frozenset(data["files"]),
            tuple(data["unsure"]),
            {test: rules[number] for test, _, number, _ in data["tests"] if number is not None},
            frozenset(test for test, _, _, marked in data["tests"] if marked),
        )

    def standing(self, test: str, near: Path) -> Standing:
        """Tell by what was collected whether a test that once recorded is still there.

        Args:
            test: What ``recorded_by`` says.
            near: The cassette, whose suite may start from another folder.
        """
        test = test.removesuffix(TEARDOWN)
        if test in self.tests:
            return "there"
        file = test.partition("::")[0]
        if any(_is_below(test, file, unsure) for unsure in self.unsure):
            return "unknown"
        if file in self.files:
            return "gone"
        folders = [self.root, *near.absolute().parents]
        return "unknown" if any((folder / file).exists() for folder in folders) else "gone"

    def rules_for(self, owners: Iterable[str], name: str) -> Redaction:
        """Give what is kept out of a cassette beside the defaults, as far as tests say it.

        Args:
            owners: What its interactions' ``recorded_by`` say.
            name: Its name.
        """
        names = {owner.removesuffix(TEARDOWN) for owner in owners}
        users = [
            rule
            for test, rule in self.rules.items()
            if test in names or (self.tests[test] or "").casefold() == name.casefold()
        ]
        rules = Redaction()
        for rule in dict.fromkeys(map(id, users)):
            rules = rules | next(one for one in users if id(one) == rule)
        if users:
            return rules
        # Whoever uses it may keep more than the defaults do: what the suite keeps, it keeps.
        every = list({id(one): one for one in self.rules.values()}.values())
        return Redaction(
            keep_headers=[name for one in every for name in one.keep_headers],
            allow=[value for one in every for value in one.allow],
        )


def _is_below(test: str, file: str, unsure: str) -> bool:
    if unsure in ("", ".", test, file):
        return True
    return test.startswith((f"{unsure}::", f"{unsure}/"))


def _rules(data: Mapping[str, Any]) -> Redaction:
    import re

    patterns = [
        re.compile(source.encode("latin-1") if raw else source, flags)
        for source, flags, raw in data["patterns"]
    ]
    try:
        return Redaction(data["names"], patterns, data["keep_headers"], data["allow"])
    except UsageError:
        return Redaction()
