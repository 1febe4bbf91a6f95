"""Remove secrets from requests, responses and files."""

from __future__ import annotations

from aquila_cassette.redaction.fields import Secrets, environment_secrets
from aquila_cassette.redaction.finder import SecretFinding
from aquila_cassette.redaction.policy import REDACTED, Leak, Pattern, Redaction

__all__ = [
    "REDACTED",
    "Leak",
    "Pattern",
    "Redaction",
    "SecretFinding",
    "Secrets",
    "environment_secrets",
]
