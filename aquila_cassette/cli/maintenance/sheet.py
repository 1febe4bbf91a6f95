"""One cassette file as the checks see it: what is on the cassette, and on which line of the file."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aquila_cassette.storage import files
from aquila_cassette.storage.format import dumps, loads
from aquila_cassette.storage.yaml_reader import List, Map, clean_utf8, compose

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

    from aquila_cassette.model import CassetteData, Interaction

__all__ = ["Sheet"]

_BLOCK = re.compile(r":\s+[|>][-+0-9]*(?:\s+#.*)?$")


class Sheet:
    """A file that could be read.

    Args:
        path: Where it is.
        data: Its bytes.
        cassette: What is on it.
    """

    def __init__(self, path: Path, data: bytes, tape: CassetteData) -> None:
        self.path = path
        self.data = data
        self.tape = tape

    @classmethod
    def of(cls, path: Path) -> Self:
        """Read the file at `path`.

        Raises:
            FileNotFoundError: There is none.
            CassetteFormatError: It is no cassette, or a damaged one.
        """
        data = files.read(path)
        return cls(path, data, loads(data, path=path))

    @cached_property
    def text(self) -> str:
        """The file without what is no content: a byte order mark, CR at the ends of lines."""
        return clean_utf8(self.data).decode()

    def encoded(self, text: str) -> bytes:
        """Give the bytes of a new text for this file, with the line ends that it has.

        Args:
            text: The whole text, its line ends LF.
        """
        crlf = self.data.partition(b"\n")[0].endswith(b"\r")
        return (text.replace("\n", "\r\n") if crlf else text).encode()

    @cached_property
    def is_as_written(self) -> bool:
        """Whether each character is as this version would write it."""
        return dumps(self.tape) == self.text

    @property
    def numbered(self) -> list[tuple[int, Interaction]]:
        """The interactions, each with its place from 0."""
        return list(enumerate(self.tape.interactions))

    @cached_property
    def _tree(self) -> Any:
        return compose(self.text)

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")

    def value(self, *way: str | int) -> Any:
        """Give what the file itself says at `way`; None where it says nothing.

        Args:
            way: Keys and places from the top: ``"interactions", 0, "response", "pieces"``.
        """
        at = self._tree
        for step in way:
            try:
                at = at[step]
            except (KeyError, IndexError, TypeError):
                return None
        return at

    def line(self, *way: str | int) -> int:
        """Give the line of the key or item at `way`, or of the innermost one on it that is there.

        Args:
            way: Keys and places from the top.
        """
        at, line = self._tree, 1
        for step in way:
            if isinstance(at, Map) and step in at:
                line, at = at.lines[str(step)], at[str(step)]
            elif isinstance(at, List) and isinstance(step, int) and step < len(at):
                line, at = at.lines[step], at[step]
            else:
                break
        return line

    def line_of_text(self, breaks: int, *way: str | int) -> int:
        """Give the line on which a text at `way` is after so many line breaks.

        Args:
            breaks: How many line breaks of the text come before.
            way: Keys and places from the top.
        """
        line = self.line(*way)
        head = self._lines[line - 1]
        block = bool(_BLOCK.search(head))
        # A text on one line is as long as its line, whatever escapes are in it.
        if not block and not head.endswith("\\"):
            return line
        return min(line + breaks + block, len(self._lines))
