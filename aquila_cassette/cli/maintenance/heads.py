"""Requests and headers that go neither with their bodies nor with any program that sends them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aquila_cassette.cli.maintenance.finding import Finding
from aquila_cassette.dialects.framing import framing, ndjson_lines, read_events
from aquila_cassette.storage.bodies import FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.cli.maintenance.sheet import Sheet
    from aquila_cassette.model import Interaction, Request, Response

__all__ = ["bodiless", "lengths", "requests", "types"]

_JSON = re.compile(r"\s*(?:application|text)/(?:[^;\s]*\+)?json\s*(?:;|$)", re.IGNORECASE)
_EVENTS = re.compile(r"\s*text/event-stream\s*(?:;|$)", re.IGNORECASE)
_LINES = re.compile(r"\s*application/(?:x-)?(?:ndjson|jsonl|json-lines)\s*(?:;|$)", re.IGNORECASE)
# Servers send JSON as text, as unknown bytes and as types of their own, but as none of these.
_NEVER_JSON = re.compile(
    r"\s*((?:image|audio|video|font|multipart)/[^;\s]+|application/(?:pdf|zip|gzip|wasm))"
    r"\s*(?:;|$)",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_SCHEME = re.compile(r"https?(?:\+\w+)?")  # http+unix: a socket, as some clients write it
_FIELD = re.compile(rb"^(?:\xef\xbb\xbf)?(?:(?:data|event|id|retry)?:|data\r?$)", re.MULTILINE)


def requests(sheet: Sheet) -> Iterator[Finding]:
    """Find requests that never match, since no program sends them.

    Args:
        sheet: The file.
    """
    for number, interaction in sheet.numbered:
        request = interaction.request
        way = ("interactions", number, "request")
        if request.method != request.method.upper():
            what = f"the method {request.method!r} is not in upper case, so it never matches"
            line = sheet.line(*way, "method")
            yield Finding(sheet.path, line, "request", what, f"write {request.method.upper()}")
        elif not _TOKEN.fullmatch(request.method):
            what = f"the method {request.method!r} is no token of HTTP, so it never matches"
            line = sheet.line(*way, "method")
            yield Finding(sheet.path, line, "request", what, "write GET, POST or what was sent")
        if fault := _url_fault(request.url):
            line = sheet.line(*way, "url")
            what = f"the URL{fault}, so it never matches"
            yield Finding(sheet.path, line, "request", what, "write it with scheme and host")


def lengths(sheet: Sheet) -> Iterator[Finding]:
    """Find a ``content-length`` that is not the length of its body.

    Args:
        sheet: The file.
    """
    for number, interaction in sheet.numbered:
        response = interaction.response
        messages: list[tuple[str, Request | Response]] = [("request", interaction.request)]
        # A response that was cut short is shorter than it said, and a compressed one was.
        if response.ended == "complete" and not _why_bodiless(interaction):
            messages.append(("response", response))
        for part, message in messages:
            told = message.header("content-length")
            size = str(len(message.body))
            if told is None or told.strip() == size or message.header("content-encoding"):
                continue
            line = sheet.line("interactions", number, part, "headers", "content-length")
            what = f"content-length of the {part} is {told!r}, and the body has {size} bytes"
            yield Finding(sheet.path, line, "length", what, "take the header out")


def bodiless(sheet: Sheet) -> Iterator[Finding]:
    """Find bodies of answers that can have none, which no HTTP library would hand on.

    Args:
        sheet: The file.

    Source: https://www.rfc-editor.org/rfc/rfc9110#section-6.4.1
    """
    for number, interaction in sheet.numbered:
        size = len(interaction.response.body)
        if size and (why := _why_bodiless(interaction)):
            way = ("interactions", number, "response")
            form = next((form for form in FIELDS if sheet.value(*way, form) is not None), "status")
            line = sheet.line(*way, form)
            what = f"the answer has a body of {size} bytes, and one {why} has none"
            yield Finding(sheet.path, line, "length", what, "take the body out, or mend the other")


def _why_bodiless(interaction: Interaction) -> str:
    status = interaction.response.status
    if interaction.request.method == "HEAD":
        return "to HEAD"
    if status is not None and (status in (204, 304) or 100 <= status < 200):
        return f"with status {status}"
    return ""


def types(sheet: Sheet) -> Iterator[Finding]:
    """Find bodies that are not what their ``content-type`` says.

    Only where it leaves no doubt: the body of a request, and the whole body of a response that is
    no error, since servers send errors as whatever they like. Nor is it a fault where a server
    streams under the type of JSON, or answers in JSON where a stream was asked for: some do.

    Args:
        sheet: The file.
    """
    for number, interaction in sheet.numbered:
        for part, fault, body in _type_faults(interaction):
            line = sheet.line("interactions", number, part, "headers", "content-type")
            what = f"the {part} says that it is {fault}, and its body is {body}"
            yield Finding(sheet.path, line, "type", what, "mend the body or the header")


def _type_faults(interaction: Interaction) -> Iterator[tuple[str, str, str]]:
    request, response = interaction.request, interaction.response
    sent = request.header("content-type") or ""
    if _JSON.match(sent) and not _may_be_json(request.body):
        yield "request", "JSON", "not"
    if response.ended != "complete" or (response.status or 500) >= 400:
        return
    if not response.body or response.header("content-encoding"):
        return
    came, body = response.header("content-type") or "", response.body
    if _JSON.match(came) and not _is_some_json(came, body):
        yield "response", "JSON", "not"
    if _LINES.match(came) and not _is_json(body) and not _is_some_json(came, body):
        yield "response", "lines of JSON", "not"
    if _EVENTS.match(came) and not _FIELD.search(body) and not _is_json(body):
        yield "response", "an event stream", "not"
    if (never := _NEVER_JSON.match(came)) and body.lstrip()[:1] in b"{[" and _is_json(body):
        yield "response", never[1], "JSON"


def _is_some_json(kind: str, body: bytes) -> bool:
    """Tell whether `body` is JSON, lines of it, or an event stream that has an event."""
    how = framing(kind, body)
    if how == "sse":
        return next(read_events(how, body), None) is not None
    if how == "ndjson":
        return all(_is_json(line) for line in ndjson_lines(body) if line.strip())
    # What is no UTF-8 is read as if each byte were a character: JSON's own signs are ASCII.
    return _is_json(body) or _is_json(body.decode("latin-1").encode())


def _may_be_json(body: bytes) -> bool:
    """Tell whether `body` is JSON, or nothing that could be told: no bytes, or no text."""
    if not body:
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return True
    return _is_json(body)


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except RecursionError:
        return True
    except ValueError:
        return False
    return True


def _url_fault(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return " is not absolute"
    if not (parts.scheme and parts.netloc):
        return " is not absolute"
    if not _SCHEME.fullmatch(parts.scheme):
        return f"'s scheme is {parts.scheme!r}, not http or https"
    return ""
