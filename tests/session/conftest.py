from pathlib import Path

import pytest

from tests.session.fake_adapter import Suite


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Suite:
    monkeypatch.delenv("AQUILA_RECORD", raising=False)
    return Suite(tmp_path)
