"""What forked children record, replay and miss counts for the block of their parent, exactly once."""

import concurrent.futures
import contextlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator

import pytest

from aquila_cassette import MissError, ScopeError, UnplayedError
from aquila_cassette.session import current_session as current
from aquila_cassette.session import owner as owner_module
from tests.session.fake_adapter import EVENTS, Library, Suite, request

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="it forks"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]
FORK = multiprocessing.get_context("fork")


def pool(workers: int = 1) -> concurrent.futures.ProcessPoolExecutor:
    return concurrent.futures.ProcessPoolExecutor(workers, mp_context=FORK)


@contextlib.contextmanager
def child(work: Callable[[], object]) -> Iterator[None]:
    """Run `work` in a forked child, while the parent does something."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    yield
    assert os.waitpid(pid, 0)[1] == 0


def send(asked: str) -> bytes:
    return Library().send(asked)


def send_twice(asked: str) -> bytes:
    """Send one here, and one in a child of this child."""
    with child(lambda: send(f"{asked}, inner")):
        return send(asked)


def test_what_children_record_and_replay_counts_once(suite: Suite) -> None:
    for mode in ("once", "all", "none"):
        suite.next_run()
        owner = suite.owner()
        with suite.block(owner, mode=mode) as cassette:
            send("before")
            with pool(2) as workers:
                answers = [*workers.map(send, ["a", "b", "c"]), *workers.map(send_twice, ["d"])]
            send("after")
        assert answers == [b"live a", b"live b", b"live c", b"live d"]
        owner.check()
        owner.end(passed=True)
        counted = cassette.played if mode == "none" else cassette.recorded
        assert len(counted) == 7
        on_file = [asked for asked, _ in suite.on_file()]
        assert sorted(on_file[1:-1]) == ["a", "b", "c", "d", "d, inner"]
        assert (on_file[0], on_file[-1]) == ("before", "after")


def test_equal_requests_of_parent_and_children_get_an_interaction_each(suite: Suite) -> None:
    suite.run("test_a", "a", "a", "a", "a")
    suite.next_run()
    owner = suite.owner("test_a")
    with suite.block(owner, mode="none"):
        send("a")
        with pool(2) as workers:
            [*workers.map(send, ["a", "a"])]
        send("a")
    owner.check()


def test_what_no_child_replays_is_unplayed(suite: Suite) -> None:
    suite.run("test_a", "a", "b")
    suite.next_run()
    owner = suite.owner("test_a")
    with suite.block(owner), child(lambda: send("a")):
        pass
    with pytest.raises(UnplayedError, match="1 interaction"):
        owner.check()


def swallow(asked: str) -> None:
    with contextlib.suppress(MissError):
        send(asked)


def test_a_miss_in_a_child_arrives_as_one_and_one_that_it_swallows_fails_the_block(
    suite: Suite,
) -> None:
    with pytest.raises(MissError) as caught, suite.block(mode="none"), pool() as workers:
        workers.submit(send, "a").result()
    assert (caught.value.method, caught.value.path.name) == ("POST", "x.yaml")
    assert "No interaction" not in str(getattr(caught.value, "__notes__", ""))
    with pytest.raises(MissError), suite.block(mode="none"), child(lambda: swallow("a")):
        pass


def test_a_child_that_leaves_the_block_by_an_exception_saves_nothing_itself(suite: Suite) -> None:
    with contextlib.ExitStack() as stack:
        stack.enter_context(suite.block(suite.owner()))
        pid = os.fork()
        if pid == 0:
            try:
                send("a")
                with contextlib.suppress(SystemExit), stack.pop_all():
                    sys.exit(3)
            finally:
                os._exit(0 if suite.on_file() == [] else 1)
        assert os.waitpid(pid, 0)[1] == 0
    assert suite.on_file() == [("a", 200)]


def test_a_child_that_outlives_its_block_is_told_of(suite: Suite) -> None:
    owner = suite.owner()
    go, goes_on = os.pipe()
    begun, begins = os.pipe()

    def late() -> None:
        session = current.current_session()
        assert session is not None
        session.handle(request("slow"))
        os.write(begins, b"!")
        os.read(go, 1)
        with pytest.raises(ScopeError, match="is over in the process that opened it"):
            send("later")

    with suite.block(owner):
        running = child(late)
        running.__enter__()
        os.read(begun, 1)
    with pytest.warns(RuntimeWarning, match="A forked process still recorded") as warned:
        owner.end(passed=True)
    os.write(goes_on, b"!")
    running.__exit__(None, None, None)
    assert str(warned[0].message).endswith("Fix: wait for the process within the block")
    assert suite.on_file() == []


def test_a_stream_held_in_a_child_is_replayed_at_once(suite: Suite) -> None:
    suite.write(EVENTS)
    with suite.block(mode="none", hold=True), child(lambda: [*read_all("question 1")]):
        pass


def read_all(asked: str) -> Iterator[bytes]:
    session = current.current_session()
    assert session is not None
    player = session.handle(request(asked))
    return iter(player.pieces)


def test_locks_that_threads_hold_are_free_in_a_child(suite: Suite) -> None:
    def record_in_own_block() -> None:
        with suite.script(mode="new_episodes"):
            send("b")

    suite.run("test_a", "a")
    with suite.block(suite.owner("test_a"), mode="none") as cassette:
        session = cassette._session
        with session._lock, session.index._lock, session.streams._lock, current._lock:
            signal.alarm(20)
            with child(lambda: send("a")):
                pass
    with owner_module._writing, child(record_in_own_block):
        pass
    signal.alarm(0)
    assert suite.on_file() == [("a", 200), ("b", 200)]
