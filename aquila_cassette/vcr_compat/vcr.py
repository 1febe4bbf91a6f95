"""`vcr.VCR` on our engine: its options and hooks are vcrpy's own, its cassettes are ours."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Generator, Iterable
from typing import Any

import pytest
from vcr import VCR  # type: ignore[import-untyped]
from vcr.cassette import CassetteContextDecorator  # type: ignore[import-untyped]
from vcr.record_mode import RecordMode  # type: ignore[import-untyped]

from aquila_cassette import http
from aquila_cassette.options import Layer, resolve
from aquila_cassette.plugin import naming
from aquila_cassette.plugin.run import RUN
from aquila_cassette.session.owner import Owner
from aquila_cassette.vcr_compat.persister import Files
from aquila_cassette.vcr_compat.suite import SUITE
from aquila_cassette.vcr_compat.translation import SuiteRedaction
from aquila_cassette.vcr_compat.vcr_session import CompatCassette, VcrSession

_FILTERS = ("filter_headers", "filter_query_parameters", "filter_post_data_parameters")
_REPLACEMENTS = "_aquila_replacements"
_MODES = {RecordMode.NONE: "none", RecordMode.ONCE: "once", RecordMode.ALL: "all"}
# Those of our options that vcrpy has no counterpart of.
_OUR_OPTIONS = ("ignore_json", "redact", "speed", "background")


class CompatVCR(VCR):  # type: ignore[misc]
    """A `vcr.VCR` that opens our cassettes.

    With `rewrite`, cassettes are recorded without what is on file, as pytest-recording's mode of
    this name does.
    """

    def __init__(self, config: pytest.Config, *, rewrite: bool = False, **settings: Any) -> None:
        super().__init__(**settings)
        self.register_persister(Files(replaces=rewrite))
        self._config = config
        self._rewrite = rewrite

    def get_merged_config(self, **options: Any) -> dict[str, Any]:
        merged: dict[str, Any] = super().get_merged_config(**options)
        # What the suite itself puts in the place of secrets is no secret.
        merged[_REPLACEMENTS] = [
            pair[1]
            for name in _FILTERS
            for pair in options.get(name, getattr(self, name)) or ()
            if isinstance(pair, tuple) and isinstance(pair[1], str)
        ]
        return merged

    def _use_cassette(self, with_current_defaults: bool = False, **options: Any) -> _Use:
        settings: Callable[[], dict[str, Any]] = functools.partial(
            self.get_merged_config, **options
        )
        if with_current_defaults:
            settings = functools.partial(dict, settings())
        return _Use(self, settings)

    def load(self, **settings: Any) -> CompatCassette:
        """Open a cassette; vcrpy calls this where it would load its own."""
        replacements = settings.pop(_REPLACEMENTS, ())
        if isinstance(settings.get("persister"), Files):
            settings["persister"] = settings["persister"].fresh()
        cassette = CompatCassette(**settings)
        if not self._rewrite or isinstance(settings["persister"], Files):
            cassette._load()
        self._open_session(cassette, replacements)
        return cassette

    def _open_session(self, cassette: CompatCassette, replacements: Iterable[str]) -> None:
        http.install()
        suite, run = self._config.stash[SUITE], self._config.stash[RUN]
        above = {name: run.settings[name] for name in _OUR_OPTIONS if name in run.settings}
        owner = Owner(
            naming.node_id(suite.item) if suite.item is not None else None,
            fix=suite.rerecord(suite.item),
            above=[Layer("aquila_config", above)],
            root=self._config.rootpath,
        )
        mode = "all" if self._rewrite else _MODES.get(cassette.record_mode, "new_episodes")
        call: dict[str, Any] = {"mode": mode, "match_on": ("body",), "repeats": None}
        resolved = resolve([*owner.above, Layer("the mark vcr", call)], os.environ)
        redact = resolved.options.redact
        session = VcrSession(
            cassette,
            resolved,
            owner,
            redaction=SuiteRedaction(redact, replacements),
            strict=suite.strict,
            on_end=suite.count,
        )
        if isinstance(cassette._persister, Files):
            cassette._persister.redact = redact
        suite.sessions.append(session)


class _Use(CassetteContextDecorator):  # type: ignore[misc]
    """vcrpy's block or decorator, but nothing is patched: our session answers instead."""

    def _patch_generator(self, cassette: CompatCassette) -> Generator[CompatCassette, Any, None]:
        assert cassette.session is not None
        with cassette.session.in_force():
            yield cassette

    def __enter__(self) -> CompatCassette:
        cassette: CompatCassette = super().__enter__()
        self._opened = cassette
        return cassette

    def __exit__(self, *exc_info: Any) -> None:
        session = self._opened.session
        assert session is not None
        session.owner.failed = session.owner.failed or any(exc_info)
        super().__exit__(*exc_info)
