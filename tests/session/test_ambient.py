"""Ambient requests: which they are, what answers them, and who sent what misses."""

import json
import threading
from pathlib import Path

import httpx
import pytest

from aquila_cassette import MissError, Request, aquila_cassette
from aquila_cassette.dialects.providers import PLACEHOLDER
from aquila_cassette.session.ambient import AMBIENT_REQUESTS, AmbientRequest, ambient_request

PAGE = Path(__file__).parents[2] / "docs" / "ambient-requests.md"


def answer(method: str, url: str, body: bytes = b"") -> tuple[int | None, bytes]:
    asked = Request(method, url, (), body)
    kind = ambient_request(asked)
    assert kind is not None
    response = kind.interaction(asked).response
    return response.status, response.body


@pytest.mark.parametrize(
    ("asked", "sender", "status"),
    [
        ("POST https://api.openai.com/v1/traces/ingest", "openai-agents", 200),
        ("HEAD https://huggingface.co/api/telemetry/hf_hub/x", "huggingface_hub", 200),
        ("POST https://eu.api.smith.langchain.com/runs/batch", "langsmith", 200),
        ("POST https://o1.ingest.us.sentry.io/api/2/envelope/", "sentry-sdk", 200),
        ("POST https://oauth2.googleapis.com/token", "google-auth", 200),
        ("GET https://raw.githubusercontent.com/BerriAI/litellm/main/x.json", "litellm, dspy", 404),
        ("PUT http://169.254.169.254/api/token", "google-auth, botocore, azure-identity", 404),
    ],
)
def test_on_replay_it_gets_a_harmless_answer(asked: str, sender: str, status: int) -> None:
    method, url = asked.split()
    kind = ambient_request(Request(method, url))
    assert kind is not None
    assert (kind.sender, answer(method, url)[0]) == (sender, status)


@pytest.mark.parametrize(
    "asked",
    [
        "POST https://api.openai.com/v1/responses",
        "GET https://api.smith.langchain.com/commits/owner/prompt/latest",
        "POST https://api.smith.langchain.com/runs/query",
        "POST https://example.com/v1/traces",
        "POST https://oauth2.googleapis.com.example.org/token",
    ],
)
def test_what_the_code_under_test_reads_is_no_ambient_request(asked: str) -> None:
    assert ambient_request(Request(*asked.split())) is None


def test_traces_of_opentelemetry_are_known_by_their_sender_whatever_the_host() -> None:
    agent = (("user-agent", "OTel-OTLP-Exporter-Python/1.40.0"),)
    kind = ambient_request(Request("POST", "http://collector.example:4318/v1/traces", agent))
    assert kind is not None
    assert kind.sender == "opentelemetry"


def test_botocore_reads_the_keys_of_a_role_from_the_answer() -> None:
    import botocore.parsers
    import botocore.session

    model = botocore.session.get_session().get_service_model("sts")
    parser = botocore.parsers.create_parser("query")
    for action in ("AssumeRole", "AssumeRoleWithWebIdentity"):
        asked = f"Action={action}".encode()
        _, body = answer("POST", "https://sts.eu-west-1.amazonaws.com/", asked)
        shape = model.operation_model(action).output_shape
        read = parser.parse({"status_code": 200, "headers": {}, "body": body}, shape)
        assert read["Credentials"]["SecretAccessKey"] == PLACEHOLDER
        assert read["Credentials"]["Expiration"].year == 2999


def test_microsofts_sign_in_is_answered_with_its_own_addresses() -> None:
    host = "https://login.microsoftonline.com"
    asked = f"authorization_endpoint={host}/contoso/oauth2/v2.0/authorize"
    _, directory = answer("GET", f"{host}/common/discovery/instance?{asked}")
    _, found = answer("GET", json.loads(directory)["tenant_discovery_endpoint"])
    _, token = answer("POST", json.loads(found)["token_endpoint"])
    assert json.loads(found)["issuer"] == f"{host}/contoso/v2.0"
    assert json.loads(token)["access_token"] == PLACEHOLDER


def row(kind: AmbientRequest) -> str:
    shown = {"accepted": "accepted", "absent": "absent", "directory": "its addresses"}
    requests = "<br>".join(f"`{one.partition(' ')[2]}`" for one in kind.requests)
    return (
        f"| {kind.sender} | {kind.what} | {requests} | {shown.get(kind.answer, 'a placeholder')} |"
    )


def test_the_page_lists_each_kind() -> None:
    listed = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")][1:]
    assert listed == [row(kind) for kind in AMBIENT_REQUESTS]


# Who sent what misses, seen through a real library.


def sent_by(error: MissError) -> str:
    [line] = [fact for fact in error.facts if fact.startswith("sent by:  ")]
    return line.removeprefix("sent by:  ")


async def test_a_miss_names_the_line_that_sent_it_and_the_sdk_it_went_through() -> None:
    import openai

    with pytest.raises(MissError) as caught, aquila_cassette("sent", mode="none"):
        httpx.get("http://127.0.0.1:1/")
    name = test_a_miss_names_the_line_that_sent_it_and_the_sdk_it_went_through.__code__
    here = name.co_firstlineno + 4
    assert sent_by(caught.value) == f"tests/session/test_ambient.py:{here} in {name.co_name}"
    async with openai.AsyncOpenAI(api_key="x", max_retries=0) as client:
        with pytest.raises(MissError) as caught:
            async with aquila_cassette("sent", mode="none"):
                await client.models.list()
    assert sent_by(caught.value).endswith("through openai")


def test_a_miss_of_a_package_in_a_thread_of_its_own_names_the_package() -> None:
    teller: dict[str, object] = {"__name__": "teller", "get": httpx.get}
    source = "def tell():\n    try: get('http://127.0.0.1:1')\n    except Exception: pass\n"
    exec(compile(source, "/x/site-packages/teller.py", "exec"), teller)
    with pytest.raises(MissError) as caught, aquila_cassette("sent", mode="none"):
        thread = threading.Thread(target=teller["tell"], name="teller-1")  # type: ignore[arg-type]
        thread.start()
        thread.join()
    assert sent_by(caught.value) == "teller (thread teller-1)"
