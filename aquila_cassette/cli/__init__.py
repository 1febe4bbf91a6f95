"""The shell: `aquila-cassette`."""
