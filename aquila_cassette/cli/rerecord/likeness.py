"""Which answers can be asked for again, and whether a new one is of the recorded one's kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.dialects import read_message
from aquila_cassette.redaction import REDACTED

if TYPE_CHECKING:
    from aquila_cassette.model import Interaction, Response

__all__ = ["unlike", "unusable"]


def unusable(one: Interaction) -> list[str]:
    """Say why no provider can be asked for an answer like this one; nothing where one can.

    Args:
        one: As it is on the cassette.
    """
    response = one.response
    if response.status is None:
        return ["no answer came; that cannot be asked for."]
    if response.ended == "failed":
        error = response.error
        how = ": ".join(filter(None, (error.type, error.message))) if error else "it broke off"
        return ["its answer broke off; that cannot be asked for.", f"recorded: {how}"]
    error_said = read_message(response.header("content-type"), response.body).error
    if error_said and response.status < 400:
        return [
            "its answer ended in the provider's error; that cannot be asked for.",
            f"recorded: {error_said}",
        ]
    return []


def unlike(old: Response, new: Response) -> list[str]:
    """Say how an answer is not of the recorded one's kind; nothing where it is.

    Args:
        old: As it was recorded.
        new: As it came now.
    """
    was, now = (read_message(one.header("content-type"), one.body) for one in (old, new))
    if old.status != new.status:
        facts = [f"recorded: HTTP {old.status}", f"now:      HTTP {new.status}"]
        return ["it was answered with another status.", *facts, *([now.error] if now.error else [])]
    if new.ended != "complete":
        why = new.error.message if new.error else new.ended
        return ["its answer broke off.", why]
    if now.error and not was.error:
        return ["its answer ended in the provider's error.", now.error]
    if was.dialect is not None and was.dialect != now.dialect:
        names = (f"recorded: {was.dialect}", f"now:      {now.dialect}")
        return ["it was answered in another dialect.", *names]
    if REDACTED.encode() in old.body and REDACTED.encode() not in new.body:
        return ["what its suite hid in the recorded answer is not hidden in the new one."]
    return []
