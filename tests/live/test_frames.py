"""The stack of a thread that runs: from its first frame, at any moment."""

import gc
import sys
import threading
from collections.abc import Iterator

import pytest

from aquila_cassette.waiting.frames import frames_of


@pytest.fixture(autouse=True)
def _threads_take_turns_all_the_time() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    gc.callbacks.append(_collecting)  # Hypothesis has such a callback, too
    yield
    gc.callbacks.remove(_collecting)
    sys.setswitchinterval(before)


def _collecting(*_: object) -> None:
    sum(range(100))


def test_the_stack_of_a_thread_that_runs_is_whole() -> None:
    def steps(depth: int) -> Iterator[int]:
        if depth:
            yield from steps(depth - 1)
        yield depth

    def work() -> None:
        while not is_over.is_set():
            sum(steps(5))

    is_over = threading.Event()
    thread = threading.Thread(target=work)
    thread.start()
    stacks = [frames_of(thread) for _ in range(20_000)]
    is_over.set()
    thread.join()
    assert {stack[0].f_code.co_name for stack in stacks} == {"_bootstrap"}
    assert frames_of(thread) == []
