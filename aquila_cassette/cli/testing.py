"""Tests run by pytest in a process of its own, and what it tells while they run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from aquila_cassette.cli.rerecord.picking import module_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType, TracebackType

__all__ = ["TestProcess"]

# pytest writes to its standard error, a file; its standard output is a pipe for its events alone.
# It must be the first to import the plugin, whose assertions it rewrites.
_BEGIN = (
    "import os, pytest; os.environ['AQUILA_CASSETTE_EVENTS'] = str(os.dup(1)); os.dup2(2, 1); "
    "raise SystemExit(pytest.main())"
)
_POSIX = os.name == "posix"


class TestProcess:
    """A pytest process that runs some tests in mode ``all``, whatever their number.

    Ctrl-C is handed on to it, once: it then ends by itself, and its cassettes are whole. Another one
    kills it.

    Args:
        tests: Their node ids; their files are there.
        arguments: What the user hands on to pytest.
        root: The folder that the node ids begin at.
    """

    __test__ = False

    def __init__(self, tests: Sequence[str], arguments: Sequence[str], root: Path) -> None:
        self._tests = tests
        self._arguments = arguments
        self._root = root
        self._exit = ExitStack()
        self.interrupted = 0

    def __enter__(self) -> Self:
        with self._exit:
            folder = Path(self._exit.enter_context(tempfile.TemporaryDirectory()))
            chosen = folder / "chosen.json"
            chosen.write_text(json.dumps(self._tests), "utf-8")
            modules = folder / "modules.txt"
            names = dict.fromkeys(map(module_of, self._tests))
            modules.write_text("".join(f"{name}\n" for name in names), "utf-8")
            self._log = (folder / "log.txt").open("wb+")
            self._exit.callback(self._log.close)
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    _BEGIN,
                    *self._arguments,
                    "-p",
                    "aquila_cassette.plugin.chosen",
                    "--continue-on-collection-errors",
                    "--aquila-record=all",
                    f"@{modules}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._log,
                cwd=self._root,
                env={**os.environ, "AQUILA_CASSETTE_CHOSEN": str(chosen)},
                # A terminal would hand Ctrl-C to it as well, and a second one cuts its end short.
                process_group=0 if _POSIX else None,
            )
            before = signal.signal(signal.SIGINT, self._interrupt)
            self._exit.callback(signal.signal, signal.SIGINT, before)
            self._exit = self._exit.pop_all()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            self._process.kill()
        with self._process, self._exit:
            pass

    def events(self) -> Iterator[dict[str, Any]]:
        """Give what the plugin `chosen` tells, as it comes."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            yield json.loads(line)

    @property
    def log(self) -> str:
        """All that pytest wrote so far."""
        self._log.flush()
        return Path(self._log.name).read_text("utf-8", "replace")

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self.interrupted += 1
        if self.interrupted > 1:
            self._process.kill()
        elif _POSIX:
            self._process.send_signal(signal.SIGINT)
