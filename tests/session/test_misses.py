"""What a miss says of the closest interaction, and that its `Fix:` makes the next run green."""

import contextlib
import re
import secrets
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from aquila_cassette import MissError
from tests.session.fake_adapter import URL, Library, Suite


def miss_of(suite: Suite, name: str, *asked: str, **options: Any) -> MissError:
    """Run a test in the next run of the suite; return the miss that it fails with."""
    suite.next_run()
    with pytest.raises(MissError) as caught:
        suite.run(name, *asked, **options)
    return caught.value


def run_fix(suite: Suite, fix: str, *asked: str) -> None:
    """Run a test as the command in `fix` does, then once more without a network."""
    command = re.fullmatch(r"Fix: pytest (\S+) --aquila-record=(\S+)", fix)
    assert command, fix
    for mode in (command[2], "none"):
        suite.next_run()
        suite.run(command[1], *asked, mode=mode)


def closest(miss: MissError) -> str:
    return next(fact for fact in miss.facts if fact.startswith("closest:"))


def test_where_only_a_new_request_came_it_alone_is_recorded(suite: Suite) -> None:
    suite.run("test_a", "a", "b")
    suite.run("test_b", "of others")
    miss = miss_of(suite, "test_a", "a", "b", "c")
    assert closest(miss) == "closest:  none; all 2 recorded were replayed, this is new"
    assert miss.fix == "Fix: pytest test_a --aquila-record=new_episodes"
    assert not any(fact.startswith("  @@") for fact in miss.facts)
    before = len(suite.library.sent)
    run_fix(suite, miss.fix, "a", "b", "c")
    assert suite.library.sent[before:] == ["c"]
    suite.run("test_b", "of others", mode="none")


@pytest.mark.parametrize("asked", [["c", "b"], ["a", "c"]])
def test_where_something_is_left_to_replay_all_is_recorded_again(
    suite: Suite, asked: list[str]
) -> None:
    suite.run("test_a", "a", "b")
    miss = miss_of(suite, "test_a", *asked)
    assert closest(miss).endswith("differs in the body")
    assert miss.fix == "Fix: pytest test_a --aquila-record=all"
    run_fix(suite, miss.fix, *asked)


def test_what_other_blocks_of_the_test_replayed_counts(suite: Suite) -> None:
    def ask(*asked: str, **options: Any) -> None:
        owner = suite.owner()
        for one in asked:
            with suite.block(owner, **options):
                suite.library.send(one)
        owner.end(passed=True)

    ask("a", "b")
    suite.next_run()
    with pytest.raises(MissError) as caught:
        ask("a", "b", "c")
    assert caught.value.fix == "Fix: pytest test_a --aquila-record=new_episodes"
    ask("a", "b", "c", mode="new_episodes")
    ask("a", "b", "c", mode="none")


def test_the_same_request_once_more_is_new_and_repeats_is_named(suite: Suite) -> None:
    suite.run("test_a", "a")
    miss = miss_of(suite, "test_a", "a", "a")
    assert closest(miss).endswith("the same request, already played (repeats=True plays it again)")
    assert miss.fix == "Fix: pytest test_a --aquila-record=new_episodes"
    run_fix(suite, miss.fix, "a", "a")


def test_a_request_that_is_like_nothing_recorded_gets_no_diff(suite: Suite) -> None:
    suite.run("test_a", "a")
    suite.next_run()
    with pytest.raises(MissError) as caught, suite.block(suite.owner()):
        suite.library.send("b", "https://api.example.com/v1/embeddings")
    assert caught.value.facts[-1] == "closest:  none; nothing recorded is like this request"
    with pytest.raises(MissError) as caught, suite.block(suite.owner()):
        suite.library.send("a", "https://other.example/v1/chat")
    assert closest(caught.value).endswith("differs in the URL")


DAYS = iter(f"2026-12-{day:02}" for day in range(1, 32))


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda: f"Today is {next(DAYS)}.", ["dates"]),
        (lambda: f"call {uuid.uuid4()}", ["uuids"]),
        (lambda: f"{next(DAYS)} {uuid.uuid4().hex}", ["dates", "uuids"]),
        (lambda: f"call_{secrets.token_hex(12)}", ["ids"]),
        (lambda: f'{{"seen": {secrets.randbelow(10**9) + 10**10}, "n": 1}}', ["ids"]),
        (lambda: f"{next(DAYS)}: user-{secrets.token_hex(8)}", ["dates", "ids"]),
    ],
)
def test_a_miss_that_comes_again_after_each_recording_names_the_option_that_ends_it(
    suite: Suite, make: Callable[[], str], names: list[str]
) -> None:
    suite.run("test_a", make())
    miss = miss_of(suite, "test_a", make())
    words = " and ".join(names)
    assert miss.facts[-1] == f"only {words} differ, so it would miss again after a new recording"
    also = ", or freeze the clock and record again" if "dates" in names else ""
    assert miss.fix == f"Fix: add normalize={names} to the options of the block{also}"
    suite.run("test_a", make(), normalize=names)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Today is 2026-01-01", "Tomorrow is 2026-01-02"),
        ("gpt-4o-2024-08-06", "gpt-4o-2024-11-20"),
        ("internationalization", "internationalisation"),
    ],
)
def test_what_differs_in_more_is_to_be_recorded_again(suite: Suite, one: str, other: str) -> None:
    suite.run("test_a", one)
    assert miss_of(suite, "test_a", other).fix == "Fix: pytest test_a --aquila-record=all"


def test_a_file_of_another_recorder_is_to_be_converted_first(suite: Suite) -> None:
    (suite.folder / "x.yaml").write_text(
        f"interactions:\n- request:\n    method: GET\n    uri: {URL}\n    body: null\n    headers: {{}}\n"
        "  response:\n    status: {code: 200, message: OK}\n    headers: {}\n"
        "    body: {string: hi}\nversion: 1\n"
    )
    miss = miss_of(suite, "test_a", "a")
    convert, _, record = miss.fix.partition(" && ")
    assert convert.startswith("Fix: aquila-cassette convert ")
    assert convert.endswith("x.yaml --in-place")
    assert record == "pytest test_a --aquila-record=all"


def test_several_misses_name_each_fix_once_and_recording_all_covers_what_is_new(
    suite: Suite,
) -> None:
    def swallow(*asked: str) -> MissError:
        suite.next_run()
        owner = suite.owner()
        with pytest.raises(MissError) as caught, suite.block(owner):
            for one in asked:
                with contextlib.suppress(MissError):
                    suite.library.send(one)
        return caught.value

    suite.run("test_a", "a", "Today is 2026-01-01")
    everything = swallow("c", "a", "d", "Today is 2026-01-01", "e")
    assert everything.fix == "Fix: pytest test_a --aquila-record=all"
    both = swallow("a", "Today is 2026-01-02", "Today is 2026-01-03")
    assert both.fix.startswith("Fix: add normalize=['dates']")
    assert "\n" not in both.fix


def test_a_list_in_another_order_names_the_option_for_it(suite: Suite) -> None:
    def ask(asked: list[str], **options: Any) -> None:
        suite.next_run()
        with suite.block(suite.owner(), **options):
            suite.library.send(asked)  # type: ignore[arg-type]

    suite.library = Library(lambda asked: b"hi")
    ask(["a", "b"])
    with pytest.raises(MissError) as caught:
        ask(["b", "a"])
    assert caught.value.fix == "Fix: add unordered_json=['prompt'] to the options of the block"
    ask(["b", "a"], unordered_json=["prompt"])
