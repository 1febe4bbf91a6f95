"""Load a cassette file of any recorder: detect its format, read it, find it by name.

vcrpy's, cassetter's and betamax's (Ruby VCR's) files and HAR are read as they are, beside our own.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import shlex
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from aquila_cassette.content_encoding import most_of
from aquila_cassette.errors import CassetteNameError, CassetteSaveError
from aquila_cassette.model import CassetteData
from aquila_cassette.storage import files
from aquila_cassette.storage.format import MAX_BYTES, format_error, loads, too_large
from aquila_cassette.storage.names import cassette_path, display_path, files_in
from aquila_cassette.storage.yaml_reader import YamlError, plain

ForeignFormat: TypeAlias = Literal["vcrpy", "cassetter", "betamax", "HAR"]

OURS = b"version: 1\nrecorded_with:"
"""How a file that we wrote begins: it is recognised at once, for every load asks."""

SUFFIXES = (".yaml", ".yml", ".json", ".har", ".yaml.gz", ".yml.gz", ".json.gz")
"""How the files of other recorders may end; vcrpy's own may have no suffix at all."""

_GZIP = b"\x1f\x8b"
_GLANCE = 4 << 20  # bytes of a compressed file
_SOME = 4 << 10
_BOM = b"\xef\xbb\xbf"
_BLANK = _BOM + b" \t\r\n"
_HAR = re.compile(rb'\{\s*"log"\s*:')
_NOT_HTTP = re.compile(rb"^(?:grpc|ws)_interactions:", re.MULTILINE)
# What holds the interactions.
_TOP = re.compile(
    rb"^(?:---[ \t]*\r?\n)?(interactions|requests|responses|http_interactions):", re.MULTILINE
)
_FIRST_FIELD = re.compile(rb"[^\n]*(?:\n[ \t]*(?:#[^\n]*)?\r?(?=\n))*(\n *- +|\n +)")
_FLOW = re.compile(rb"[ \t]*\{.*?[{,]\s*[\"']?uri[\"']?\s*:", re.DOTALL)
# vcrpy has a string there, or a mapping with 'string' in it.
_TYPED = re.compile(rb"\s+body:\r?\n +type: (?:json|text|binary|none)\r?\n")


# Which format, and which file.


def detect_format(data: bytes) -> ForeignFormat | None:
    """Return the format that the bytes of a file are in; None if it looks like ours, or like none."""
    if data.startswith(OURS):
        return None
    if data.startswith(_GZIP):
        try:
            data = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, _GLANCE)
        except zlib.error:
            return "vcrpy"  # who reads it says what is wrong
    if data[:1] in _BLANK:
        data = data.lstrip(_BLANK)
    if data[:1] in (b"{", b"["):
        if _HAR.match(data):
            return "HAR"
        if b'"http_interactions"' in data:
            return "betamax"
        return "vcrpy" if b'"uri"' in data else None
    return _yaml_format(data) or ("cassetter" if _NOT_HTTP.search(data) else None)


def _yaml_format(data: bytes) -> ForeignFormat | None:
    """Tell formats apart by the fields of the first request and of its response.

    They are lines with the indentation of the first one; what is deeper may be in a body.
    """
    top = _TOP.search(data)
    start = top.end() if top else len(data)
    if top and top[1] == b"http_interactions":
        return "betamax"
    if not top or top[1] not in (b"requests", b"responses"):
        start = data.find(b"request:", start)
    if start < 0:
        return None
    if _FLOW.match(data, data.find(b":", start) + 1):
        return "vcrpy"
    if not (first := _FIRST_FIELD.match(data, start)):
        return None
    line = b"\n" + b" " * (len(first[1]) - 1)

    def find(name: bytes) -> int:
        return data.find(line + name, first.start(1))

    if find(b"ended:") >= 0:  # one of ours, then, though somebody wrote uri for url
        return None
    if find(b"uri:") >= 0:
        return "cassetter" if _TYPED.match(data, find(b"body:")) else "vcrpy"
    return None


def find_cassette(folder: Path, name: str) -> Path:
    """Return the file that cassette `name` means in `folder`, whatever its format.

    First comes the file that `cassette_path` gives, then that of the very name (``chat.json``, or
    ``chat`` as vcrpy leaves it), then those of the name and a suffix. Without any, it is the first.
    """
    usual = cassette_path(folder, name)
    if usual.exists():
        return usual
    if (verbatim := folder / name).is_file():
        return verbatim
    base = usual.name.removesuffix(".yaml")
    candidates = [usual.with_name(base + end) for end in SUFFIXES]
    # os.path takes a name that is too long for one that is not there.
    found = [path for path in candidates if os.path.isfile(path)]  # noqa: PTH113
    if len(found) > 1:
        suffix = found[0].name.removeprefix(base)
        raise CassetteNameError(
            f"The cassette name {name!r} may mean {len(found)} files.",
            facts=[display_path(path) for path in found],
            fix=f'Fix: use the name of one, with its suffix: "{name}{suffix}"',
        )
    return found[0] if found else usual


def stem(file: str) -> str:
    """Return the name of a file without the suffix that another recorder gave it."""
    end = next((end for end in SUFFIXES if file.lower().endswith(end)), "")
    return file[: len(file) - len(end)]


def refuse_to_record(path: Path, kind: str, mode: str) -> CassetteSaveError:
    return CassetteSaveError(
        f"{display_path(path)} is in {kind}'s format: it can be replayed, not recorded into.",
        path=path,
        facts=[f"mode: {mode}"],
        fix=f"Fix: convert it first: {convert_command(path)}",
    )


def convert_command(path: Path) -> str:
    in_place = " --in-place" if path.suffix == ".yaml" else ""
    return f"aquila-cassette convert {shlex.quote(display_path(path))}{in_place}"


# What is in it.


def load(path: Path) -> CassetteData:
    """Read a cassette file, be it ours or in another recorder's format; FileNotFoundError without.

    Of the latter, secrets in the requests are redacted; in a cassette of ours they were before.
    """
    return files.load(path, parse=_parse)


def _parse(data: bytes, path: Path) -> CassetteData:
    found = read_foreign(data, path=path)
    if found is None:
        return loads(data, path=path)
    redact = _defaults().request
    interactions = tuple(replace(one, request=redact(one.request)) for one in found.interactions)
    return replace(found, interactions=interactions)


@cache
def _defaults() -> Any:
    from aquila_cassette.redaction import Redaction  # not needed to replay a cassette of ours

    return Redaction()


def read_foreign(data: bytes, *, path: Path) -> CassetteData | None:
    """Read the bytes of a file in another recorder's format, unredacted; None if it is in none."""
    kind = detect_format(data)
    if kind is None:
        return None
    from aquila_cassette.importers import har, vcrpy  # not needed to replay a cassette of ours

    try:
        data = _unpacked(data, path)
        tree = _tree(data, kind)
        found = har.read(tree) if kind == "HAR" else vcrpy.read(tree)
    except YamlError as error:
        raise format_error(error, data, path) from error
    except ValueError as error:
        raise format_error(YamlError("a number has too many digits"), data, path) from error
    if found is None:
        return None
    if kind == "HAR":
        left_out = len(tree["log"]["entries"]) - len(found)
    else:
        left_out = sum(len(tree[name] or ()) for name in vcrpy.NOT_HTTP if name in tree)
    return CassetteData(found, foreign=kind, left_out=left_out)


def cassettes_in(place: Path) -> Iterator[Path]:
    """Yield the cassette files in a folder and below, of any recorder; of a file the file itself."""
    for path in files_in(place):
        if path == place or path.suffix.lower() in (".yaml", ".yml"):
            yield path
        elif path.name.lower().endswith(SUFFIXES) or not path.suffix:
            with suppress(OSError), path.open("rb") as file:
                if detect_format(file.read(_GLANCE)):
                    yield path


def _unpacked(data: bytes, path: Path) -> bytes:
    if not data.startswith(_GZIP):
        return data
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            most = min(most_of(len(data)), MAX_BYTES)
            out = file.read(most + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise YamlError("the compressed file is damaged") from error
    if len(out) > most:
        raise too_large(len(out), path, most)
    return out


def _tree(data: bytes, kind: ForeignFormat) -> Any:
    data = data.removeprefix(_BOM)
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise YamlError(f"the byte 0x{data[error.start]:02x} is not UTF-8", line) from error
    if data[:_SOME].lstrip()[:1] in (b"{", b"["):
        try:
            return json.loads(data)
        except json.JSONDecodeError as error:
            raise YamlError(f"this is not JSON: {error.msg.lower()}", error.lineno) from error
        except RecursionError as error:
            raise YamlError("its values are nested too deeply") from error
    from aquila_cassette.importers.values import LenientReader, plain_1_1

    # vcrpy's YAML is PyYAML's, of version 1.1; cassetter's writer knows 1.2 alone, and leaves a
    # date or 'no' without quotes.
    return LenientReader(data, plain if kind == "cassetter" else plain_1_1).document()
