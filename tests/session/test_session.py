"""The engine, in memory: what is replayed, recorded and missed, what is saved, and who must replay it."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest

from aquila_cassette import (
    Interaction,
    MissError,
    Piece,
    Request,
    Response,
    ScopeError,
    SecretLeakError,
    UnplayedError,
    UnplayedWarning,
    aquila_cassette,
)
from aquila_cassette.storage import files
from tests.session.fake_adapter import URL, Library, LibraryError, Suite, request

TRACES = "https://api.openai.com/v1/traces/ingest"


def failing(*asked: str) -> Library:
    """Answer these with HTTP 500, ``cut`` with an error of the transport, the rest well."""

    def answer(one: str) -> object:
        if one == "cut":
            return LibraryError("connection reset")
        return (500, b"sorry") if one in asked else b"good"

    return Library(answer)


# Replay, record, miss.


def test_a_new_cassette_is_recorded_and_then_replayed_without_the_network(suite: Suite) -> None:
    with suite.block() as cassette:
        assert suite.library.send("a") == b"live a"
    assert [one.response.body for one in cassette.recorded] == [b"live a"]
    suite.next_run()
    with suite.block(mode="none") as cassette:
        assert suite.library.send("a") == b"live a"
    assert suite.library.sent == ["a"]
    assert (len(cassette.played), cassette.recorded, cassette.misses) == (1, (), ())
    assert (cassette.name, cassette.mode, cassette.path.name) == ("x", "none", "x.yaml")


def test_each_mode_does_with_a_new_request_what_the_table_says(suite: Suite) -> None:
    suite.run("test_a", "a")
    suite.next_run()
    for mode in ("none", "once"):
        with pytest.raises(MissError), suite.block(mode=mode):
            suite.library.send("b")
    assert suite.on_file() == [("a", 200)]
    with suite.block(mode="new_episodes"):
        assert suite.library.send("a") == b"live a"
        suite.library.send("b")
    assert suite.library.sent == ["a", "b"]
    assert suite.on_file() == [("a", 200), ("b", 200)]


def test_a_cassette_created_in_this_run_stays_open_for_mode_once(suite: Suite) -> None:
    suite.run("test_a", "a")
    suite.run("test_b", "b")
    assert suite.on_file() == [("a", 200), ("b", 200)]
    suite.next_run()
    with pytest.raises(MissError):
        suite.run("test_c", "c")


def test_in_mode_all_a_second_block_of_the_test_replays_what_the_first_recorded(
    suite: Suite,
) -> None:
    suite.run("test_a", "a")
    owner = suite.owner("test_a")
    with suite.block(owner, mode="all"):
        suite.library.send("a")
    with suite.block(owner, mode="all"):
        suite.library.send("a")
        suite.library.send("b")
    owner.end(passed=True)
    assert suite.library.sent == ["a", "a", "b"]
    assert suite.on_file() == [("a", 200), ("b", 200)]


def test_equal_requests_replay_in_recorded_order_and_repeats_replays_the_last(suite: Suite) -> None:
    answers = iter([b"1", b"2"])
    library = Library(lambda asked: next(answers))
    suite.run("test_a", "a", "a", library=library)
    suite.next_run()
    with suite.block(mode="none", repeats=True):
        assert [library.send("a") for _ in range(3)] == [b"1", b"2", b"2"]
    with pytest.raises(MissError, match="already played"), suite.block(mode="none"):
        [library.send("a") for _ in range(3)]


def test_of_equal_interactions_a_test_replays_its_own_first(suite: Suite) -> None:
    suite.run("test_a", "a", library=Library(lambda asked: b"of a"))
    suite.run("test_b", "a", library=Library(lambda asked: b"of b"), mode="all")
    suite.next_run()
    for name, answer in (("test_b", b"of b"), ("test_a", b"of a")):
        with suite.block(suite.owner(name), mode="none"):
            assert suite.library.send("a") == answer


WAITS = (("openai-poll-after-ms", "1500"), ("retry-after", "20"), ("x-ms-retry-after-ms", "900"))


@pytest.mark.parametrize(
    ("status", "sent", "expected"),
    [
        (200, {}, {"openai-poll-after-ms": "0", "retry-after": "0", "x-ms-retry-after-ms": "0"}),
        (429, {}, {"retry-after-ms": "1", "openai-poll-after-ms": "0", "retry-after": "0",
                   "x-ms-retry-after-ms": "0"}),
        (200, {"x-stainless-poll-helper": "true"}, {"retry-after": "0", "openai-poll-after-ms": "0",
                                                    "x-ms-retry-after-ms": "0"}),
        (202, {"user-agent": "azsdk-python-core/1"}, {"retry-after-ms": "1", "x-ms-retry-after-ms":
                                                      "0", "openai-poll-after-ms": "0"}),
    ],
)  # fmt: skip
def test_who_polls_does_not_wait_on_replay_except_after_the_last_answer_and_at_a_pace(
    suite: Suite, status: int, sent: dict[str, str], expected: dict[str, str]
) -> None:
    one = Interaction(request("a"), Response(status, WAITS, (Piece(0, b"{}"),)))
    files.save(suite.folder / "x.yaml", [one, one])
    asked = replace(request("a"), headers=(*one.request.headers, *sent.items()))
    served: dict[float, list[Any]] = {}
    for speed in (0.0, 1000.0):
        with suite.block(mode="none", speed=speed) as cassette:
            served[speed] = [cassette._session.handle(asked) for _ in range(2)]
            assert cassette.interactions[0].response.headers == WAITS
    assert dict(served[0.0][0].headers) == expected
    assert (served[0.0][1].headers == WAITS) is (status != 202)  # after which somebody polls
    assert served[1000.0][0].headers == WAITS


def test_hooks_see_what_is_matched_and_kept_and_may_drop_it_and_ignored_hosts_pass(
    suite: Suite,
) -> None:
    def request_hook(request: Request) -> Request | None:
        asked = json.loads(request.body)["prompt"]
        return None if asked == "private" else request

    def response_hook(response: Response) -> Response | None:
        return None if response.body == b"live dropped" else response

    hooks = {"before_record_request": request_hook, "before_record_response": response_hook}
    with suite.block(**hooks) as cassette:
        for asked in ("private", "dropped", "a"):
            suite.library.send(asked)
    assert suite.on_file() == [("a", 200)]
    assert len(cassette.recorded) == 1
    with suite.block(mode="none", ignore_hosts=["*.example.com"]) as cassette:
        assert suite.library.send("b") == b"live b"
    assert (cassette.played, cassette.misses) == ((), ())
    assert suite.library.sent == ["private", "dropped", "a", "b"]


def test_an_ambient_request_passes_while_recording_and_is_answered_on_replay(suite: Suite) -> None:
    with suite.block() as cassette:
        suite.library.send("a")
        assert suite.library.send("trace", TRACES) == b"live trace"
    assert suite.on_file() == [("a", 200)]
    with suite.block(mode="none") as cassette:
        suite.library.send("a")
        assert suite.library.send("trace", TRACES) == b"{}"
    assert suite.library.sent == ["a", "trace"]
    assert (len(cassette.played), cassette.misses) == (1, ())
    with pytest.raises(MissError), suite.block(mode="none", record_ambient=True):
        suite.library.send("trace", TRACES)


# What is saved.


def test_a_test_that_passed_keeps_everything_expected_errors_included(suite: Suite) -> None:
    library = failing("bad")
    owner = suite.owner()
    with pytest.raises(LibraryError), suite.block(owner):
        library.send("a")
        library.send("bad")
        library.send("b")
        library.send("cut")
    assert suite.on_file() == [("a", 200), ("b", 200)]  # what stays, however the test ends
    owner.end(passed=True)
    assert suite.on_file() == [("a", 200), ("bad", 500), ("b", 200), ("cut", None)]
    with pytest.raises(LibraryError), suite.block(suite.owner(), mode="none"):
        [library.send(asked) for asked in ("a", "bad", "b", "cut")]
    assert library.sent == ["a", "bad", "b", "cut"]


def test_a_test_that_failed_keeps_its_good_answers_only_and_takes_nothing_of_others_away(
    suite: Suite,
) -> None:
    library = failing("bad")
    suite.run("test_a", "bad", passed=False, library=library)
    assert not (suite.folder / "x.yaml").exists()
    suite.next_run()
    owner = suite.run("test_a", "a", "bad", passed=False, library=library)
    assert suite.on_file() == [("a", 200)]
    assert [len(session.discarded) for session in owner.sessions] == [1]
    suite.run("test_a", "a", "bad", library=library)
    suite.run("test_b", "bad", "b", passed=False, library=library, mode="new_episodes")
    assert suite.on_file() == [("a", 200), ("bad", 500), ("b", 200)]


def test_the_error_that_leaves_a_block_names_what_was_not_kept(suite: Suite) -> None:
    with pytest.raises(ZeroDivisionError) as caught, suite.block():
        failing("bad").send("bad")
        raise ZeroDivisionError
    (note,) = caught.value.__notes__
    assert note.splitlines() == [
        f"aquila: not kept in {suite.folder}/x.yaml, since the test or block failed:",
        f"  POST {URL}: HTTP 500",
    ]


def test_mode_all_replaces_the_interactions_of_its_owner_only_and_only_if_it_passed(
    suite: Suite,
) -> None:
    suite.run("test_a", "a", "no longer asked")
    suite.run("test_b", "b")
    assert suite.run("test_a", "new", passed=False, mode="all").keeps_old
    assert suite.on_file() == [("a", 200), ("no longer asked", 200), ("b", 200)]
    suite.run("test_a", "a", "new", mode="all")
    assert suite.on_file() == [("a", 200), ("new", 200), ("b", 200)]


def test_mode_all_leaves_the_file_as_it_is_where_only_ids_and_dates_differ(suite: Suite) -> None:
    answers = iter(
        b'{"id": "%d", "created": %d, "choices": [{"message": {"content": "%s"}}]}' % (n, n, text)
        for n, text in enumerate([b"Hi", b"Hi", b"Hello"])
    )
    library = Library(lambda asked: next(answers))
    files = []
    for _ in range(3):
        suite.run("test_a", "a", library=library, mode="all")
        files.append((suite.folder / "x.yaml").read_bytes())
    assert files[0] == files[1] != files[2]


def test_a_script_in_mode_all_replaces_what_it_asked_again_and_only_if_it_did_not_raise(
    suite: Suite,
) -> None:
    answers = iter([b"1", b"2", b"3", b"4"])
    library = Library(lambda asked: next(answers))
    suite.run("test_a", "of a test", library=library)
    with suite.block():
        library.send("a")
    with suite.block(mode="all"):
        library.send("a")
    with pytest.raises(ZeroDivisionError), suite.block(mode="all"):
        library.send("a")
        raise ZeroDivisionError
    with suite.block(mode="none"):
        assert library.send("a") == b"3"
    assert suite.on_file() == [("of a test", 200), ("a", 200)]


def test_the_last_gate_refuses_text_that_holds_a_known_secret(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(response: Response) -> Response:
        monkeypatch.setenv("LATE_API_KEY", "text/plain-secret")
        return response

    with pytest.raises(SecretLeakError) as caught:
        with suite.block(before_record_response=late):
            suite.library.send("text/plain-secrets")
    assert str(caught.value).startswith(f"{suite.folder}/x.yaml was not written, since it would")
    assert "text/plain-secret" not in str(caught.value)
    assert not (suite.folder / "x.yaml").exists()


# What must be replayed, and what must not be swallowed.


def test_a_test_must_replay_what_it_recorded_in_all_its_blocks_together(suite: Suite) -> None:
    suite.run("test_a", "a", "b")
    suite.next_run()
    owner = suite.owner("test_a")
    for asked in ("a", "b"):
        with suite.block(owner):
            suite.library.send(asked)
    owner.check()
    owner = suite.owner("test_a")
    with suite.block(owner):
        suite.library.send("a")
    with pytest.raises(UnplayedError) as caught:
        owner.check()
    assert caught.value.what == "test_a did not play 1 interaction that it recorded."
    assert caught.value.facts[1].startswith("unplayed: interaction 2, recorded ")
    assert caught.value.fix == "Fix: pytest test_a --aquila-record=all"


def test_nobody_must_replay_what_others_recorded_a_script_nothing_and_on_unplayed_may_warn(
    suite: Suite,
) -> None:
    suite.run("test_a", "a", "b")
    suite.run("test_b", "b")
    suite.next_run()
    suite.run("test_b", "b")
    with suite.block(mode="none"):
        suite.library.send("a")
    suite.run("test_a", "a", on_unplayed="ignore")
    with pytest.warns(UnplayedWarning, match="did not play 1 interaction"):
        suite.run("test_a", "a", on_unplayed="warn")


def test_of_equal_interactions_those_of_its_own_teardown_come_before_those_of_others(
    suite: Suite,
) -> None:
    def run(name: str, **options: Any) -> None:
        owner = suite.owner(name)
        with suite.block(owner, **options):
            suite.library.send("open")
            owner.check()
            owner.begin_teardown()
            suite.library.send("close")
            owner.check()
        owner.end(passed=True)

    for options in ({}, {"mode": "all"}):
        for name in ("test_a", "test_b"):
            run(name, **options)
        suite.next_run()
        for name in ("test_b", "test_a"):
            run(name, mode="none")


def test_swallowed_misses_are_raised_at_the_end_as_one_and_retries_count_once(suite: Suite) -> None:
    def swallow(asked: str) -> None:
        with contextlib.suppress(MissError):
            suite.library.send(asked)

    with pytest.raises(MissError) as caught, suite.block(mode="none"):
        for asked in ("a", "a", "a"):
            swallow(asked)
    assert caught.value.what.startswith("No interaction matches")
    assert caught.value.what.endswith("(request 1 of this block).")
    suite.write([b"data: 1\n\n"])
    with pytest.raises(MissError, match=r"^2 requests had no matching interaction\."):
        with suite.block(mode="none"):
            swallow("a")
            swallow("something else")


def test_an_error_that_was_caused_by_a_miss_delivers_it_and_any_other_gets_a_note(
    suite: Suite,
) -> None:
    with pytest.raises(LibraryError) as caught, suite.block(mode="none"):
        try:
            suite.library.send("a")
        except MissError as miss:
            raise LibraryError from miss
    assert not hasattr(caught.value, "__notes__")
    with pytest.raises(ExceptionGroup) as grouped, suite.block(mode="none"):
        try:
            suite.library.send("a")
        except MissError as miss:
            raise ExceptionGroup("of a task group", [miss]) from None
    assert not hasattr(grouped.value, "__notes__")
    with pytest.raises(ZeroDivisionError) as other, suite.block(mode="none"):
        with pytest.raises(MissError):
            suite.library.send("a")
        raise ZeroDivisionError
    (note,) = other.value.__notes__
    assert note.startswith("No interaction matches POST")


# The session in force.


def test_blocks_nest_and_the_inner_one_is_in_force(suite: Suite) -> None:
    with suite.block(name="outer") as outer:
        suite.library.send("1")
        with suite.block(name="inner") as inner:
            suite.library.send("2")
            in_thread = threading.Thread(target=suite.library.send, args=["3"])
            in_thread.start()
            in_thread.join()
        suite.library.send("4")
    assert (len(outer.recorded), len(inner.recorded)) == (2, 2)
    assert [asked for asked, _ in suite.on_file("inner")] == ["2", "3"]


def test_blocks_that_end_out_of_order_leave_the_other_in_force(suite: Suite) -> None:
    first, second = suite.block(name="first"), suite.block(name="second")
    first.__enter__()
    cassette = second.__enter__()
    first.__exit__(None, None, None)
    suite.library.send("a")
    second.__exit__(None, None, None)
    suite.library.send("outside every block")
    assert len(cassette.recorded) == 1


async def test_two_tasks_have_a_cassette_each_and_their_child_tasks_have_it_too(
    suite: Suite,
) -> None:
    both = asyncio.Barrier(2)

    async def child(name: str) -> None:
        suite.library.send(name)

    async def task(name: str) -> None:
        with suite.block(name=name):
            await both.wait()
            await asyncio.create_task(child(name))
            await both.wait()

    await asyncio.gather(task("a"), task("b"))
    assert [suite.on_file(name) for name in "ab"] == [[("a", 200)], [("b", 200)]]


async def test_a_thread_from_before_is_refused_while_two_cassettes_are_open_at_once(
    suite: Suite,
) -> None:
    both = asyncio.Barrier(2)
    errors: list[ScopeError] = []

    go = threading.Event()

    def ask() -> None:
        go.wait()
        try:
            suite.library.send("a")
        except ScopeError as error:
            errors.append(error)

    worker = threading.Thread(target=ask, name="worker")

    async def task(name: str) -> None:
        with suite.block(name=name):
            await both.wait()
            if name == "a":
                go.set()
                worker.join()
            await both.wait()

    worker.start()
    await asyncio.gather(task("a"), task("b"))
    thread, *opened = errors[0].facts
    assert thread == "thread: worker"
    assert sorted(fact.rpartition("/")[2] for fact in opened) == ["a.yaml", "b.yaml"]


async def test_every_kind_of_function_can_be_decorated_and_runs_in_a_block_of_its_own(
    suite: Suite,
) -> None:
    send = suite.library.send
    decorate = aquila_cassette("decorated", mode="once", cassette_dir=suite.folder)

    @decorate
    def ask() -> bytes:
        """Ask."""
        return send("a")

    @decorate
    async def ask_async() -> bytes:
        return send("b")

    @decorate
    def generate() -> Iterator[bytes]:
        yield send("c")

    @decorate
    async def generate_async() -> AsyncIterator[bytes]:
        yield send("d")

    @decorate
    def begin_async() -> Coroutine[None, None, bytes]:
        async def ask_later() -> bytes:
            return send("e")

        return ask_later()

    @decorate
    @contextlib.contextmanager
    def within() -> Iterator[bytes]:
        yield send("f")

    @decorate
    @contextlib.asynccontextmanager
    async def within_async() -> AsyncIterator[bytes]:
        yield send("g")

    assert asyncio.iscoroutinefunction(ask_async)
    assert ask.__doc__ == "Ask."
    for _ in range(2):
        answers = [ask(), await ask_async(), *generate(), *[one async for one in generate_async()]]
        answers.append(await begin_async())
        with within() as answer:
            answers.append(answer)
        async with within_async() as answer:
            answers.append(answer)
        assert answers == [f"live {asked}".encode() for asked in "abcdefg"]
    assert suite.library.sent == list("abcdefg")
