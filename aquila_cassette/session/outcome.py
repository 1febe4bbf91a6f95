"""What a block or a test is told at its end: misses that were swallowed, interactions unplayed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aquila_cassette.errors import MissError, UnplayedError, UnplayedWarning
from aquila_cassette.session.overwrite_guard import failure

if TYPE_CHECKING:
    from aquila_cassette.model import Interaction
    from aquila_cassette.session.owner import Owner
    from aquila_cassette.session.session import Session

__all__ = ["discarded_note", "given_up", "judge", "swallowed", "swallowed_miss", "unplayed"]


_SHARED = 'Or, if several blocks share it: aquila_cassette(..., on_unplayed="ignore")'


def swallowed(cassette: Session, left_by: BaseException | None) -> list[MissError]:
    """List the misses that did not leave the block by themselves, one for each request.

    Args:
        cassette: The cassette of the block.
        left_by: The exception that leaves the block, if one does.
    """
    seen = _chain(left_by)
    delivered = {_same(error) for error in seen if isinstance(error, MissError)}
    fresh: dict[tuple[str, ...], MissError] = {}
    for error in cassette.untold_misses:
        if _same(error) not in delivered:
            fresh.setdefault(_same(error), error)
    return list(fresh.values())


def swallowed_miss(misses: Sequence[MissError]) -> MissError:
    """Make the one error that stands for `misses`: the miss itself, or all their texts."""
    if len(misses) == 1:
        return misses[0]
    first = misses[0]
    return MissError(
        f"{len(misses)} requests had no recording.",
        method=first.method,
        url=first.url,
        path=first.path,
        facts=["\n".join([miss.what, *(f"  {fact}" for fact in miss.facts)]) for miss in misses],
        fix=first.fix,
    )


def judge(owner: Owner) -> None:
    """Raise what a test must hear at its end: a swallowed miss first, else what it left unplayed.

    Raises:
        MissError: A request had no recording and nobody was told.
        OverwriteError: It recorded failures in the place of good answers.
        UnplayedError: Something was left, and ``on_unplayed`` is ``fail``.
    """
    misses = []
    for cassette in owner.cassettes:
        misses += swallowed(cassette, None)
        cassette.settle_misses()
    if misses:
        raise swallowed_miss(misses)
    owner.refuse_losses()
    if not any(cassette.misses for cassette in owner.cassettes):
        unplayed(owner)


def unplayed(owner: Owner) -> None:
    """Say what `owner` recorded once and did not play: raise, warn or keep still, as it was told.

    Raises:
        UnplayedError: Something was left, and ``on_unplayed`` is ``fail``.
    """
    for cassette, left in owner.unplayed():
        action = cassette.options.on_unplayed
        if action == "ignore":
            continue
        error = _unplayed(cassette, left, owner)
        if action == "fail":
            raise error
        warnings.warn(UnplayedWarning(str(error)), stacklevel=2)


def discarded_note(cassette: Session) -> str | None:
    """Say which recordings were not kept since the block raised; None if all were."""
    if not cassette.discarded:
        return None
    lines = [f"aquila: not kept in {cassette.shown_path}, since the block raised:"]
    for interaction in cassette.discarded:
        response = interaction.response
        error = response.error
        how = f"failed: {error.type or error.message}" if error else response.ended
        status = "no answer" if response.status is None else str(response.status)
        asked = f"{interaction.request.method} {interaction.request.url}"
        lines.append(f"  {asked} ({status}, {how})")
    return "\n".join(lines)


def given_up(owner: Owner) -> str:
    """Say what kept a test that ended well from recording anew; nothing where nothing did."""
    for cassette in owner.cassettes:
        if cassette.mode == "all":
            for one in cassette.discarded:
                if how := failure(one):
                    return f"{how.kind} in a block that raised"
    return ""


def _unplayed(
    cassette: Session, left: Sequence[tuple[int, Interaction]], owner: Owner
) -> UnplayedError:
    count = len(left)
    whose = "that it recorded" if owner.name else "of this cassette"
    return UnplayedError(
        f"{owner.name or 'The block'} did not play {count} "
        f"interaction{'' if count == 1 else 's'} {whose}.",
        facts=[
            f"cassette: {cassette.shown_path} (mode {cassette.mode})",
            *(f"unplayed: {_shown(number, interaction)}" for number, interaction in left),
        ],
        fix=owner.rerecord if owner.name else f"{owner.rerecord}\n{_SHARED}",
    )


def _shown(number: int, interaction: Interaction) -> str:
    dated = f", recorded {interaction.recorded_at[:10]}" if interaction.recorded_at else ""
    return f"interaction {number}, {interaction.request.method} {interaction.request.url}{dated}"


def _chain(error: BaseException | None) -> list[BaseException]:
    """Walk an exception, its causes and contexts, and the members of groups."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is None or any(one is other for other in seen):
            continue
        seen.append(one)
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
    return seen


def _same(error: MissError) -> tuple[str, ...]:
    """Tell retries of one request apart from other requests: all but the running number."""
    return (error.method, error.url, *error.facts)
