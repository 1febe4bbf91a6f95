"""Cassettes of other recorders, read as they lie: vcrpy's, cassetter's, betamax's, and HAR."""

from __future__ import annotations

from aquila_cassette.importers.detect import NAMES, Kind, sniff

__all__ = ["NAMES", "Kind", "sniff"]
