"""The fixtures and options of pytest-recording."""

from __future__ import annotations

import copy
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aquila_cassette import http
from aquila_cassette.http import connections
from aquila_cassette.session.hosts import Peer
from aquila_cassette.vcr_compat.vcr_suite import use_for_test

_UNSAFE = str.maketrans(dict.fromkeys("<>?%*:|\"'/\\", "-"))
_MAX_NAME = 255  # bytes of a file name, on every file system in use


@pytest.fixture(scope="session")
def record_mode(request: pytest.FixtureRequest) -> str:
    """The record mode of the command line."""
    return request.config.getoption("--record-mode") or "none"


@pytest.fixture(scope="session")
def disable_recording(request: pytest.FixtureRequest) -> bool:
    """Whether cassettes are neither recorded nor replayed."""
    return bool(request.config.getoption("--disable-recording"))


@pytest.fixture
def vcr_config() -> dict[str, Any]:
    """Vcrpy's options for all cassettes; suites override it."""
    return {}


@pytest.fixture
def vcr_markers(request: pytest.FixtureRequest) -> list[pytest.Mark]:
    """The marks `vcr` of a test, the nearest first."""
    return list(request.node.iter_markers("vcr"))


@pytest.fixture(scope="module")
def vcr_cassette_dir(request: pytest.FixtureRequest) -> str:
    """The folder of a module's cassettes."""
    return str(request.path.parent / "cassettes" / request.path.stem)


@pytest.fixture
def default_cassette_name(request: pytest.FixtureRequest) -> str:
    """The name of a test's cassette."""
    mark = request.node.get_closest_marker("default_cassette")
    if mark is not None:
        return str(mark.args[0])
    name = request.node.name
    inside = f"{request.cls.__name__}.{name}" if request.cls else name
    return inside.translate(_UNSAFE)


@pytest.fixture
def allowed_hosts(request: pytest.FixtureRequest) -> list[str] | None:
    """The hosts that may be reached although the network is blocked, as regexes."""
    mark = request.node.get_closest_marker("block_network")
    hosts = (
        (mark.kwargs.get("allowed_hosts") if mark else None)
        or request.config.getoption("--allowed-hosts")
        or request.getfixturevalue("vcr_config").get("allowed_hosts")
    )
    return hosts.split(",") if isinstance(hosts, str) else hosts


@pytest.fixture(autouse=True)
def block_network(
    request: pytest.FixtureRequest, record_mode: str, vcr_markers: list[pytest.Mark]
) -> Iterator[None]:
    """Refuse connections where the mark or option says so and nothing is to be recorded."""
    mark = request.node.get_closest_marker("block_network")
    mode = "none"
    if vcr_markers:
        options = _merged(request.getfixturevalue("vcr_config"), vcr_markers)
        mode = options.get("record_mode", record_mode)
    asked_for = mark is not None or request.config.getoption("--block-network")
    block = asked_for and mode == "none"
    allowed = request.getfixturevalue("allowed_hosts") or ()

    def refuse(peer: Peer) -> None:
        known = (peer.host, peer.name)
        if not (peer.is_lookup or any(re.match(one, host) for one in allowed for host in known)):
            raise RuntimeError(f"Network is disabled for host {peer.host!r}")

    if block:
        http.install()
        connections.watch(refuse)
    yield
    connections.unwatch(refuse)


@pytest.fixture(autouse=True)
def vcr(
    request: pytest.FixtureRequest,
    vcr_markers: list[pytest.Mark],
    vcr_cassette_dir: str,
    record_mode: str,
    disable_recording: bool,
) -> Iterator[Any]:
    """The cassette of a test that is marked; None for any other."""
    if not vcr_markers or disable_recording:
        yield None
    else:
        use = _use(request, vcr_markers, os.fspath(vcr_cassette_dir), record_mode)
        yield from use_for_test(request, use)


def _use(request: pytest.FixtureRequest, marks: list[pytest.Mark], folder: str, mode: str) -> Any:
    from vcr import VCR  # type: ignore[import-untyped]

    from aquila_cassette.vcr_compat.vcr import CompatVCR

    config = request.config
    options = _merged(request.getfixturevalue("vcr_config"), marks)
    mode = options.pop("record_mode", mode)
    rewrite = mode == "rewrite"
    suffix = f".{options.get('serializer', 'yaml')}"
    vcr = CompatVCR(
        config,
        others=[str(Path(folder, name)) for mark in marks for name in mark.args],
        rewrite=rewrite,
        path_transformer=VCR.ensure_suffix(suffix),
        cassette_library_dir=folder,
        record_mode="new_episodes" if rewrite else mode,
    )
    config.hook.pytest_recording_configure(config=config, vcr=vcr)
    name = _short(request.getfixturevalue("default_cassette_name"), suffix)
    return vcr.use_cassette(name, **options)


def _merged(config: dict[str, Any], marks: list[pytest.Mark]) -> dict[str, Any]:
    """Merge the options of the marks, the nearest last, over the suite's configuration."""
    options = copy.deepcopy(config)
    for mark in reversed(marks):
        options.update(mark.kwargs)
    return options


def _short(name: str, suffix: str) -> str:
    """Cut a name that is too long for a file, as pytest-recording does."""
    if len(name) + len(suffix) <= _MAX_NAME:
        return name
    digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    return f"{name[: _MAX_NAME - len(suffix) - len(digest) - 3]}...{digest}"
