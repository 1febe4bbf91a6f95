"""The owners of blocks outside pytest: functions of scripts, notebooks, the tests that plain unittest runs."""

from __future__ import annotations

import atexit
import builtins
import inspect
import os
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import CodeType
from typing import Any

from aquila_cassette.options import environment_layer
from aquila_cassette.session.owner import BlockOwner, Owner, save_late_streams
from aquila_cassette.session.run_folder import THIS_PROCESS
from aquila_cassette.waiting.inspection import callers, is_user_code

_owners: dict[str, Owner] = {}
_pid = os.getpid()


def owner_here(function: Callable[..., Any] | None = None) -> Owner:
    """Return the owner of a block that is opened now: of `function`, which it decorates, if given.

    It is the test or class that plain unittest runs, else the function with the block, one owner
    for all of its blocks in this process.
    """
    code: CodeType | None = None
    names: Mapping[str, Any] = {}
    if function is not None:
        function = inspect.unwrap(function)
        code, names = getattr(function, "__code__", None), getattr(function, "__globals__", {})
    for frame in callers(sys._getframe(1)):
        if code is None and is_user_code(frame.f_code.co_filename):
            code, names = frame.f_code, frame.f_globals
        module = str(frame.f_globals.get("__name__"))
        if module in ("unittest.case", "unittest.suite") and frame.f_code.co_name == "run":
            return _owner_in_unittest(module, frame.f_locals, code)
    return _owner_of_code(code, names)


def _owner_of_code(code: CodeType | None, names: Mapping[str, Any]) -> Owner:
    is_whole = not sys.argv[1:]  # with arguments it asks what they say, and not all
    fix = _command()
    is_cell = "get_ipython" in names
    if code is None or code.co_filename.startswith("<") or is_cell:
        name, is_cell = "notebook", True
    else:
        inside = "" if code.co_qualname == "<module>" else f"::{code.co_qualname}"
        name = f"{_file(code.co_filename)}{inside}"
    if is_cell or hasattr(builtins, "get_ipython"):
        is_whole, fix = False, 'Fix: run it once with mode="all" in its aquila_cassette(...)'
    owner = _owners.setdefault(name, BlockOwner(name, fix, is_whole=is_whole))
    owner.above = environment_layer(os.environ)  # a notebook changes it
    owner.root = Path.cwd()
    return owner


def _owner_in_unittest(module: str, run: Mapping[str, Any], code: CodeType | None) -> Owner:
    """Return the owner of the blocks of a test, class or module, where plain unittest `run`s it.

    Its outcome is known when its cleanups run. Of a class or module only some tests may run.
    """
    is_test = module == "unittest.case"
    case, result = run["self"] if is_test else run["test"], run["result"]
    kind, add_cleanup = type(case), case.addCleanup
    file = _file(getattr(sys.modules.get(kind.__module__), "__file__", None) or "notebook")
    parts = [file, *kind.__qualname__.split("."), case.id().rpartition(".")[2]]
    if not is_test:
        is_module = code is not None and code.co_name in ("setUpModule", "tearDownModule")
        add_cleanup = (
            sys.modules["unittest"].addModuleCleanup if is_module else kind.addClassCleanup
        )
        parts = parts[:1] if is_module else parts[:-1]
    name = "::".join(parts)
    if name not in _owners:
        above = environment_layer(os.environ)
        _owners[name] = Owner(name, _command(), above, is_test=False)
        failed_before = len(result.failures) + len(result.errors)

        def end() -> None:
            passed = len(result.failures) + len(result.errors) == failed_before
            _owners.pop(name).end(passed=passed, is_whole=is_test)

        add_cleanup(end)
    return _owners[name]


def _file(path: str) -> str:
    """Return the path of a file of code as `recorded_by` has it: below the current folder."""
    file, here = Path(path).absolute(), Path.cwd()
    return file.relative_to(here).as_posix() if file.is_relative_to(here) else file.name


def _command() -> str:
    command = shlex.join([Path(sys.orig_argv[0]).name, *sys.orig_argv[1:]])
    return f"Fix: AQUILA_RECORD=all {command}"


@atexit.register
def _end() -> None:
    if os.getpid() != _pid:  # a forked child, which ends before the script
        return
    save_late_streams()
    if getattr(sys, "last_value", None) is None:  # else an exception ended the script half-way
        for owner in _owners.values():
            if isinstance(owner, BlockOwner):
                owner.end_process()
    THIS_PROCESS.remove()
