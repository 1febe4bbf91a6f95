r"""The bytes of a file to text that every reader of YAML takes alike.

Example:
    >>> clean(b"\xef\xbb\xbfa: b\r\n")
    b'a: b\n'
"""

from __future__ import annotations

import re

from aquila_cassette.storage.yaml_reader import YamlError

__all__ = ["clean"]

_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
# U+0085, U+2028 and U+2029 are line breaks to libyaml and none to git, editors and YAML 1.2.
_C1 = re.compile(b"\xc2[\x80-\x9f]")
_OTHERS = re.compile(b"\xef(?:\xb7[\x90-\xaf]|\xbb\xbf|\xbf[\xbe\xbf])")
_STRETCH = 1 << 16
_FORBIDDEN = "[\0\r\x80-\x9f\u2028\u2029\ufdd0-\ufdef\ufeff\ufffe\uffff]"


def clean(data: bytes) -> bytes:
    r"""Give the file's bytes, checked to be UTF-8, with neither byte order mark nor CR.

    Git on Windows, and editors there, write CRLF and a byte order mark; neither is content (a
    body of CRLF lines says so with ``eol: crlf``).

    Args:
        data: The file.

    Raises:
        YamlError: It is no UTF-8, or has a character that would be lost or is what damage leaves:
            NUL, a CR alone, C1 controls (U+0085 among them), U+2028, U+2029, U+FEFF and
            noncharacters. (The other control characters are taken as they are.)
    """
    # One NUL of two is half of a character; both are what a crash of the machine leaves.
    if data.startswith(_UTF_16) or data[:2].count(0) == 1:
        problem = "the file is UTF-16, and a cassette is UTF-8"
        raise YamlError(problem, fix="save it as UTF-8", damage="binary")
    data = data.removeprefix(_BOM)
    if b"\r" in data:  # which is found ten times as fast as CRLF
        data = data.replace(b"\r\n", b"\n")
    if not data.isascii():
        _check_utf_8(data)
    if b"\0" in data or b"\r" in data:
        raise _forbidden(data)
    return data


def _check_utf_8(data: bytes) -> None:
    # A stretch at a time: decoding all of it at once takes twice as long, most of it for memory.
    start = 0
    while start < len(data):
        end = data.find(b"\n", start + _STRETCH) + 1 or len(data)
        lines = data[start:end]
        if not lines.isascii():
            try:
                text = lines.decode()
            except UnicodeDecodeError:
                raise _no_utf_8(data) from None
            if _has_forbidden(lines, text):
                raise _forbidden(data)
        start = end


def _has_forbidden(lines: bytes, text: str) -> bool:
    # One byte or character is found ten times as fast as two, and most text has neither byte.
    return (
        "\u2028" in text
        or "\u2029" in text
        or bool(b"\xc2" in lines and _C1.search(lines))
        or bool(b"\xef" in lines and _OTHERS.search(lines))
    )


def _no_utf_8(data: bytes) -> YamlError:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = f"the byte 0x{data[error.start]:02x} is no UTF-8"
        return YamlError(problem, line, damage="binary")
    raise AssertionError("its lines are no UTF-8, and the whole is")


def _forbidden(data: bytes) -> YamlError:
    text = data.decode(errors="replace")  # bytes that are no UTF-8 may follow
    match = re.search(_FORBIDDEN, text)
    assert match
    line = text.count("\n", 0, match.start()) + 1
    code = ord(match[0])
    problem = f"the character U+{code:04X} stands here as it is, which a cassette may not have"
    # Runs of NUL are what a crash of the machine leaves; nobody wrote them.
    fix = f'write it as \\u{code:04x} in double quotes "..."' if code else ""
    return YamlError(problem, line, fix=fix, damage="format" if code else "binary")
