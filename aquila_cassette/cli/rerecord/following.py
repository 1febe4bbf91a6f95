"""Following one request: what it sends back of earlier answers, replaced by what they are now."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aquila_cassette.cli.rerecord.answers import canonical
from aquila_cassette.cli.rerecord.echoes import (
    refuse_host,
    refuse_mark,
    refuse_plain,
    refuse_text,
    refuse_void,
)
from aquila_cassette.cli.rerecord.leaves import is_id_name, is_opaque, is_protocol_word
from aquila_cassette.cli.rerecord.quoting import is_long
from aquila_cassette.cli.rerecord.refusal import Refusal, cropped
from aquila_cassette.cli.rerecord.standing import filled, only_a_part, other_parts, standing
from aquila_cassette.cli.rerecord.swapping import stands_in, swapped
from aquila_cassette.cli.rerecord.turns import spoken
from aquila_cassette.cli.rerecord.unseen import unseen
from aquila_cassette.storage.bodies import STYLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aquila_cassette.cli.rerecord.leaves import Author, Leaf, Path
    from aquila_cassette.cli.rerecord.requests import RequestDocument
    from aquila_cassette.cli.rerecord.turns import Turn
    from aquila_cassette.dialects.message import IdentifiedToolCall
    from aquila_cassette.model import Request

__all__ = ["Follower"]

_WHOLE = ("url", "target")


class Follower:
    """Follows one request.

    Args:
        document: The request.
        turns: The answers before it.
    """

    def __init__(self, document: RequestDocument, turns: Sequence[Turn]) -> None:
        self._document = document
        self._turns = turns
        self._values: dict[Path, str | int] = {}
        self._explained: set[Path] = set()
        self._words: dict[tuple[Author, str], list[Turn | None]] = {}
        self._counted = Counter(spoken(leaf) for leaf in document.leaves)

    def request(self) -> Request:
        """Give it as it is to be sent.

        Raises:
            Refusal: It cannot be told.
        """
        if not self._turns:
            return self._document.request
        self._find_calls()
        self._fill_empty_turns()
        for leaf in self._document.leaves:
            if not self._is_explained(leaf.path):
                self._follow(leaf)
        if not any(path[0] == "url" for path in self._explained):
            refuse_host(self._turns, self._document.host)
        for path, mark in self._document.marks:
            if not self._is_explained(path):
                refuse_mark(self._turns, path, mark)
        for path, void in self._document.voids:
            if not self._is_explained(path):
                refuse_void(self._turns, path, void)
        request = self._document.replaced(self._values)
        return request if self._document.is_json else self._followed_bytes(request)

    # Tool calls.

    def _find_calls(self) -> None:
        """Explain what repeats the arguments of a call as an object; find the calls told of."""
        arguments = {
            canonical(call.arguments): turn
            for turn in reversed(self._turns)
            for call in turn.old.calls
            if canonical(call.arguments) != "{}"
        }
        for path, value in _objects(self._document.document):
            turn = arguments.get(json.dumps(value, sort_keys=True)) if arguments else None
            if turn is not None and not self._is_explained(path):
                self._explained.add(path)
                self._touch(turn, path)
        for turn in self._turns:
            for call in turn.old.calls:
                names: list[tuple[Author, str]] = [("model", call.name), ("other", call.name)]
                if any(self._counted[one] > turn.counted[one] for one in names):
                    self._touch(turn, ())
                    if not call.id and self._counted[names[0]] > turn.counted[names[0]]:
                        _refuse_other_parts(turn, ("body",))

    def _touch(self, turn: Turn, path: Path) -> None:
        """Note that the request goes on from an answer: it must call what it called."""
        was, now = _calls(turn.old.calls), _calls(turn.new.calls)
        if was == now:
            return
        raise Refusal(
            f"answer {turn.number} now calls other tools, or with other arguments.",
            f"recorded: {_told(turn.old.calls)}",
            f"now:      {_told(turn.new.calls)}",
            "What the tools gave back on the cassette would be the result of another call.",
        )

    def _fill_empty_turns(self) -> None:
        for hollow, turn in standing(self._document, self._turns):
            self._touch(turn, hollow.path)
            self._values.update(filled(hollow, turn))
            self._explained.add(hollow.path)

    def _touch_words(self, turn: Turn, leaf: Leaf) -> None:
        self._touch(turn, leaf.path)
        if not turn.changed and turn.old.shape == turn.new.shape:
            return
        _refuse_other_parts(turn, leaf.path)
        if turn.old.response.ended != "complete":
            raise only_a_part(turn, leaf.path)

    # Strings.

    def _follow(self, leaf: Leaf) -> None:
        if is_protocol_word(leaf):
            return
        if not leaf.text.strip():
            if leaf.text and leaf.author == "model":
                self._follow_words(leaf)
            return
        if self._follow_id(leaf) or self._follow_words(leaf) or self._follow_other(leaf):
            self._explained.add(leaf.path)
        elif leaf.path[0] not in _WHOLE and isinstance(leaf.value, str):
            if leaf.is_container:
                self._follow_arguments(leaf)
            else:
                self._follow_parts(leaf, leaf.value)

    def _follow_id(self, leaf: Leaf) -> bool:
        value = leaf.text
        if not (is_id_name(leaf.name) or is_opaque(value)):
            return False
        for turn in self._turns:
            if turn.old.kind(value) == "id":
                if turn.knew(value) if is_opaque(value) else value in turn.known:
                    return True  # the answer has it from a request
                self._touch(turn, leaf.path)
                if leaf.author == "model":
                    _refuse_other_parts(turn, leaf.path)
                self._put(leaf, self._counterpart(turn, value, leaf))
                return True
        return False

    def _follow_words(self, leaf: Leaf) -> bool:
        value = leaf.text
        if not any(turn.old.kind(value) == "words" for turn in self._turns):
            return False
        turn = self._whose_words(leaf).pop(0)
        if turn is None:
            return True
        self._touch_words(turn, leaf)
        new = self._counterpart(turn, value, leaf)
        if new != value and leaf.author != "model" and not is_long(value):
            raise self._chance(turn, value, leaf)
        self._refuse_unseen(turn, value, new, leaf)
        self._put(leaf, new)
        return True

    def _whose_words(self, leaf: Leaf) -> list[Turn | None]:
        """Share out what is said more than once: the first ones may have been there before."""
        said = spoken(leaf)
        if said not in self._words:
            sources = [turn for turn in self._turns if turn.old.kind(leaf.text) == "words"]
            times, before = self._counted[said], sources[0].counted[said]
            shared: list[Turn | None]
            news = {self._counterpart(turn, leaf.text, leaf) for turn in sources}
            if times <= before:
                shared = [None] * times
            elif times == before + len(sources):
                shared = [*[None] * before, *sources]
            elif news == {leaf.text} or (before == 0 and len(news) == 1):
                shared = [sources[0]] * times
            else:
                raise Refusal(
                    f"it cannot be told which of several answers {leaf.shown} repeats.",
                    f"it is: {cropped(leaf.text)}",
                )
            self._words[said] = shared
        return self._words[said]

    def _follow_other(self, leaf: Leaf) -> bool:
        value = leaf.text
        for turn in self._turns:
            if turn.old.kind(value) != "other" or value in turn.known:
                continue
            if _plain(leaf.name) in map(_plain, turn.old.names(value)) or is_opaque(value):
                self._touch(turn, leaf.path)
                self._put(leaf, self._counterpart(turn, value, leaf))
                return True
        return False

    def _follow_arguments(self, leaf: Leaf) -> None:
        """Follow the arguments of a call that were read and written again."""
        value = str(leaf.value)
        for turn in self._turns:
            for was, now in zip(turn.old.calls, turn.new.calls, strict=False):
                if leaf.author == "model" and canonical(was.arguments) == canonical(value):
                    self._touch(turn, leaf.path)
                    _refuse_other_parts(turn, leaf.path)
                    self._explained.add(leaf.path)
                    new = _respelt(value, was.arguments, now.arguments)
                    if new is None:
                        raise Refusal(
                            f"it spells the arguments of a call of answer {turn.number} anew.",
                            f"sent back: {leaf.shown}",
                        )
                    self._put(leaf, new)
                    return

    def _follow_parts(self, leaf: Leaf, value: str) -> None:
        """Follow what stands within a text: whole texts and ids; anything less is refused."""
        swaps: dict[str, str] = {}
        fresh = [turn for turn in self._turns if value not in turn.known]
        for turn in fresh:
            for old, new in self._swaps(turn, leaf, value):
                if swaps.setdefault(old, new) != new:
                    raise self._chance(turn, old, leaf)
        refuse_text(self._turns, leaf, swapped(value, dict.fromkeys(swaps, "\n")))
        if leaf.author == "model" and not swaps:
            self._refuse_what_nobody_said(leaf, value)
        if swaps:
            self._put(leaf, swapped(value, swaps))

    def _swaps(self, turn: Turn, leaf: Leaf, value: str) -> Iterator[tuple[str, str]]:
        for old in turn.old.values("id"):
            if old in value and is_opaque(old) and not turn.knew(old):
                self._touch(turn, leaf.path)
                yield old, self._counterpart(turn, old, leaf)
        for old in sorted(turn.old.values("words"), key=len, reverse=True):
            if not old.strip() or not stands_in(old, value):
                continue
            new = turn.old.counterparts(old, turn.new)
            if new == {old}:
                continue
            if not is_long(old) and turn.explains(old, value):
                continue
            if not is_long(old) or turn.knew(old):
                raise self._chance(turn, old, leaf)
            self._touch_words(turn, leaf)
            now = self._counterpart(turn, old, leaf)
            self._refuse_unseen(turn, old, now, leaf)
            yield old, now
        for old in set(filter(is_long, turn.old.strings.values())):
            string = turn.string_now(old)
            if string not in (None, old) and stands_in(old, value) and not turn.knew(old):
                self._touch_words(turn, leaf)
                self._refuse_unseen(turn, old, string, leaf)
                yield old, string

    def _refuse_what_nobody_said(self, leaf: Leaf, value: str) -> None:
        """Refuse words of the model that are in no answer, if they may have been made of one."""
        if is_id_name(leaf.name) or leaf.name == "name":
            return
        if any(turn.counted[spoken(leaf)] for turn in self._turns):
            return
        asked = {leaf.text for leaf in self._document.leaves}
        bare = value.strip()
        for turn in self._turns:
            goes_on = bool(turn.users) and turn.users <= asked
            if turn.changed and (
                goes_on or any(bare in text or text.strip() in bare for text in turn.old.words)
            ):
                raise Refusal(
                    f"it tells answer {turn.number}, which now is another, in other words.",
                    f"told: {leaf.shown}, {cropped(value)}",
                )

    def _followed_bytes(self, request: Request) -> Request:
        """Follow ids in a body that is no JSON; refuse one that holds words of an answer."""
        body = request.body
        for turn in self._turns:
            for old in turn.old.values("id"):
                if old.encode() in body and is_opaque(old) and not turn.knew(old):
                    new = turn.old.counterparts(old, turn.new)
                    if len(new) != 1:
                        raise self._nothing(turn, old, "the body", new)
                    body = body.replace(old.encode(), new.pop().encode())
            if turn.changed and any(
                is_long(old) and old.strip().encode() in body for old in turn.old.values("words")
            ):
                raise Refusal(f"its body, which is no JSON, repeats answer {turn.number}.")
        refuse_plain(self._turns, self._document.plain)
        return replace(request, body=body)

    # What they have in common.

    def _refuse_unseen(self, turn: Turn, old: str, new: str, leaf: Leaf) -> None:
        """Refuse to put in a text to which something may be done that the old one does not show."""
        what = unseen(old, new, within=None if leaf.author == "model" else leaf.text)
        if what is not None:
            raise Refusal(
                f"answer {turn.number} now has {what}, and the recorded one does not show what is "
                "done to that.",
                f"sent back: {leaf.shown}, {cropped(new)}",
            )

    def _is_explained(self, path: Path) -> bool:
        return any(path[: len(known)] == known for known in self._explained)

    def _put(self, leaf: Leaf, new: str) -> None:
        if new != leaf.text:
            is_number = isinstance(leaf.value, int) and new.isdecimal()
            self._values[leaf.path] = int(new) if is_number else new

    def _counterpart(self, turn: Turn, value: str, leaf: Leaf) -> str:
        found = turn.old.counterparts(value, turn.new)
        if len(found) != 1:
            raise self._nothing(turn, value, leaf.shown, found)
        return found.pop()

    def _nothing(self, turn: Turn, value: str, where: str, found: set[str]) -> Refusal:
        what = "several things" if found else "nothing"
        return Refusal(
            f"it sends back part of answer {turn.number}, and the new answer has {what} there.",
            f"sent back: {where}, {cropped(value)}",
        )

    def _chance(self, turn: Turn, value: str, leaf: Leaf) -> Refusal:
        return Refusal(
            f"it cannot be told whether it has {cropped(value)} from answer {turn.number}.",
            f"it stands in: {leaf.shown}",
        )


def _refuse_other_parts(turn: Turn, path: Path) -> None:
    """Refuse to send back an answer that now has parts for which the request has no place."""
    # Words that are only white space may have been left out.
    had_words, has_words = bool(turn.old.text.strip()), bool(turn.new.text.strip())
    if turn.old.shape != turn.new.shape or had_words != has_words:
        raise other_parts(turn, path)


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _calls(calls: Sequence[IdentifiedToolCall]) -> list[tuple[str, str]]:
    return [(call.name, canonical(call.arguments)) for call in calls]


def _told(calls: Sequence[IdentifiedToolCall]) -> str:
    return ", ".join(f"{call.name} {call.arguments}" for call in calls) or "no tool"


def _objects(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Give each object that is not empty, with its path, from the outermost to the innermost."""
    if isinstance(value, dict):
        if value:
            yield path, value
        for key, item in value.items():
            yield from _objects(item, (*path, key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _objects(item, (*path, place))


def _respelt(value: str, was: str, now: str) -> str | None:
    """Give `now` as JSON spelt the way in which `value` spells `was`; None if that is not clear."""
    old, new = json.loads(was or "{}"), json.loads(now or "{}")
    for style in STYLES.values():
        if style(old) == value:
            return style(new)
    compact = STYLES["compact"]
    return value if compact(old) == compact(new) else None
