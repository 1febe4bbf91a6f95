"""`vcr.VCR` on our engine: its configuration is vcrpy's own, its cassettes are met by our heads."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from vcr import VCR  # type: ignore[import-untyped]
from vcr.cassette import CassetteContextDecorator  # type: ignore[import-untyped]

from aquila_cassette.vcr_compat.files import Files
from aquila_cassette.vcr_compat.tape import CassetteData

if TYPE_CHECKING:
    from aquila_cassette.vcr_compat.seat import Seat

__all__ = ["Machine"]

_FILTERS = ("filter_headers", "filter_query_parameters", "filter_post_data_parameters")
_SAID = "_aquila_said"


class Machine(VCR):  # type: ignore[misc]
    """A `vcr.VCR` whose cassettes are ours.

    Args:
        seat: Who opens them.
        anew: Whether the cassettes are recorded from nothing (pytest-recording's ``rewrite``).
        settings: As vcrpy takes them.
    """

    def __init__(self, seat: Seat, *, anew: bool = False, **settings: Any) -> None:
        super().__init__(**settings)
        self.register_persister(Files(replaces=anew))
        self._seat = seat
        self._anew = anew

    def get_merged_config(self, **options: Any) -> dict[str, Any]:
        """Resolve the options of one cassette, as vcrpy does."""
        merged: dict[str, Any] = super().get_merged_config(**options)
        filters = [options.get(name, getattr(self, name)) for name in _FILTERS]
        merged[_SAID] = [
            pair[1]
            for given in filters
            for pair in given or ()
            if isinstance(pair, tuple) and isinstance(pair[1], str)
        ]
        return merged

    def _use_cassette(self, with_current_defaults: bool = False, **options: Any) -> _Use:
        settings: Callable[[], dict[str, Any]] = functools.partial(
            self.get_merged_config, **options
        )
        if with_current_defaults:
            settings = functools.partial(dict, settings())
        return _Use(_Loader(self._seat, anew=self._anew), settings)


class _Loader:
    """What vcrpy takes for its class of cassettes.

    Args:
        seat: Who opens the cassettes.
        anew: Whether the cassette is left as it is, and recorded from nothing.
    """

    def __init__(self, seat: Seat, *, anew: bool) -> None:
        self._seat = seat
        self._anew = anew

    def load(self, **settings: Any) -> CassetteData:
        """Open a cassette."""
        said = settings.pop(_SAID, ())
        if settings.get("persister") and isinstance(settings["persister"], Files):
            settings["persister"] = settings["persister"].fresh()
        tape = CassetteData(**settings)
        if not self._anew or isinstance(settings["persister"], Files):
            tape._load()
        self._seat.take(tape, anew=self._anew, said=said)
        return tape


class _Use(CassetteContextDecorator):  # type: ignore[misc]
    """A block or a decorator: vcrpy's, but that nothing is patched and our scope is entered."""

    def _patch_generator(self, cassette: CassetteData) -> Generator[CassetteData, Any, None]:
        assert cassette.deck is not None
        with cassette.deck.in_force():
            yield cassette

    def __enter__(self) -> CassetteData:
        tape: CassetteData = super().__enter__()
        self._tape = tape
        return tape

    def __exit__(self, *exc_info: Any) -> None:
        deck = self._tape.deck
        assert deck is not None
        deck.owner.failed = deck.owner.failed or any(exc_info)
        super().__exit__(*exc_info)
