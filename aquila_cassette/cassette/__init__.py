"""What stands on a cassette, how it is written to YAML and read back, matched, redacted, saved."""
