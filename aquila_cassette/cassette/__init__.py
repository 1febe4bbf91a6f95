"""What stands on a tape, how it is written to YAML and read back, matched, redacted, saved."""
