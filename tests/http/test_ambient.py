"""What SDKs send by themselves: it never breaks a block, and is on no cassette unless one asks."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import httpx
import httpx2
import pytest

from aquila_cassette import (
    Interaction,
    MissError,
    Piece,
    Request,
    Response,
    aquila_cassette,
)
from aquila_cassette.session import ambient as kinds
from aquila_cassette.session.ambient import PLACEHOLDER, AmbientRequest
from aquila_cassette.storage import files
from tests.servers import Connection, RawServer
from tests.servers import Request as Asked

TRACES = "https://api.openai.com/v1/traces/ingest"


@pytest.fixture
def server() -> Iterator[RawServer]:
    def script(connection: Connection, request: Asked) -> None:
        connection.head(200, {"content-type": "text/plain"}, length=4)
        connection.piece(b"live")
        connection.end()

    with RawServer(script) as server:
        yield server


@pytest.fixture
def warming(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take a path of the test's server for ambient requests."""
    mine = AmbientRequest("mine", "warms up", "accepted", ("* 127.0.0.1/warm",))
    monkeypatch.setattr(kinds, "AMBIENT_REQUESTS", (mine,))
    kinds._kind.cache_clear()
    yield
    kinds._kind.cache_clear()


@pytest.mark.parametrize(
    ("asked", "sender", "status"),
    [
        (f"POST {TRACES}", "openai-agents", 200),
        ("GET https://api.cerebras.ai/v1/tcp_warming", "cerebras", 200),
        ("HEAD https://huggingface.co/api/telemetry/hf_hub/x", "huggingface_hub", 200),
        ("POST https://api.smith.langchain.com/runs/multipart", "langsmith", 200),
        ("POST https://eu.api.smith.langchain.com/runs/batch", "langsmith", 200),
        ("GET https://api.smith.langchain.com/info", "langsmith", 200),
        ("POST https://us.i.posthog.com/batch/", "posthog", 200),
        ("POST https://o1.ingest.us.sentry.io/api/2/envelope/", "sentry-sdk", 200),
        ("POST https://logfire-us.pydantic.dev/v1/traces", "logfire", 200),
        ("POST https://us.cloud.langfuse.com/api/public/otel/v1/traces", "langfuse", 200),
        ("GET https://config.mlflow-telemetry.io/3.4.0.json", "mlflow", 404),
        ("POST https://oauth2.googleapis.com/token", "google-auth", 200),
        (
            "GET https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices.json",
            "litellm, dspy",
            404,
        ),
        (
            "PUT http://169.254.169.254/latest/api/token",
            "google-auth, botocore, azure-identity",
            404,
        ),
    ],
)
def test_on_replay_it_is_not_sent_and_gets_a_harmless_answer(
    asked: str, sender: str, status: int
) -> None:
    method, url = asked.split()
    kind = kinds.ambient_request(Request(method, url))
    assert kind is not None
    assert kind.sender == sender
    with aquila_cassette("side", mode="none") as cassette:
        assert httpx.request(method, url).status_code == status
        assert httpx2.request(method, url).status_code == status
    assert (cassette.played, cassette.recorded, cassette.misses) == ((), (), ())


async def test_an_async_client_gets_the_same_answer() -> None:
    async with aquila_cassette("side", mode="none") as cassette:
        async with httpx2.AsyncClient(verify=False) as client:
            answer = await client.post("https://oauth2.googleapis.com/token")
            request = client.build_request("POST", TRACES)
            unread = await client.send(request, stream=True)
            await cassette.settled(timeout=1)  # an answer that nobody reads is not waited for
            await unread.aclose()
    assert answer.json()["access_token"] == PLACEHOLDER


async def test_aiohttp_gets_the_same_answer() -> None:
    import aiohttp

    async with aquila_cassette("side", mode="none"), aiohttp.ClientSession() as client:
        async with client.post("https://oauth2.googleapis.com/token") as answer:
            assert (await answer.json())["access_token"] == PLACEHOLDER
        async with client.head("https://huggingface.co/api/telemetry/x") as answer:
            assert (answer.status, await answer.read()) == (200, b"")


@pytest.mark.parametrize(
    "asked",
    [
        "POST https://api.openai.com/v1/responses",
        "GET https://api.smith.langchain.com/commits/owner/prompt/latest",
        "POST https://api.smith.langchain.com/runs/query",
        "GET https://cloud.langfuse.com/api/public/v2/prompts/mine",
        "POST https://us.i.posthog.com/flags/",
        "GET https://huggingface.co/api/models/gpt2",
        "POST https://example.com/v1/traces",
        "POST https://oauth2.googleapis.com.example.org/token",
    ],
)
def test_what_the_code_reads_is_no_side_traffic(asked: str) -> None:
    with pytest.raises(MissError), aquila_cassette("side", mode="none"):
        httpx.request(*asked.split())


def test_traces_of_opentelemetry_are_told_by_who_sends_them_wherever_they_go() -> None:
    with aquila_cassette("side", mode="none"):
        answer = httpx.post(
            "http://collector.example:4318/v1/traces",
            headers={"user-agent": "OTel-OTLP-Exporter-Python/1.40.0"},
        )
    assert answer.status_code == 200


def test_while_recording_it_passes_and_is_not_kept(server: RawServer, warming: None) -> None:
    with aquila_cassette("side") as cassette:
        assert httpx.get(f"{server.url}/warm").text == "live"
        assert httpx.get(f"{server.url}/chat").text == "live"
    assert [one.request.url for one in cassette.recorded] == [f"{server.url}/chat"]
    with aquila_cassette("side", mode="none"):
        assert httpx.get(f"{server.url}/warm").json() == {}
        assert httpx.get(f"{server.url}/chat").text == "live"
    assert [request.path for request in server.requests] == ["/warm", "/chat"]


def test_it_is_recorded_where_one_asks_for_that_and_replayed_everywhere(
    server: RawServer, warming: None
) -> None:
    with aquila_cassette("side", record_ambient=True) as cassette:
        httpx.get(f"{server.url}/warm")
    assert len(cassette.recorded) == 1
    with aquila_cassette("side", mode="none") as cassette:
        assert httpx.get(f"{server.url}/warm").text == "live"
    assert len(cassette.played) == 1
    with pytest.raises(MissError), aquila_cassette("side", mode="none", record_ambient=True):
        httpx.get(f"{server.url}/warm")
        httpx.get(f"{server.url}/warm")


def test_what_is_on_the_tape_is_replayed_whatever_it_is(tmp_path: Path) -> None:
    body = (Piece(0, b'{"kept": true}'),)
    kept = Interaction(Request("POST", TRACES), Response(200, (), body))
    files.save(tmp_path / "cassettes" / "ingest.yaml", [kept])
    with aquila_cassette("ingest", mode="none"):
        assert httpx.post(TRACES).json() == {"kept": True}


def test_botocore_reads_the_keys_of_a_role_from_the_answer() -> None:
    import botocore.parsers
    import botocore.session

    model = botocore.session.get_session().get_service_model("sts")
    parser = botocore.parsers.create_parser("query")
    for action in ("AssumeRole", "AssumeRoleWithWebIdentity", "GetCallerIdentity"):
        asked = Request(
            "POST", "https://sts.eu-west-1.amazonaws.com/", (), f"Action={action}".encode()
        )
        kind = kinds.ambient_request(asked)
        assert kind is not None
        response = kind.interaction(asked).response
        shape = model.operation_model(action).output_shape
        read = parser.parse({"status_code": 200, "headers": {}, "body": response.body}, shape)
        if action == "GetCallerIdentity":
            assert read["Account"] == "000000000000"
        else:
            assert read["Credentials"]["SecretAccessKey"] == PLACEHOLDER
            assert read["Credentials"]["Expiration"].year == 2999


def test_microsofts_sign_in_is_answered_with_its_own_addresses() -> None:
    host = "https://login.microsoftonline.com"
    with aquila_cassette("side", mode="none"):
        directory = httpx.get(
            f"{host}/common/discovery/instance",
            params={"authorization_endpoint": f"{host}/contoso/oauth2/v2.0/authorize"},
        ).json()
        found = httpx.get(directory["tenant_discovery_endpoint"]).json()
        token = httpx.post(found["token_endpoint"]).json()
    assert found["issuer"] == f"{host}/contoso/v2.0"
    assert token["access_token"] == PLACEHOLDER


# Who sent what misses.


def sent_by(error: MissError) -> str:
    [line] = [fact for fact in error.facts if fact.startswith("sent by:  ")]
    return line.removeprefix("sent by:  ")


def test_a_miss_names_the_line_that_sent_it() -> None:
    with pytest.raises(MissError) as caught, aquila_cassette("sent", mode="none"):
        httpx.get("http://127.0.0.1:1/")
    here = test_a_miss_names_the_line_that_sent_it.__code__.co_firstlineno + 2
    assert sent_by(caught.value) == (
        f"tests/http/test_ambient.py:{here} in test_a_miss_names_the_line_that_sent_it"
    )


async def test_a_miss_names_the_sdk_that_the_request_went_through() -> None:
    import openai

    async with openai.AsyncOpenAI(api_key="x", max_retries=0) as client:
        with pytest.raises(MissError) as caught:
            async with aquila_cassette("sent", mode="none"):
                await client.models.list()
    assert sent_by(caught.value).endswith("through openai")


def test_a_miss_of_a_package_in_a_thread_of_its_own_names_the_package(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "teller"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        textwrap.dedent(
            """
            import threading
            import httpx

            def tell():
                try:
                    httpx.get("http://127.0.0.1:1/count")
                except Exception:
                    pass

            def start():
                thread = threading.Thread(target=tell, name="teller-1")
                thread.start()
                thread.join()
            """
        )
    )
    sys.path.insert(0, str(package.parent))
    try:
        import teller  # type: ignore[import-not-found]

        with pytest.raises(MissError) as caught, aquila_cassette("sent", mode="none"):
            teller.start()
    finally:
        sys.path.remove(str(package.parent))
        sys.modules.pop("teller", None)
    assert sent_by(caught.value) == "teller/__init__.py:7 in tell (thread teller-1)"
