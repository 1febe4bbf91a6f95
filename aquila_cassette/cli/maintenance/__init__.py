"""Checking, scrubbing, renaming and removing cassettes."""
