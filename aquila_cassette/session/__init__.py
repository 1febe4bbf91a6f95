"""The engine: an open cassette."""
