"""Recorded provider streams, and the cases of the Web Platform Tests, where they are at hand."""

import hashlib
import json

import pytest

from aquila_cassette.sse import Event, events, frames, split
from tests.corpus import SHARED, Recorded, every_recorded, sliced
from tests.sse.test_sse import byte_by_byte, decoded, events_of

CASES = SHARED / "sse-cases.json"
needs_cases = pytest.mark.skipif(
    not CASES.is_file(), reason=f"the parsing cases are not beside the repository: {CASES}"
)


def listed(found: list[Event]) -> tuple[int, str]:
    pairs = json.dumps([[event.type, event.data] for event in found], ensure_ascii=False)
    return len(found), hashlib.sha256(pairs.encode()).hexdigest()[:24]


@every_recorded
def test_a_recorded_stream_has_its_listed_events_in_any_slicing(recorded: Recorded) -> None:
    body = recorded.body
    expected = (recorded.events, recorded.events_sha)
    assert listed(events(body)) == expected
    assert listed(events_of(decoded(byte_by_byte(body)))) == expected
    for seed in range(3):
        found = decoded(sliced(body, str(seed)))
        assert listed(events_of(found)) == expected
        assert b"".join(frame.raw for frame in found) == body
    assert [frame.raw for frame in frames(body)] == list(split(body))


@needs_cases
def test_the_cases_of_the_web_platform_tests_hold() -> None:
    cases = json.loads(CASES.read_text(encoding="utf-8"))
    assert len(cases) == 16
    for name, case in cases.items():
        body = case["input"].encode()
        for pieces in ([body], byte_by_byte(body), sliced(body, "7")):
            found = [[event.type, event.data] for event in events_of(decoded(pieces))]
            assert found == case["expect"], name
