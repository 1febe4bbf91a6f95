"""Replace ids, texts and tool calls of earlier answers in later requests, for `record --direct`.

Ids, whole texts and tool calls of the old answers are paired with those of the new ones by JSON
path. What this cannot see (a quoted phrase, a number that was computed), the next test run
reports as a miss with a diff: requests match by body.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin

from aquila_cassette.cli.record_selection import owner_of
from aquila_cassette.dialects.framing import framing, read_events
from aquila_cassette.dialects.json_access import load_json
from aquila_cassette.dialects.reading import read_message
from aquila_cassette.errors import CassetteError
from aquila_cassette.storage.names import display_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from aquila_cassette.model import Interaction, Request, Response


_ID_FIELD = re.compile(
    r"(?:^|[_-])ids?$|[a-z0-9]I[dD]s?$|[sS]ignature$|^encrypted_|^uri$|[pP]age_?[tT]oken$|^cursor$"
)
_ID = re.compile(r"[\w./:+=-]{4,}")
_SHORTEST_TEXT = 12  # characters; a shorter text is replaced only where it is a whole JSON string
_TEXT_FIELDS = frozenset({"text", "content", "delta", "thinking", "reasoning", "refusal"})
_PLACES = ("index", "output_index", "content_index", "summary_index")
_URL_HEADERS = ("location", "x-goog-upload-url")
_MARK = re.compile(rb"\0(\d+)\0")  # in the place of a new value; no URL, header or JSON has a NUL

_Spell = Callable[[str], bytes]
_Part = tuple[_Spell, bytes]  # a URL, a header or a body, and how a text is spelt in it


class Conversation:
    """The requests of a cassette, to be sent again in order.

    `fix` is what to do if that fails; `is_checked` says whether a test would notice a wrong guess.
    """

    def __init__(
        self, interactions: Sequence[Interaction], path: Path, fix: str, *, is_checked: bool = True
    ) -> None:
        self._interactions, self._path, self._fix = interactions, path, fix
        self._is_checked = is_checked
        self._answers: list[tuple[_Answer, _Answer]] = []  # the old and the new ones

    def request(self) -> Request:
        """Return the next request with what it repeats of earlier answers replaced."""
        at = len(self._answers)
        one = self._interactions[at]
        parts = _parts(one.request)
        values: list[str] = []  # the new values, by the numbers of their marks
        for number in reversed(range(at)):  # of equal answers, the last one occurs last
            if owner_of(self._interactions[number]) == owner_of(one):
                parts = self._marked(parts, number, values)
        if values and not (one.recorded_by and self._is_checked):
            raise self._refused("it repeats an answer, and no test would notice a wrong guess.")
        url, *headers, body = (_unmarked(part, values) for part in parts)
        named = zip(one.request.headers, headers, strict=True)
        headers_now = tuple((name, value.decode()) for (name, _), value in named)
        return replace(one.request, url=url.decode(), headers=headers_now, body=body)

    def answered(self, response: Response) -> None:
        """Take the new answer to the request that was returned last."""
        one = self._interactions[len(self._answers)]
        url = one.request.url
        self._answers.append((_Answer.of(one.response, url), _Answer.of(response, url)))

    def _marked(self, parts: list[_Part], number: int, values: list[str]) -> list[_Part]:
        """Mark each value of one answer that occurs in a request more often than in its own."""
        old, new = self._answers[number]
        asked = _parts(self._interactions[number].request)
        goes_on = any(_count(parts, name, True) > _count(asked, name, True) for name in old.called)
        for was, now in old.pairs(new):
            is_id = was in old.ids
            known = _count(asked, was, is_id)
            if _count(parts, was, is_id) <= known:
                continue
            goes_on = True
            if not is_id and not old.is_whole:
                raise self._refused(f"answer {number + 1}, which it repeats, was not read whole.")
            if not now and old.calls == new.calls:
                raise self._refused(f"answer {number + 1} now has nothing in the place of {was!r}.")
            parts = _replaced(parts, was, is_id, known, b"\0%d\0" % len(values))
            values.append(now)
        if goes_on and old.calls != new.calls:
            why = f"answer {number + 1} now calls other tools, or with other arguments."
            raise self._refused(
                why, f"recorded: {_calls_text(old.calls)}", f"now:      {_calls_text(new.calls)}"
            )
        if goes_on and bool(old.text) != bool(new.text):
            how = "a text, and had none" if new.text else "no text, and had one"
            raise self._refused(f"answer {number + 1} now has {how}.")
        return parts

    def _refused(self, why: str, *facts: str) -> CassetteError:
        number = len(self._answers) + 1
        return resend_error(self._path, self._fix, number, "cannot be followed", why, *facts)


def resend_error(
    path: Path, fix: str, number: int, what: str, why: str, *facts: str
) -> CassetteError:
    what = f"Request {number} of {display_path(path)} {what}: {why}"
    return CassetteError(what, path=path, facts=facts, fix=fix)


@dataclass(frozen=True)
class _Answer:
    """What an answer holds that a later request may repeat; places are JSON paths."""

    ids: dict[str, str]  # value to place
    texts: dict[str, str]  # place to text, whatever chunks it came in
    text: str
    calls: list[tuple[str, Any]]
    called: list[str]  # the ids and the names of the calls
    is_whole: bool

    @classmethod
    def of(cls, response: Response, url: str) -> _Answer:
        kind = response.header("content-type")
        said = read_message(kind, response.body)
        ids: dict[str, list[str]] = defaultdict(list)
        texts: dict[str, str] = defaultdict(str)
        how = framing(kind, response.body)
        events = [one.json for one in read_events(how, response.body)] if how != "json" else []
        for event in events or [load_json(response.body)]:
            places = [event.get(name) for name in _PLACES] if isinstance(event, dict) else []
            for path, name, value in _leaves(event, ""):
                is_name = name == "name" and "/" in value  # "files/abc123", as Gemini names files
                if (is_name or _ID_FIELD.search(name)) and _ID.fullmatch(value):
                    if value not in ids[path]:
                        ids[path].append(value)
                elif name in _TEXT_FIELDS:
                    texts[f"{path} {places}"] += value
        texts |= {"text": said.text, "reasoning": said.reasoning, "refusal": said.refusal}
        texts |= {f"call {n}": call.arguments for n, call in enumerate(said.tool_calls)}
        texts |= {name: urljoin(url, response.header(name) or "") for name in _URL_HEADERS}
        return cls(
            {value: f"{path} {n}" for path, all_ in ids.items() for n, value in enumerate(all_)},
            texts,
            said.text.strip(),
            [(call.name, load_json(call.arguments or "{}")) for call in said.tool_calls],
            [name for call in said.tool_calls for name in (call.id, call.name) if name],
            response.ended == "complete",
        )

    def pairs(self, new: _Answer) -> Iterator[tuple[str, str]]:
        """Yield each value that differs now with its counterpart (or ""), the longest first."""
        by_place = {place: value for value, place in new.ids.items()}
        found = {value: by_place.get(place, "") for value, place in self.ids.items()}
        for place, text in self.texts.items():
            now = new.texts.get(place, "")
            found.setdefault(text, now)
            found.setdefault(text.strip(), now.strip())  # as many applications keep it
        for was in sorted(filter(None, found), key=len, reverse=True):
            if was != found[was]:
                yield was, found[was]


def _calls_text(calls: list[tuple[str, Any]]) -> str:
    return ", ".join(f"{name} {json.dumps(arguments)}" for name, arguments in calls) or "no tool"


def _parts(request: Request) -> list[_Part]:
    body = request.body
    # json.dumps() escapes non-ASCII text by default; the SDKs write it compactly and do not.
    is_ascii = body.isascii() and (b"\\u" in body or b'": ' in body)
    return [
        (lambda text: (text if "://" in text else quote(text, "")).encode(), request.url.encode()),
        *((str.encode, value.encode()) for _, value in request.headers),
        (lambda text: json.dumps(text, ensure_ascii=is_ascii)[1:-1].encode(), body),
    ]


def _pattern(value: str, spell: _Spell, is_id: bool) -> re.Pattern[bytes]:
    around = rb"(?<![\w-])%s(?![\w-])" if is_id else b"%s"
    if not is_id and len(value) < _SHORTEST_TEXT:
        around = rb'(?<=[^\\]")%s(?=")'
    return re.compile(around % re.escape(spell(value)))


def _count(parts: list[_Part], value: str, is_id: bool) -> int:
    return sum(len(_pattern(value, spell, is_id).findall(data)) for spell, data in parts)


def _replaced(parts: list[_Part], value: str, is_id: bool, known: int, mark: bytes) -> list[_Part]:
    """Put a mark in the place of a value, but for its first `known` occurrences."""
    numbers = count()
    return [
        (
            spell,
            _pattern(value, spell, is_id).sub(
                lambda match: match[0] if next(numbers) < known else mark, data
            ),
        )
        for spell, data in parts
    ]


def _unmarked(part: _Part, values: list[str]) -> bytes:
    spell, data = part
    return _MARK.sub(lambda mark: spell(values[int(mark[1])]), data)


def _leaves(value: Any, path: str, name: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield the path, the field and the text of each string and number of a JSON value."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}", key)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, f"{path}.*", name)
    elif isinstance(value, (str, int)) and not isinstance(value, bool):
        yield path, name, str(value)
