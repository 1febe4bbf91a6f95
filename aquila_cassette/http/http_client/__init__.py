"""The head for http.client, and with it for all that is built on it.

urllib, urllib3, requests, botocore and httplib2 all end in ``http.client.HTTPConnection``, most in
subclasses of it. There a stand-in takes the socket's place while a cassette is in force: it hears
the request to its end, asks the cassette, and then either opens the real socket and listens in, or
plays the answer. The library's own parsing, pooling and errors stay above it.
"""

from __future__ import annotations

from aquila_cassette.http.http_client.patches import install

__all__ = ["install"]
