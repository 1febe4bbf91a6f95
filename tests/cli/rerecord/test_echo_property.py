"""However an application uses an answer, its next request is what it would send now, or none."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from aquila_cassette.errors import ResendError
from aquila_cassette.model import Request
from tests.cli.rerecord.asking import NOTHING, asks, followed, says

words = st.sampled_from(
    ["Blue", "grey", "whale", "shark", "Paris", "Oslo", "7", "9", "37", "A", "B", "it", "is", "the"]
)
lines = st.lists(words, min_size=1, max_size=4).map(" ".join)
# Of a single line nobody can tell whether it is meant as the answer or as its last line.
prose = st.lists(lines, min_size=2, max_size=3).map("\n".join)
unspaced = st.text(alphabet="東京大阪晴雨風北海道山川", min_size=8, max_size=12)
values = st.sampled_from([0, 1, 3, 4, 37, 0.5, True, False, "A", "B", "Oslo", "Blue whale"])
documents = st.fixed_dictionaries({"a": values, "b": values}).map(json.dumps)


def _prompt(part: Callable[[str], object], before: str, after: str) -> Callable[[str], Any]:
    return lambda said: {"prompt": f"{before}{part(said)}{after}"}


def _field(part: Callable[[str], object]) -> Callable[[str], Any]:
    return lambda said: {"prompt": "Go on", "field": part(said)}


def _value(said: str) -> Any:
    return json.loads(said)["a"]


around = st.tuples(st.sampled_from(["", "Explain ", "Explain: "]), st.sampled_from(["", ".", "!"]))


def uses(*parts: Callable[[str], object]) -> st.SearchStrategy[Callable[[str], Any]]:
    part = st.sampled_from(parts)
    in_prompts = st.builds(lambda one, ends: _prompt(one, *ends), part, around)
    return st.one_of(in_prompts, st.builds(_field, part))


of_prose = uses(str, lambda said: said.splitlines()[-1], lambda said: said.splitlines()[0])
of_unspaced = uses(str, lambda said: said[:6], lambda said: said[2:], lambda said: said[-5:])
of_documents = st.one_of(
    uses(_value, lambda said: json.dumps(_value(said)).strip('"')), st.just(_field(json.loads))
)


@settings(max_examples=100, deadline=None)
@given(
    st.one_of(
        st.tuples(prose, prose, of_prose),
        st.tuples(unspaced, unspaced, of_unspaced),
        st.tuples(documents, documents, of_documents),
    )
)
@example(('{"a": 3}', '{"a": 4}', _field(_value)))
def test_no_request_keeps_what_it_had_of_the_old_answer(
    case: tuple[str, str, Callable[[str], Any]],
) -> None:
    old, new, use = case

    def request(said: str) -> Request:
        return asks({"model": "m", **use(said)})

    first = asks({"model": "m", "prompt": "Say something"})
    try:
        got = followed((first, says(old)), (request(old), NOTHING), new=[says(new)])
    except ResendError:
        assert old != new
        return
    assert json.loads(got.body) == json.loads(request(new).body)
