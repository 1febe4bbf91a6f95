"""The size and the shape of the code stay within the budgets of the design."""

import ast
import json
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from tests.file_list import PACKAGE, PAGE, ROOT, page, summary

FILES = sorted(PACKAGE.rglob("*.py"))
JOURNEYS = {
    "open": 18,
    "record, httpx": 16,
    "save": 24,
    "replay, httpx": 16,
    "replay, aiohttp": 20,
    "miss": 20,
}


def lines(path: Path) -> int:
    return path.read_text("utf-8").count("\n")


def test_the_package_and_its_tests_stay_small() -> None:
    # The design allows 26 000 lines of each. Lower these with every cut until they are there.
    assert sum(map(lines, FILES)) <= 27_225
    assert len(FILES) <= 190
    assert sum(map(lines, (ROOT / "tests").rglob("*.py"))) <= 27_136


def test_a_file_tells_one_story() -> None:
    assert [path for path in FILES if lines(path) > 500] == []
    short = [path for path in FILES if path.name != "__init__.py" and lines(path) < 40]
    assert len(short) <= len(FILES) // 15, short


def test_a_class_name_exists_once() -> None:
    names = Counter(
        node.name
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_modules_of_a_folder_do_not_import_each_other_in_a_circle() -> None:
    assert cycles() == []


def test_every_module_says_in_one_line_what_it_holds() -> None:
    assert [path for path in FILES if not summary(path)] == []


def test_contributing_lists_every_file() -> None:
    text = PAGE.read_text("utf-8")
    assert text == page(text), "Fix: make files"


def test_the_import_contract_is_the_drawing_in_contributing() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contract = project["tool"]["importlinter"]["contracts"][0]["layers"]
    drawing = PAGE.read_text("utf-8").partition("```\n")[2].partition("```")[0]
    drawn = [line.partition("   ")[0].strip() for line in drawing.splitlines()]
    assert [layer.replace("aquila_cassette.", "") for layer in contract] == drawn


@pytest.mark.parametrize("journey", JOURNEYS)
def test_a_reader_walks_through_few_files(journey: str, walked: dict[str, list[str]]) -> None:
    assert len(walked[journey]) <= JOURNEYS[journey], walked[journey]


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The files of the package that each journey touches, in an interpreter of its own."""
    folder = tmp_path_factory.mktemp("journeys")
    command = [sys.executable, "-m", "tests.journeys", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def cycles() -> list[list[str]]:
    """Return the circles of imports within each folder, those for types only included."""
    imports = {name(path): imported(path) for path in FILES}
    found = []
    for start in imports:
        trail, seen = [(start, [start])], {start}
        while trail:
            at, way = trail.pop()
            for after in sorted(imports[at]):
                if after == start:
                    found.append(way)
                elif after in imports and after not in seen and folder(after) == folder(start):
                    seen.add(after)
                    trail.append((after, [*way, after]))
    return found


def name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def folder(module: str) -> str:
    return ".".join(module.split(".")[:2])


def imported(path: Path) -> set[str]:
    modules = {name(other) for other in FILES}
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in modules else node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {module for module in found if module in modules and module != name(path)}
