"""Keys of requests, the closest recorded request, and how the two differ."""
