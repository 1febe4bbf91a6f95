"""What the stand-in does wrong when it is asked to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .asking import Ask

HEADER = "x-provider-fault"
"""A request header that names a fault, for who wants to keep a real model name."""

_MESSAGES = {
    400: "The request was malformed on request.",
    401: "Incorrect API key provided.",
    403: "You are not allowed to use this model.",
    404: "The model does not exist.",
    429: "Rate limit reached. Please try again in 20s.",
    500: "The server had an error while processing your request.",
    503: "The service is temporarily unavailable.",
    529: "Overloaded.",
}


@dataclass(frozen=True)
class Fault:
    """A fault: a `status` and `message` in place of the answer, or what happens `after` tokens."""

    name: str
    status: int
    message: str
    after: int | None = None

    def refuses(self, *, stream: bool) -> bool:
        """Tell whether the answer is an error status; an error cannot come within one JSON."""
        return self.after is None or (self.name == "error-midstream" and not stream)


FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        *(Fault(f"error-{status}", status, message) for status, message in _MESSAGES.items()),
        Fault("error-midstream", 500, _MESSAGES[500], after=5),
        Fault("drop-after-5", 200, "", after=5),
        Fault("cut", 200, "", after=5),
        Fault("hang", 200, "", after=3),
    )
}


def asked_for(ask: Ask, headers: Mapping[str, str]) -> Fault | None:
    """Find the fault that a request names: in its header, as its model, or as its prompt."""
    for name in (headers.get(HEADER, ""), ask.model, ask.prompt.strip()):
        if name in FAULTS:
            return FAULTS[name]
    return None
