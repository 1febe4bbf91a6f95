"""Cassettes as text for people: what was asked, said and called, and what changed."""
