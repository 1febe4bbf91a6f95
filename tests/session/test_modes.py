"""Record, replay or miss: the one decision, and the mode in force."""

import re
from dataclasses import Field, fields
from pathlib import Path
from typing import get_args

import pytest

from aquila_cassette.errors import UsageError
from aquila_cassette.options import MODES, Layer, Mode, Options, default_mode, resolve
from aquila_cassette.session.session import CassetteState, records_what_is_new

DOCS = Path(__file__).parents[2] / "docs"
STATES: tuple[CassetteState, ...] = get_args(CassetteState)


def test_the_documented_table_is_what_is_decided() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (\w+) \| ([\w-]+) \| (\w+) \|$",
        (DOCS / "record-modes.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert rows == [
        (
            mode,
            state,
            "-" if state == "absent" else "replay",
            "record" if records_what_is_new(mode, state) else "miss",
        )
        for mode in MODES
        for state in STATES
    ]


def row_of(option: Field[object]) -> str:
    default = "the defaults" if option.name == "redact" else f"`{option.default!r}`"
    default = default.replace("'", '"').replace('PosixPath("cassettes")', "cassettes")
    if option.name == "mode":
        default += "; `none` where `CI` is set"
    shown = "" if option.default is None else default
    return f"| `{option.name}` | {shown} | "


def test_the_documented_options_are_the_options() -> None:
    page = (DOCS / "options.md").read_text(encoding="utf-8")
    listed = [line for line in page.splitlines() if line.startswith("| `")]
    for line, option in zip(listed, fields(Options), strict=True):
        assert line.startswith(row_of(option))


@pytest.mark.parametrize(
    ("ci", "mode"),
    [
        *((value, "none") for value in ("true", "1", "yes", "woodpecker")),
        *((value, "once") for value in ("", "false", "0", " No ", "OFF")),
    ],
)
def test_the_default_mode_is_none_where_ci_is_set(ci: str, mode: Mode) -> None:
    assert default_mode({"CI": ci}) == mode
    assert default_mode({}) == "once"


def test_a_word_that_is_no_mode_is_refused_with_its_source() -> None:
    with pytest.raises(UsageError) as caught:
        resolve([Layer("AQUILA_RECORD", {"mode": "onec"})], {})
    assert str(caught.value) == (
        "AQUILA_RECORD sets mode to a value that it cannot take.\n"
        "  expected: none, once, new_episodes or all\n"
        "  got:      'onec'\n"
        "Fix: set mode to none, once, new_episodes or all"
    )
