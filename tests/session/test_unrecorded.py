"""Whose request it is: what a block left running, blocks that see none, hosts that are left alone."""

import contextvars
import queue
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from aquila_cassette import (
    MissError,
    ScopeError,
    UnplayedError,
    UnrecordedError,
    UnrecordedWarning,
    http,
)
from aquila_cassette.plugin.misses import rows_of
from aquila_cassette.session.hosts import Peer, is_listed
from aquila_cassette.session.unrecorded import report_connection
from tests.session.fake_adapter import URL, Suite


class Worker:
    """Sends what it is told from a context, a thread or a pool's call that was begun earlier."""

    def __init__(self, kind: str, send: Callable[[str], bytes], pool: ThreadPoolExecutor) -> None:
        self._asked: queue.Queue[str] = queue.Queue()
        self._got: queue.Queue[bytes | Exception] = queue.Queue()
        self._send = send
        self._run = lambda: None
        if kind == "context":
            context = contextvars.copy_context()
            self._run = lambda: context.run(self._work)
        elif kind == "thread":
            threading.Thread(target=self._work).start()
        else:
            pool.submit(self._work)

    def ask(self, asked: str) -> bytes | Exception:
        self._asked.put(asked)
        self._run()
        return self._got.get()

    def _work(self) -> None:
        try:
            self._got.put(self._send(self._asked.get()))
        except Exception as error:
            self._got.put(error)


@pytest.mark.parametrize("kind", ["context", "thread", "pool"])
def test_what_a_block_left_running_has_no_part_in_the_next(suite: Suite, kind: str) -> None:
    http.install()  # which has an eye on threads
    with ThreadPoolExecutor(4) as pool:

        def begin(**options: Any) -> Worker:
            with suite.block(name="first", **options):
                return Worker(kind, suite.library.send, pool)

        late = begin()
        with suite.block(name="second") as second:
            with pytest.warns(UnrecordedWarning, match="comes from a block that is over"):
                assert late.ask("late") == b"live late"
            suite.library.send("a")
        assert len(second.recorded) == 1
        late = begin(mode="none")
        with suite.block(name="second", mode="none") as second:
            error = late.ask("late")
            suite.library.send("a")
        assert isinstance(error, ScopeError)
        assert str(error).splitlines() == [
            f"POST {URL} comes from a block that is over.",
            f"  started in: {suite.folder}/first.yaml",
            f"  open now:   {suite.folder}/second.yaml",
            "Fix: end that task or thread before its block ends, or start it before any block",
        ]
        if kind != "context":  # else the main thread asks, which is older than the block
            error = begin(mode="none").ask("outside every block")
            assert str(error).splitlines()[:-1] == [
                f"POST {URL} comes from a block that is over.",
                f"  started in: {suite.folder}/first.yaml",
            ]
            with pytest.warns(UnrecordedWarning, match="comes from a block that is over"):
                assert begin().ask("late") == b"live late"
        before = Worker(kind, suite.library.send, pool)
        late = begin(owner=(test := suite.owner("test_a")))
        with suite.block(test, name="third") as third:
            late.ask("the same test goes on")
            before.ask("begun before any block")
        assert len(third.recorded) == 2


def test_a_test_that_asks_its_own_server_is_told_to_ignore_that(suite: Suite) -> None:
    fix = 'aquila_cassette(..., ignore_hosts=["127.0.0.1"]), if 127.0.0.1 is the test\'s own server'
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"

        def run(*urls: str, **options: Any) -> None:
            owner = suite.owner()
            with suite.block(owner, **options):
                for one in urls:
                    suite.library.send("a", one)
            owner.check()
            owner.end(passed=True)

        run(f"{url}/ask", URL)  # which the server asked, then
        suite.next_run()
        with pytest.raises(UnplayedError) as unplayed:
            run(f"{url}/ask")
        assert unplayed.value.fix == f"Fix: {fix}"
        run(URL, ignore_hosts=["127.0.0.1"])
        with pytest.raises(MissError) as missed:
            run(f"{url}/other")
        assert missed.value.facts[-1] == f"or:       {fix}"
        with pytest.raises(MissError) as missed:
            run("http://127.0.0.1:1/other")
        assert fix not in str(missed.value)


def test_a_block_that_saw_no_request_warns_once_it_has_passed(suite: Suite) -> None:
    with pytest.warns(UnrecordedWarning) as caught, suite.block(mode="none"):
        pass
    assert str(caught[0].message).splitlines() == [
        f"No request came to the block of {suite.folder}/x.yaml (mode none).",
        "  what no adapter intercepts passes unseen: docs/libraries.md",
        "Fix: send with a library that docs/libraries.md lists, or take the block out",
    ]
    with pytest.warns(UnrecordedWarning) as caught:
        suite.library.send("which a stream that the block made sends when it is entered")
    suite.library.send("of which nobody is told again")
    assert [str(one.message).splitlines() for one in caught] == [
        [
            f"A request was made after the end of the block of {suite.folder}/x.yaml, to which none came.",
            "Fix: what a block makes (a stream, a generator), enter or iterate over within the block",
        ]
    ]
    with pytest.raises(KeyError), suite.block():
        raise KeyError
    suite.run("test_a", passed=False)
    with suite.block(ignore_hosts=["api.example.com"]):
        suite.library.send("it was asked, and let it pass")


def test_ignored_hosts_are_names_addresses_or_either_with_a_port() -> None:
    listed = ["127.0.0.1:8000", "*.example.com", "Metrics.example:443", "::1", "[fe80::1]:80"]
    hosts = {
        ("127.0.0.1", 8000): True,
        ("127.0.0.1", 8001): False,
        ("a.example.com", 1): True,
        ("metrics.example", 443): True,
        ("metrics.example", 80): False,
        ("::1", 9): True,
        ("fe80::1", 80): True,
        ("fe80::1", 81): False,
        ("example.com", 443): False,
    }
    assert {peer: is_listed(listed, *peer) for peer in hosts} == hosts


def test_a_refused_connection_is_summed_up_as_what_it_is(suite: Suite) -> None:
    owner = suite.owner()
    with pytest.raises(UnrecordedError), suite.block(owner, mode="none"):
        report_connection(Peer("api.example.com", "api.example.com"))
    owner.outcome = "failed"
    assert [row[1:3] for row in rows_of(owner)] == [
        (
            "CONNECT api.example.com",
            "A connection to api.example.com was refused: no cassette can hold what socket sends.",
        )
    ]
