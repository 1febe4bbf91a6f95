"""What a cassette can be told, where each setting came from, and which of several wins."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from aquila_cassette.errors import UsageError

if TYPE_CHECKING:
    from aquila_cassette.matching.keys import Matcher
    from aquila_cassette.model import Request, Response
    from aquila_cassette.redaction import Redaction

__all__ = [
    "MODES",
    "Layer",
    "Mode",
    "OnUnplayed",
    "Options",
    "Resolved",
    "default_mode",
    "environment_layer",
    "parse_mode",
    "resolve",
]

Mode = Literal["none", "once", "new_episodes", "all"]
"""What may be recorded; the words and their meaning are vcrpy's."""

MODES: tuple[Mode, ...] = get_args(Mode)

_FALSE = frozenset({"", "0", "false", "no", "off"})

OnUnplayed = Literal["fail", "warn", "ignore"]
RequestHook = Callable[["Request"], "Request | None"]
ResponseHook = Callable[["Response"], "Response | None"]
MatchOn = Sequence["str | Callable[[Request], Hashable]"]

# The plugin reads the mode at the start of every run: what matches and redacts is imported late.


def _no_redaction() -> Redaction:
    from aquila_cassette.redaction import Redaction

    return Redaction()


@dataclass(frozen=True, slots=True)
class Options:
    """All that can be set for one open cassette, resolved.

    Args:
        mode: The record mode.
        match_on: What makes two requests the same.
        ignore_json: Paths of JSON fields that do not take part in matching.
        ignore_hosts: Host names (``*.example.com`` is a pattern) that pass through untouched.
        record_ambient: Whether what SDKs send by themselves (telemetry, price tables, tokens)
            is recorded and replayed as any other request is.
        redact: What is kept out of the file.
        speed: 0 replays at once; 1 at the recorded pace; 4 four times as fast.
        hold: Whether replayed streams are held back until the test lets their events through.
        repeats: Whether the last of equal recordings is played again and again.
        on_unplayed: What to do when recorded interactions were not played.
        before_record_request: Sees each redacted request; what it returns is matched and kept;
            None lets the request pass through unrecorded.
        before_record_response: Sees each redacted response before it is kept; None drops it.
        background: Patterns of what goes on for long on purpose and is never waited for: URLs, or
            places in the code (``*watch_prices*``).
        cassette_dir: The folder of the cassettes.
    """

    mode: Mode
    match_on: tuple[str | Callable[[Request], Hashable], ...] = ("method", "url", "body")
    ignore_json: tuple[str, ...] = ()
    ignore_hosts: tuple[str, ...] = ()
    record_ambient: bool = False
    redact: Redaction = field(default_factory=_no_redaction)
    speed: float = 0.0
    hold: bool = False
    repeats: bool = False
    on_unplayed: OnUnplayed = "fail"
    before_record_request: RequestHook | None = None
    before_record_response: ResponseHook | None = None
    background: tuple[str, ...] = ()
    cassette_dir: Path = Path("cassettes")

    def matcher(self) -> Matcher:
        """Build the matcher that these options ask for."""
        from aquila_cassette.matching.keys import Matcher

        return Matcher(self.match_on, self.ignore_json)


@dataclass(frozen=True, slots=True)
class Layer:
    """Settings from one place.

    Args:
        source: Where they stand, as the user would name it: ``--aquila-record``, ``aquila_config``.
        values: Option names and raw values; None means not set here.
    """

    source: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Resolved:
    """Options, and for each the source that won (``default`` where nobody set it)."""

    options: Options
    sources: Mapping[str, str]


_NAMES = tuple(field.name for field in fields(Options))


def resolve(layers: Iterable[Layer], environ: Mapping[str, str]) -> Resolved:
    """Resolve `layers`, strongest first; `redact` adds up over all of them.

    Args:
        layers: The settings, the strongest layer first.
        environ: The environment, for the default of the mode (``CI``).

    Raises:
        UsageError: An unknown option, or a value that an option cannot take.

    Example:
        >>> resolved = resolve([Layer("the call", {"mode": "all"})], {})
        >>> resolved.options.mode, resolved.sources["mode"], resolved.sources["speed"]
        ('all', 'the call', 'default')
    """
    values: dict[str, Any] = {}
    sources = dict.fromkeys(_NAMES, "default")
    redact = _no_redaction()
    for layer in layers:
        for name, value in layer.values.items():
            if name not in _NAMES:
                raise _unknown(name, layer.source)
            if value is None:
                continue
            if name == "redact":
                redact = redact | type(redact).of(value)
                first = sources[name] == "default"
                sources[name] = layer.source if first else f"{sources[name]} + {layer.source}"
            elif name not in values:
                values[name] = _checked(name, value, layer.source)
                sources[name] = layer.source
    if "mode" not in values:
        values["mode"] = default_mode(environ)
        sources["mode"] = "default (CI is set)" if values["mode"] == "none" else "default"
    return Resolved(Options(redact=redact, **values), sources)


def default_mode(environ: Mapping[str, str]) -> Mode:
    """Give the mode of those who chose none: ``none`` where ``CI`` is set and not false.

    Args:
        environ: The environment, as `os.environ`.

    Example:
        >>> default_mode({"CI": "true"}), default_mode({"CI": "false"}), default_mode({})
        ('none', 'once', 'once')
    """
    return "once" if environ.get("CI", "").strip().lower() in _FALSE else "none"


def parse_mode(text: str, *, source: str) -> Mode:
    """Read a record mode that a user wrote.

    Args:
        text: The mode, spelt as in `MODES`.
        source: Where it was written, as its writer knows it: ``AQUILA_RECORD``, ``mode=``.

    Raises:
        UsageError: It is no mode; the message names `source` and the closest mode.

    Example:
        >>> parse_mode("new_episodes", source="AQUILA_RECORD")
        'new_episodes'
    """
    for mode in MODES:
        if mode == text:
            return mode
    close = _closest(str(text).lower(), MODES)
    raise UsageError(
        f"{source} names no record mode.",
        facts=["expected: none, once, new_episodes or all", f"got:      {text!r}"],
        fix=f"Change it to {close[0]!r}." if close else "Change it to one of the four.",
    )


def environment_layer(environ: Mapping[str, str]) -> list[Layer]:
    """Read the settings that stand in environment variables, a layer for each that is set."""
    return [
        Layer(variable, {name: environ[variable]})
        for variable, name in (
            ("AQUILA_RECORD", "mode"),
            ("AQUILA_CASSETTE_DIR", "cassette_dir"),
            ("AQUILA_ON_UNPLAYED", "on_unplayed"),
        )
        if environ.get(variable)
    ]


def _unknown(name: str, source: str) -> UsageError:
    close = _closest(name, _NAMES)
    return UsageError(
        f"{source} sets an unknown option {name!r}.",
        facts=[f"known: {', '.join(_NAMES)}"],
        fix=f"Fix: write {close[0]!r}" if close else "Fix: take it out",
    )


def _checked(name: str, value: object, source: str) -> object:
    return _CHECKS[name](name, value, source)


def _wrong(name: str, value: object, source: str, expected: str) -> UsageError:
    return UsageError(
        f"{source} sets {name} to a value that it cannot take.",
        facts=[f"expected: {expected}", f"got:      {value!r}"],
        fix=f"Fix: set {name} to {expected}",
    )


def _mode(name: str, value: object, source: str) -> Mode:
    if not isinstance(value, str):
        raise _wrong(name, value, source, "none, once, new_episodes or all")
    return parse_mode(value, source=source)


def _match_on(name: str, value: object, source: str) -> MatchOn:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise _wrong(name, value, source, "a list of names or key functions")
    from aquila_cassette.matching.keys import Matcher

    parts = tuple(value)
    Matcher(parts, ())
    return parts


def _texts(name: str, value: object, source: str) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise _wrong(name, value, source, "a list of strings")
    parts = tuple(value)
    if not all(isinstance(part, str) for part in parts):
        raise _wrong(name, value, source, "a list of strings")
    return cast("tuple[str, ...]", parts)


def _speed(name: str, value: object, source: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise _wrong(name, value, source, "a number, 0 or more")
    return float(value)


def _flag(name: str, value: object, source: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, value, source, "True or False")
    return value


def _on_unplayed(name: str, value: object, source: str) -> OnUnplayed:
    if value not in ("fail", "warn", "ignore"):
        raise _wrong(name, value, source, "fail, warn or ignore")
    return value


def _hook(name: str, value: object, source: str) -> object:
    if not callable(value):
        raise _wrong(name, value, source, "a function")
    return value


def _folder(name: str, value: object, source: str) -> Path:
    if not isinstance(value, str | Path):
        raise _wrong(name, value, source, "a path")
    return Path(value)


_CHECKS: dict[str, Callable[[str, object, str], object]] = {
    "mode": _mode,
    "match_on": _match_on,
    "ignore_json": _texts,
    "ignore_hosts": _texts,
    "record_ambient": _flag,
    "background": _texts,
    "speed": _speed,
    "hold": _flag,
    "repeats": _flag,
    "on_unplayed": _on_unplayed,
    "before_record_request": _hook,
    "before_record_response": _hook,
    "cassette_dir": _folder,
}


def _closest(word: str, words: Sequence[str]) -> list[str]:
    # Imported late: the plugin reads a mode at the start of every run, and difflib is slow to load.
    from difflib import get_close_matches

    return get_close_matches(word, words, n=1)
