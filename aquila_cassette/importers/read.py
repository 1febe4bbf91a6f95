"""The bytes of a file in another recorder's format to a cassette."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

from aquila_cassette.importers import har, vcrpy
from aquila_cassette.importers.detect import GZIP, Kind, sniff
from aquila_cassette.importers.yaml_lenient import compose, plain_1_1
from aquila_cassette.model import CassetteData
from aquila_cassette.storage.format import MAX_BYTES, format_error, no_libyaml, too_large
from aquila_cassette.storage.schema_error import Flaw
from aquila_cassette.storage.yaml_reader import NoLibyaml, YamlError, plain

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Whole", "loads", "whole"]

_CHUNK = 1 << 20


class Whole(NamedTuple):
    """What a file holds.

    Args:
        cassette: What a cassette can hold of it.
        passed_over: The rest, a line for each kind.
    """

    tape: CassetteData
    passed_over: tuple[str, ...] = ()


def loads(data: bytes, *, path: Path) -> CassetteData | None:
    """Read the cassette in the bytes of a file in another recorder's format, as `whole` does.

    Args:
        data: The whole file.
        path: Where it is, for messages.
    """
    read = whole(data, path=path)
    return None if read is None else read.tape


def whole(data: bytes, *, path: Path) -> Whole | None:
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
    try:
        data = _unpacked(data, path)
        tree, kind = _tree(data)
        read = har.interactions(tree) if kind == "HAR" else vcrpy.interactions(tree)
    except (YamlError, Flaw) as error:
        raise format_error(error, data, path) from error
    except NoLibyaml as error:
        raise no_libyaml(path) from error
    if read is None:
        return None
    over = har.passed_over(tree) if kind == "HAR" else vcrpy.passed_over(tree)
    return Whole(CassetteData(read, foreign=kind), over)


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


def _tree(data: bytes) -> tuple[Any, Kind]:
    kind = sniff(data) or "vcrpy"
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
            raise YamlError("too many values stand within each other") from error
    # vcrpy's YAML is PyYAML's, of version 1.1; cassetter's writer knows 1.2 alone, and leaves a
    # date or 'no' without quotes.
    return compose(text, plain=plain if kind == "cassetter" else plain_1_1), kind
