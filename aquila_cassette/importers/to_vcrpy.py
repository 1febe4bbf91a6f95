r"""A cassette as stock vcrpy replays it: its YAML, with the same bytes in each body.

Example:
    >>> from aquila_cassette.model import Interaction, Piece, Request, Response
    >>> answer = Response(200, (("age", "3"),), (Piece(5, b"a"), Piece(9, b"b\n")))
    >>> print(dumps([Interaction(Request("GET", "https://a.example/"), answer)]), end="")
    interactions:
    - request:
        body: ''
        headers: {}
        method: GET
        uri: https://a.example/
      response:
        body:
          string: |
            ab
        headers:
          age:
          - '3'
        status:
          code: 200
          message: OK
    version: 1
"""

from __future__ import annotations

from http.client import responses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquila_cassette.model import Headers, Interaction

__all__ = ["dumps", "holds", "losses"]


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
            "body": _body(request.body),
            "headers": _headers(request.headers),
            "method": request.method,
            "uri": request.url,
        },
        "response": {
            "body": {"string": _body(response.body)},
            "headers": _headers(response.headers),
            "status": {"code": code, "message": responses.get(code, "")},
        },
    }
    if interaction.recorded_at:
        item["recorded_at"] = interaction.recorded_at
    return item


def _body(body: bytes) -> str | bytes:
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
