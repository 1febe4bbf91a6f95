"""`vcr.VCR` and its cassette on our engine: options, hooks, matchers and files are vcrpy's own."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import vcr.matchers as matchers  # type: ignore[import-untyped]
from vcr import VCR
from vcr.cassette import Cassette, CassetteContextDecorator  # type: ignore[import-untyped]
from vcr.matchers import get_matchers_results, requests_match
from vcr.record_mode import RecordMode  # type: ignore[import-untyped]
from vcr.util import CaseInsensitiveDict  # type: ignore[import-untyped]

from aquila_cassette import http
from aquila_cassette.options import Layer, resolve
from aquila_cassette.plugin import naming
from aquila_cassette.plugin.run import RUN
from aquila_cassette.session.owner import Owner
from aquila_cassette.vcr_compat.persister import Files
from aquila_cassette.vcr_compat.suite import SUITE

if TYPE_CHECKING:
    from aquila_cassette.vcr_compat.vcr_session import VcrSession

_FILTERS = ("filter_headers", "filter_query_parameters", "filter_post_data_parameters")
_REPLACEMENTS = "_aquila_replacements"
_MODES = {RecordMode.NONE: "none", RecordMode.ONCE: "once", RecordMode.ALL: "all"}
# Those of our options that vcrpy has no counterpart of.
_OUR_OPTIONS = ("ignore_json", "redact", "speed", "background")
_URL_MATCHERS = frozenset({
    *(matchers.method, matchers.uri, matchers.scheme, matchers.host),
    *(matchers.port, matchers.path, matchers.query),
})  # fmt: skip


class CompatVCR(VCR):  # type: ignore[misc]
    """A `vcr.VCR` whose cassettes are ours.

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
        from aquila_cassette.vcr_compat.vcr_session import SuiteRedaction, VcrSession

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


class Chosen(NamedTuple):
    """Where the answer is, whether its request had the same body, and whether more follow."""

    place: int
    same_body: bool
    more: bool


class CompatCassette(Cassette):  # type: ignore[misc]
    """A `vcr.cassette.Cassette`: loading, hooks, matchers, counts and saving are vcrpy's own.

    Requests come from our adapters, responses when they have ended.
    """

    def __init__(self, **settings: Any) -> None:
        self.session: VcrSession | None = None
        self._pairs: list[tuple[Any, Any]] = []
        super().__init__(**settings)

    @property
    def data(self) -> list[tuple[Any, Any]]:
        """The requests and responses: those of the file, and those recorded so far."""
        if self.session is not None:
            self.session.hand_over()
        return self._pairs

    @data.setter
    def data(self, pairs: list[tuple[Any, Any]]) -> None:
        self._pairs = pairs

    @property
    def matches_url_only(self) -> bool:
        return _URL_MATCHERS.issuperset(self._match_on)

    @property
    def has_json_values(self) -> bool:
        """Whether a recorded request has a JSON value for a body, in place of its bytes."""
        return any(isinstance(request.body, dict | list) for request, _ in self._pairs)

    def choose(
        self, forms: Sequence[Any], same_body: Callable[[int], bool], *, strict: bool
    ) -> Chosen | None:
        """Choose the answer to a request, and count it as played; None where there is none.

        Of several that match, those with the same body come first, so that concurrent requests get
        their own answers. `strict` accepts no other body. `forms` are the request in each form in
        which it may be on the cassette.
        """
        repeats = self.allow_playback_repeats
        if self.record_mode == RecordMode.ALL or not (self.rewound or repeats):
            return None
        fitting = [
            place
            for place, (stored, _) in enumerate(self.data)
            if (repeats or not self.play_counts[place])
            and any(requests_match(form, stored, self._match_on) for form in forms)
        ]
        same = [place for place in fitting if same_body(place)]
        if not same and (strict or not fitting):
            return None
        place = (same or fitting)[0]
        if not self.play_counts[place] and place < self._loaded_count:
            self._played_interactions.append(self.data[place])
        self.play_counts[place] += 1
        return Chosen(place, bool(same), repeats or len(fitting) > 1)

    def differences(self, request: Any) -> list[list[tuple[str, str | None]]]:
        """List for each recorded request the matchers that reject it, and their reasons."""
        return [get_matchers_results(request, stored, self._match_on)[1] for stored, _ in self.data]

    def filter_response(self, response: dict[str, Any]) -> dict[str, Any] | None:
        """Call the suite's hooks with a response; None where one of them drops it."""
        filtered: dict[str, Any] | None = self._before_record_response(response)
        return filtered

    def append(self, request: Any, response: Any) -> None:
        if isinstance(response, dict) and isinstance(response.get("headers"), dict):
            response = {**response, "headers": CaseInsensitiveDict(response["headers"])}
        super().append(request, response)

    def keep(self, request: Any, response: dict[str, Any]) -> None:
        """Add a recorded pair, filtered as it is to be saved."""
        self._pairs.append((request, response))
        self.dirty = True

    def _save(self, force: bool = False) -> None:
        if self.session is not None and not self.session.finish():
            return
        persister = self._persister
        if isinstance(persister, Files):
            persister.replaces |= self.record_mode == RecordMode.ALL or self.drop_unused_requests
        super()._save(force=force)

    def _persist(self, cassette_dict: dict[str, Any]) -> None:
        responses = [_plain(response) for response in cassette_dict["responses"]]
        super()._persist({**cassette_dict, "responses": responses})


def _plain(response: Any) -> Any:
    """Return a response that any serializer can write, and may write into."""
    if not isinstance(response, dict):
        return response
    parts = {name: response[name] for name in ("headers", "body") if name in response}
    copies = {name: dict(part) for name, part in parts.items() if isinstance(part, Mapping)}
    return {**response, **copies}
