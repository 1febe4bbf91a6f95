"""Set placeholder keys while a test can only replay (the variables are in `dialects/providers.py`).

They are set where an environment variable is unset, or empty (as secrets are in the CI of a fork),
for a test of mode ``none`` that uses a cassette, and for a block of mode ``none``. Never while
tests are collected, where ``skipif`` asks for keys, unless the suite asks for that.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from aquila_cassette.session.ambient import PLACEHOLDER

Kind = Literal["models", "accounts"]

# Accounts open more than models: files, public downloads. A placeholder where there is none would
# break a fixture that needs them, so they are set inside blocks only, where nothing goes out.
_AWS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_AWS_SOURCE = re.compile(r"AWS_.*(KEY|PROFILE|TOKEN|CREDENTIALS|CONFIG_FILE)")


class PlaceholderKeys:
    """The keys that one pytest process sets, and for how many users."""

    def __init__(self) -> None:
        self._users: dict[Kind, int] = {"models": 0, "accounts": 0}
        self._before: dict[str, tuple[Kind, str | None]] = {}

    def switch(self, kind: Kind, *, on: bool) -> None:
        """Count one user more or less; the first one sets the keys."""
        self._users[kind] += 1 if on else -1
        if on and self._users[kind] == 1:
            for name in _missing(kind):
                self._before[name] = kind, os.environ.get(name)
                os.environ[name] = PLACEHOLDER
        self.restore()

    def switch_for_block(self, is_open: bool) -> None:
        for kind in self._users:
            self.switch(kind, on=is_open)

    def restore(self) -> None:
        """Unset what nobody uses any more, also what a test's ``monkeypatch`` put back since."""
        for name, (kind, before) in self._before.items():
            if self._users[kind] or os.environ.get(name) != PLACEHOLDER:
                continue
            if before is None:
                del os.environ[name]
            else:
                os.environ[name] = before

    def end(self) -> None:
        self._users = dict.fromkeys(self._users, 0)
        self.restore()


def _missing(kind: Kind) -> Iterator[str]:
    from aquila_cassette.dialects.providers import PROVIDERS

    if kind == "accounts" and not _aws_is_set_up():
        yield from _AWS
    for provider in PROVIDERS:
        names = provider.key_variables
        if provider.has_general_key != (kind == "accounts") or _any_is_set(names):
            continue
        # google-genai warns where both of its variables are set.
        yield from ("GOOGLE_API_KEY",) if "GOOGLE_API_KEY" in names else names


def _any_is_set(names: tuple[str, ...]) -> bool:
    return any(os.environ.get(name, PLACEHOLDER) not in ("", PLACEHOLDER) for name in names)


def _aws_is_set_up() -> bool:
    is_set = any(_AWS_SOURCE.match(name) and value for name, value in os.environ.items())
    return is_set or Path("~/.aws").expanduser().exists()
