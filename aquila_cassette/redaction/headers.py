"""Which headers are kept: an allow-list, so that a header nobody thought of cannot leak."""

from __future__ import annotations

__all__ = ["FRAMING", "KEPT_PREFIXES", "KEPT_RECEIVED", "KEPT_SENT", "LINKS"]

_BOTH = frozenset({
    "content-type", "content-disposition", "content-language", "mcp-protocol-version",
    "x-goog-upload-status", "x-goog-upload-chunk-granularity", "x-goog-upload-command",
    "x-goog-upload-offset", "x-goog-upload-protocol",
})  # fmt: skip

KEPT_SENT = _BOTH | {
    "accept", "anthropic-version", "anthropic-beta", "openai-beta", "x-goog-api-version",
    "api-version", "x-github-api-version", "x-amz-target", "prefer", "range", "last-event-id",
}  # fmt: skip
"""Kept of a request: what says how the body is to be read, and which API was asked for."""

KEPT_RECEIVED = _BOTH | {
    "retry-after", "retry-after-ms", "x-should-retry", "ratelimit", "ratelimit-policy",
    "location", "link", "www-authenticate", "openai-version", "anthropic-version", "allow",
    "content-range", "accept-ranges", "x-amzn-errortype", "x-ms-error-code", "x-goog-upload-url",
    "warning", "deprecation", "sunset",
    # Of a live response it comes here only where the body could not be decoded, and is as it came.
    "content-encoding",
}  # fmt: skip
"""Kept of a response: what an SDK acts on. Dates, ids, cookies and organisations are not."""

KEPT_PREFIXES = ("x-ratelimit-", "ratelimit-", "anthropic-ratelimit-", "x-amzn-bedrock-")
"""Beginnings of further names kept of a response."""

LINKS = frozenset({"location", "x-goog-upload-url"})
"""Headers whose whole value is a URL."""

FRAMING = frozenset({
    "content-length", "content-encoding", "transfer-encoding", "connection", "keep-alive",
    "trailer", "te", "upgrade", "proxy-connection",
})  # fmt: skip
"""Headers that say how the bytes came over one wire; on a replay they would be lies."""
