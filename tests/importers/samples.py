"""Files as other recorders write them, small and made by hand."""

from aquila_cassette.importers import read_foreign
from aquila_cassette.model import CassetteData, Interaction
from tests.storage.cassettes import PATH

URL = "https://api.example.com/v1/chat"
EVENTS = b'data: {"say":"h\xc3\xa9"}\n\ndata: [DONE]\n\n'
RESTORE = "Fix: delete it and record again"


def read(data: bytes | str) -> CassetteData:
    """Read a file of another recorder."""
    found = read_foreign(data.encode() if isinstance(data, str) else data, path=PATH)
    assert found is not None
    return found


def only(data: bytes | str) -> Interaction:
    """Read a file that has one interaction."""
    (one,) = read(data).interactions
    return one


def vcrpy(
    *,
    sent: str = "body: '{\"n\":1}'",
    received: str = "body:\n      string: hi",
    headers: str = "headers:\n      Content-Type:\n      - text/plain",
    status: str = "status:\n      code: 200\n      message: OK",
) -> str:
    """Return a cassette in vcrpy's YAML, with other fields where they are given."""
    return f"""\
interactions:
- request:
    {sent}
    headers:
      Authorization:
      - Bearer abc
    method: POST
    uri: {URL}
  response:
    {received}
    {headers}
    {status}
version: 1
"""


CASSETTER = f"""\
version: 1
interactions:
- request:
    method: POST
    uri: {URL}
    headers:
      content-type:
      - application/json
    body:
      type: json
      content:
        at: 2026-11-22
        more: [yes, 1_000, 12:30, 1e5, null]
  response:
    status: 200
    headers:
      content-length:
      - "32"
      content-type:
      - text/event-stream
      set-cookie:
      - a=1
      - b=2
    body:
      type: text
      content: "data: {{\\"say\\":\\"hé\\"}}\\n\\ndata: [DONE]\\n\\n"
  recorded_at: 2026-03-06T19:24:49.822819+00:00
- request:
    method: GET
    uri: {URL}/image
    headers: {{}}
    body:
      type: none
  response:
    status: 204
    headers: {{}}
    body:
      type: binary
      content: ff0001
  recorded_at: 2026-03-06T20:24:49.822819+01:00
"""
