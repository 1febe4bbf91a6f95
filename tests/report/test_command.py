"""The command: where the page is written, and what is printed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, Lay


def names(path: str) -> list[str]:
    return re.findall(r'"name":"([^"]*)","path"', Path(path).read_text("utf-8"))


def test_the_page_of_the_cassette_folder_is_written_with_what_cannot_be_read(
    cli: Cli, lay: Lay
) -> None:
    lay("chat", "a/one")
    lay("failed")
    ran = cli("report")
    size = len(Path("report.html").read_bytes())
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"report.html 2 cassettes, 4 interactions, {size / 1000:.0f} kB\n"
    lay("damaged")
    assert cli("report").code == 2
    assert names("report.html") == ["damaged", "failed", "a/one"]  # the page is replaced
    ran = cli("report", "-o", "out/new/page.html")
    assert ran.code == 2
    assert ran.out.startswith("out/new/page.html 3 cassettes, 4 interactions, ")
    assert ran.err == "1 of 3 files cannot be read. What is wrong: aquila-cassette show damaged\n"
    assert names("out/new/page.html") == ["damaged", "failed", "a/one"]


def test_a_cassette_is_not_overwritten(cli: Cli, lay: Lay) -> None:
    cassette = lay("plain", "one")
    before = cassette.read_bytes()
    assert cli("report", "-o", str(cassette)).refusal == (
        "The report is written to an HTML file, and cassettes/one.yaml is none.\n"
        "Fix: aquila-cassette report -o report.html\n"
    )
    assert cassette.read_bytes() == before


def test_a_place_may_be_a_folder_or_a_file(cli: Cli, lay: Lay) -> None:
    lay("plain", "a/one")
    lay("plain", "b/two")
    for place, found in (("cassettes/a", "a/one"), ("cassettes/b/two.yaml", "b/two")):
        assert cli("report", place, "-o", "page.html").code == 0
        assert names("page.html") == [found]
    assert "'cassetes' does not exist." in cli("report", "cassetes").refusal


@pytest.mark.skipif(sys.platform == "win32", reason="the browser of this test is a shell script")
def test_the_browser_is_given_the_address_of_the_page(lay: Lay, tmp_path: Path) -> None:
    lay("plain")
    browser = tmp_path / "browser"
    browser.write_text('#!/bin/sh\nprintf %s "$1" > opened\n')
    browser.chmod(0o755)
    program = [sys.executable, "-m", "aquila_cassette", "report", "--open", "-o", "my page.html"]
    ran = subprocess.run(program, env={**os.environ, "BROWSER": str(browser)}, check=True)
    assert ran.returncode == 0
    assert Path("opened").read_text() == (tmp_path / "my page.html").as_uri()
