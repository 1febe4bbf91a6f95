import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.sdks.driver import FACES
from tests.sdks.rows import Row, rows_of

CELL = "aquila_sdks_cell"

HELD: dict[tuple[str, str, str], bool] = {}
"""What held in this run, by row, face and column; with xdist only the controller has it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("sdks", "the matrix of SDKs")
    group.addoption("--sdks", metavar="ENV", help="run the rows of this environment")
    group.addoption("--sdks-results", metavar="FILE", help="write what held there, as JSON")
    how_often = "render the page of each SDK so often"
    group.addoption("--sdks-times", metavar="N", type=int, default=1, help=how_often)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "holds(what): the column of the matrix that this test fills")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "row" not in metafunc.fixturenames:
        return
    column = metafunc.definition.get_closest_marker("holds").args[0]
    environment = metafunc.config.getoption("--sdks", default=None)
    rows = rows_of(environment)
    if column == "records" and environment is None:  # it takes five runs of pytest
        rows = rows[:1]
    cells = [
        pytest.param(
            row,
            face,
            id=f"{row.title.replace(', ', '-')}-{face}",
            marks=[pytest.mark.filterwarnings(warning) for warning in row.warns],
        )
        for row in rows
        for face in FACES
        # An SDK that collects, or reads on, cannot be left early.
        if _has(row, face, column)
        and not (column == "stops" and face in (*row.collects, *row.reads_on))
    ]
    metafunc.parametrize(("row", "face"), cells)


def _has(row: Row, face: str, column: str) -> bool:
    if column == "records":
        return face in row.examples
    return bool(row.maker) and row.driver().face(face) is not None


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
            held = HELD.get(tuple(cell), True)
            HELD[tuple(cell)] = held and report.passed


def pytest_sessionfinish(session: pytest.Session) -> None:
    path = session.config.getoption("--sdks-results", default=None)
    if path is None or hasattr(session.config, "workerinput"):
        return
    rows = rows_of(session.config.getoption("--sdks"))
    versions = {row.package: version(row.package) for row in rows}
    held = [[*cell, holds] for cell, holds in sorted(HELD.items())]
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps({"versions": versions, "held": held}, indent=1), "utf-8")
