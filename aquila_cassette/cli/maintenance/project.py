"""The files of a project that may name a cassette: its code, and what is written beside it."""

from __future__ import annotations

import ast
import os
import re
import tokenize
import warnings
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Project", "Source"]

_CODE = (".py", ".pyi")
_TEXTS = (
    ".md", ".rst", ".txt", ".ipynb", ".toml", ".cfg", ".ini", ".json", ".yaml", ".yml", ".sh",
    ".feature", ".csv", ".jsonl", ".robot", ".html", ".js", ".ts",
)  # fmt: skip
_NAMES = ("Makefile", "Dockerfile", "justfile", "noxfile", "Jenkinsfile")
_PASSED_OVER = frozenset({"__pycache__", "node_modules", "site-packages"})
_LARGE = 20 * 1024 * 1024  # bytes; what is larger is data that no person wrote a name into


class Source:
    """A file of code, read once.

    Args:
        path: Where it is.
        data: Its bytes.
    """

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        self.data = data

    @cached_property
    def encoding(self) -> str:
        """The encoding that it says it has.

        Raises:
            SyntaxError: It says one that is none.
        """
        return tokenize.detect_encoding(BytesIO(self.data).readline)[0]

    @cached_property
    def text(self) -> str:
        """Its text; what is no text of its encoding is replaced."""
        try:
            return self.data.decode(self.encoding)
        except (SyntaxError, UnicodeDecodeError, LookupError):
            return self.data.decode("utf-8", "replace")

    @cached_property
    def lines(self) -> list[str]:
        """The lines of its text as Python counts them, with their ends."""
        return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", self.text)

    @cached_property
    def tree(self) -> ast.Module | None:
        """What it means; None where it is no Python."""
        with warnings.catch_warnings():  # of escapes in other people's strings
            warnings.simplefilter("ignore")
            try:
                return ast.parse(self.data)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return None

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All parts of the tree."""
        return [] if self.tree is None else list(ast.walk(self.tree))

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """What each part of the tree stands in."""
        return {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}


class Project:
    """The files below some folders.

    Args:
        roots: The folders. Hidden ones in them, environments and symbolic links are passed over.
        shelf: The cassette folder, which is passed over too.
    """

    def __init__(self, roots: tuple[Path, ...], shelf: Path) -> None:
        self._roots = roots
        self._shelf = Path(os.path.realpath(shelf))
        self._code: dict[Path, Source] = {}

    @cached_property
    def code(self) -> tuple[Path, ...]:
        """The files of Python, by name."""
        return tuple(path for path in self._files if path.suffix.lower() in _CODE)

    @cached_property
    def texts(self) -> tuple[Path, ...]:
        """All files of text that a person writes, the code among them."""
        return self._files

    def holds(self, path: Path) -> bool:
        """Tell whether a file lies below the folders itself, and is no link that leads out."""
        real = Path(os.path.realpath(path))
        return any(real.is_relative_to(os.path.realpath(root)) for root in self._roots)

    def sources(self, word: str) -> Iterator[Source]:
        """Give the files of Python in which `word` stands.

        Args:
            word: A name in ASCII.
        """
        needle = word.encode()
        for path in self.code:
            source = self.source(path)
            if needle in source.data:
                yield source

    def source(self, path: Path) -> Source:
        """Give one file of Python."""
        if path not in self._code:
            self._code[path] = Source(path, _read(path))
        return self._code[path]

    def search(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """Give all matches of `pattern` in all files."""
        for path in self.texts:
            yield from pattern.finditer(_read(path).decode("utf-8", "replace"))

    def lines(self, pattern: re.Pattern[str]) -> Iterator[tuple[Path, int]]:
        """Give the files and lines in which `pattern` is found."""
        for path in self.texts:
            text = _read(path).decode("utf-8", "replace")
            for match in pattern.finditer(text):
                yield path, text.count("\n", 0, match.start()) + 1

    @cached_property
    def _files(self) -> tuple[Path, ...]:
        seen: dict[str, Path] = {}
        for root in self._roots:
            for path in self._walk(root):
                seen.setdefault(os.path.realpath(path), path)
        return tuple(sorted(seen.values()))

    def _walk(self, root: Path) -> Iterator[Path]:
        for folder, folders, files in os.walk(root):
            here = Path(folder)
            folders[:] = sorted(name for name in folders if self._is_walked(here / name))
            for name in files:
                path = here / name
                suffix = path.suffix.lower()
                if suffix in _CODE or suffix in _TEXTS or path.stem in _NAMES:
                    yield path

    def _is_walked(self, folder: Path) -> bool:
        return not (
            folder.name.startswith(".")
            or folder.name in _PASSED_OVER
            or (folder / "pyvenv.cfg").exists()
            or Path(os.path.realpath(folder)) == self._shelf
        )


def _read(path: Path) -> bytes:
    try:
        return b"" if path.stat().st_size > _LARGE else path.read_bytes()
    except OSError:
        return b""
