"""Names of cassettes in code: changed where they are one string in a call or marker of ours."""

from __future__ import annotations

import pytest

from aquila_cassette.cli.move import renamed

NEW = "talk/hi"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('aquila_cassette("a.b")', 'aquila_cassette("talk/hi")'),
        ("aquila_cassette('a.b', mode='none')", "aquila_cassette('talk/hi', mode='none')"),
        ('@mark.aquila_cassette("a.b")\ndef f(): ...', '@mark.aquila_cassette("talk/hi")\ndef f(): ...'),
        ('x = "é"; aquila_cassette(name="a.b.yaml")', 'x = "é"; aquila_cassette(name="talk/hi.yaml")'),
        ('"\f"\r\naquila_cassette("a.b")\r\n', '"\f"\r\naquila_cassette("talk/hi")\r\n'),
        ('f(aquila_cassette("a.b"), aquila_cassette("a.b"))',
         'f(aquila_cassette("talk/hi"), aquila_cassette("talk/hi"))'),
    ],
)  # fmt: skip
def test_a_name_written_as_one_string_is_changed(code: str, expected: str) -> None:
    assert renamed(code, "a.b", NEW) == expected


@pytest.mark.parametrize(
    "code",
    [
        'aquila_cassette("a" ".b")',
        'aquila_cassette("a\\x2eb")',
        'NAME = "a.b"\naquila_cassette(NAME)',
        'aquila_cassette(f"a.{b}")',
        'other("a.b")',
        'aquila_cassette("a.b.c")',
        "no python at all (",
    ],
)
def test_everything_else_stays(code: str) -> None:
    assert renamed(code, "a.b", NEW) == code
