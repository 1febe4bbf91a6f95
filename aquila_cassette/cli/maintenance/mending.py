"""What can be put right without losing anything: how a file is laid out, and its time lines."""

from __future__ import annotations

from aquila_cassette.cli.maintenance.layout import relaid
from aquila_cassette.cli.maintenance.sheet import Sheet
from aquila_cassette.cli.maintenance.writing import rewrite

__all__ = ["mend"]


def mend(sheet: Sheet) -> Sheet | None:
    """Write a file as it would be written today, with the comments that it has.

    What is on the cassette stays the same, to the byte; that is made sure of before the old file goes.

    Args:
        sheet: The file.

    Returns:
        The file as it is now, or None where nothing could be made better.

    Raises:
        CassetteSaveError: It was changed meanwhile, or cannot be written.
    """
    text = relaid(sheet)
    if text is None:
        return None
    data = sheet.encoded(text)
    rewrite(sheet.path, sheet.data, data, sheet.tape.interactions)
    return Sheet(sheet.path, data, sheet.tape)
