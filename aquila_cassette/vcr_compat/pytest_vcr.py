"""The fixtures and options of pytest-vcr."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from aquila_cassette.vcr_compat.vcr_suite import use_for_test


@pytest.fixture(autouse=True)
def _vcr_marker(request: pytest.FixtureRequest) -> None:
    """Open the cassette of a test that is marked."""
    if request.node.get_closest_marker("vcr"):
        request.getfixturevalue("vcr_cassette")


@pytest.fixture(scope="module")
def vcr_config() -> dict[str, Any]:
    """Vcrpy's options for all cassettes; suites override it."""
    return {}


@pytest.fixture(scope="module")
def vcr_cassette_dir(request: pytest.FixtureRequest) -> str:
    """The folder of a module's cassettes."""
    return str(request.path.parent / "cassettes")


@pytest.fixture
def vcr_cassette_name(request: pytest.FixtureRequest) -> str:
    """The name of a test's cassette: that of its mark, else the test's."""
    mark = request.node.get_closest_marker("vcr")
    if mark is not None and mark.args:
        return str(mark.args[0])
    name = str(request.node.name)
    return f"{request.cls.__name__}.{name}" if request.cls else name


@pytest.fixture(scope="module")
def vcr(request: pytest.FixtureRequest, vcr_config: dict[str, Any], vcr_cassette_dir: str) -> Any:
    """The `vcr.VCR` of a module."""
    from vcr import VCR  # type: ignore[import-untyped]

    from aquila_cassette.vcr_compat.vcr import CompatVCR

    settings = {
        "cassette_library_dir": vcr_cassette_dir,
        "path_transformer": VCR.ensure_suffix(".yaml"),
        **vcr_config,
        **_options(request),
    }
    return CompatVCR(request.config, **settings)


@pytest.fixture
def vcr_cassette(request: pytest.FixtureRequest, vcr: Any, vcr_cassette_name: str) -> Iterator[Any]:
    """The cassette of a test."""
    yield from use_for_test(request, vcr.use_cassette(vcr_cassette_name, **_options(request)))


def _options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the options of the mark; those of the command line come first."""
    mark = request.node.get_closest_marker("vcr")
    options = dict(mark.kwargs) if mark is not None else {}
    if mode := request.config.getoption("vcr_record"):
        options["record_mode"] = mode
    if request.config.getoption("disable_vcr"):
        options["before_record_request"] = lambda _: None
    return options
