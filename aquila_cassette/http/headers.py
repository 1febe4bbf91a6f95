"""Header fields between their bytes on the wire and the cassette.

Their bytes may be of any encoding; as Latin-1 they come back as they were.
"""

from __future__ import annotations

from collections.abc import Iterable

from aquila_cassette.model import Headers

__all__ = ["Raw", "fields", "raw"]

Raw = tuple[tuple[bytes, bytes], ...]


def fields(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Give the fields as a cassette has them, names in lower case.

    Args:
        raw: As they came.

    Example:
        >>> fields([(b"Age", b"3")])
        (('age', '3'),)
    """
    return tuple([(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw])


def raw(fields: Headers) -> Raw:
    """Give the fields of a cassette as they go out.

    Args:
        fields: As the cassette has them.

    Example:
        >>> raw((("age", "3"),))
        ((b'age', b'3'),)
    """
    return tuple([(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields])
