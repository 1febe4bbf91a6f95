"""Each of these tests has a folder of its own to record into, outside the project's cassettes."""

from pathlib import Path

import pytest

AWS_KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIA0A1B2C3D4E5F6A7B",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI0K7MDENG0bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "session-token-0a1b2c3d4e5f6a7b",
}


@pytest.fixture(autouse=True)
def _own_cassettes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AQUILA_RECORD", "CI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AQUILA_CASSETTE_DIR", str(tmp_path / "cassettes"))
    for name, value in {**AWS_KEYS, "AWS_CONFIG_FILE": "/nowhere"}.items():
        monkeypatch.setenv(name, value)
