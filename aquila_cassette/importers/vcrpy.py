"""Read and write files of vcrpy; read those of cassetter and Ruby VCR (betamax).

Pieces, their times and the owners are lost. ``recorded_at`` stays, where vcrpy skips it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http.client import responses
from typing import Any

from aquila_cassette.importers import values
from aquila_cassette.model import Headers, Interaction, Request, Response
from aquila_cassette.storage.yaml_reader import SchemaError

_OTHERS = {"grpc_interactions": "gRPC", "ws_interactions": "WebSocket"}
_PORTS = {"https": 443, "http": 80}


# Reading.


def read(tree: Any) -> tuple[tuple[Interaction, ...], tuple[str, ...]] | None:
    """Return what a file of vcrpy, cassetter or betamax holds, and a line for each kind skipped."""
    items: Any
    skipped: tuple[str, ...] = ()
    if isinstance(tree, list):  # before vcrpy 1.0
        items = tree
    elif not isinstance(tree, Mapping):
        return None
    elif isinstance(tree.get("requests"), list) and isinstance(tree.get("responses"), list):
        items = _paired(tree)
    else:
        items = tree.get("http_interactions", tree.get("interactions"))
        kinds = [(name, tree.get(key)) for key, name in _OTHERS.items()]
        skipped = tuple(
            f"{len(one)} of {name}" for name, one in kinds if one and isinstance(one, list)
        )
    if not items and skipped:
        return (), skipped
    if not isinstance(items, list) or not items or not _is_foreign(items[0]):
        return None
    found = []
    for place in range(len(items)):
        try:
            found.append(_interaction(values.mapping(items, place, "the interaction")))
        except SchemaError as error:
            # PyYAML sorts keys: where the file is whole, 'version' comes after all of them.
            is_end = isinstance(tree, list) or [*tree][-1] == "interactions"
            error.cut_off = error.missing and is_end and place == len(items) - 1
            raise
    return tuple(found), skipped


def _paired(tree: Mapping[str, Any]) -> list[Any]:
    """Return pairs of requests and responses that are in two lists, as langchain writes them."""
    sent, received = tree["requests"], tree["responses"]
    if len(sent) != len(received):
        facts = [f"requests:  {len(sent)}", f"responses: {len(received)}"]
        problem = "there is not one response for each request"
        raise SchemaError(tree, "responses", problem, facts=facts)
    return [{"request": one, "response": two} for one, two in zip(sent, received, strict=True)]


def _is_foreign(item: Any) -> bool:
    request = item.get("request") if isinstance(item, Mapping) else None
    return isinstance(request, Mapping) and ("uri" in request or "host" in request)


def _interaction(item: Mapping[str, Any]) -> Interaction:
    sent = values.mapping(item, "request", "the request")
    if sent.get("parsed_body") is not None:
        body = values.json_bytes(sent, "parsed_body")
    else:
        body = _body(sent)
    method = values.text(sent, "method", "the request").upper()
    fields = values.mapping(item, "response", "the response")
    received = values.headers(fields.get("headers"))
    return Interaction(
        Request(method, _url(sent), values.headers(sent.get("headers")), body),
        _response(fields, received),
        recorded_at=values.timestamp(item.get("recorded_at"), received),
    )


def _url(fields: Mapping[str, Any]) -> str:
    if "uri" in fields or "host" not in fields:
        return values.text(fields, "uri", "the request")
    scheme = str(fields.get("protocol", "https"))
    port = fields.get("port")
    place = "" if port in (None, _PORTS.get(scheme)) else f":{port}"
    return f"{scheme}://{fields['host']}{place}{fields.get('path') or ''}"


def _response(fields: Mapping[str, Any], received: Headers) -> Response:
    if "status_code" in fields:  # vcrpy 2 to 5, of httpx
        code = values.status(fields, "status_code", fields["status_code"])
        content = values.as_bytes(fields.get("content"))
        if content is None:
            raise _no_body(fields, "content")
        return values.response(code, received, content)
    if "status" not in fields:
        raise SchemaError(fields, None, "the response has no field 'status'", missing=True)
    within, key = fields, "status"
    if isinstance(fields["status"], Mapping):
        within, key = fields["status"], "code"
    status = values.status(within, key, within.get(key))
    if fields.get("parsed_body") is not None:
        # Kept parsed, so it was plain text by then, whatever the headers still say.
        body = values.json_bytes(fields, "parsed_body")
        return values.response(status, received, body, decoded=True)
    return values.response(status, received, _body(fields))


def _body(fields: Mapping[str, Any]) -> bytes:
    value = fields.get("body")
    if not isinstance(value, Mapping):
        body = values.as_bytes(value)
    elif isinstance(value.get("base64_string"), (str, bytes)):
        return values.from_base64(value, "base64_string")
    elif "type" in value and set(value) <= {"type", "content"}:
        return _typed(value)
    elif "string" in value or not value or set(value) == {"encoding"}:
        body = values.as_bytes(value.get("string"))
    else:
        return values.json_bytes(fields, "body")
    if body is None:
        raise _no_body(fields, "body")
    return body


def _typed(value: Mapping[str, Any]) -> bytes:
    match value["type"], value.get("content"):
        case "none", _:
            return b""
        case "json", _:
            return values.json_bytes({"content": None, **value}, "content")
        case "text", content if (body := values.as_bytes(content)) is not None:
            return body
        case "binary", str(content):
            try:
                return bytes.fromhex(content)
            except ValueError as error:
                raise SchemaError(value, "content", "'content' is not hexadecimal") from error
    raise _no_body(value, "type")


def _no_body(within: Mapping[str, Any], key: str) -> SchemaError:
    return SchemaError(within, key, f"{key!r} is a body of an unknown form")


# Writing.


def losses(interaction: Interaction) -> str:
    """Return what vcrpy's format cannot hold of an interaction; empty if it holds all that counts."""
    response = interaction.response
    if response.status is None:
        return "no answer came, which vcrpy cannot replay: left out"
    if response.ended == "failed":
        return "the answer failed under way; vcrpy replays what came of it as a whole one"
    if response.ended == "closed":
        return "the answer was not read to its end; vcrpy replays what was as a whole one"
    return ""


def dumps(interactions: Sequence[Interaction]) -> str:
    """Return a cassette in vcrpy's format, in ASCII, without what got no answer at all."""
    text = _dump(_tree(interactions), readable=True)
    # PyYAML does not read back each literal block that it writes.
    return text if holds(text, interactions) else _dump(_tree(interactions), readable=False)


def holds(text: str, interactions: Sequence[Interaction]) -> bool:
    """Return whether PyYAML's safe loader, which is vcrpy's, reads `interactions` off `text`."""
    import yaml

    loader: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    try:
        return bool(yaml.load(text, Loader=loader) == _tree(interactions))
    except yaml.YAMLError:
        return False


def _tree(interactions: Sequence[Interaction]) -> dict[str, Any]:
    items = [_item(one) for one in interactions if one.response.status is not None]
    return {"interactions": items, "version": 1}


def _item(interaction: Interaction) -> dict[str, Any]:
    request, response = interaction.request, interaction.response
    code = response.status or 0
    # Of no body vcrpy has '' from httpx, null from others, and takes them for two.
    sent = {
        "body": _text_or_bytes(request.body),
        "headers": _grouped(request.headers),
        "method": request.method,
        "uri": request.url,
    }
    received = {
        "body": {"string": _text_or_bytes(response.body)},
        "headers": _grouped(response.headers),
        "status": {"code": code, "message": responses.get(code, "")},
    }
    at = {"recorded_at": interaction.recorded_at} if interaction.recorded_at else {}
    return {"request": sent, "response": received, **at}


def _text_or_bytes(body: bytes) -> str | bytes:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def _grouped(headers: Headers) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in headers:
        grouped.setdefault(name, []).append(value)
    return grouped


def _dump(tree: Any, *, readable: bool) -> str:
    import yaml

    base: Any = yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper

    class Dumper(base):  # type: ignore[misc] # a class chosen at run time
        def ignore_aliases(self, data: Any) -> bool:
            return True

    if readable:
        Dumper.add_representer(str, _represent_text)
    dumped: str = yaml.dump(tree, Dumper=Dumper, sort_keys=False)
    return dumped


def _represent_text(dumper: Any, text: str) -> Any:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)
