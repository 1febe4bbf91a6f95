"""Every error of this package, in one tree.

::

    AquilaError
    ├── UsageError                an argument, option or marker with a wrong value
    │   └── CassetteNameError     a cassette name that is empty or leaves the cassette folder
    ├── CassetteError             something about a cassette file
    │   ├── CassetteFormatError   the file is not a cassette: truncated, empty, binary, misspelt
    │   │   └── CassetteVersionError  it is one, of a newer version
    │   ├── CassetteSaveError     the file could not be written; it is as it was
    │   ├── OverwriteError        failures would have replaced good answers
    │   └── SecretLeakError       a save that would have written a known secret
    ├── ScopeError                it is unclear which open cassette a request belongs to
    ├── ReplayError               a request or a read that the cassette cannot answer
    │   ├── MissError             no interaction matches the request
    │   │   ├── UnrecordedError   a connection that no cassette can hold, while one replays
    │   │   └── FaultError        a fault that the recorded answer cannot have
    │   ├── RecoveryError         the code did not recover from the faults of its block
    │   ├── UnplayedError         the test ended and did not replay what it once recorded
    │   └── TruncatedReplayError  a read past the place where the recorded consumer stopped
    ├── NetworkBlockedError       a request outside any cassette while the network is blocked
    ├── StreamError               a stream of the client ended without a real completion
    ├── ResultTimeout             a stream was not over when the time to wait for its result was up
    ├── SettleTimeout             something was still going on when the time to wait was up
    │   └── RenderTimeout         a view was not idle when the time to wait was up
    └── UnsupportedError          traffic that no cassette can hold (gRPC)

    UserWarning
    ├── UnplayedWarning           what UnplayedError says, where it only warns
    └── UnrecordedWarning         traffic that no cassette holds, or a block that saw none

A message reads top down: what happened, to what, where; then facts, expected before actual; last
``Fix:`` and the command or edit that helps. The error has it as attributes, too, and can be pickled.

>>> from aquila_cassette.errors import AquilaError, MissError
>>> issubclass(MissError, AquilaError)
True
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


# Control characters would move the cursor or colour the rest; bidirectional ones reorder a line.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """Return `text` with every character escaped that a terminal would obey, but tabs and LF."""
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


class AquilaError(Exception):
    """The base of all errors of this package; ``except AquilaError`` catches them and no others.

    Args:
        what: The first line: what happened, to what, where.
        facts: Lines between, expected before actual; each is indented by two spaces.
        fix: The last line: the command or edit that helps.
        attributes: What else a kind of error has, as its class declares it.

    Example:
        >>> print(AquilaError("It broke.", facts=["expected: 1", "got: 2"], fix="Fix: make it"))
        It broke.
          expected: 1
          got: 2
        Fix: make it
    """

    passes_sdks = True  # whether SDKs neither wrap it nor ask again

    def __init__(
        self, what: str, *, facts: Sequence[str] = (), fix: str = "", **attributes: Any
    ) -> None:
        self.what = what
        self.facts = tuple(facts)
        self.fix = fix
        vars(self).update(attributes)
        lines = [what, *(f"  {line}" for fact in self.facts for line in fact.split("\n"))]
        if fix:
            lines.append(fix)
        super().__init__(printable("\n".join(lines)))

    def __reduce__(self) -> tuple[Any, ...]:
        state = {name: _picklable(value) for name, value in self.__dict__.items()}
        return _unpickled, (type(self), self.args), state


def _picklable(value: object) -> object:
    """Return what an attribute becomes in another process: None where it cannot be sent there."""
    import pickle  # few errors ever leave their process

    try:
        pickle.dumps(value)
    except Exception:
        return None
    return value


def _unpickled(cls: type[AquilaError], args: tuple[object, ...]) -> AquilaError:
    error = cls.__new__(cls)
    error.args = args
    return error


class UsageError(AquilaError):
    """An argument, option or marker with a wrong value: unknown, misspelt or out of range."""


class CassetteNameError(UsageError):
    """A cassette name that is empty, not portable, or leaves the cassette folder."""


class CassetteError(AquilaError):
    """Something about a cassette file; `path` is the file."""

    path: Path


class CassetteFormatError(CassetteError):
    """The file is not a cassette; it is never overwritten.

    `line` says where, from 1; None for the whole file.
    """

    line: int | None = None


class CassetteVersionError(CassetteFormatError):
    """The file was written by a newer version of this package."""


class CassetteSaveError(CassetteError):
    """The file could not be written; it is as it was."""


class OverwriteError(CassetteError):
    """Failures would have replaced good answers on a cassette; it stays as it was."""


class SecretLeakError(CassetteError):
    """A save was refused: its text still held a known secret; nothing was written."""


class ScopeError(AquilaError):
    """It is unclear which of several open cassettes a request belongs to."""


class ReplayError(AquilaError):
    """A request or a read that the cassette cannot answer."""


class MissError(ReplayError):
    """No interaction matches a request; the message shows the closest one and how it differs.

    `method` and `url` (redacted) are those of the request, `path` is the cassette file.
    """

    method: str
    url: str
    path: Path
    covers = ""  # the line `Fix:` of other misses that is not needed beside its own


class UnrecordedError(MissError):
    """A block that replays met a connection that no adapter made; `method` is ``CONNECT``."""


class FaultError(MissError):
    """A fault does not fit the answer that it is to change."""


class RecoveryError(ReplayError, AssertionError):
    """The code did not recover from the faults of its block."""


class UnplayedError(ReplayError):
    """A test ended and did not replay what it once recorded."""


class TruncatedReplayError(ReplayError):
    """A read past the place where the consumer stopped reading when this was recorded."""


class UnplayedWarning(UserWarning):
    """What `UnplayedError` says, where ``on_unplayed`` is ``warn``."""


class UnrecordedWarning(UserWarning):
    """What `UnrecordedError` says where a block is not in mode none; a block that saw no request."""


class NetworkBlockedError(AquilaError):
    """A request was made outside any cassette while the network is blocked."""


class StreamError(AquilaError):
    """A stream of the client ended without a real completion.

    `ref` is the stream's; `text` and `meta` (usage, response id) are what came until then. `reason` is in the provider's own words where it gave any; `kind` is ``http``, ``provider``,
    ``refusal``, ``incomplete``, ``cut``, ``transport``, ``timeout``, ``cancelled``, ``sink``,
    ``rounds`` or ``protocol``; `status` is None where there was no answer.
    """

    kind: str
    status: int | None = None
    ref: Any = None
    text: str = ""
    meta: Any = None

    @property
    def reason(self) -> str:
        """Its first line."""
        return self.what


class ResultTimeout(AquilaError, TimeoutError):  # noqa: N818 - after asyncio's TimeoutError
    """A stream was not over when the time to wait for its result was up; it goes on."""


class SettleTimeout(AquilaError, TimeoutError):  # noqa: N818 - after asyncio's TimeoutError
    """Something was still going on when the time to wait for it was up; it lists what."""


class RenderTimeout(SettleTimeout):
    """A view had something going on when the time to wait for it was up; it lists what."""


class UnsupportedError(AquilaError):
    """Traffic that no cassette can hold was met inside a block."""
