"""What one answer gives a later request to send back: its ids, its texts, its tool calls."""

from __future__ import annotations

import json
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from aquila_cassette.cli.rerecord.leaves import is_id_name, is_opaque, is_protocol_name
from aquila_cassette.cli.rerecord.values import add, json_leaves, leaves_of, scalars, told
from aquila_cassette.dialects import read_into
from aquila_cassette.dialects.framing import framing, read_events
from aquila_cassette.dialects.lenient import as_dict, as_str, load_json
from aquila_cassette.dialects.message import MessageBuilder

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from aquila_cassette.cli.rerecord.values import Address, Told
    from aquila_cassette.dialects.message import IdentifiedToolCall
    from aquila_cassette.model import Response

__all__ = ["Answer", "Kind", "Place", "canonical"]

Kind = Literal["id", "words", "other"]
"""What a value of an answer is: an id, what the model said, or anything else."""

_COUNTERS = ("index", "output_index", "content_index", "summary_index")
_LINKS = ("location", "x-goog-upload-url")
_DEEPEST = 100


class Place(NamedTuple):
    """Where in an answer a value stands.

    Args:
        table: Whether it is among the ids or among the texts.
        address: The names that lead to it.
        number: Which of the values at that address it is, from 0.
        bare: Whether it is the text without the white space around it.
    """

    table: Literal["ids", "texts"]
    address: str
    number: int
    bare: bool = False


class Answer:
    r"""What can be sent back of one answer, a stream or not.

    The values of a stream are found by their address: the event's type and the names down to them.
    An id is told once however many events repeat it. Other strings of one address are the chunks
    of a text, unless an index beside them says that there are several.

    Args:
        response: The answer.

    Example:
        >>> from aquila_cassette.model import Piece, Response
        >>> body = b'data: {"id": "c1", "choices": [{"delta": {"content": "%s"}}]}\n\n'
        >>> answer = Answer(Response(200, pieces=(Piece(0, body % b"Hel"), Piece(1, body % b"lo"))))
        >>> answer.kind("c1"), answer.kind("Hello"), answer.kind("Hel")
        ('id', 'words', None)
    """

    def __init__(self, response: Response) -> None:
        self.response = response
        self._content_type = response.header("content-type")
        self._builder = _Shaped()
        self.is_said = read_into(self._content_type, response.body, self._builder) is not None

    @property
    def calls(self) -> list[IdentifiedToolCall]:
        """The tools it calls."""
        return self._builder.calls

    @cached_property
    def words(self) -> tuple[str, ...]:
        """All that the model said, thought and wrote into its calls; nothing that is empty."""
        said = self._builder.build(None)
        texts = (said.text, said.reasoning, said.refusal, *(call.arguments for call in self.calls))
        return tuple(text for text in texts if text.strip())

    @property
    def text(self) -> str:
        """What the model said; empty where it only thought or called."""
        return self._builder.build(None).text

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing, thinks nothing and calls nothing."""
        return not self.words and not self.calls

    @cached_property
    def quotable(self) -> tuple[str, ...]:
        """The texts that a later request can quote a part of; of JSON, its strings."""
        leaves = [one for _, one in self._plain]
        for text in self.words:
            leaves += json_leaves(text) or [text]
        return tuple(one for one in leaves if isinstance(one, str) and one.strip())

    @cached_property
    def told(self) -> dict[Address, Told]:
        """The values that a later request can use, each by where it stands."""
        leaves: list[tuple[Address, Any]] = [(("plain", *at), one) for at, one in self._plain]
        for address, ids in self._ids.items():
            leaves += [
                (("id", address, number), one)
                for number, one in enumerate(ids)
                if not is_opaque(one)
            ]
        found: dict[Address, Told] = {}
        for at, one in leaves:
            add(found, at, one)
        for slot, text in enumerate(self._slots):
            found |= {(slot, *at): one for at, one in told(text).items()}
        return found

    @cached_property
    def strings(self) -> dict[Address, str]:
        """The strings of JSON that was said, each by where it stands."""
        plain = ((("plain", *at), one) for at, one in self._plain)
        leaves = chain(plain, self._leaves.items())
        return {at: one for at, one in leaves if isinstance(one, str)}

    @cached_property
    def voids(self) -> dict[Address, str | None]:
        """The nulls and the empty strings of JSON that the model said, each by where it stands."""
        return {at: one for at, one in self._leaves.items() if one is None or one == ""}

    @cached_property
    def sizes(self) -> dict[Address, int]:
        """How many items each list of the JSON that was said has, by where it stands."""
        found: dict[Address, int] = {}
        for at in self._leaves:
            for depth, step in enumerate(at[1:], 1):  # the first says in which text
                if isinstance(step, int):
                    found[at[:depth]] = max(found.get(at[:depth], 0), step + 1)
        return found

    @cached_property
    def _leaves(self) -> dict[Address, Any]:
        """The leaves of the JSON that the model said, each by where it stands."""
        return {
            (slot, *at): one
            for slot, text in enumerate(self._slots)
            for at, one in leaves_of(text).items()
        }

    @property
    def _slots(self) -> tuple[str, ...]:
        said = self._builder.build(None)
        return said.text, said.reasoning, said.refusal, *(call.arguments for call in self.calls)

    @cached_property
    def _plain(self) -> list[tuple[Address, Any]]:
        """The leaves of an answer that is JSON, and its text where it is text, but no model's."""
        kind = self._content_type or ""
        if self.is_said or framing(kind, self.response.body) != "json":
            return []
        if kind.startswith("text/") and self._messages == [None]:
            return [((), self.response.body.decode(errors="replace"))]
        return [
            (path, value)
            for path, value in scalars(self._messages[0])
            if not (path and (is_protocol_name(str(path[-1])) or is_id_name(str(path[-1]))))
        ]

    @cached_property
    def shape(self) -> tuple[str, ...]:
        """The kinds of its parts, in their order."""
        return (*self._builder.kinds, *_items(self._messages))

    def kind(self, value: str) -> Kind | None:
        """Tell what `value` is in this answer; None where it is not a whole value of it.

        Args:
            value: A string of a request.
        """
        places = self._places.get(value)
        if places is None:
            return None
        if any(place.table == "ids" for place in places):
            return "id"
        if all(map(is_protocol_name, self.names(value))):
            return None
        return "words" if any(value.strip() in text for text in self.words) else "other"

    def names(self, value: str) -> set[str]:
        """Give the names of the fields that hold `value` here."""
        return {place.address.rpartition(".")[2] for place in self._places.get(value, ())}

    def values(self, kind: Kind) -> Iterator[str]:
        """Give all values of a kind."""
        return (value for value in self._places if self.kind(value) == kind)

    def counterparts(self, value: str, new: Answer) -> set[str]:
        """Give what stands in the answer `new` where `value` stands in this one.

        Args:
            value: A value of this answer.
            new: The answer to the same request, asked again.

        Returns:
            One string where it is clear; none or several where it is not.
        """
        found = set()
        for place in self._places.get(value, ()):
            ours = self._table(place).get(place.address, [])
            theirs = new._table(place).get(place.address, [])
            if len(ours) == len(theirs):
                text = theirs[place.number]
                found.add(text.strip() if place.bare else text)
        return found

    def _table(self, place: Place) -> dict[str, list[str]]:
        return self._ids if place.table == "ids" else self._texts

    @cached_property
    def _places(self) -> dict[str, list[Place]]:
        found: dict[str, list[Place]] = {}
        for address, ids in self._ids.items():
            for number, value in enumerate(ids):
                found.setdefault(value, []).append(Place("ids", address, number))
        for address, texts in self._texts.items():
            for number, text in enumerate(texts):
                for value in {text, text.strip()}:
                    bare = value != text
                    place = Place("texts", address, number, bare)
                    if value:
                        found.setdefault(value, []).append(place)
        return found

    @cached_property
    def _messages(self) -> list[Any]:
        body = self.response.body
        how = framing(self._content_type, body)
        if how == "json":
            return [load_json(body)]
        return [message.json for message in read_events(how, body)]

    @cached_property
    def _tables(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        ids: dict[str, list[str]] = {}
        chunks: dict[str, dict[Hashable, list[str]]] = {}
        for message in self._messages:
            for address, group, name, value in _strings(message):
                if is_id_name(name):
                    known = ids.setdefault(address, [])
                    if value not in known:
                        known.append(value)
                else:
                    chunks.setdefault(address, {}).setdefault(group, []).append(value)
        texts = {
            address: ["".join(parts) for parts in groups.values()]
            for address, groups in chunks.items()
        }
        said = self._builder.build(None)
        texts["said.text"], texts["said.reasoning"] = [said.text], [said.reasoning]
        for name in _LINKS:
            texts[f"header.{name}"] = [value for key, value in self.response.headers if key == name]
        return ids, texts

    @property
    def _ids(self) -> dict[str, list[str]]:
        return self._tables[0]

    @property
    def _texts(self) -> dict[str, list[str]]:
        return self._tables[1]


class _Shaped(MessageBuilder):
    """Gathers what is said, and notes in which order words and calls come."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: list[str] = []

    def add_text(self, chunk: str) -> None:
        super().add_text(chunk)
        self._note("text", chunk)

    def add_reasoning(self, chunk: str) -> None:
        super().add_reasoning(chunk)
        self._note("reasoning", chunk)

    def add_refusal(self, chunk: str) -> None:
        super().add_refusal(chunk)
        self._note("refusal", chunk)

    def add_call(
        self, key: Hashable, *, id_: str = "", name: str = "", arguments: str = ""
    ) -> None:
        before = len(self.calls)
        super().add_call(key, id_=id_, name=name, arguments=arguments)
        if len(self.calls) > before:
            self.kinds.append("call")

    def _note(self, kind: str, chunk: str) -> None:
        if chunk and self.kinds[-1:] != [kind]:
            self.kinds.append(kind)


def _items(heard: list[Any]) -> Iterator[str]:
    """Give the types of the items or blocks that an answer is made of, where it names them."""
    for message in heard:
        event = as_dict(message)
        one = as_dict(event.get("content_block")) or (
            as_dict(event.get("item")) if event.get("type") == "response.output_item.added" else {}
        )
        several = event.get("output") or event.get("content")
        for item in several if isinstance(several, list) else [one]:
            if kind := as_str(as_dict(item).get("type")):
                yield kind


def _strings(message: Any) -> Iterator[tuple[str, Hashable, str, str]]:
    """Give each string of a message: its address, its group there, its name, and itself."""
    top = as_str(as_dict(message).get("type"))
    return _below(message, top, (), "", 0)


def _below(
    value: Any, address: str, group: tuple[int, ...], name: str, depth: int
) -> Iterator[tuple[str, Hashable, str, str]]:
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        if value:
            yield address, group, name, value
    elif isinstance(value, int) and not isinstance(value, bool):
        if is_id_name(name):
            yield address, group, name, str(value)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            counted = isinstance(item, dict) and isinstance(item.get("index"), int)
            inner = group if counted else (*group, place)
            yield from _below(item, f"{address}.*", inner, name, depth + 1)
    elif isinstance(value, dict):
        group = (*group, *(value[key] for key in _COUNTERS if isinstance(value.get(key), int)))
        mark = f"<{_mark(value)}>" if depth and _mark(value) else ""
        for key, item in value.items():
            yield from _below(item, f"{address}{mark}.{key}", group, key, depth + 1)


def _mark(value: dict[str, Any]) -> str:
    return "thought" if value.get("thought") is True else as_str(value.get("type"))


def canonical(arguments: str) -> str:
    """Give the arguments of a call as JSON that is equal where they are, whatever their spelling.

    Args:
        arguments: JSON text as a model wrote it.

    Example:
        >>> canonical('{"b": 1, "a": 2}') == canonical('{ "a":2,"b":1 }')
        True
    """
    try:
        return json.dumps(json.loads(arguments or "{}"), sort_keys=True)
    except (ValueError, RecursionError):
        return arguments
