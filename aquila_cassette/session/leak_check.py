"""The last gate before the file: text that holds a known secret is not written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aquila_cassette.errors import SecretLeakError
from aquila_cassette.redaction import environment_secrets

if TYPE_CHECKING:
    from pathlib import Path

    from aquila_cassette.redaction import Redaction

__all__ = ["no_secrets"]


def no_secrets(text: str, redact: Redaction, path: Path, shown_path: str) -> None:
    """Refuse `text` if it holds a known secret; the error names where and which kind, never what.

    Args:
        text: The whole file as it would be written.
        redact: The rules in force.
        path: The file.
        shown_path: The file as people see it.

    Raises:
        SecretLeakError: It does; nothing was written.
    """
    leaks = redact.leaks(text, env=environment_secrets(os.environ))
    if leaks:
        raise SecretLeakError(
            f"{shown_path} was not written, since it would hold a secret.",
            path=path,
            facts=[f"line {leak.line}: {leak.kind}" for leak in leaks],
            fix="Fix: name it to redact=..., or let before_record_response take it out",
        )
