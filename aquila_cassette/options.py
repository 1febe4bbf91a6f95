"""The options of a block, declared once: default, check, help, ini and environment names, which source wins.

The plugin reads the mode at the start of every run, so what matches and redacts is imported late.
"""

# ruff: noqa: RUF009 - `_option` returns a dataclass field

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from aquila_cassette.errors import UsageError

if TYPE_CHECKING:
    from aquila_cassette.faults import Fault
    from aquila_cassette.model import Request, Response
    from aquila_cassette.redaction import Redaction

Mode = Literal["none", "once", "new_episodes", "all"]
"""What may be recorded; the words and their meaning are vcrpy's."""

OnUnplayed = Literal["fail", "warn", "ignore"]

Pieces = Literal["recorded", "events", "bytes", "whole"] | int
"""In which pieces an answer is replayed; a number is the seed of random ones."""

MODES: tuple[Mode, ...] = get_args(Mode)

Check = Callable[[object], Any]
"""Returns the value of an option as `Options` holds it; raises ValueError if it cannot be one."""


def _is(
    fits: Callable[[Any], bool], expected: str, convert: Callable[[Any], Any] = lambda value: value
) -> Check:
    def check(value: object) -> Any:
        if not fits(value):
            raise ValueError(expected)
        return convert(value)

    return check


def _one_of(*words: str) -> Check:
    return _is(lambda value: value in words, f"{', '.join(words[:-1])} or {words[-1]}")


_flag = _is(lambda value: isinstance(value, bool), "True or False")
_hook = _is(callable, "a function")
_folder = _is(lambda value: isinstance(value, str | Path), "a path", Path)
_speed = _is(lambda value: type(value) in (int, float) and value >= 0, "a number, 0 or more", float)


def _texts(value: object) -> tuple[str, ...]:
    parts = () if isinstance(value, str) or not isinstance(value, Iterable) else tuple(value)
    if (not parts and value not in ((), [])) or not all(isinstance(part, str) for part in parts):
        raise ValueError("a list of strings")
    return parts


def _of_matcher(name: str) -> Check:
    """Check an option of matching as `Matcher` does."""

    def check(value: object) -> tuple[Any, ...]:
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise ValueError("a list")
        from aquila_cassette.matching.keys import Matcher

        parts: tuple[Any, ...] = tuple(value)
        Matcher(**{name: parts})
        return parts

    return check


def _faults(value: object) -> tuple[Fault, ...]:
    from aquila_cassette.faults import Fault

    found = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else ()
    if (not found and value not in ((), [])) or not all(isinstance(one, Fault) for one in found):
        raise ValueError("a list of faults, like [faults.disconnect(after=3)]")
    return found


_slicing = _is(
    lambda value: value in ("recorded", "events", "bytes", "whole") or type(value) is int,
    "recorded, events, bytes, whole or a number, the seed",
)


def _redact(value: object) -> Redaction:
    from aquila_cassette.redaction import Redaction

    return Redaction.of(value)


@cache
def _default_redaction() -> Redaction:
    return _redact(())


def _option(default: Any, check: Check, **places: object) -> Any:
    """Describe one option; `places` tell where else it is set: see `SETTINGS`."""
    metadata = {"check": check, **places}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The resolved options of one open cassette; `api.aquila_cassette` documents each."""

    mode: Mode = _option(
        "once",
        _one_of(*MODES),
        env="AQUILA_RECORD",
        ini="aquila_record",
        choices=MODES,
        help="record mode: none (replay only), once (record if there is no cassette yet), "
        "new_episodes (record what is not known) or all (re-record)",
    )
    match_on: tuple[str | Callable[[Request], Hashable], ...] = _option(
        ("method", "url", "body", "operation"), _of_matcher("match_on")
    )
    ignore_json: tuple[str, ...] = _option((), _of_matcher("ignore_json"))
    unordered_json: tuple[str, ...] = _option((), _of_matcher("unordered_json"))
    ignore_query: tuple[str, ...] = _option((), _texts)
    ignore_form: tuple[str, ...] = _option((), _texts)
    normalize: tuple[str | re.Pattern[str], ...] = _option((), _of_matcher("normalize"))
    ignore_hosts: tuple[str, ...] = _option((), _texts)
    record_ambient: bool = _option(False, _flag)
    redact: Redaction = _option(_default_redaction, _redact)
    speed: float = _option(0.0, _speed)
    hold: bool = _option(False, _flag)
    repeats: bool = _option(False, _flag)
    on_unplayed: OnUnplayed = _option(
        "fail",
        _one_of(*get_args(OnUnplayed)),
        env="AQUILA_ON_UNPLAYED",
        ini="aquila_on_unplayed",
        choices=get_args(OnUnplayed),
        help="what to do when a test does not replay what it recorded: fail, warn or ignore",
    )
    before_record_request: Callable[[Request], Request | None] | None = _option(None, _hook)
    before_record_response: Callable[[Response], Response | None] | None = _option(None, _hook)
    background: tuple[str, ...] = _option((), _texts)
    faults: tuple[Fault, ...] = _option((), _faults)
    pieces: Pieces = _option("recorded", _slicing)
    cassette_dir: Path = _option(
        Path("cassettes"),
        _folder,
        env="AQUILA_CASSETTE_DIR",
        ini="aquila_cassette_dir",
        help="the folder of the cassettes",
    )


_FIELDS = {one.name: one for one in fields(Options)}

MATCHING = ("match_on", "ignore_json", "unordered_json", "ignore_query", "ignore_form", "normalize")
"""The options of a `Matcher`."""

SETTINGS = {name: one.metadata for name, one in _FIELDS.items() if "env" in one.metadata}
"""The options that the command line, the environment and the ini file set too: ``env``, ``ini``,
``help`` and perhaps ``choices`` of each."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Raw values from one place, named as its user would: ``--aquila-record``; None is not set."""

    source: str
    values: Mapping[str, object]


def resolve(layers: Iterable[Layer], environ: Mapping[str, str]) -> Options:
    """Resolve `layers`, strongest first; `redact` adds up over all of them."""
    values: dict[str, Any] = {}
    for layer in layers:
        for name, raw in layer.values.items():
            if name not in _FIELDS:
                raise UsageError(
                    f"{layer.source} sets an unknown option {name!r}.",
                    facts=[f"known: {', '.join(_FIELDS)}"],
                    fix="Fix: write one of these, or take it out",
                )
            if raw is None or (name in values and name != "redact"):
                continue
            value = _checked(name, raw, layer.source)
            values[name] = values[name] | value if name in values else value
    values.setdefault("mode", default_mode(environ))
    return Options(**values)


def default_mode(environ: Mapping[str, str]) -> Mode:
    """Return the mode where none is set: ``none`` where ``CI`` is set and not false."""
    ci = environ.get("CI", "").strip().lower()
    return "once" if ci in {"", "0", "false", "no", "off"} else "none"


def environment_layer(environ: Mapping[str, str]) -> list[Layer]:
    """Return the settings in environment variables, a layer for each that is set."""
    return [
        Layer(setting["env"], {name: environ[setting["env"]]})
        for name, setting in SETTINGS.items()
        if environ.get(setting["env"])
    ]


def _checked(name: str, value: object, source: str) -> Any:
    try:
        return _FIELDS[name].metadata["check"](value)
    except ValueError as error:
        raise UsageError(
            f"{source} sets {name} to a value that it cannot take.",
            facts=[f"expected: {error}", f"got:      {value!r}"],
            fix=f"Fix: set {name} to {error}",
        ) from None
