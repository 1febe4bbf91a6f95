"""Read what providers send, in one dialect or another."""
