"""Tags of Python: those that are but data are read, no other is, and none is ever run."""

from __future__ import annotations

from pathlib import Path

import pytest

from aquila_cassette.errors import CassetteFormatError
from tests.importers.samples import only, tape, vcrpy


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        ("body: !!python/unicode 'abc'", b"abc"),
        ("body: !!python/str abc", b"abc"),
        ("body: !!python/bytes YWJj", b"abc"),
        ("body: !!python/tuple [abc, d]", b"abcd"),
        ("body: !!python/none null", b""),
        (
            (
                "body: !!python/object/new:_io.BytesIO\n"
                "      state: !!python/tuple\n      - !!binary |\n        YWJj\n      - 0\n"
            ),
            b"abc",
        ),
        ("body: !!python/object/new:_io.BytesIO {state: !!python/tuple [abc, 0, null]}", b"abc"),
        (
            (
                "body: !!python/object/apply:builtins.iter\n"
                "      args:\n      - - !!binary YWJj\n        - !!binary ZA==\n      state: 0"
            ),
            b"abcd",
        ),
    ],
)
def test_bodies_of_python_objects_are_their_bytes(sent: str, body: bytes) -> None:
    assert only(vcrpy(sent=sent)).request.body == body


@pytest.mark.parametrize(
    "headers",
    [
        (
            "headers: !!python/object:requests.structures.CaseInsensitiveDict\n"
            "      _store:\n        set-cookie: !!python/tuple [Set-Cookie, [a=1, b=2]]"
        ),
        (
            "headers: !!python/object:requests.structures.CaseInsensitiveDict\n"
            "      _store: !!python/object/apply:collections.OrderedDict\n"
            "      - - - set-cookie\n          - !!python/tuple [Set-Cookie, [a=1, b=2]]"
        ),
        (
            "headers: !!python/object:urllib3._collections.HTTPHeaderDict\n"
            "      _container: {set-cookie: [Set-Cookie, a=1, b=2]}"
        ),
        (
            "headers:\n      ? !!python/object/new:multidict._multidict.istr\n      - Set-Cookie\n"
            "      : [a=1, b=2]"
        ),
        (
            "headers: !!python/object/apply:collections.OrderedDict\n"
            "    - - - Set-Cookie\n        - [a=1, b=2]"
        ),
    ],
)
def test_headers_of_python_objects_are_their_fields(headers: str) -> None:
    expected = (("set-cookie", "a=1"), ("set-cookie", "b=2"))
    assert only(vcrpy(headers=headers)).response.headers == expected


def test_a_status_and_a_url_may_be_objects() -> None:
    url = (
        "uri: !!python/object/new:yarl.URL\n      state: !!python/tuple\n"
        "      - !!python/object/new:urllib.parse.SplitResult\n"
        "        - https\n        - a.example\n        - /b\n        - c=d\n        - ''"
    )
    data = vcrpy().replace("uri: https://api.example.com/v1/chat", url)
    data = data.replace("code: 200", "code: !!python/object/apply:http.HTTPStatus [200]")
    one = only(data)
    assert (one.request.url, one.response.status) == ("https://a.example/b?c=d", 200)


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system ['touch {}']",
        "!!python/object/new:os.system ['touch {}']",
        "!!python/object/apply:subprocess.check_output [[touch, '{}']]",
        "!!python/object/apply:pathlib.Path.touch ['{}']",
        "!!python/object:pathlib.Path {{args: '{}'}}",
        "!!python/name:os.system ''",
        "!!python/module:antigravity ''",
        "!!python/object/new:_io.FileIO ['{}', w]",
    ],
)
def test_a_tag_that_names_code_is_refused_and_never_run(tag: str, tmp_path: Path) -> None:
    made = tmp_path / "made"
    with pytest.raises(CassetteFormatError) as caught:
        tape(vcrpy(sent=f"body: {tag.format(made)}"))
    assert not made.exists()
    name = tag.partition(" ")[0]
    assert str(caught.value) == (
        f"cassettes/chat.yaml, line 3: the tag {name} is not allowed.\n"
        "  it names Python code, which is never run\n"
        "Fix: take the tag out, and write the value as plain text"
    )
    assert caught.value.line == 3


def test_a_tag_of_somebody_else_is_refused() -> None:
    with pytest.raises(CassetteFormatError) as caught:
        tape(vcrpy(sent="body: !ours abc"))
    assert str(caught.value) == (
        "cassettes/chat.yaml, line 3: the tag !ours is not allowed.\n"
        "Fix: take the tag out, and write the value as plain text"
    )


def test_what_a_tag_promises_must_be_there() -> None:
    with pytest.raises(CassetteFormatError) as caught:
        tape(vcrpy(sent="body: !!python/object/apply:builtins.iter {state: 0}"))
    assert caught.value.what == (
        "cassettes/chat.yaml, line 3: this is not what !!python/object/apply:builtins.iter holds."
    )


def test_a_few_lines_cannot_swell_to_billions() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for n in range(1, 10):
        rows.append(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]")
    with pytest.raises(CassetteFormatError) as caught:
        tape("\n".join(rows) + "\n" + vcrpy())
    assert "written out, the file has more than 5000000 values" in caught.value.what


def test_what_holds_itself_is_refused() -> None:
    with pytest.raises(CassetteFormatError, match=r"\*a is within what it names"):
        tape(vcrpy(sent="parsed_body: &a [*a]"))
