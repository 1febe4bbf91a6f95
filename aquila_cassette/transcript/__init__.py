"""Cassettes as text for people."""
