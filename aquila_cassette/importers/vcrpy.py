"""Read and write files of vcrpy; read those of cassetter and Ruby VCR (betamax).

What only we know of an answer is in fields that vcrpy skips: ``aquila``, ``recorded_at``.
"""

from __future__ import annotations

import base64
import codecs
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from http.client import responses
from typing import Any

from aquila_cassette.importers import values
from aquila_cassette.model import Failure, Interaction, Request, Response
from aquila_cassette.storage.bodies import is_utf8, one_at_a_time, timeline
from aquila_cassette.storage.format import grouped
from aquila_cassette.storage.yaml_reader import LARGE, SchemaError

OURS = "aquila"
"""The field of an answer for its pieces, times, ending and version."""

NOT_HTTP = ("grpc_interactions", "ws_interactions")
"""The lists of a cassetter file that are not read."""

# Stands for a large body, until it is written.
_MARK, _MARK_AS_YAML = "\ufdef", b'"\\uFDEF"'
_STRETCH = 57 * 1024  # bytes; base64 has 57 in a line
_PAD = b" " * 8


# Reading.


def read(tree: Any) -> tuple[Interaction, ...] | None:
    """Return what a file of vcrpy, cassetter or betamax holds; None if it is no such file."""
    items: Any
    if not isinstance(tree, Mapping):
        return None
    if isinstance(tree.get("requests"), list) and isinstance(tree.get("responses"), list):
        items = _paired(tree)
    else:
        items = tree.get("http_interactions", tree.get("interactions"))
    if items == [] and any(name in tree for name in NOT_HTTP):
        return ()
    if not isinstance(items, list) or not items or not _is_foreign(items[0]):
        return None
    return values.read_each(items, _interaction)


def _paired(tree: Mapping[str, Any]) -> list[Any]:
    """Return pairs of requests and responses that are in two lists, as langchain writes them."""
    sent, received = tree["requests"], tree["responses"]
    if len(sent) != len(received):
        raise SchemaError(tree, "responses", "there is not one response for each request")
    return [{"request": one, "response": two} for one, two in zip(sent, received, strict=True)]


def _is_foreign(item: Any) -> bool:
    request = item.get("request") if isinstance(item, Mapping) else None
    return isinstance(request, Mapping) and "uri" in request


def _interaction(item: Mapping[str, Any]) -> Interaction:
    sent, received = item["request"], item["response"]
    parsed = sent.get("parsed_body")
    body = _body(sent.get("body")) if parsed is None else json.dumps(parsed).encode()
    method = values.text(sent, "method").upper()
    return Interaction(
        Request(method, values.text(sent, "uri"), values.headers(sent.get("headers")), body),
        read_response(received),
        recorded_at=values.timestamp(
            item.get("recorded_at"), values.headers(received.get("headers"))
        ),
    )


def read_response(fields: Mapping[str, Any]) -> Response:
    """Return the answer in the fields of an interaction, without content encoding."""
    received = values.headers(fields.get("headers"))
    if "status_code" in fields:  # vcrpy 2 to 5, of httpx
        code = values.status(fields["status_code"])
        return values.response(code, received, values.as_bytes(fields.get("content")))
    status = fields["status"]
    code = values.status(status["code"] if isinstance(status, Mapping) else status)
    if fields.get("parsed_body") is not None:
        # Kept parsed, so it was plain text by then, whatever the headers still say.
        body = json.dumps(fields["parsed_body"]).encode()
        return values.response(code, received, body, decoded=True)
    ours = dict(fields.get(OURS) or {})
    reason = status.get("message") if isinstance(status, Mapping) else None
    if isinstance(reason, str) and reason not in ("", responses.get(code)):
        ours["reason"] = reason
    if "error" in ours:
        ours["error"] = Failure(**ours["error"])
    return values.response(code, received, _body(fields.get("body")), **ours)


def _body(value: Any) -> bytes:
    match value:
        case {"base64_string": str() | bytes() as packed}:
            return values.from_base64(packed)
        case {"type": "none"}:
            return b""
        case {"type": "json", "content": content}:
            return json.dumps(content).encode()
        case {"type": "text", "content": content}:
            return values.as_bytes(content)
        case {"type": "binary", "content": str(content)}:
            return bytes.fromhex(content)
        case {"string": content}:
            return values.as_bytes(content)
        case {"encoding": _} if len(value) == 1:
            return b""
        case {}:
            return json.dumps(value).encode() if value else b""
    return values.as_bytes(value)


# Writing.


def losses(interaction: Interaction) -> str:
    """Return what vcrpy's format cannot hold of an interaction; empty if it holds all that counts."""
    if interaction.response.status is None:
        return "no answer came, which vcrpy cannot replay: left out"
    ended = interaction.response.ended
    return "" if ended == "complete" else f"the answer is {ended}; vcrpy replays it as a whole one"


def chunks(interactions: Sequence[Interaction]) -> Iterator[bytes]:
    """Yield a cassette in vcrpy's format, in ASCII, without what got no answer at all."""
    answered = [one for one in interactions if one.response.status is not None]
    yield b"interactions:\n" if answered else b"interactions: []\n"
    for one in one_at_a_time(answered):
        yield from _chunks(one)
    yield b"version: 1\n"


def _chunks(interaction: Interaction) -> Iterator[bytes]:
    rest = _dump(interaction)
    for body in _large_bodies(interaction):
        head, foot = _quotes(body)
        before, _, rest = rest.partition(_MARK_AS_YAML)
        yield before + head
        yield from (written for _, written in _stretches(body))
        yield foot
    yield rest


def _large_bodies(interaction: Interaction) -> list[bytes]:
    bodies = interaction.request.body, interaction.response.body
    return [body for body in bodies if len(body) > LARGE]


def _dump(interaction: Interaction) -> bytes:
    import yaml

    dumper: Any = yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper
    data: bytes = yaml.dump([_item(interaction)], Dumper=dumper, sort_keys=False, encoding="ascii")
    return data


def _quotes(body: bytes) -> tuple[bytes, bytes]:
    return (b'"', b'"') if is_utf8(body) else (b"!!binary |\n", b"")


def _stretches(body: bytes) -> Iterator[tuple[str | bytes, bytes]]:
    """Yield a large body a stretch at a time, and as YAML: PyYAML would make several copies of it."""
    decoder = codecs.getincrementaldecoder("utf-8")() if is_utf8(body) else None
    for start in range(0, len(body), _STRETCH):
        part = body[start : start + _STRETCH]
        if decoder:
            text = decoder.decode(part)
            lines = [line.encode("unicode_escape") for line in text.split("\n")]
            # Spaces that lead a line are the layout's, unless a backslash is before them.
            lines = [b"\\" + line if line.startswith(b" ") else line for line in lines]
            yield text, (b"\\n\\\n" + _PAD).join(lines).replace(b'"', b'\\"')
        else:
            lines = base64.encodebytes(part).splitlines(keepends=True)
            yield part, b"".join(_PAD + line for line in lines)


def reads_back(interaction: Interaction) -> bool:
    """Return whether PyYAML's safe loader, which is vcrpy's, reads what is written."""
    import yaml

    def load(data: bytes) -> Any:
        return yaml.load(
            data, Loader=yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
        )

    def is_read(body: bytes) -> bool:
        head, foot = _quotes(body)
        return all(load(head + written + foot) == part for part, written in _stretches(body))

    try:
        is_same = load(_dump(interaction)) == [_item(interaction)]
        return is_same and all(map(is_read, _large_bodies(interaction)))
    except yaml.YAMLError:
        return False


def response_fields(response: Response) -> dict[str, Any]:
    """Return an answer in the fields of an interaction; its body as bytes."""
    usual, ours = Response(response.status), dict[str, Any]()
    if " " in (pieces := timeline(response)):  # there are several
        ours = {"pieces": pieces, "headers_after": response.headers_after}
    for name in ("http_version", "ended", "error"):
        value = getattr(response, name)
        if value != getattr(usual, name):
            ours[name] = asdict(value) if isinstance(value, Failure) else value
    code = response.status or 0
    return {
        "body": {"string": response.body},
        "headers": grouped(response.headers),
        "status": {"code": code, "message": response.reason_phrase},
        **({OURS: ours} if ours else {}),
    }


def _item(interaction: Interaction) -> dict[str, Any]:
    request, response = interaction.request, interaction.response
    # Of no body vcrpy has '' from httpx, null from others, and takes them for two.
    sent = {
        "body": _text_or_bytes(request.body),
        "headers": grouped(request.headers),
        "method": request.method,
        "uri": request.url,
    }
    received = {**response_fields(response), "body": {"string": _text_or_bytes(response.body)}}
    at = {"recorded_at": interaction.recorded_at} if interaction.recorded_at else {}
    return {"request": sent, "response": received, **at}


def _text_or_bytes(body: bytes) -> str | bytes:
    if len(body) > LARGE:
        return _MARK
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body
