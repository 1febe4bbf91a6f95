"""What the package offers is what it says it offers."""

import inspect
import pickle
import re
import subprocess
import sys
import threading
from pathlib import Path

import aquila_cassette
from aquila_cassette import errors

ERRORS = [
    pair
    for pair in inspect.getmembers(errors, inspect.isclass)
    if pair[1].__module__ == errors.__name__
]


def test_every_exported_name_can_be_had() -> None:
    for name in dir(aquila_cassette):
        assert getattr(aquila_cassette, name) is not None
    assert {"aquila_cassette", "Cassette", "MissError", "Redaction"} < set(dir(aquila_cassette))
    assert not hasattr(aquila_cassette, "no_such_name")


def test_every_error_is_exported_and_drawn_in_the_tree() -> None:
    classes = dict(ERRORS)
    assert set(classes) <= set(dir(aquila_cassette))
    drawn, above = dict[str, str](), list[str]()
    tree = re.findall(r"^([ │├└─]+)([A-Z]\w+)", inspect.getdoc(errors) or "", re.MULTILINE)
    for indent, name in tree:
        depth = len(indent) // 4 - 1
        above[depth:] = [name]
        drawn[name] = above[max(depth - 1, 0)]
    bases = {name: value.__bases__[0].__name__ for name, value in classes.items()}
    assert drawn == {**bases, "AquilaError": "AquilaError", "UserWarning": "UserWarning"}


def test_importing_the_package_imports_nothing_heavy() -> None:
    program = (
        "import sys, aquila_cassette; "
        "print(sorted({'httpx', 'yaml', 'anyio', 'filelock', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_every_error_can_be_pickled_with_its_facts_and_notes() -> None:
    path = Path("cassettes/x.yaml")
    for _name, made in ERRORS:
        if issubclass(made, Warning):
            continue
        given = inspect.signature(made).parameters
        values = {"method": "GET", "url": "u", "path": path, "kind": "http", "facts": ["a: b"]}
        wanted = {key: value for key, value in values.items() if key in given}
        error = made("It broke.", **wanted)
        error.add_note("a note")
        error.of_this_process = None
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), vars(copy)) == (made, str(error), vars(error))
        error.of_this_process = threading.Lock()
        assert vars(pickle.loads(pickle.dumps(error))) == vars(copy)
