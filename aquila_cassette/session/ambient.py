"""Ambient requests: what SDKs send on their own (telemetry, price lists, tokens).

While its block records, such a request passes and is not kept. On replay it is not sent: it gets a
harmless answer, since a refusal would set off the sender's retries, and the network may be missing.

The table holds only requests whose answers the code under test does not read. Each was found in the
source of its sender, 2026-11, but for those of sentry and of AWS's single sign-on, which are known
from their documentation.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from urllib.parse import parse_qs, urlsplit

from aquila_cassette.errors import UsageError
from aquila_cassette.model import Interaction, Piece, Request, Response

__all__ = [
    "AMBIENT_REQUESTS",
    "PLACEHOLDER",
    "AmbientRequest",
    "ambient_request",
    "holds_placeholder",
    "refuse_placeholder",
]

PLACEHOLDER = "aquila-placeholder"
"""The placeholder key: good enough to build a client with, and never sent to be recorded."""


def holds_placeholder(request: Request) -> bool:
    """Return whether `request` would send the placeholder as its key."""
    return PLACEHOLDER in request.url or any(PLACEHOLDER in value for _, value in request.headers)


def refuse_placeholder(request: Request, redacted: Request) -> None:
    """Refuse to record with the placeholder key: the answer could only be an error."""
    __tracebackhide__ = True
    if holds_placeholder(request):
        raise UsageError(
            f"{redacted.method} {redacted.url} was not sent: its key is only a placeholder.",
            facts=[f"key: {PLACEHOLDER}, which tests of mode none get where no key is set"],
            fix="Fix: set the provider's key in the environment, or replay: mode none",
        )


Answer = Callable[["Request"], tuple[int, str, str]]
"""Makes the answer on replay: its status, its content type, its body."""


def _json(value: object) -> Answer:
    text = json.dumps(value)
    return lambda request: (200, "application/json", text)


def _absent(request: Request) -> tuple[int, str, str]:
    return 404, "text/plain", ""


def _directory(request: Request) -> tuple[int, str, str]:
    """Answer as Microsoft's sign-in does where it is asked for its own addresses."""
    parts = urlsplit(request.url)
    asked = parse_qs(parts.query).get("authorization_endpoint", [request.url])[0]
    tenant = urlsplit(asked).path.split("/")[1]
    base = f"{parts.scheme}://{parts.netloc}/{tenant}"
    found = {
        "tenant_discovery_endpoint": f"{base}/v2.0/.well-known/openid-configuration",
        "metadata": [],
        "issuer": f"{base}/v2.0",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "token_endpoint": f"{base}/oauth2/v2.0/token",
    }
    return 200, "application/json", json.dumps(found)


def _role(request: Request) -> tuple[int, str, str]:
    """Answer as AWS STS does to a role's ``AssumeRole...``."""
    fields = parse_qs(request.body.decode("latin-1")) | parse_qs(urlsplit(request.url).query)
    action = fields.get("Action", ["AssumeRole"])[0]
    arn = f"arn:aws:sts::000000000000:assumed-role/{PLACEHOLDER}/{PLACEHOLDER}"
    text = (
        f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>'
        f"<Credentials><AccessKeyId>{PLACEHOLDER}</AccessKeyId>"
        f"<SecretAccessKey>{PLACEHOLDER}</SecretAccessKey>"
        f"<SessionToken>{PLACEHOLDER}</SessionToken>"
        f"<Expiration>{_FAR}</Expiration></Credentials>"
        f"<AssumedRoleUser><Arn>{arn}</Arn><AssumedRoleId>{PLACEHOLDER}</AssumedRoleId>"
        f"</AssumedRoleUser><Arn>{arn}</Arn><Account>000000000000</Account>"
        f"<UserId>{PLACEHOLDER}</UserId></{action}Result></{action}Response>"
    )
    return 200, "text/xml", text


_FAR = "2999-01-01T00:00:00Z"

_TAKEN = _json({})

_TOKEN = _json(
    {
        "access_token": PLACEHOLDER,
        "token_type": "Bearer",
        "expires_in": 3600,
        "accessToken": PLACEHOLDER,
        "expireTime": _FAR,
    }
)

_PROJECT = _json({"project_name": PLACEHOLDER, "project_url": "https://logfire.pydantic.dev/"})

_ROLE_CREDENTIALS = _json(
    {
        "roleCredentials": {
            "accessKeyId": PLACEHOLDER,
            "secretAccessKey": PLACEHOLDER,
            "sessionToken": PLACEHOLDER,
            "expiration": 32472144000000,
        }
    }
)


@dataclass(frozen=True, slots=True)
class AmbientRequest:
    """One kind of ambient request.

    `requests` are patterns of method, host and path: ``POST *.example.com/runs/*``; `agent` is one
    of the ``user-agent``, where host and path are not enough.
    """

    sender: str
    what: str
    requests: tuple[str, ...]
    answer: Answer
    agent: str = "*"

    def matches(self, asked: str, agent: str) -> bool:
        """Return whether a request (method, host and path, as in `requests`) is of this kind."""
        return any(fnmatchcase(asked, one) for one in self.requests) and fnmatchcase(
            agent, self.agent
        )

    def interaction(self, request: Request) -> Interaction:
        """Make what is replayed in place of an answer."""
        status, kind, text = self.answer(request)
        body = text.encode()
        pieces = (Piece(0, body),) if body and request.method != "HEAD" else ()
        return Interaction(request, Response(status, (("content-type", kind),), pieces))


AMBIENT_REQUESTS = (
    # Tables that come with the package too.
    AmbientRequest(
        "litellm, dspy",
        "prices and limits of models; it falls back on those it brings",
        ("GET raw.githubusercontent.com/BerriAI/litellm/*",),
        _absent,
    ),
    # Connections opened ahead of time.
    AmbientRequest(
        "cerebras",
        "a connection warmed up when a client is made",
        ("GET api.cerebras.ai/v1/tcp_warming",),
        _TAKEN,
    ),
    # Traces and usage counts.
    AmbientRequest(
        "openai-agents",
        "traces of each run",
        ("POST api.openai.com/v1/traces/ingest",),
        _TAKEN,
    ),
    AmbientRequest(
        "langsmith",
        "traces of langchain and langgraph",
        tuple(
            request.replace(" ", f" {host}")
            for host in ("api.smith.langchain.com", "*.api.smith.langchain.com")
            for request in (
                "GET /info",
                "POST /runs",
                "POST /runs/batch",
                "POST /runs/multipart",
                "PATCH /runs/*",
                "POST /otel/v1/traces",
            )
        ),
        _TAKEN,
    ),
    AmbientRequest(
        "langfuse",
        "traces",
        tuple(
            f"POST {host}/api/public/{path}"
            for host in ("cloud.langfuse.com", "*.cloud.langfuse.com")
            for path in ("ingestion", "otel/v1/traces")
        ),
        _TAKEN,
    ),
    AmbientRequest(
        "opik",
        "traces and usage counts",
        (
            "POST www.comet.com/opik/api/v1/private/traces/batch",
            "POST www.comet.com/opik/api/v1/private/spans/batch",
            "GET www.comet.com/opik/api/is-alive/*",
            "POST stats.comet.com/notify/event/*",
        ),
        _TAKEN,
    ),
    AmbientRequest(
        "logfire",
        "the name of the project that a token is for",
        tuple(
            f"GET {host}.pydantic.dev/v1/info"
            for host in ("logfire-api", "logfire-us", "logfire-eu")
        ),
        _PROJECT,
    ),
    AmbientRequest(
        "opentelemetry",
        "traces, metrics and logs, to wherever they go (logfire, traceloop, phoenix, crewai)",
        ("POST */v1/traces", "POST */v1/metrics", "POST */v1/logs"),
        _TAKEN,
        agent="OTel-OTLP-Exporter-Python/*",
    ),
    AmbientRequest(
        "logfire",
        "traces, metrics and logs",
        tuple(
            f"POST {host}.pydantic.dev/v1/{what}"
            for host in ("logfire-api", "logfire-us", "logfire-eu")
            for what in ("traces", "metrics", "logs")
        ),
        _TAKEN,
    ),
    AmbientRequest(
        "huggingface_hub",
        "usage counts",
        ("HEAD huggingface.co/api/telemetry/*",),
        _TAKEN,
    ),
    AmbientRequest(
        "huggingface_hub",
        "which coding agents there are, once a day; it falls back on those it knows",
        ("GET huggingface.co/api/agent-harnesses",),
        _absent,
    ),
    AmbientRequest(
        "posthog",
        "usage counts of many packages (its feature flags are no ambient requests)",
        tuple(
            f"POST {host}.posthog.com{path}"
            for host in ("*.i", "app", "t", "us", "eu")
            for path in ("/batch/", "/capture/", "/i/v0/*", "/i/v1/analytics/events")
        ),
        _TAKEN,
    ),
    AmbientRequest(
        "sentry-sdk",
        "errors and traces",
        ("POST *.sentry.io/api/*/envelope/", "POST *.sentry.io/api/*/store/"),
        _TAKEN,
    ),
    AmbientRequest(
        "mlflow",
        "usage counts; it keeps still where its settings are absent",
        ("* *.mlflow-telemetry.io/*",),
        _absent,
    ),
    # Tokens: for recording they are fetched, and never kept; a replay needs none.
    AmbientRequest(
        "google-auth",
        "access tokens",
        (
            "POST oauth2.googleapis.com/token",
            "POST www.googleapis.com/oauth2/v4/token",
            "POST sts.googleapis.com/v1/*",
            "POST iamcredentials.googleapis.com/v1/*:generateAccessToken",
            "GET metadata.google.internal/computeMetadata/v1/instance/service-accounts/*/token",
            "GET 169.254.169.254/computeMetadata/v1/instance/service-accounts/*/token",
        ),
        _TOKEN,
    ),
    AmbientRequest(
        "msal (azure-identity)",
        "access tokens",
        ("POST login.microsoftonline.com/*/oauth2/*token",),
        _TOKEN,
    ),
    AmbientRequest(
        "msal (azure-identity)",
        "where access tokens are to be had",
        (
            "GET login.microsoftonline.com/*/.well-known/openid-configuration",
            "GET login.microsoftonline.com/common/discovery/instance",
        ),
        _directory,
    ),
    AmbientRequest(
        "botocore",
        "the keys of a role",
        ("* sts.amazonaws.com/*", "* sts.*.amazonaws.com/*"),
        _role,
    ),
    AmbientRequest(
        "botocore",
        "the keys of a single sign-on",
        ("GET portal.sso.*.amazonaws.com/federation/credentials",),
        _ROLE_CREDENTIALS,
    ),
    AmbientRequest(
        "litellm",
        "access tokens of IBM watsonx",
        ("POST iam.cloud.ibm.com/identity/token",),
        _TOKEN,
    ),
    # There is none on most machines, and nobody minds.
    AmbientRequest(
        "google-auth, botocore, azure-identity",
        "a cloud machine's description of itself, keys included",
        (
            "* metadata.google.internal/*",
            "* 169.254.169.254/*",
            "* 169.254.170.2/*",
            "* 169.254.170.23/*",
        ),
        _absent,
    ),
)
"""The kinds, in the order in which they are tried."""


def ambient_request(request: Request) -> AmbientRequest | None:
    """Return which kind of ambient request this is; None for one of the test's own.

    >>> from aquila_cassette.model import Request
    >>> ambient_request(Request("POST", "https://api.openai.com/v1/traces/ingest")).sender
    'openai-agents'
    >>> ambient_request(Request("POST", "https://api.openai.com/v1/responses"))
    """
    parts = urlsplit(request.url)
    asked = f"{request.method} {parts.hostname or ''}{parts.path or '/'}"
    return _kind(asked, request.header("user-agent") or "")


@lru_cache(maxsize=512)
def _kind(asked: str, agent: str) -> AmbientRequest | None:
    return next((kind for kind in AMBIENT_REQUESTS if kind.matches(asked, agent)), None)
