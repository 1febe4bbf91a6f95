"""vcrpy's cassettes, of any age, and those of the tools that write almost the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http.client import responses
from typing import Any

from aquila_cassette.importers import values
from aquila_cassette.model import Headers, Interaction, Request, Response
from aquila_cassette.storage.yaml_reader import SchemaError

__all__ = ["dumps", "holds", "interactions", "losses", "passed_over"]

_OTHERS = {"grpc_interactions": "gRPC", "ws_interactions": "WebSocket"}
_PORTS = {"https": 443, "http": 80}


def interactions(tree: Any) -> tuple[Interaction, ...] | None:
    """Read what a file in vcrpy's, cassetter's or betamax's format holds; None if it is in none.

    Args:
        tree: What the file says.

    Raises:
        SchemaError: It is in one of them, and damaged.
    """
    items: Any
    if isinstance(tree, list):  # before vcrpy 1.0
        items = tree
    elif not isinstance(tree, Mapping):
        return None
    elif isinstance(tree.get("requests"), list) and isinstance(tree.get("responses"), list):
        return _apart(tree)
    else:
        items = tree.get("http_interactions", tree.get("interactions"))
    if not items and passed_over(tree):
        return ()
    if not isinstance(items, list) or not items or not _is_foreign(items[0]):
        return None
    read = []
    for place in range(len(items)):
        try:
            read.append(_interaction(values.mapping(items, place, "the interaction")))
        except SchemaError as flaw:
            # PyYAML sorts keys: where the file is whole, 'version' comes after all of them.
            is_end = isinstance(tree, list) or [*tree][-1] == "interactions"
            flaw.cut_off = flaw.missing and is_end and place == len(items) - 1
            raise
    return tuple(read)


def passed_over(tree: Any) -> tuple[str, ...]:
    """Name what cassetter keeps and no cassette of ours can hold.

    Args:
        tree: What the file says.
    """
    if not isinstance(tree, Mapping):
        return ()
    found = ((name, tree.get(key)) for key, name in _OTHERS.items())
    return tuple(f"{len(one)} of {name}" for name, one in found if isinstance(one, list) and one)


def _is_foreign(item: Any) -> bool:
    request = item.get("request") if isinstance(item, Mapping) else None
    return isinstance(request, Mapping) and ("uri" in request or "host" in request)


def _apart(tree: Mapping[str, Any]) -> tuple[Interaction, ...]:
    """Read requests and responses that stand in two lists, as langchain's serializer has them."""
    sent, received = tree["requests"], tree["responses"]
    if len(sent) != len(received):
        facts = [f"requests:  {len(sent)}", f"responses: {len(received)}"]
        raise SchemaError(
            tree, "responses", "there is not one response for each request", facts=facts
        )
    return tuple(
        _interaction({"request": request, "response": response})
        for request, response in zip(sent, received, strict=True)
    )


def _interaction(item: Mapping[str, Any]) -> Interaction:
    request = _request(values.mapping(item, "request", "the request"))
    fields = values.mapping(item, "response", "the response")
    received = values.headers(fields.get("headers"))
    recorded_at = values.stamp(item.get("recorded_at"), received)
    return Interaction(request, _response(fields), recorded_at=recorded_at)


def _request(fields: Mapping[str, Any]) -> Request:
    if fields.get("parsed_body") is not None:
        body = values.json_bytes(fields, "parsed_body")
    else:
        body = _body(fields)
    return Request(
        values.text(fields, "method", "the request").upper(),
        _url(fields),
        values.headers(fields.get("headers")),
        body,
    )


def _url(fields: Mapping[str, Any]) -> str:
    if "uri" in fields or "host" not in fields:
        return values.text(fields, "uri", "the request")
    scheme = str(fields.get("protocol", "https"))
    port = fields.get("port")
    place = "" if port in (None, _PORTS.get(scheme)) else f":{port}"
    return f"{scheme}://{fields['host']}{place}{fields.get('path') or ''}"


def _response(fields: Mapping[str, Any]) -> Response:
    received = values.headers(fields.get("headers"))
    if "status_code" in fields:  # vcrpy 2 to 5, of httpx
        code = values.status(fields, "status_code", fields["status_code"])
        content = values.as_bytes(fields.get("content"))
        if content is None:
            raise _no_body(fields, "content")
        return values.response(code, received, content)
    if "status" not in fields:
        raise SchemaError(fields, None, "the response has no field 'status'", missing=True)
    within, key, code = fields, "status", fields["status"]
    if isinstance(code, Mapping):
        if "code" not in code:
            raise SchemaError(code, None, "the status has no field 'code'", missing=True)
        within, key, code = code, "code", code["code"]
    status = values.status(within, key, code)
    if fields.get("parsed_body") is not None:
        # Kept parsed, so it was plain text by then, whatever the headers still say.
        body = values.json_bytes(fields, "parsed_body")
        return values.response(status, received, body, decoded=True)
    return values.response(status, received, _body(fields))


def _body(fields: Mapping[str, Any]) -> bytes:
    """Read the body of a request or a response."""
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
    """Read a body as cassetter keeps it."""
    match value["type"], value.get("content"):
        case "none", _:
            return b""
        case "json", _:
            return values.json_bytes({"content": None, **value}, "content")
        case "text", content:
            body = values.as_bytes(content)
        case "binary", str(content):
            try:
                return bytes.fromhex(content)
            except ValueError as error:
                raise SchemaError(value, "content", "'content' is no hexadecimal") from error
        case _:
            body = None
    if body is None:
        raise _no_body(value, "type")
    return body


def _no_body(within: Mapping[str, Any], key: str) -> SchemaError:
    return SchemaError(within, key, f"{key!r} is no body that is known")


def losses(interaction: Interaction) -> str:
    """Say what vcrpy's format cannot hold of an interaction; empty where it holds all that counts.

    Args:
        interaction: Any.
    """
    response = interaction.response
    if response.status is None:
        return "no answer came, which vcrpy cannot replay: left out"
    if response.ended == "failed":
        return "the answer failed under way; vcrpy replays what came of it as a whole one"
    if response.ended == "closed":
        return "the answer was not read to its end; vcrpy replays what was as a whole one"
    return ""


def dumps(interactions: Sequence[Interaction]) -> str:
    """Write a cassette in vcrpy's format, in ASCII; what got no answer at all is left out.

    Pieces and their times, and whose an interaction is, are lost. ``recorded_at`` stays, where
    vcrpy passes over it.

    Args:
        interactions: What it is to hold.
    """
    text = _dump(_tree(interactions), readable=True)
    # PyYAML does not read back each literal block that it writes.
    return text if holds(text, interactions) else _dump(_tree(interactions), readable=False)


def holds(text: str, interactions: Sequence[Interaction]) -> bool:
    """Tell whether PyYAML's safe loader, which is vcrpy's, reads `interactions` off `text`.

    Args:
        text: The whole file.
        interactions: What it is to hold.
    """
    return bool(_load(text) == _tree(interactions))


def _tree(interactions: Sequence[Interaction]) -> dict[str, Any]:
    items = [_item(one) for one in interactions if one.response.status is not None]
    return {"interactions": items, "version": 1}


def _item(interaction: Interaction) -> dict[str, Any]:
    request, response = interaction.request, interaction.response
    code = response.status or 0
    item: dict[str, Any] = {
        "request": {
            # Of no body vcrpy has '' from httpx, null from others, and takes them for two.
            "body": _text_or_bytes(request.body),
            "headers": _headers(request.headers),
            "method": request.method,
            "uri": request.url,
        },
        "response": {
            "body": {"string": _text_or_bytes(response.body)},
            "headers": _headers(response.headers),
            "status": {"code": code, "message": responses.get(code, "")},
        },
    }
    if interaction.recorded_at:
        item["recorded_at"] = interaction.recorded_at
    return item


def _text_or_bytes(body: bytes) -> str | bytes:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def _headers(headers: Headers) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in headers:
        grouped.setdefault(name, []).append(value)
    return grouped


def _dump(tree: Any, *, readable: bool) -> str:
    import yaml

    base: Any = yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper

    class Dumper(base):  # type: ignore[misc] # a class chosen at run time
        """Writes texts of several lines as literal blocks, and never an alias."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    if readable:
        Dumper.add_representer(str, _text)
    dumped: str = yaml.dump(tree, Dumper=Dumper, sort_keys=False)
    return dumped


def _text(dumper: Any, text: str) -> Any:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _load(text: str) -> Any:
    import yaml

    loader: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    try:
        return yaml.load(text, Loader=loader)
    except yaml.YAMLError:
        return None
