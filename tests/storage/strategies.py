"""Cassettes drawn at random, with everything in them that is awkward."""

from hypothesis import strategies as st

from aquila_cassette.model import CassetteData, Failure, Interaction, Piece, Request, Response
from aquila_cassette.storage.bodies import STYLES
from tests.storage.cassettes import EVENT_STREAM

# What YAML, Python or an editor treats in a way of its own.
AWKWARD = [
    *"abn012-+.:,#|>&*!%@`'\"[]{}?~=<\\/ \t\n\r",
    "\0", "\x01", "\x1b", "\x7f", "\x80", "\x85", "\x9f", "\xa0", "\u2028", "\u2029",
    "\ud7ff", "\ue000", "\ufdd0", "\ufeff", "\ufffd", "\ufffe", "\uffff", "\U0001f600",
    "\U0010ffff", "\r\n", "\n\n", ": ", " #", "- ", "no", "null", "true", "12:30", "2026-11-22",
    "1e5", "<<", "data: ", "    sse: |+\n", "    pieces: 1+2\n", "\n- ", "---\n", "é", "日本",
]  # fmt: skip
texts = st.lists(st.sampled_from(AWKWARD), max_size=12).map("".join) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=20
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)


@st.composite
def json_bodies(draw: st.DrawFn) -> bytes:
    value = draw(st.lists(values, max_size=4) | st.dictionaries(texts, values, max_size=4))
    style = draw(st.sampled_from(sorted(STYLES)))
    return STYLES[style](value).encode()


lines = st.lists(texts, max_size=6)
bodies = st.one_of(
    st.binary(max_size=40),
    texts.map(str.encode),
    lines.map(lambda some: "\n".join(some).encode()),
    lines.map(lambda some: "".join(f"data: {one}\r\n\r\n" for one in some).encode()),
    json_bodies(),
)


@st.composite
def pieces(draw: st.DrawFn) -> tuple[Piece, ...]:
    body = draw(bodies)
    cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=4)))
    bounds = zip([0, *cuts], [*cuts, len(body)], strict=True)
    cut = tuple(Piece(draw(st.integers(0, 10**6)), body[a:b]) for a, b in bounds)
    return cut if body else cut[: draw(st.integers(0, 1))]


names = st.text(st.sampled_from("abnox0129-_.!~"), min_size=1, max_size=8)
sendable = st.text(st.characters(max_codepoint=0xFF, exclude_characters="\0\r\n"), max_size=12)
headers = st.lists(st.tuples(names, sendable), max_size=3).map(tuple)
streams = st.sampled_from([(), EVENT_STREAM])
failures = st.none() | st.builds(Failure, st.none() | texts, texts, st.none() | texts)
ends = st.sampled_from(["complete", "closed", "failed"])
interactions = st.builds(
    Interaction,
    st.builds(Request, texts, texts, headers, bodies),
    st.builds(
        Response,
        st.none() | st.integers(200, 999),
        st.tuples(streams, headers).map(lambda pair: (*pair[0], *pair[1])),
        pieces(),
        st.none() | st.integers(0, 10**6),
        st.sampled_from(["HTTP/1.1", "HTTP/2"]) | texts,
        ends,
        failures,
    ),
    texts | st.just("2026-11-22T10:30:00Z"),
    st.none() | texts,
)
cassettes = st.builds(CassetteData, st.lists(interactions, max_size=2).map(tuple), texts)
