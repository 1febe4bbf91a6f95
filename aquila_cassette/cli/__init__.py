"""Run the command that is named; each declares its options in its own file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

__all__ = ["main"]

# In the order of the help; only the file of the command that is named is loaded.
_FILES = {
    "demo": "demo",
    "list": "list_cassettes",
    "show": "show",
    "report": "report",
    "record": "record",
    "diff": "diff",
    "verify": "verify",
    "play": "play",
    "check": "check",
    "scrub": "scrub",
    "unused": "unused",
    "mv": "move",
    "convert": "convert",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `aquila-cassette` with `arguments`, by default those of this process, and exit."""
    from aquila_cassette.cli.shared_options import app
    from aquila_cassette.errors import AquilaError

    given = list(sys.argv[1:] if arguments is None else arguments)
    for_pytest: list[str] = []
    command = given[0] if given else ""
    if command in ("record", "unused") and "--" in given:
        # What follows is pytest's; click would take it for names.
        place = given.index("--")
        given, for_pytest = given[:place], given[place + 1 :]
    for name in [_FILES[command]] if command in _FILES else _FILES.values():
        import_module(f"aquila_cassette.cli.{name}")
    try:
        app(args=given, prog_name="aquila-cassette", obj=for_pytest)
    except AquilaError as error:
        from aquila_cassette.cli.output import print_error

        print_error(str(error))
        sys.exit(2)
