"""A request as one document, whose strings can be looked through and replaced."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, unquote_plus, urlsplit, urlunsplit

from aquila_cassette.cli.rerecord.leaves import encoded_like, leaves, marks, replaced, voids

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aquila_cassette.cli.rerecord.leaves import Leaf, Mark, Path
    from aquila_cassette.model import Request

__all__ = ["RequestDocument"]

_SAFE = "-._~!$&'()*+,;=:@[]"


class RequestDocument:
    """The URL, the headers and the body of a request, taken apart.

    Args:
        request: Off a cassette.

    Example:
        >>> from aquila_cassette.model import Request
        >>> request = Request("POST", "https://a.example/v1/files/f%201?page=2", body=b'{"a": "b"}')
        >>> document = RequestDocument(request)
        >>> [leaf.shown for leaf in document.leaves[3:]]
        ['path.2.id', 'path.3.id', 'query.0.page', 'body.a']
        >>> new = document.replaced({("path", 3, "id"): "f 2", ("body", "a"): "c"})
        >>> new.url, new.body
        ('https://a.example/v1/files/f%202?page=2', b'{"a": "c"}')
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self._url = urlsplit(request.url)
        self._segments = self._url.path.split("/")
        self._query = self._url.query.split("&") if self._url.query else []
        self.document = {
            "url": {"location": request.url},
            "target": {"location": urlunsplit(("", "", *self._url[2:4], ""))},
            # What stands in a path is as good as an id.
            "path": [{"id": unquote(segment)} if segment else None for segment in self._segments],
            "query": [
                {unquote_plus(name): unquote_plus(value)}
                for name, _, value in (pair.partition("=") for pair in self._query)
            ],
            "headers": [{name: value} for name, value in request.headers],
            "body": self._body(),
        }
        self.leaves: tuple[Leaf, ...] = tuple(leaves(self.document))
        self.marks: tuple[tuple[Path, Mark], ...] = tuple(marks(self.document))
        self.voids: tuple[tuple[Path, str | None], ...] = tuple(
            (path, void)
            for part in ("query", "body")
            if self.document[part] is not None
            for path, void in voids(self.document[part], (part,))
        )

    @property
    def host(self) -> str:
        """Who is asked: the name, and the port where it is told."""
        return self._url.netloc

    @property
    def is_json(self) -> bool:
        """Whether all there is to look through is here: the body is JSON, or there is none."""
        return self.document["body"] is not None or not self.request.body

    @property
    def plain(self) -> str:
        """The body where it is text, but no JSON; empty where it is not."""
        try:
            return "" if self.is_json else self.request.body.decode()
        except UnicodeDecodeError:
            return ""

    def replaced(self, values: Mapping[Path, str | int]) -> Request:
        """Give the request with other values at some paths of its document.

        Args:
            values: Paths of leaves, and what shall stand there.
        """
        if not values:
            return self.request
        document = replaced(self.document, values)
        body = self.request.body
        if any(path[0] == "body" for path in values):
            body = encoded_like(body.decode(), document["body"]).encode()
        headers = tuple(_pair(header) for header in document["headers"])
        url = self._replaced_url(document)
        return replace(self.request, url=url, headers=headers, body=body)

    def _replaced_url(self, document: Any) -> str:
        for whole in ("url", "target"):
            if document[whole] != self.document[whole]:
                new = urlsplit(str(document[whole]["location"]))
                scheme, netloc = new[:2] if new.netloc else self._url[:2]
                return urlunsplit((scheme, netloc, new.path, new.query, ""))
        segments = [
            segment if old == new else quote(new["id"], safe=_SAFE)
            for segment, old, new in zip(
                self._segments, self.document["path"], document["path"], strict=True
            )
        ]
        query = [
            pair if old == new else "=".join(quote(part, safe=_SAFE) for part in _pair(new))
            for pair, old, new in zip(
                self._query, self.document["query"], document["query"], strict=True
            )
        ]
        return urlunsplit((*self._url[:2], "/".join(segments), "&".join(query), ""))

    def _body(self) -> Any:
        try:
            body = json.loads(self.request.body)
        except (ValueError, RecursionError):
            return None
        return body if isinstance(body, (dict, list)) else None


def _pair(single: dict[str, str]) -> tuple[str, str]:
    return next(iter(single.items()))
