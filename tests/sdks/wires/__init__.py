"""What a provider sends for a text, or for the call of a tool, in each dialect."""

from __future__ import annotations

from .wire import ARGUMENTS, CITY, TEXT, TOOL, Frame, Wire

__all__ = ["ARGUMENTS", "CITY", "TEXT", "TOOL", "Frame", "Wire"]
