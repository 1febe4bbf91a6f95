"""A test of each SDK: recorded, replayed by who has nothing, missed, recorded again as we print."""

import os
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from examples.sdks import test_sdks
from tests.sdks import services
from tests.sdks.rows import Row

ROOT = Path(__file__).parents[2]
KEYS = {
    name: f"sk-{name.lower().replace('_', '')}-0a1b2c3d4e5f6a7b"
    for name in (
        *("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "HF_TOKEN"),
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "DOCUMENTINTELLIGENCE_API_KEY"),
    )
}
SETTINGS = """
[tool.pytest.ini_options]
addopts = "-p no:cassetter"
asyncio_mode = "auto"
asyncio_default_fixture_loop_scope = "function"
"""
CONFTEST = """
import asyncio, os, time

async def async_sleep(seconds, *result, wake=asyncio.sleep):
    sleep(seconds)
    return await wake(seconds, *result)

def sleep(seconds):
    assert seconds < 0.2, f"asleep for {seconds} s"

if "OPENAI_API_KEY" not in os.environ:  # who replays waits for nothing
    time.sleep, asyncio.sleep = sleep, async_sleep
"""


@pytest.mark.holds("records")
def test_a_test_records_replays_without_a_key_and_records_again_by_the_printed_command(
    row: Row, face: str, tmp_path: Path
) -> None:
    port = 20_000 + os.getpid() % 10_000  # below those that systems give out meanwhile
    source = (
        Path(test_sdks.__file__)
        .read_text("utf-8")
        .replace(test_sdks.URL, f"http://127.0.0.1:{port}")
    )
    (tmp_path / "conftest.py").write_text(CONFTEST, "utf-8")
    (tmp_path / "pyproject.toml").write_text(SETTINGS, "utf-8")
    ours = ("AQUILA_", "PYTEST_", *KEYS)
    bare = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{bare['PATH']}"
    bare |= {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}

    def run(command: str, *, asks: bool = False, green: bool = True, **environ: str) -> str:
        with ExitStack() as stack:
            if asks:
                stack.enter_context(services.service(row.package)(port))
                environ |= KEYS
            done = subprocess.run(
                command,
                shell=True,
                cwd=tmp_path,
                env=bare | environ,
                timeout=300,
                capture_output=True,
                text=True,
                check=False,
            )
        assert (done.returncode == 0) == green, done.stdout + done.stderr
        return done.stdout

    def recorded() -> str:
        return "".join(file.read_text("utf-8") for file in tmp_path.rglob("*.yaml"))

    file, command = tmp_path / "test_sdks.py", f"pytest test_sdks.py::{row.examples[face]}"
    file.write_text(source, "utf-8")
    run(command, asks=True)
    first = recorded()
    assert "Paris" in first
    assert not [name for name, key in KEYS.items() if key in first]
    run(command, CI="true")

    file.write_text(source.replace("Paris", "Rome"), "utf-8")
    missed = run(command, green=False)
    assert recorded() == first
    (fix,) = set(re.findall(r"Fix: (?:.* run: )?(pytest .+)$", missed, re.MULTILINE))
    run(fix, asks=True)
    assert "Rome" in recorded()
    run(command)
