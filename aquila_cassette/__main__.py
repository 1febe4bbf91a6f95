"""Run the command line with ``python -m aquila_cassette``."""

from __future__ import annotations

from aquila_cassette.cli import main

if __name__ == "__main__":
    main()
