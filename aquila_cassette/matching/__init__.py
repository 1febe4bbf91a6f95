"""Find the interaction that answers a request, and say how the closest one differs."""
