r"""The bytes of a file to text that every reader of YAML takes alike.

Example:
    >>> clean(b"\xef\xbb\xbfa: b\r\n")
    b'a: b\n'
"""

from __future__ import annotations

import re

from aquila_cassette.cassette.yaml_reader import YamlError

__all__ = ["clean"]

_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_CONTROLS = bytes({*range(32), 127} - {ord("\t"), ord("\n")})
# U+0085, U+2028 and U+2029 are line breaks to libyaml and none to git, editors and YAML 1.2.
_TWO_BYTES = re.compile(b"\xc2[\x80-\x9f]")
_THREE_BYTES = (
    b"\xe2\x80\xa8",
    b"\xe2\x80\xa9",
    b"\xef\xbb\xbf",
    b"\xef\xbf\xbe",
    b"\xef\xbf\xbf",
)
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_STEP = 1 << 18  # bytes that stay in the processor's cache while they are searched many times


def clean(data: bytes) -> bytes:
    r"""Give the file's bytes, checked to be UTF-8, with neither byte order mark nor CR.

    Git on Windows, and editors there, write CRLF and a byte order mark; neither is content (a
    body of CRLF lines says so with ``eol: crlf``).

    Args:
        data: The file.

    Raises:
        YamlError: It is no UTF-8, or has a character that YAML refuses or takes for a line break.
    """
    if data.startswith(_UTF_16) or b"\0" in data[:2]:
        raise YamlError("the file is UTF-16, and a cassette is UTF-8", remedy="save it as UTF-8")
    data = data.removeprefix(_BOM)
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    if not data.isascii():
        _check_utf_8(data)
    for at in range(0, len(data), _STEP):
        if any(map(data[at : at + _STEP].__contains__, _CONTROLS)):
            raise _forbidden(data)
    return data


def _check_utf_8(data: bytes) -> None:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise YamlError(f"the byte 0x{data[error.start]:02x} is no UTF-8", line) from error
    if any(map(data.__contains__, _THREE_BYTES)) or _TWO_BYTES.search(data):
        raise _forbidden(data)


def _forbidden(data: bytes) -> YamlError:
    text = data.decode()
    match = _FORBIDDEN.search(text)
    assert match
    line = text.count("\n", 0, match.start()) + 1
    code = ord(match[0])
    problem = f"the character U+{code:04X} stands here as it is, which a cassette may not have"
    # Runs of NUL are what a crash of the machine leaves; nobody wrote them.
    remedy = f'write it as \\u{code:04x} in double quotes "..."' if code else ""
    return YamlError(problem, line, remedy=remedy)
