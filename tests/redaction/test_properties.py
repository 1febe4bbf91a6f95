import itertools
import json
import re

from hypothesis import given
from hypothesis import strategies as st

from aquila_cassette.model import Failure, Piece, Request, Response
from aquila_cassette.redaction import Redaction

ENV = ("hunter2 hunter2", "redacted", "sk-ABCDEFGH")
REDACTION = Redaction(names=["tenant"], patterns=[re.compile(rb"acct.{2}"), "x*y", r"\[r"])

# Bits that make secrets, put together in every way: what matters is where they touch.
BITS = st.sampled_from(
    [
        '"api_key"', '"token"', '"tenant"', ":", " ", '"', "\\", '\\"', "{", "}", "[", "]", ",",
        "\n", "1", "-2.5", "a", "[redacted]", "redacted", "acct12", "xxy", "hunter2 hunter2",
        "aHVudGVyMiBodW50ZXIy", "sk-" + "aB3dE6gH9" * 3, "sk-", "Bearer ", "f3Kq9ZtR7mWx2LpV8sYd",
        "AKIAIOSFODNN7EXAMPLE", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "&",
        "?", "=", "key", "api_key=", "sig=", "#", "@", "//", "https:", "ü", "\r\n--B",
        'form-data; name="secret"\r\n\r\n', "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.a",
    ]
)  # fmt: skip
TEXTS = st.lists(BITS, max_size=14).map("".join)
KINDS = st.sampled_from(
    [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=B",
        "text/event-stream",
    ]
)
SECRETS = re.compile(rb"hunter2 hunter2|aHVudGVyMiBodW50ZXIy|acct12")


@given(TEXTS, TEXTS, KINDS)
def test_what_was_redacted_is_redacted(path: str, body: str, kind: str):
    sent = Request("POST", f"https://a.example/{path}", (("content-type", kind),), body.encode())
    once = REDACTION.request(sent, env=ENV)
    assert REDACTION.request(once, env=ENV) is once


@given(TEXTS, st.lists(st.integers(0, 300), max_size=12), TEXTS)
def test_a_response_is_redacted_the_same_however_it_was_cut(text: str, cuts: list[int], error: str):
    body = text.encode()
    places = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
    pieces = tuple(Piece(at, body[at:end]) for at, end in itertools.pairwise(places))
    whole = REDACTION.response(Response(200, (), (Piece(0, body),)), env=ENV)
    cut = REDACTION.response(Response(200, (), pieces, error=Failure(None, error)), env=ENV)
    assert cut.body == whole.body
    assert not SECRETS.search(whole.body.replace(b"[redacted]", b" "))
    assert len(cut.pieces) <= len(pieces)
    assert all(piece.data for piece in cut.pieces)
    assert [piece.at for piece in cut.pieces] == sorted(piece.at for piece in cut.pieces)
    assert REDACTION.response(cut, env=ENV) is cut


# What JSON has to escape, and what delimits it; no letters that could make up a name or a key.
ODD = st.text('"\\{}[]:,\n\t /=1\u00e9\u2028\U0001f600', max_size=12)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | ODD
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["api_key", "password", "token", "name", "text", "tenant_id"]) | ODD,
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def hidden(value: object) -> object:
    """Redact a JSON value by its fields, the plain way."""
    if isinstance(value, list):
        return [hidden(one) for one in value]
    if isinstance(value, dict):
        return {
            name: _marked(held) if name in ("api_key", "password", "token") else hidden(held)
            for name, held in value.items()
        }
    return value


def _marked(value: object) -> object:
    if isinstance(value, list):
        # The strings at its head; what follows another kind of value is looked into.
        head = next((at for at, one in enumerate(value) if not _is_scalar(one)), len(value))
        return [_marked(one) for one in value[:head]] + [hidden(one) for one in value[head:]]
    if isinstance(value, dict):
        return hidden(value)
    return "[redacted]" if _is_scalar(value) and value != "" else value


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


@given(JSON, st.integers(0, 2), st.booleans(), st.sampled_from([None, 1]))
def test_json_of_any_shape_loses_its_secret_fields_and_nothing_else(
    value: object, depth: int, ascii_only: bool, indent: int | None
):
    expected = hidden(value)
    for _ in range(depth):
        value, expected = (
            {"arguments": json.dumps(one, ensure_ascii=ascii_only)} for one in (value, expected)
        )
    body, wanted = (
        json.dumps(one, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
        for one in (value, expected)
    )
    assert Redaction().request(Request("POST", "x:/", (), body), env=()).body == wanted


FRAME = '{{"id":"chatcmpl-Abc{id}","created":1767225600,"model":"m","choices":[{{"delta":{{{delta}}}}}]}}'
DELTAS = st.lists(
    st.sampled_from(["content", "api_key", "token", "name"]).flatmap(
        lambda name: TEXTS.map(lambda text: f"{json.dumps(name)}:{json.dumps(text)}")
    )
    | BITS,
    max_size=3,
).map(",".join)


@given(
    st.lists(DELTAS, min_size=3, max_size=8),
    st.sampled_from(["", "      ", "event: a\n", "id: 1\n"]),
)
def test_what_all_events_begin_with_hides_no_secret(deltas: list[str], before: str):
    """The fast way, which looks at what differs in the lines, finds what a look at all finds."""
    frames = [FRAME.format(id=1, delta=delta) for delta in deltas * 12]
    body = "".join(f"{before}data: {frame}\n\n" for frame in frames).encode()
    came = Response(200, (("content-type", "text/event-stream"),), (Piece(0, body),))
    slow = Redaction(patterns=["(?!)"])
    assert Redaction().response(came, env=ENV).body == slow.response(came, env=ENV).body
    assert Redaction().leaks(body, env=ENV) == slow.leaks(body, env=ENV)
