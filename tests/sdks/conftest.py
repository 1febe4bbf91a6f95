from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sdks.faces import FACES, has
from tests.sdks.results import Cell, write_results
from tests.sdks.rows import rows_of

CELL = "aquila_sdks_cell"

HELD: dict[Cell, list[bool]] = {}
"""What held in this run, for each cell of the matrix; with xdist only the controller has it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("sdks", "the matrix of SDKs")
    group.addoption("--sdks", metavar="ENV", help="run the rows of this environment")
    group.addoption("--sdks-results", metavar="FILE", help="write what held there, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "holds(what): the column of the matrix that this test fills")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "row" not in metafunc.fixturenames:
        return
    column = metafunc.definition.get_closest_marker("holds").args[0]
    # Nothing is seen early of an SDK that collects, nor can it be left early.
    wanted = {"collects": (True,), "streams": (False,), "stops": (False,)}.get(
        column, (True, False)
    )
    cells = [
        pytest.param(
            row,
            face,
            id=f"{row.title.replace(', ', '-')}-{face}",
            marks=[pytest.mark.filterwarnings(warning) for warning in row.warns],
        )
        for row in rows_of(metafunc.config.getoption("--sdks", default=None))
        for face in FACES
        if has(row.driver(), face) and (face in row.collects) in wanted
    ]
    metafunc.parametrize(("row", "face"), cells)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # Where no SDK collects, pytest would report the test of those as skipped.
    empty = [item for item in items if item.name.endswith("[NOTSET]") and _is_ours(item)]
    if empty:
        items[:] = [item for item in items if item not in empty]
        config.hook.pytest_deselected(items=empty)


def _is_ours(item: pytest.Item) -> bool:
    return item.get_closest_marker("holds") is not None


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AQUILA_RECORD", raising=False)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("AQUILA_CASSETTE_DIR", str(tmp_path))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    report = yield
    marker = item.get_closest_marker("holds")
    if marker is not None and report.when == "call":
        params = item.callspec.params  # type: ignore[attr-defined]
        cell = params["row"].title, params["face"], marker.args[0]
        report.user_properties.append((CELL, cell))
    return report


@pytest.hookimpl
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    for name, cell in report.user_properties:
        if name == CELL:
            HELD.setdefault(tuple(cell), []).append(report.passed)


def pytest_sessionfinish(session: pytest.Session) -> None:
    path = session.config.getoption("--sdks-results", default=None)
    if path is None or hasattr(session.config, "workerinput"):
        return
    rows = rows_of(session.config.getoption("--sdks"))
    write_results(Path(path), rows, {cell: all(runs) for cell, runs in HELD.items()})
