"""Tags of Python: those that are only data are read, no other is, and none is ever run."""

from pathlib import Path

import pytest

from aquila_cassette.errors import CassetteFormatError
from tests.importers.samples import only, read, vcrpy


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        ("!!python/unicode 'abc'", b"abc"),
        ("!!python/bytes YWJj", b"abc"),
        ("!!python/tuple [abc, d]", b"abcd"),
        ("!!python/object/new:_io.BytesIO {state: !!python/tuple [!!binary YWJj, 0]}", b"abc"),
        ("!!python/object/apply:builtins.iter {args: [[!!binary YWJj, !!binary ZA==]]}", b"abcd"),
    ],
)
def test_bodies_of_python_objects_are_their_bytes(sent: str, body: bytes) -> None:
    assert only(vcrpy(sent=f"body: {sent}")).request.body == body


STORE = "!!python/object:requests.structures.CaseInsensitiveDict {_store: %s}"
CONTAINER = "!!python/object:urllib3._collections.HTTPHeaderDict {_container: %s}"
ORDERED = "!!python/object/apply:collections.OrderedDict %s"


@pytest.mark.parametrize(
    "headers",
    [
        STORE % "{set-cookie: !!python/tuple [Set-Cookie, [a=1, b=2]]}",
        STORE % ORDERED % "[[[set-cookie, !!python/tuple [Set-Cookie, [a=1, b=2]]]]]",
        CONTAINER % "{set-cookie: [Set-Cookie, a=1, b=2]}",
        "{? !!python/object/new:multidict._multidict.istr [Set-Cookie] : [a=1, b=2]}",
        ORDERED % "[[[Set-Cookie, [a=1, b=2]]]]",
    ],
)
def test_headers_of_python_objects_are_their_fields(headers: str) -> None:
    expected = (("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))
    assert only(vcrpy(headers=f"headers: {headers}")).response.headers == expected


def test_a_status_and_a_url_may_be_objects() -> None:
    url = (
        "uri: !!python/object/new:yarl.URL {state: !!python/tuple "
        "[!!python/object/new:urllib.parse.SplitResult [https, a.example, /b, c=d, '']]}"
    )
    data = vcrpy().replace("uri: https://api.example.com/v1/chat", url)
    one = only(data.replace("code: 200", "code: !!python/object/apply:http.HTTPStatus [200]"))
    assert (one.request.url, one.response.status) == ("https://a.example/b?c=d", 200)


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system ['touch {}']",
        "!!python/object/apply:builtins.iter {{state: '{}'}}",
        "!!python/object:pathlib.Path {{args: '{}'}}",
        "!!python/name:os.system ''",
        "!!python/module:antigravity ''",
        "!!python/object/new:_io.FileIO ['{}', w]",
        "!ours abc",
    ],
)
def test_any_other_tag_is_refused_and_never_run(tag: str, tmp_path: Path) -> None:
    made = tmp_path / "made"
    with pytest.raises(CassetteFormatError) as caught:
        read(vcrpy(sent=f"body: {tag.format(made)}"))
    assert not made.exists()
    assert str(caught.value) == (
        f"cassettes/chat.yaml, line 3: the tag {tag.partition(' ')[0]} is not allowed here.\n"
        "Fix: take the tag out, and write the value as plain text"
    )
