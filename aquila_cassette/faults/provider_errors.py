"""What the providers write into the body of an error, by status; and as an event of a stream."""

from __future__ import annotations

from typing import Any

from aquila_cassette.dialects.json_access import dump_json

_WORDS = {
    400: "The request is invalid.",
    401: "The API key is invalid.",
    403: "You may not use this.",
    404: "There is no such model.",
    429: "Rate limit reached.",
    500: "The server had an error.",
    503: "The server is overloaded.",
    504: "The deadline has passed.",
    529: "Overloaded",
}
_ANTHROPIC = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_GOOGLE = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_OPENAI = {
    400: "invalid_request_error",
    401: "invalid_request_error",
    404: "invalid_request_error",
    429: "rate_limit_exceeded",
}


def fields(dialect: str | None, status: int, message: str = "") -> dict[str, Any]:
    """Return the JSON of an error of the provider with this dialect; by default OpenAI's form."""
    message = message or _WORDS.get(status, "The server had an error.")
    name = dialect or ""
    if name.startswith("anthropic"):
        kind = _ANTHROPIC.get(status, "api_error")
        return {"type": "error", "error": {"type": kind, "message": message}}
    if name.startswith("gemini"):
        kind = _GOOGLE.get(status, "INTERNAL")
        return {"error": {"code": status, "message": message, "status": kind}}
    if name.startswith(("cohere", "bedrock")):
        return {"message": message}
    if name.startswith("ollama"):
        return {"error": message}
    kind = _OPENAI.get(status, "server_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": kind}}


def body(dialect: str | None, status: int) -> str:
    return dump_json(fields(dialect, status))


def event(dialect: str | None, message: str, *, is_sse: bool) -> bytes:
    """Return an error as an event of a stream."""
    name = dialect or ""
    found = fields(dialect, 529 if name.startswith("anthropic") else 503, message)
    if name == "openai-responses":
        found = {"type": "error", "code": "server_error", "message": message, "param": None}
    data = dump_json(found).encode()
    if not is_sse:
        return data + b"\n"
    has_type = name.startswith("anthropic") or name == "openai-responses"
    return (b"event: error\n" if has_type else b"") + b"data: " + data + b"\n\n"
