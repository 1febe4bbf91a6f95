"""Cassette files: what is kept, what is refused, and that nothing is written by halves."""

import os
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aquila_cassette.errors import CassetteFormatError, CassetteSaveError
from aquila_cassette.model import CassetteData, Interaction, Request, Response
from aquila_cassette.storage import files
from aquila_cassette.storage.files import load, save
from aquila_cassette.storage.format import encode, render
from tests.storage.cassettes import said


def shown(interaction: Interaction) -> str:
    return render(interaction).decode()


A, B, C, D = (said(text, number=number) for number, text in enumerate("abcd", 1))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cassettes" / "chat.yaml"


def write(path: Path, data: bytes | str) -> None:
    path.parent.mkdir()
    path.write_bytes(data.encode() if isinstance(data, str) else data)


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def one_of(*some: Interaction) -> Callable[[Interaction], bool]:
    return lambda interaction: interaction in some


def test_a_file_is_made_with_its_folders_and_holds_what_was_saved(path: Path) -> None:
    assert save(path, [A, B]) == load(path)
    head = "version: 1\nrecorded_with: aquila-cassette 0.1.0\ninteractions:\n"
    assert path.read_text("utf-8") == head + shown(A) + shown(B)
    assert names_in(path.parent) == ["chat.yaml"]


def test_new_interactions_take_the_place_of_the_first_that_is_dropped(path: Path) -> None:
    save(path, [A])
    assert save(path, [B, C]).interactions == (A, B, C)
    assert save(path, [D, A], drop=one_of(B, C)).interactions == (A, D, A)
    assert save(path, [], drop=one_of(A)).interactions == (D,)
    assert save(path, [], drop=one_of(D)).interactions == ()
    assert path.read_text("utf-8").endswith("\ninteractions: []\n")
    assert save(path, [C]).interactions == (C,)


def test_where_nothing_is_to_change_the_file_is_left_alone(path: Path) -> None:
    assert save(path, []) == CassetteData()
    assert not path.exists()
    save(path, [A])
    before = path.stat()
    assert save(path, [], drop=one_of(B)).interactions == (A,)
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


EDITED = f"""\
# What the tests of the chat replay.
version: 1
recorded_with: 'by hand'
interactions:   # in order
# The first, and why.
{shown(A).replace("  request:", "  request:  # mine", 1)}
# About the second.
- {{request: {{method: GET, url: https://a.b}}, response: {{status: 204, ended: complete}}}}

# About the third.
{shown(C)}
# The end.
"""


def test_every_line_of_what_stays_is_left_as_its_user_wrote_it(path: Path) -> None:
    write(path, EDITED)
    save(path, [D])
    assert path.read_text("utf-8") == EDITED.replace("# The end.", shown(D) + "# The end.")


def test_a_file_that_git_gave_crlf_keeps_it_and_a_comment_goes_with_what_it_is_above(
    path: Path,
) -> None:
    crlf = EDITED.replace("\n", "\r\n").encode()
    write(path, b"\xef\xbb\xbf" + crlf)
    saved = save(path, [D], drop=one_of(A))
    start, end = crlf.index(b"# The first"), crlf.index(b"# About the second")
    fresh = render(D).replace(b"\n", b"\r\n")
    assert path.read_bytes() == b"\xef\xbb\xbf" + crlf[:start] + fresh + crlf[end:]
    assert saved.interactions[0] == D


def test_a_list_in_brackets_is_rewritten(path: Path) -> None:
    item = "{request: {method: GET, url: https://a.b}, response: {status: 204, ended: complete}}"
    write(path, f"{{version: 1, interactions: [{item}]}}")
    first = Interaction(Request("GET", "https://a.b"), Response(204))
    assert save(path, [A]) == CassetteData((first, A))


def test_what_is_too_large_is_refused_before_it_is_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 200)
    with pytest.raises(CassetteSaveError) as caught:
        save(path, [A])
    size = len(encode(CassetteData((A,), files.program())))
    assert str(caught.value) == (
        f"{path} was not written: it would be too large for a cassette.\n"
        f"  limit: 200 bytes\n  got:   {size} bytes\n"
        "Fix: use several cassettes, or leave the large answers out with ignore_hosts=[...]"
    )
    assert not path.exists()


INTERRUPTED = """
import sys
from aquila_cassette.model import Interaction, Request, Response
from aquila_cassette.storage.files import Path, load, save

def trace(frame, event, arg):
    if frame.f_code.co_filename.endswith("yaml/loader.py"):
        sys.settrace(None)
        raise KeyboardInterrupt

path, one = Path(sys.argv[1]), Interaction(Request("GET", "https://a.b"), Response(204))
sys.settrace(trace)
try:
    save(path, [one])
except KeyboardInterrupt:
    save(path, [one])
    assert load(path).interactions == (one,)
    print("saved")
"""


def test_a_first_save_that_was_interrupted_breaks_none_after_it(path: Path) -> None:
    command = [sys.executable, "-c", INTERRUPTED, str(path)]
    assert subprocess.run(command, capture_output=True, check=True).stdout.strip() == b"saved"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has none in folders")
def test_a_pipe_is_refused_and_not_waited_for(path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path)
    for attempt in (load, lambda path: save(path, [A])):
        with pytest.raises(CassetteFormatError, match="cannot be read: it is a pipe, a socket or"):
            attempt(path)


@pytest.mark.parametrize("damage", [b"", b"\0" * 100, b"version: 2\n", b"version: 1\n"])
def test_a_damaged_file_is_never_overwritten(path: Path, damage: bytes) -> None:
    write(path, damage)
    with pytest.raises(CassetteFormatError):
        save(path, [A], drop=lambda _: True)
    assert path.read_bytes() == damage
    assert names_in(path.parent) == ["chat.yaml"]


def test_a_file_is_read_again_when_its_size_or_time_changed(path: Path) -> None:
    save(path, [A])
    os.utime(path, (1, 1))
    first = load(path)
    assert load(path) is first
    assert load(path.parent / "../cassettes/chat.yaml") is first
    path.write_bytes(path.read_bytes().replace(b"2026-11-22T10:30:01Z", b"2026-11-22T10:30:09Z"))
    assert load(path).interactions[0].recorded_at == "2026-11-22T10:30:09Z"
    os.utime(path, (2, 2))
    again = load(path)
    save(path, [B])
    assert load(path).interactions == (*again.interactions, B)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        load(path)


def test_a_text_that_the_check_refuses_is_not_written(path: Path) -> None:
    save(path, [A])
    before = path.read_bytes()
    seen: list[bytes] = []

    def refuse(data: bytes) -> None:
        seen.append(data)
        raise LookupError

    with pytest.raises(LookupError):
        save(path, [B], check=refuse)
    assert seen == [before + render(B)]
    assert path.read_bytes() == before
    assert names_in(path.parent) == ["chat.yaml"]


def test_on_create_is_called_before_anyone_else_can_see_the_file(path: Path) -> None:
    told = []

    def on_create() -> None:
        told.append(path.exists())
        with pytest.raises(CassetteSaveError), files.locked(path, 0):
            pass

    save(path, [A], on_create=on_create)
    save(path, [B], on_create=on_create)
    assert told == [False]


def test_a_link_stays_a_link_and_a_file_keeps_its_mode(path: Path) -> None:
    path.parent.mkdir()
    real = path.parent.parent / "real.yaml"
    path.symlink_to(real)
    save(path, [A])
    real.chmod(0o640)
    save(path, [B])
    assert path.is_symlink()
    assert load(real).interactions == (A, B)
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert names_in(path.parent) == ["chat.yaml"]


def test_what_killed_saves_left_is_removed(path: Path) -> None:
    path.parent.mkdir()
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from aquila_cassette.storage import files\n"
        "files.replace_file(Path(sys.argv[1]), map(os._exit, [9]))\n"
    )
    for name in (path, path.with_name("other.yaml")):
        assert subprocess.run([sys.executable, "-c", script, name], check=False).returncode == 9
    assert len(names_in(path.parent)) == 2
    save(path, [A])
    names = names_in(path.parent)
    assert len(names) == 2  # that of the other cassette is not ours to judge
    assert "chat.yaml" in names


def test_a_lock_that_is_held_too_long_is_named(path: Path) -> None:
    with files.locked(path), pytest.raises(CassetteSaveError) as caught, files.locked(path, 0.01):
        pass
    first, second, *_, last = str(caught.value).splitlines()
    assert first == f"{path} could not be written: another process is writing it."
    assert second == "  waited: 0.01 s"
    assert last == "Fix: end the process that holds it, and run again"


def test_a_folder_is_no_cassette(path: Path) -> None:
    path.mkdir(parents=True)
    for attempt in (lambda: load(path), lambda: save(path, [A])):
        with pytest.raises(CassetteFormatError) as caught:
            attempt()
        assert str(caught.value) == (
            f"{path} cannot be read: is a directory.\n"
            "Fix: make it a file that this user may read, or give the cassette another name"
        )


@pytest.fixture
def powerless() -> Iterator[Path]:
    """Give a folder that this process may read but not write while the test runs."""
    folder = Path(tempfile.mkdtemp())
    save(folder / "chat.yaml", [A])
    user = os.geteuid()
    folder.chmod(0o755 if user == 0 else 0o555)
    os.seteuid(65534 if user == 0 else user)
    yield folder
    os.seteuid(user)
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["new.yaml", "chat.yaml"])
def test_a_file_or_folder_that_may_not_be_written_is_named(powerless: Path, name: str) -> None:
    path, before = powerless / name, (powerless / "chat.yaml").read_bytes()
    with pytest.raises(CassetteSaveError) as caught:
        save(path, [B])
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{path} could not be written: permission denied."
    assert lines[-1] == "Fix: make it and its folder writable for this user"
    assert names_in(powerless) == ["chat.yaml"]
    assert (powerless / "chat.yaml").read_bytes() == before


def test_a_disk_that_takes_no_more_leaves_the_old_file(path: Path) -> None:
    save(path, [A])
    before = path.read_bytes()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, limit[1]))
    try:
        with pytest.raises(CassetteSaveError) as caught:
            save(path, [B])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert str(caught.value).startswith(f"{path} could not be written: file too large.\n")
    assert path.read_bytes() == before
    assert names_in(path.parent) == ["chat.yaml"]
