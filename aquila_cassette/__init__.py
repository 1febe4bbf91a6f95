"""The public names, imported on first use.

``aquila_cassette(name)`` is the whole of it for most users; the pytest plugin is there as soon as
the package is installed. Everything else is imported on first use, so that a suite that has the
package installed but does not use it starts as fast as without.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aquila_cassette import faults as faults
    from aquila_cassette.api import aquila_cassette as aquila_cassette
    from aquila_cassette.errors import *  # noqa: F403 - every error
    from aquila_cassette.model import CassetteData as CassetteData
    from aquila_cassette.model import Failure as Failure
    from aquila_cassette.model import Headers as Headers
    from aquila_cassette.model import Interaction as Interaction
    from aquila_cassette.model import Piece as Piece
    from aquila_cassette.model import Request as Request
    from aquila_cassette.model import Response as Response
    from aquila_cassette.redaction import Redaction as Redaction
    from aquila_cassette.session.cassette import Cassette as Cassette

_MODEL = ("CassetteData", "Failure", "Headers", "Interaction", "Piece", "Request", "Response")
_HOMES = {
    "aquila_cassette": "api",
    "Cassette": "session.cassette",
    "Redaction": "redaction",
    **dict.fromkeys(_MODEL, "model"),
}
"""Where the public names are, but for the errors: all of those are public."""


def __getattr__(name: str) -> object:
    if name == "faults":
        return import_module("aquila_cassette.faults")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    errors = vars(import_module(f"{__name__}.errors"))
    return sorted({*globals(), "faults", *_HOMES, *(name for name in errors if name[0].isupper())})
