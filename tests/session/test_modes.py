from __future__ import annotations

import re
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import get_args

import pytest

from aquila_cassette.errors import UsageError
from aquila_cassette.options import MODES, Mode, default_mode, parse_mode
from aquila_cassette.session.modes import TABLE, CassetteState, decide

DOCS = Path(__file__).parents[2] / "docs" / "record-modes.md"


def test_the_table_decides_every_case():
    assert set(TABLE) == set(product(MODES, get_args(CassetteState)))


@pytest.mark.parametrize("cassette", get_args(CassetteState))
def test_none_never_records(cassette: CassetteState):
    assert {decide("none", cassette, known) for known in (True, False)} == {"replay", "miss"}


@pytest.mark.parametrize("cassette", get_args(CassetteState))
def test_all_always_records(cassette: CassetteState):
    assert {decide("all", cassette, known) for known in (True, False)} == {"record"}


@pytest.mark.parametrize("cassette", get_args(CassetteState))
def test_new_episodes_replays_what_is_known_and_records_the_rest(cassette: CassetteState):
    assert decide("new_episodes", cassette, known=True) == "replay"
    assert decide("new_episodes", cassette, known=False) == "record"


def test_once_records_a_new_tape_even_where_a_request_comes_twice():
    assert decide("once", "absent", known=True) == "record"
    assert decide("once", "absent", known=False) == "record"


def test_once_keeps_a_tape_open_for_the_other_tests_of_the_run_in_which_it_was_begun():
    assert decide("once", "new", known=True) == "replay"
    assert decide("once", "new", known=False) == "record"


def test_once_never_adds_to_a_tape_that_was_there_before():
    assert decide("once", "present", known=True) == "replay"
    assert decide("once", "present", known=False) == "miss"


@pytest.mark.parametrize("value", ["true", "1", "yes", "woodpecker"])
def test_under_ci_nothing_is_recorded_by_default(value: str):
    assert default_mode({"CI": value}) == "none"


@pytest.mark.parametrize(
    "environ", [{}, {"CI": ""}, {"CI": "false"}, {"CI": "0"}, {"CI": " No "}, {"CI": "OFF"}]
)
def test_elsewhere_the_default_is_once(environ: dict[str, str]):
    assert default_mode(environ) == "once"


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_is_read_as_it_is_spelt(mode: Mode):
    assert parse_mode(mode, source="mode=") == mode


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("onec", "Change it to 'once'."),
        ("new-episodes", "Change it to 'new_episodes'."),
        ("ALL", "Change it to 'all'."),
        ("rewrite", "Change it to one of the four."),
        ("", "Change it to one of the four."),
    ],
)
def test_a_word_that_is_no_mode_is_refused_with_its_source_and_the_closest(text: str, fix: str):
    with pytest.raises(UsageError) as caught:
        parse_mode(text, source="AQUILA_RECORD")
    assert str(caught.value) == (
        "AQUILA_RECORD names no record mode.\n"
        "  expected: none, once, new_episodes or all\n"
        f"  got:      {text!r}\n"
        f"{fix}"
    )


def test_the_documented_table_is_the_table():
    rows = re.findall(
        r"^\| `(\w+)` \| (\w+) \| (\w+) \| (\w+) \|$",
        DOCS.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert rows == [(mode, cassette, *decisions) for (mode, cassette), decisions in TABLE.items()]


def test_reading_a_good_mode_loads_no_difflib():
    code = (
        "import sys; from aquila_cassette.options import parse_mode;"
        "parse_mode('all', source='x'); print('difflib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
