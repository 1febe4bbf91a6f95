"""Cassettes of other recorders, read as they are: vcrpy's, cassetter's, betamax's, and HAR."""

from __future__ import annotations

import json
import re
import shlex
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from aquila_cassette.errors import CassetteNameError, CassetteSaveError
from aquila_cassette.model import CassetteData
from aquila_cassette.storage import files
from aquila_cassette.storage.format import MAX_BYTES, format_error, too_large
from aquila_cassette.storage.format import loads as loads_ours
from aquila_cassette.storage.names import cassette_path, display_path
from aquila_cassette.storage.yaml_reader import YamlError, plain

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "FORMAT_NAMES",
    "GZIP",
    "OURS",
    "SUFFIXES",
    "ForeignFormat",
    "Import",
    "convert_command",
    "detect_format",
    "find_cassette",
    "load",
    "read_foreign",
    "refuse_to_record",
    "stem",
]

ForeignFormat: TypeAlias = Literal["vcrpy", "cassetter", "betamax", "HAR"]
"""Whose format a file has that is not ours."""

FORMAT_NAMES: dict[str, str] = {
    "vcrpy": "vcrpy's format",
    "cassetter": "cassetter's format",
    "betamax": "betamax's format",
    "HAR": "the HAR format",
}
"""The formats as messages name them."""

GZIP = b"\x1f\x8b"
"""How a compressed file begins."""

OURS = b"version: 1\nrecorded_with:"
"""How a file that we wrote begins: it is told at once, for every load asks."""

_GLANCE = 4 << 20  # bytes of a compressed file
_BLANK = b"\xef\xbb\xbf \t\r\n"
_HAR = re.compile(rb'\{\s*"log"\s*:')
# Deeper than that, it may stand in a body.
_URI = re.compile(rb"^ {0,4}(?:- )?uri:", re.MULTILINE)
_TOP = re.compile(rb"^(?:---[ \t]*\r?\n)?(?:interactions|requests|responses):", re.MULTILINE)
_BETAMAX = re.compile(rb"^http_interactions:", re.MULTILINE)
_LIST = re.compile(rb"(?:---[ \t]*\r?\n)?- request:")
_HOST = re.compile(rb"^ {2,4}host:", re.MULTILINE)
_ENDED = re.compile(rb"^ {2,4}ended: (?:complete|closed|failed)\r?$", re.MULTILINE)
# vcrpy has a string there, or a mapping with 'string' in it.
_TYPED = re.compile(rb"^ {4}body:\r?\n {6}type: (?:json|text|binary|none)\r?$", re.MULTILINE)


def detect_format(data: bytes) -> ForeignFormat | None:
    r"""Guess whose format the bytes of a file have; None where it looks like ours, or like none.

    Args:
        data: The whole file.

    Example:
        >>> detect_format(b"interactions:\n- request:\n    body: null\n    uri: https://a.example/\n")
        'vcrpy'
    """
    if data.startswith(OURS):
        return None
    if data.startswith(GZIP):
        try:
            data = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, _GLANCE)
        except zlib.error:
            return None
    data = data.lstrip(_BLANK)
    if data[:1] in (b"{", b"["):
        return _of_json(data)
    if _ENDED.search(data):  # of ours, then, though somebody wrote uri for url
        return None
    if _BETAMAX.search(data):
        return "betamax"
    if _TOP.search(data) and _URI.search(data):
        return "cassetter" if _TYPED.search(data) else "vcrpy"
    return "vcrpy" if _LIST.match(data) and _HOST.search(data) else None


def _of_json(data: bytes) -> ForeignFormat | None:
    if _HAR.match(data):
        return "HAR"
    if b'"http_interactions"' in data:
        return "betamax"
    return "vcrpy" if b'"uri"' in data or data[:1] == b"[" else None


SUFFIXES = (".yaml", ".yml", ".json", ".har", ".yaml.gz", ".yml.gz", ".json.gz")
"""How the files of other recorders may end; vcrpy's own may have no suffix at all."""


def find_cassette(folder: Path, name: str) -> Path:
    """Give the file that cassette `name` means in `folder`, be it in another recorder's format.

    The file that `cassette_path` gives comes first, in whatever format it is. Only where there is
    none, that of the very name counts (``chat.json``, or ``chat`` as vcrpy leaves it), and then
    that of the name and one of `SUFFIXES`.

    Args:
        folder: The cassette folder.
        name: The cassette's name, with or without a suffix.

    Returns:
        The file; where there is none of all these, the one that is to be.

    Raises:
        CassetteNameError: The name is empty, is not portable, or leaves the folder; or several
            files could be meant.
    """
    usual = cassette_path(folder, name)
    if usual.exists():
        return usual
    if (verbatim := folder / name).is_file():
        return verbatim
    base = usual.name.removesuffix(".yaml")
    found = [path for end in SUFFIXES if _is_file(path := usual.with_name(base + end))]
    if len(found) > 1:
        suffix = found[0].name.removeprefix(base)
        raise CassetteNameError(
            f"The cassette name {name!r} may mean {len(found)} files.",
            facts=[display_path(path) for path in found],
            fix=f'Fix: name the one that is meant, with its suffix: "{name}{suffix}"',
        )
    return found[0] if found else usual


def stem(file: str) -> str:
    """Give the name of a cassette in another recorder's file: without its suffix.

    Args:
        file: The file's name.

    Example:
        >>> stem("chat.hello.yaml.gz"), stem("chat.hello.json"), stem("chat.hello")
        ('chat.hello', 'chat.hello', 'chat.hello')
    """
    low = file.lower()
    ends = sorted((end for end in SUFFIXES if low.endswith(end)), key=len)
    return file[: -len(ends[-1])] if ends else file


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # its name is too long for a file
        return False


def refuse_to_record(path: Path, kind: str, mode: str) -> CassetteSaveError:
    """Make the error for a mode that would write into such a file.

    Args:
        path: The file.
        kind: Whose format it has.
        mode: The record mode.
    """
    return CassetteSaveError(
        f"{display_path(path)} is in {FORMAT_NAMES[kind]}: it can be replayed, not recorded into.",
        path=path,
        facts=[f"mode: {mode}"],
        fix=f"Convert it first: {convert_command(path)}",
    )


def convert_command(path: Path) -> str:
    """Give the command that makes a cassette of ours out of such a file.

    Args:
        path: The file.
    """
    in_place = " --in-place" if path.suffix == ".yaml" else ""
    return f"aquila-cassette convert {shlex.quote(display_path(path))}{in_place}"


_CHUNK = 1 << 20


class Import(NamedTuple):
    """What a file of another recorder holds.

    Args:
        cassette: What a cassette of ours can hold of it.
        skipped: The rest, a line for each kind.
    """

    cassette: CassetteData
    skipped: tuple[str, ...] = ()


def load(path: Path) -> CassetteData:
    """Read a cassette file, be it ours or in another recorder's format.

    Of the latter, secrets in the requests are redacted; in a cassette of ours they were when it was
    saved. The responses are as they lie.

    Args:
        path: The file.

    Raises:
        FileNotFoundError: There is none.
        CassetteFormatError: It is no cassette, a damaged one, or cannot be read.
        CassetteVersionError: It is a cassette of a version to come.
    """
    return files.load(path, parse=_parse)


def _parse(data: bytes, path: Path) -> CassetteData:
    found = read_foreign(data, path=path) if detect_format(data) else None
    if found is None:
        return loads_ours(data, path=path)
    from aquila_cassette.redaction import Redaction  # not needed to replay a cassette of ours

    redact = Redaction()
    interactions = tuple(
        replace(one, request=redact.request(one.request)) for one in found.cassette.interactions
    )
    return replace(found.cassette, interactions=interactions)


def read_foreign(data: bytes, *, path: Path) -> Import | None:
    """Read the bytes of a file in another recorder's format, whatever its suffix.

    Nothing is redacted, and nothing that a tag of the file names is run.

    Args:
        data: The whole file.
        path: Where it is, for messages.

    Returns:
        What it holds, or None where the file is in no other format that is known.

    Raises:
        CassetteFormatError: It is in one, and damaged or too large; the message says what to do.
        CassetteError: It needs libyaml, and PyYAML has none here.
    """
    from aquila_cassette.importers import har, vcrpy  # not needed to replay a cassette of ours

    try:
        data = _unpacked(data, path)
        tree, kind = _tree(data)
        read = har.interactions(tree) if kind == "HAR" else vcrpy.interactions(tree)
    except YamlError as error:
        raise format_error(error, data, path) from error
    if read is None:
        return None
    over = har.passed_over(tree) if kind == "HAR" else vcrpy.passed_over(tree)
    return Import(CassetteData(read, foreign=kind), over)


def _unpacked(data: bytes, path: Path) -> bytes:
    if not data.startswith(GZIP):
        return data
    out = bytearray()
    while data:
        inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            while data and not inflate.eof:
                out += inflate.decompress(data, _CHUNK)
                data = inflate.unconsumed_tail
                if len(out) > MAX_BYTES:
                    raise too_large(len(out), path)
        except zlib.error as error:
            raise YamlError("the compressed file is damaged", damage="binary") from error
        if not inflate.eof:
            problem = "the compressed file is cut off"
            raise YamlError(problem, damage="truncated")
        data = inflate.unused_data
    return bytes(out)


def _tree(data: bytes) -> tuple[Any, ForeignFormat]:
    from aquila_cassette.importers.yaml_lenient import compose, plain_1_1

    kind = detect_format(data) or "vcrpy"
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = f"the byte 0x{data[error.start]:02x} is no UTF-8"
        raise YamlError(problem, line, damage="binary") from error
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(text), kind
        except json.JSONDecodeError as error:
            cut_off = error.pos >= len(text.rstrip())
            problem = f"this is no JSON: {error.msg.lower()}"
            raise YamlError(problem, error.lineno, cut_off=cut_off) from error
        except RecursionError as error:
            raise YamlError("its values are nested too deeply") from error
    # vcrpy's YAML is PyYAML's, of version 1.1; cassetter's writer knows 1.2 alone, and leaves a
    # date or 'no' without quotes.
    return compose(text, plain=plain if kind == "cassetter" else plain_1_1), kind
