"""Recognise ambient requests (telemetry, price lists, tokens) and answer them on replay.

While its block records, such a request passes and is not kept. On replay it is not sent: it gets a
harmless answer, since a refusal would set off the sender's retries, and the network may be missing.
The table holds only requests whose answers the code under test does not read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from urllib.parse import parse_qs, urlsplit

from aquila_cassette.dialects.providers import PLACEHOLDER, PROVIDERS, provider_for_key
from aquila_cassette.errors import UsageError
from aquila_cassette.model import Interaction, Piece, Request, Response


def holds_placeholder(request: Request) -> bool:
    """Return whether `request` would send the placeholder as its key."""
    return PLACEHOLDER in request.url or any(PLACEHOLDER in value for _, value in request.headers)


def refuse_placeholder(request: Request, redacted: Request) -> None:
    """Refuse to record with the placeholder key: the answer could only be an error."""
    __tracebackhide__ = True
    if holds_placeholder(request):
        agent = (request.header("user-agent") or "").lower()
        sdk = next((one for one in PROVIDERS if one.key_variables and one.name in agent), None)
        provider = provider_for_key(request.url) or sdk
        names = provider.key_variables if provider else ()
        raise UsageError(
            f"{redacted.method} {redacted.url} was not sent: its key is only a placeholder.",
            facts=[f"key: {PLACEHOLDER}, which tests get where no key is set"],
            fix=f"Fix: set {' or '.join(names) or 'its key'} in the environment, and run again",
        )


Answer = Callable[[Request], tuple[int, str, str]]
"""Makes the answer on replay: its status, its content type, its body."""

_FAR = "2999-01-01T00:00:00Z"


def _json(value: object) -> Answer:
    text = json.dumps(value)
    return lambda request: (200, "application/json", text)


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
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    keys = "".join(f"<{name}>{PLACEHOLDER}</{name}>" for name in names)
    text = (
        f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>'
        f"<Credentials>{keys}<Expiration>{_FAR}</Expiration></Credentials>"
        f"</{action}Result></{action}Response>"
    )
    return 200, "text/xml", text


_KEYS = dict.fromkeys(("accessKeyId", "secretAccessKey", "sessionToken"), PLACEHOLDER)
_TOKEN = {"access_token": PLACEHOLDER, "token_type": "Bearer", "expires_in": 3600}
_ANSWERS: dict[str, Answer] = {
    "accepted": _json({}),
    "absent": lambda request: (404, "text/plain", ""),
    "project": _json({"project_name": PLACEHOLDER, "project_url": "https://logfire.pydantic.dev/"}),
    "token": _json({**_TOKEN, "accessToken": PLACEHOLDER, "expireTime": _FAR}),
    "directory": _directory,
    "role": _role,
    "role credentials": _json({"roleCredentials": {**_KEYS, "expiration": 32472144000000}}),
}

_TABLE = """
litellm, dspy: prices and limits of models; it falls back on those it brings -> absent
  GET raw.githubusercontent.com/BerriAI/litellm/*
cerebras: a connection warmed up when a client is made -> accepted
  GET api.cerebras.ai/v1/tcp_warming
openai-agents: traces -> accepted
  POST api.openai.com/v1/traces/ingest
langsmith: traces of langchain and langgraph -> accepted
  GET {api,*.api}.smith.langchain.com/info
  POST {api,*.api}.smith.langchain.com/{runs,runs/batch,runs/multipart,otel/v1/traces}
  PATCH {api,*.api}.smith.langchain.com/runs/*
langfuse: traces -> accepted
  POST {cloud,*.cloud}.langfuse.com/api/public/{ingestion,otel/v1/traces}
opik: traces, usage counts -> accepted
  POST www.comet.com/opik/api/v1/private/{traces,spans}/batch
  GET www.comet.com/opik/api/is-alive/*
  POST stats.comet.com/notify/event/*
logfire: the name of its token's project -> project
  GET logfire-{api,us,eu}.pydantic.dev/v1/info
opentelemetry: traces, metrics, logs, to any host -> accepted
  POST */v1/{traces,metrics,logs} from OTel-OTLP-Exporter-Python/*
logfire: traces, metrics, logs -> accepted
  POST logfire-{api,us,eu}.pydantic.dev/v1/{traces,metrics,logs}
huggingface_hub: usage counts -> accepted
  HEAD huggingface.co/api/telemetry/*
huggingface_hub: known coding agents, once a day -> absent
  GET huggingface.co/api/agent-harnesses
posthog: usage counts of many packages, not its feature flags -> accepted
  POST {*.i,app,t,us,eu}.posthog.com/{batch/,capture/,i/v0/*,i/v1/analytics/events}
sentry-sdk: errors, traces -> accepted
  POST *.sentry.io/api/*/{envelope,store}/
mlflow: usage counts -> absent
  * *.mlflow-telemetry.io/*
google-auth: access tokens -> token
  POST {oauth2.googleapis.com,www.googleapis.com/oauth2/v4}/token
  POST sts.googleapis.com/v1/*
  POST iamcredentials.googleapis.com/v1/*:generateAccessToken
  GET {metadata.google.internal,169.254.169.254}/computeMetadata/v1/instance/service-accounts/*/token
msal (azure-identity): access tokens -> token
  POST login.microsoftonline.com/*/oauth2/*token
msal (azure-identity): addresses of access tokens -> directory
  GET login.microsoftonline.com/{*/.well-known/openid-configuration,common/discovery/instance}
botocore: keys of a role -> role
  * {sts,sts.*}.amazonaws.com/*
botocore: keys of a single sign-on -> role credentials
  GET portal.sso.*.amazonaws.com/federation/credentials
litellm: access tokens of IBM watsonx -> token
  POST iam.cloud.ibm.com/identity/token
google-auth, botocore, azure-identity: a cloud machine's description of itself, keys included -> absent
  * {metadata.google.internal,169.254.169.254,169.254.170.2,169.254.170.23}/*
"""
"""Who sends what, and what answers it on replay; then patterns of method, host and path.

The first kind that matches counts. Tokens are fetched for recording, and never kept. A pattern may
ask for a ``user-agent`` too, where host and path are not enough.
"""


@dataclass(frozen=True, slots=True)
class AmbientRequest:
    """One kind of ambient request."""

    sender: str
    what: str
    answer: str
    requests: tuple[str, ...]

    def matches(self, asked: str, agent: str) -> bool:
        """Return whether a request, given as method, host and path, is of this kind."""
        for request in self.requests:
            pattern, _, sent_by = request.partition(" from ")
            if any(fnmatchcase(asked, one) for one in _expanded(pattern)):
                return fnmatchcase(agent, sent_by or "*")
        return False

    def interaction(self, request: Request) -> Interaction:
        """Make what is replayed in place of an answer."""
        status, kind, text = _ANSWERS[self.answer](request)
        body = text.encode()
        pieces = (Piece(0, body),) if body and request.method != "HEAD" else ()
        return Interaction(request, Response(status, (("content-type", kind),), pieces))


def _expanded(braced: str) -> list[str]:
    """Return ``a/x`` and ``a/y`` for ``a/{x,y}``."""
    before, opened, rest = braced.partition("{")
    if not opened:
        return [braced]
    words, _, after = rest.partition("}")
    return [before + word + end for word in words.split(",") for end in _expanded(after)]


def _parsed(table: str) -> Iterator[AmbientRequest]:
    for entry in re.split(r"\n(?! )", table.strip("\n")):
        first, *requests = entry.split("\n")
        sender, _, rest = first.partition(": ")
        what, _, answer = rest.rpartition(" -> ")
        yield AmbientRequest(sender, what, answer, tuple(one.strip() for one in requests))


AMBIENT_REQUESTS = tuple(_parsed(_TABLE))


def ambient_request(request: Request) -> AmbientRequest | None:
    """Return which kind of ambient request this is; None for one of the test's own."""
    parts = urlsplit(request.url)
    asked = f"{request.method} {parts.hostname or ''}{parts.path or '/'}"
    return _kind(asked, request.header("user-agent") or "")


@lru_cache(maxsize=512)
def _kind(asked: str, agent: str) -> AmbientRequest | None:
    return next((kind for kind in AMBIENT_REQUESTS if kind.matches(asked, agent)), None)
