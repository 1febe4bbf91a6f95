"""Draw the pictures of the command line: run each command on a terminal, keep what it showed.

    python docs/img/draw.py

The program `aquila-cassette` of the same environment is run, in a folder of its own.
"""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
WIDTH = 84
PICTURES = {
    "demo": ["demo", "--keep", "cassettes"],
    "show": ["show", "-d", "cassettes", "messages.anthropic"],
    "list": ["list", "-d", "cassettes"],
}


def shown(arguments: list[str], folder: str) -> str:
    """Run a command on a terminal of its own and give all that it wrote."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, WIDTH, 0, 0))
    program = Path(sys.executable).parent / "aquila-cassette"
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "TERM": "xterm-256color", "LANG": "C.UTF-8", "HOME": folder}
    process = subprocess.Popen(
        [program, *arguments], cwd=folder, env=environment, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    written = bytearray()
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # how Linux says that the other side is closed
            break
        if not part:
            break
        written += part
    os.close(ours)
    process.wait()
    return written.decode().replace("\r\n", "\n")


def main() -> None:
    """Draw all pictures, beside this file."""
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in PICTURES.items():
            command = f"aquila-cassette {' '.join(arguments)}"
            with Path(os.devnull).open("w") as nowhere:
                console = Console(file=nowhere, record=True, width=WIDTH, force_terminal=True)
                console.print(Text(f"$ {command}\n", "bold"))
                console.print(Text.from_ansi(shown(arguments, folder)))
                console.save_svg(str(HERE / f"{name}.svg"), title=command, unique_id=name)


if __name__ == "__main__":
    main()
