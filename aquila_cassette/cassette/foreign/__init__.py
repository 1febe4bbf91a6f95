"""Tapes of other recorders, read as they lie: vcrpy's, cassetter's, betamax's, and HAR."""

from __future__ import annotations

from aquila_cassette.cassette.foreign.sniff import NAMES, Kind, sniff

__all__ = ["NAMES", "Kind", "sniff"]
