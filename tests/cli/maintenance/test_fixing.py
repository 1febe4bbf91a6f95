"""What `check --fix` does to faults: it mends some, and makes none of the others unseen."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aquila_cassette.cli.maintenance.inspection import Known, inspect_sheet
from aquila_cassette.cli.maintenance.layout import relaid
from aquila_cassette.cli.maintenance.sheet import Sheet
from aquila_cassette.errors import CassetteError
from aquila_cassette.storage.format import loads
from tests.cli.maintenance.tapes import NOW, chat, text
from tests.cli.maintenance.test_faults import FAULTS, KEY

PATH = Path("cassettes/chat.yaml")
KNOWN = Known(PATH.parent, NOW)
TYPES = ["text/event-stream", "application/json", "text/plain", "application/x-ndjson", "image/png"]
EDITS = {
    "another layout": ("    method: POST\n", '    method:  "POST"\n'),
    "a note": ("    method: POST\n", "    method: POST  # mine\n"),
    "a note above": ("interactions:\n", "# mine\ninteractions:\n"),
    "no time line": ("    pieces: 300+81 330+14\n", ""),
    "a wrong time line": ("    pieces: 300+81 330+14\n", "    pieces: 300+1 29+14\n"),
    "no key sse": ("    sse: |+\n", "    text: |+\n"),
    "a longer body": ('"Hi"}}]}\n', '"Hi there"}}]}\n'),
    "a secret": ("stream: true", f"stream: {KEY}"),
    "a wrong end": ("[DONE]", "[DUNE]"),
    "a status": ("status: 200", "status: 204"),
    "another end": ("ended: complete", "ended: closed"),
}


def sheet(content: str) -> Sheet:
    return Sheet(PATH, content.encode(), loads(content.encode(), path=PATH))


def readable(content: str | bytes) -> bool:
    try:
        sheet(str(content))
    except CassetteError:
        return False
    return isinstance(content, str)


def fixed(before: Sheet) -> tuple[set[tuple[str, str]], set[tuple[str, str]]] | None:
    """Give what cannot be mended, and what is found in the file that was written anew."""
    new = relaid(before)
    if new is None:
        return None
    after = sheet(new)
    assert after.tape == before.tape
    lasting = {(one.kind, one.what) for one in inspect_sheet(before, KNOWN) if not one.mends}
    return lasting, {(one.kind, one.what) for one in inspect_sheet(after, KNOWN)}


@given(
    st.sets(st.sampled_from(sorted(EDITS))),
    st.sampled_from(TYPES),
    st.sampled_from(["", "copied", "after another"]),
)
@settings(max_examples=60, deadline=None)
def test_what_cannot_be_mended_is_found_all_the_same_afterwards(
    edits: set[str], kind: str, where: str
) -> None:
    content = text().replace("text/event-stream", kind)
    for edit in sorted(edits):
        content = content.replace(*EDITS[edit])
    if where == "after another":
        content = text(chat(sent=b"{}")) + content.partition("interactions:\n")[2]
    if where == "copied":
        content += content.partition("interactions:\n")[2]
    if came := fixed(sheet(content)):
        lasting, found = came
        assert lasting <= found


@pytest.mark.parametrize(
    "fault", [fault for fault, (content, _) in FAULTS.items() if readable(content)]
)
def test_no_planted_fault_goes_unseen(fault: str) -> None:
    if came := fixed(sheet(str(FAULTS[fault][0]))):
        lasting, found = came
        assert lasting <= found


def test_a_stream_whose_type_is_another_stays_as_it_is_kept() -> None:
    content = text().replace("text/event-stream", "application/json")
    assert relaid(sheet(content)) is None
    both = text(chat(sent=b"{}")).replace("method: POST", 'method: "POST"')
    both += content.partition("interactions:\n")[2]
    mended = relaid(sheet(both))
    assert mended == both.replace('"POST"', "POST")
