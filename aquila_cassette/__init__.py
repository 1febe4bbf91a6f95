"""The public names, imported on first use.

``aquila_cassette(name)`` is the whole of it for most users; the pytest plugin is there as soon as
the package is installed. Everything else is imported on first use, so that a suite that has the
package installed but does not use it starts as fast as without.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aquila_cassette.api import aquila_cassette
    from aquila_cassette.errors import (
        AquilaError,
        CassetteError,
        CassetteFormatError,
        CassetteNameError,
        CassetteSaveError,
        CassetteVersionError,
        MissError,
        NetworkBlockedError,
        OverwriteError,
        RecordedFailure,
        RenderTimeout,
        ReplayError,
        ResendError,
        ResultTimeout,
        ScopeError,
        SecretLeakError,
        SettleTimeout,
        StreamError,
        TruncatedReplayError,
        UnplayedError,
        UnplayedWarning,
        UnrecordedError,
        UnrecordedWarning,
        UnsupportedError,
        UsageError,
    )
    from aquila_cassette.model import (
        CassetteData,
        Failure,
        Headers,
        Interaction,
        Piece,
        Request,
        Response,
    )
    from aquila_cassette.redaction import Redaction
    from aquila_cassette.session.cassette import Cassette

__all__ = [
    "AquilaError",
    "Cassette",
    "CassetteData",
    "CassetteError",
    "CassetteFormatError",
    "CassetteNameError",
    "CassetteSaveError",
    "CassetteVersionError",
    "Failure",
    "Headers",
    "Interaction",
    "MissError",
    "NetworkBlockedError",
    "OverwriteError",
    "Piece",
    "RecordedFailure",
    "Redaction",
    "RenderTimeout",
    "ReplayError",
    "Request",
    "ResendError",
    "Response",
    "ResultTimeout",
    "ScopeError",
    "SecretLeakError",
    "SettleTimeout",
    "StreamError",
    "TruncatedReplayError",
    "UnplayedError",
    "UnplayedWarning",
    "UnrecordedError",
    "UnrecordedWarning",
    "UnsupportedError",
    "UsageError",
    "aquila_cassette",
]

_HOMES = {
    "aquila_cassette": "api",
    "Cassette": "session.cassette",
    "Redaction": "redaction",
    **dict.fromkeys(
        ("Failure", "Headers", "Interaction", "Piece", "Request", "Response", "CassetteData"),
        "model",
    ),
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    home = import_module(f"{__name__}.{_HOMES.get(name, 'errors')}")
    return getattr(home, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
