"""The commands as a person runs them: in a folder of their own, with nothing set."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from aquila_cassette.cli import main
from aquila_cassette.provider import Provider
from aquila_cassette.session.current_session import owner_finders
from tests.cli.project import Project

CASSETTES = Path(__file__).parent / "cassettes"
"""Cassettes written by hand, one for each case that the commands show."""

_SETTINGS = (
    *("AQUILA_RECORD", "AQUILA_CASSETTE_DIR", "AQUILA_ON_UNPLAYED", "CI"),
    *("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"),
)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _outside_pytest() -> Iterator[None]:
    """Let the demo's blocks answer for themselves, as they do in a shell, not for this test."""
    owner_finders.append(lambda: None)
    yield
    owner_finders.pop()


@dataclass(frozen=True)
class Ran:
    """What a command wrote, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def done(self) -> str:
        """What a command wrote that had nothing to complain of."""
        assert (self.code, self.err) == (0, "")
        return self.out

    @property
    def refusal(self) -> str:
        """What a command complained of that did nothing."""
        assert (self.code, self.out) == (2, "")
        return self.err


Cli = Callable[..., Ran]
Lay = Callable[..., Path]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run ``aquila-cassette`` with some arguments, its output a pipe."""

    def run(*arguments: object) -> Ran:
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert isinstance(end.value.code, int)
        return Ran(end.value.code, out, err)

    return run


@pytest.fixture
def lay() -> Lay:
    """Copy one of the hand-written cassettes into a folder, under a name."""

    def copy(source: str, name: str | None = None, folder: str = "cassettes") -> Path:
        path = Path(folder, f"{name or source}.yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(CASSETTES / f"{source}.yaml", path))

    return copy


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    """The embedded provider; what it was asked is of all tests so far."""
    with Provider(gap=0) as provider:
        yield provider


@pytest.fixture
def project(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project in the current folder, whose tests ask the provider."""
    # Plugins of this machine have nothing to do there, and cost time.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return Project(provider)
