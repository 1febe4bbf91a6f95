"""The embedded provider: a model server on this machine for the demo, the examples and the tests.

It speaks OpenAI's chat completions and responses, Anthropic's messages and Gemini's content
generation, streamed and whole, and gives the same bytes for the same request. It needs the
standard library only.
"""

from __future__ import annotations

from aquila_cassette.provider.server import Asked, Provider

__all__ = ["Asked", "Provider"]
