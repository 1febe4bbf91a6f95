"""A terminal of our own, to run a command as a person does."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios


def on_a_terminal(*arguments: str, width: int = 80, typed: str = "", **environment: str) -> str:
    """Run ``python -m aquila_cassette`` on a terminal of that width; give all that it wrote.

    What is typed is on the terminal before the command asks for it, as it may in a shell.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    plain = kept | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    with subprocess.Popen(
        [sys.executable, "-m", "aquila_cassette", *arguments],
        env=plain | environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ):
        os.close(theirs)
        os.write(ours, typed.encode())
        written = bytearray()
        try:
            while part := os.read(ours, 65536):
                written += part
        except OSError:  # how Linux says that the other side is closed
            pass
        finally:
            os.close(ours)
    return written.decode().replace("\r\n", "\n")
