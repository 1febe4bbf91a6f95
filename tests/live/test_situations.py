"""What an application may be doing when a test asks for its page: the wait is never early, and ends."""

import re
from pathlib import Path

import pytest

from benchmarks import waiting
from benchmarks.situations import ROWS, Row, lay_cassette, play


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_page_is_whole_and_what_goes_on_for_ever_is_not_waited_for(
    row: Row, tmp_path: Path
) -> None:
    lay_cassette(tmp_path)
    wrong = play(row, tmp_path)
    # How late it is depends on the machine: `make waiting` looks at that.
    assert not wrong or wrong.startswith("late")


def test_the_table_is_played_as_often_as_asked_and_summed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    waiting.main(["--times", "2", "--idle-only", "handler_in"])
    out = capsys.readouterr().out
    assert re.search(r"^idle: 3 situations, 6 times: 0 early, \d late, 0 hang$", out, re.MULTILINE)
