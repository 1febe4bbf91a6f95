"""What the code did about its faults: `cassette.attempts`, and `assert_recovered`."""

import re
import time
from collections.abc import Callable

import httpx
import pytest

from aquila_cassette import Cassette, FaultError, Piece, RecoveryError, aquila_cassette, faults
from aquila_cassette.faults import Fault
from tests.http.cassettes import EVENTS, JSON, URL, lay, streamed

WHOLE = b"".join(EVENTS)


@pytest.fixture(autouse=True)
def _cassette(_own_cassettes: None) -> None:
    lay("chat", streamed(*(Piece(at, event) for at, event in enumerate(EVENTS))))


CLIENT = httpx.Client()


def post() -> bytes:
    return CLIENT.post(URL, json=JSON).raise_for_status().content


def retry(pause: float = 0.01, most: int = 4) -> bytes:
    for _ in range(most):
        try:
            return post()
        except httpx.HTTPError:
            time.sleep(pause)
    return b""


def run(*some: Fault, code: Callable[[], object] = retry) -> Cassette:
    with aquila_cassette("chat", mode="none", faults=some) as cassette:
        code()
    return cassette


def test_code_that_tries_again_recovers_and_its_attempts_are_told() -> None:
    cassette = run(faults.rate_limit(times=2, retry_after=0.5), faults.disconnect(after=3))
    cassette.assert_recovered()
    assert [(one.status, one.fault, one.ended, one.error) for one in cassette.attempts] == [
        (429, "rate_limit", "complete", ""),
        (429, "rate_limit", "complete", ""),
        (200, "disconnect-after-3", "failed", "RemoteProtocolError"),
        (200, None, "complete", ""),
    ]
    assert len(cassette.interactions) == 1


def test_what_is_whole_need_not_be_asked_again() -> None:
    run(faults.slow(between=0.001)).assert_recovered()


def twice() -> None:
    retry()
    post()


def gives_up() -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        post()


def takes_half() -> None:
    assert post() == EVENTS[0]


PROBLEMS: list[tuple[Callable[[], object], list[Fault], str]] = [
    (gives_up, [faults.disconnect(after=1)], "it never got the whole answer to request 1 (disconnect-after-1 was the last answer)"),
    (takes_half, [faults.truncate(after=1)], "it never got the whole answer to request 1 (truncate-after-1 was the last answer)"),
    (lambda: retry(pause=0), [faults.timeout(times=3)], "it retries without a pause"),
    (lambda: retry(pause=0.005), [faults.rate_limit(retry_after=2)], "it did not wait as retry-after of request 1 asks"),
    (lambda: retry(most=20), [faults.http_error(500, times=11)], "it made 12 attempts"),
    (retry, [faults.timeout(on=9)], "no request got timeout"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "some", "problem"), PROBLEMS, ids=[row[2] for row in PROBLEMS])
def test_code_that_does_not_recover_fails_with_a_time_line(
    code: Callable[[], object], some: list[Fault], problem: str
) -> None:
    cassette = run(*some, code=code)
    with pytest.raises(RecoveryError) as raised:
        cassette.assert_recovered()
    what, *attempts, fix = str(raised.value).splitlines()
    assert what.endswith(f"chat.yaml: {problem}.")
    assert fix == "Fix: have the code try again, or take the faults out"
    assert re.fullmatch(rf"  +\d\.\d{{3}} s  POST {re.escape(URL)}: .*", attempts[-1])


def test_a_request_that_is_sent_again_after_its_success_is_told() -> None:
    with aquila_cassette("chat", mode="none", repeats=True, faults=[faults.timeout()]) as cassette:
        twice()
    with pytest.raises(RecoveryError, match="asked again for request 2 after it succeeded"):
        cassette.assert_recovered()


def test_a_fault_that_does_not_fit_is_a_miss_and_says_why() -> None:
    with pytest.raises(FaultError) as raised:
        run(faults.drop(9), code=post)
    first, *_, fix = str(raised.value).splitlines()
    assert first == (
        "The fault drop-9 does not fit the recorded answer: it needs event 9, and there are 5 events."
    )
    assert fix == "Fix: choose a smaller number"


def test_the_faults_are_for_replays_and_change_no_file() -> None:
    with aquila_cassette("chat", mode="none") as cassette:
        before = cassette.path.read_bytes()
        assert post() == WHOLE
        cassette.assert_recovered()
        assert cassette.attempts == ()
    run(faults.duplicate(2), code=post)
    assert cassette.path.read_bytes() == before


@pytest.mark.parametrize("pieces", ["events", "bytes", "whole", 7, "recorded"])
def test_an_answer_comes_in_other_pieces(pieces: str | int) -> None:
    with aquila_cassette("chat", mode="none", pieces=pieces) as cassette:  # type: ignore[arg-type]
        with httpx.stream("POST", URL, json=JSON) as response:
            came = list(response.iter_raw())
    assert b"".join(came) == WHOLE
    counts = {"events": 5, "recorded": 5, "bytes": len(WHOLE), "whole": 1}
    assert len(came) == counts.get(str(pieces), len(came))
    assert cassette.played == cassette.interactions
