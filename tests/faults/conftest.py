"""Each of these tests has a folder of its own to record into."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_cassettes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AQUILA_RECORD", "CI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AQUILA_CASSETTE_DIR", str(tmp_path / "cassettes"))
