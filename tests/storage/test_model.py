"""What is printed of a recorded request or response names everything and gives nothing away."""

from __future__ import annotations

import re

import pytest

from aquila_cassette.model import CassetteData, Failure, Interaction, Piece, Request, Response
from aquila_cassette.storage.format import dumps, loads
from tests.storage.cassettes import PATH

SECRET = "sk-live-0123456789"
REQUEST = Request(
    "POST",
    f"https://user:{SECRET}@api.example/v1/chat?key={SECRET}&page=2&{SECRET}#{SECRET}",
    (("authorization", f"Bearer {SECRET}"), ("x-api-key", SECRET)),
    f'{{"password":"{SECRET}"}}'.encode(),
)
RESPONSE = Response(
    200,
    (("set-cookie", f"session={SECRET}"),),
    (Piece(5, f"data: {SECRET}\n\n".encode()), Piece(9, b"data: 2\n\n")),
    ended="failed",
    error=Failure("ReadError", f"no more of {SECRET}", "reset"),
)


def test_a_repr_has_names_and_sizes() -> None:
    assert repr(REQUEST) == (
        "Request(POST https://api.example/v1/chat?key=...&page=...&..., "
        "headers=[authorization, x-api-key], body=33 bytes)"
    )
    assert repr(RESPONSE) == (
        "Response(200 failed, headers=[set-cookie], body=35 bytes, pieces=2, "
        "error=Failure(type='ReadError', category='reset'))"
    )


@pytest.mark.parametrize(
    "value",
    [
        Interaction(REQUEST, RESPONSE),
        CassetteData((Interaction(REQUEST, RESPONSE),)),
        Request("GET", f"https://[{SECRET}"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_repr_has_a_value_that_may_be_a_secret(value: object) -> None:
    assert SECRET not in repr(value)


def test_the_repr_of_what_a_file_holds_is_that_of_what_was_recorded() -> None:
    (loaded,) = loads(
        dumps(CassetteData((Interaction(REQUEST, RESPONSE),))).encode(), path=PATH
    ).interactions
    assert re.sub("LazyResponse", "Response", repr(loaded)) == repr(Interaction(REQUEST, RESPONSE))


def test_the_category_of_a_failure_is_kept_and_may_be_missing() -> None:
    text = dumps(CassetteData((Interaction(REQUEST, RESPONSE),)))
    line = f'    error: {{type: ReadError, message: "no more of {SECRET}", category: reset}}\n'
    assert text.endswith(line)
    (old,) = loads(text.replace(", category: reset", "").encode(), path=PATH).interactions
    assert old.response.error == Failure("ReadError", f"no more of {SECRET}")
