import doctest
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from aquila_cassette.errors import UsageError
from aquila_cassette.model import Request
from aquila_cassette.redaction import Leak, Redaction

KEY = "sk-" + "aB3dE6gH9" * 4


def test_what_it_adds_is_shown_as_one_reads_it() -> None:
    assert str(Redaction()) == "the defaults"
    given = Redaction.of(["tenant", "user", re.compile("acct_[0-9]+")])
    assert (
        str(given | Redaction(allow=["x"]))
        == "names: tenant, user; patterns: acct_[0-9]+; allow: x"
    )


def test_redact_takes_names_and_patterns_or_a_redaction():
    pattern = re.compile(rb"x+")
    given = Redaction.of(["a", pattern, "b", "a"])
    assert {given, Redaction(names=("a", "b"), patterns=[pattern])} == {given}
    assert Redaction.of(given) is given
    assert Redaction.of(None) == Redaction() != Redaction.of(iter(["a"]))


def test_two_are_one_that_hides_what_either_hides():
    one = Redaction(names=["a"], patterns=["x"], keep_headers=["h"], allow=["password"])
    other = Redaction(names=["a", "b"], patterns=["y"], keep_headers=["i"], allow=["secret"])
    assert one | other == Redaction(["a", "b"], ["x", "y"], ["h", "i"], ["password", "secret"])


NOT_REDACT = (
    "redact= takes names of fields (str) and patterns of values (re.Pattern) in a list, "
    "or a Redaction."
)
NO_STRING = "Redaction(allow=...) takes a list of strings that are not empty."


@pytest.mark.parametrize(
    ("make", "first", "last"),
    [
        (lambda: Redaction.of("tenant"), NOT_REDACT, "Fix: give it such a list"),
        (lambda: Redaction.of(["a", 5]), NOT_REDACT, "Fix: give it such a list"),
        (lambda: Redaction(allow=["a", ""]), NO_STRING, "Fix: give it such a list"),
    ],
)
def test_what_is_wrong_is_refused(make: Callable[[], Redaction], first: str, last: str):
    with pytest.raises(UsageError) as caught:
        make()
    lines = str(caught.value).splitlines()
    assert (lines[0], lines[-1]) == (first, last)
    with pytest.raises(UnicodeEncodeError):
        Redaction(patterns=["ü+"])


def test_the_flags_of_a_pattern_count():
    redaction = Redaction.of([re.compile("acct", re.IGNORECASE)])
    assert redaction.request(Request("GET", "x:/ACCT"), env=()).url == "x:/[redacted]"


def test_leaks_tell_the_line_and_the_kind_and_never_the_value(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MY_SERVICE_TOKEN", "hunter2hunter2")
    redaction = Redaction(patterns=["acct_[0-9]+"])
    text = f"ok\n{KEY} {KEY}\npassword: x\nhunter2hunter2\naHVudGVyMmh1bnRlcjI=\nacct_1\n"
    assert redaction.leaks(text.encode()) == [
        Leak(2, "a key (sk-...)"),
        Leak(4, "the value of MY_SERVICE_TOKEN"),
        Leak(5, "the value of MY_SERVICE_TOKEN"),
        Leak(6, "a pattern given as redact="),
    ]


@pytest.mark.parametrize("scalar", ["'it''s hunter2'", '"it\'s hunter2"', "it's hunter2"])
def test_a_leak_is_found_however_yaml_quotes_it(scalar: str):
    assert len(Redaction().leaks(f"a: {scalar}".encode(), env=("it's hunter2",))) == 1


def test_what_was_redacted_or_allowed_does_not_leak():
    redaction = Redaction(allow=[KEY, "hunter2hunter2"], patterns=["redacted"])
    text = f"api_key: '[redacted]'\n{KEY} hunter2hunter2\nBearer [redacted]\n"
    assert redaction.leaks(text.encode(), env=("hunter2hunter2",)) == []


@pytest.mark.parametrize(("page", "examples"), [("secrets.md", 8), ("matching.md", 10)])
def test_every_example_of_the_page_runs(page: str, examples: int) -> None:
    path = Path(__file__).parents[2] / "docs" / page
    results = doctest.testfile(str(path), module_relative=False)
    assert (results.failed, results.attempted > examples) == (0, True)
