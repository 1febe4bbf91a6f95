import base64
import gzip
import json
import string
from dataclasses import replace
from urllib.parse import quote

import pytest

from aquila_cassette.model import Piece, Request, Response
from aquila_cassette.redaction import Redaction
from aquila_cassette.redaction.key_patterns import KEY_PATTERNS, KeyPattern
from tests.file_list import ROOT

REDACTION = Redaction()
URL = "https://api.example.com/v1/chat"
FORM = "application/x-www-form-urlencoded"
OPAQUE = "f3Kq9ZtR7mWx2LpV8sYd"
LONG = (string.ascii_letters + string.digits) * 2


def body_of(data: bytes, content_type: str = "application/json", url: str = URL) -> bytes:
    sent = Request("POST", url, (("content-type", content_type),), data)
    return REDACTION.request(sent, env=()).body


def url_of(url: str) -> str:
    return REDACTION.request(Request("GET", url), env=()).url


def said(text: str) -> str:
    return json.loads(body_of(json.dumps({"content": text}).encode()))["content"]


# Headers.


def test_only_headers_of_the_allow_list_stay_of_a_request():
    kept = (("Accept", "a, Bearer [redacted]"), ("anthropic-version", "2023-06-01"))
    others = ("host", "Authorization", "x-api-key", "cookie", "x-nobody-thought-of-this")
    headers = (("Accept", f"a, Bearer {OPAQUE}"), kept[1], *((name, "abc") for name in others))
    assert REDACTION.request(Request("POST", URL, headers), env=()).headers == kept


def test_a_compressed_body_is_kept_as_what_it_contains_and_its_secrets_are_found() -> None:
    headers = (("content-type", "application/json"), ("content-encoding", "gzip"))
    sent = Request("POST", URL, headers, gzip.compress(b'{"api_key": "abcdef123456"}'))
    kept = REDACTION.request(sent, env=())
    assert kept.body == b'{"api_key": "[redacted]"}'
    assert kept.headers == headers[:1]
    damaged = replace(sent, body=b"no gzip")
    assert REDACTION.request(damaged, env=()).body == b"no gzip"


# URLs.


@pytest.mark.parametrize(
    "name",
    [
        "key", "api_key", "apikey", "api-key", "apiKey", "API_KEY", "access_token", "token", "sig",
        "signature", "password", "secret", "client_secret", "X-Amz-Signature", "X-Amz-Credential",
        "X-Amz-Security-Token", "X-Goog-Signature", "X-Goog-Credential", "AWSAccessKeyId",
        "subscription-key", "api%5Fkey", "hmac", "sv_sig", "api_keys", "user_jwt",
    ],
)  # fmt: skip
def test_a_query_parameter_that_names_a_key_is_redacted(name: str):
    assert url_of(f"{URL}?a=1&{name}=x&b=%20") == f"{URL}?a=1&{name}=[redacted]&b=%20"


@pytest.mark.parametrize(
    "query",
    ["pageToken=abc", "max_tokens=5", "monkey=1", "code=DE", "key=", "next=%2Fa%3Fb%3D1%23c"],
)
def test_other_query_parameters_stay(query: str):
    assert url_of(f"{URL}?{query}") == f"{URL}?{query}"


def test_credentials_and_fragment_are_taken_out_of_a_url_and_the_rest_stays():
    assert url_of("https://me:pass@host:8443/a?b=1#access_token=x") == "https://host:8443/a?b=1"
    odd = "https://HOST:443/a%2Fb//c?&&b=1&a=%7E+ü&b&=&c=d=e"
    assert url_of(odd) == odd


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://b.example/?api_key=x&c=d e", "https://b.example/?api_key=[redacted]&c=d e"),
        ("/login?token=x", "/login?token=[redacted]"),
        ("https://me:pw@b.example/?c=d#access_token=x", "https://b.example/?c=d"),
        ("https://b.example/?u=https%3A%2F%2Fc.example%2F%3Fsig%3Dx",
         "https://b.example/?u=https%3A%2F%2Fc.example%2F%3Fsig%3D%5Bredacted%5D"),
    ],
)  # fmt: skip
def test_a_url_in_a_query_or_form_loses_its_secrets_and_stays_encoded(value: str, expected: str):
    assert (
        url_of(f"{URL}?a=1&to={quote(value, safe='')}&b=2")
        == f"{URL}?a=1&to={quote(expected, safe='')}&b=2"
    )
    form, kind = f"to={quote(value, safe='')}".encode(), "application/x-www-form-urlencoded"
    assert body_of(form, kind) == f"to={quote(expected, safe='')}".encode()


# JSON.


@pytest.mark.parametrize(
    "name",
    [
        "api_key", "openai_api_key", "OPENAI_API_KEY", "x-api-key", "apiKey", "APIKey", "myApiKey",
        "access_token", "refresh_token", "id_token", "auth_token", "bearer_token", "session_token",
        "client_secret", "secret", "secret_key", "secret_access_key", "aws_secret_access_key",
        "password", "db_password", "passphrase", "private_key", "authorization", "Authorization",
        "Proxy-Authorization", "token", "pwd", "db_pwd", "jwt", "userJwt", "api_keys", "passwords",
        "secrets", "accessTokens", "GITHUB_TOKEN", "GITHUBTOKEN",
    ],
)  # fmt: skip
def test_a_json_field_that_names_a_secret_is_redacted_and_all_else_stays(name: str):
    data = '{ "a": [1],\n "NAME" : "x y",\t"b": {"NAME": "" }}'.replace("NAME", name)
    assert body_of(data.encode()).decode() == data.replace("x y", "[redacted]")


@pytest.mark.parametrize(
    "data",
    [
        '{"max_tokens": 1024}',
        '{"usage": {"prompt_tokens": 5, "total_tokens": 9, "completion_tokens": 4}}',
        '{"next_page_token": "CAUQAA1234567890abcdefgh", "pageToken": "CAUQAA1234567890abcdefgh"}',
        '{"key": "value", "primary_key": "id", "prompt_cache_key": "user-1234567890abcdef1234"}',
        '{"properties": {"password": {"type": "string"}, "api_key": {"type": "string"}}}',
        '{"progressToken": 12, "tiktoken": "cl100k", "partialResultToken": "a-1", "tokens": ["a"]}',
        '{"required": ["password", "token"], "is_secret": true, "api_key": null}',
        '{"text": "password: \\"hunter\\", token"}',
        '{"signature": "EqoBCkgIARABGAIiQL2UoU0b1OHYi+yCHpBY7U6FQW8"}',
    ],
)
def test_ordinary_json_stays(data: str):
    assert body_of(data.encode()) == data.encode()


def test_the_random_texts_of_an_object_with_a_secret_name_are_redacted():
    data = '{"client_secret": {"value": "%s", "at": 1, "kind": "ephemeral"}, "a": {"b": "%s"}}'
    assert body_of((data % (OPAQUE, OPAQUE)).encode()).decode() == data % ("[redacted]", OPAQUE)
    held = json.dumps({"held": data % (OPAQUE, OPAQUE)})
    assert body_of(held.encode()).decode() == held.replace(OPAQUE, "[redacted]", 1)


def test_an_element_of_xml_with_a_secret_name_is_redacted():
    kept = "<r><a:SecretAccessKey>%s</a:SecretAccessKey><Key>b.txt</Key></r>"
    assert body_of((kept % "x/1+").encode(), "text/xml").decode() == kept % "[redacted]"


def test_a_string_that_was_broken_off_is_redacted_to_the_end_of_its_line():
    assert body_of(b'data: {"api_key": "abc def') == b'data: {"api_key": "[redacted]'
    assert body_of(b'{"api_key": "abc\n{"b": "c"}') == b'{"api_key": "[redacted]\n{"b": "c"}'


# Forms.


def test_form_fields_are_redacted_by_name():
    form = b"grant_type=refresh&client_secret=%s&username=me&password=&key=v"
    kind = "application/x-www-form-urlencoded; charset=utf-8"
    assert body_of(form % b"a%20b", kind) == form % b"[redacted]"
    assert body_of(form % b"a%20b", "text/plain") == form % b"a%20b"


def test_json_in_a_form_field_is_redacted_by_name():
    form = "payload={}&b=1"
    held = '{"password": "%s", "user": "me"}'
    kind = "application/x-www-form-urlencoded"
    assert body_of(form.format(quote(held % "a b")).encode(), kind).decode() == form.format(
        quote(held % "[redacted]", safe="")
    )


def test_parts_of_a_multipart_form_are_redacted_by_name():
    form = (
        '--B\r\nContent-Disposition: form-data; name="api_key"\r\n\r\n%s\r\n'
        "--B\r\ncontent-disposition: form-data; name=file; filename=password\r\n"
        "Content-Type: text/plain\r\n\r\nline\r\n\r\nline\r\n"
        "--B\r\nContent-Disposition: form-data; filename=a.bin; name=client_secret\r\n"
        "Content-Type: application/octet-stream\r\n\r\n%s\r\n--B--\r\n"
    )
    redacted = body_of((form % ("abc", "\r\n--x")).encode(), "multipart/form-data; boundary=B")
    assert redacted.decode() == form % ("[redacted]", "[redacted]")


# Responses.


KEY = "sk-" + "aB3dE6gH9" * 4


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (f"a {KEY[:9]}|{KEY[9:]} b", "a [redacted]| b"),
        (f"a ||{KEY[0]}|{KEY[1:20]}||{KEY[20:]}| b", "a ||[redacted]|| b"),
        (f"a |{KEY}| b| c {KEY} |d", "a |[redacted]| b| c [redacted] |d"),
    ],
)
def test_a_secret_is_found_over_pieces_and_a_cut_in_it_moves_behind_its_marker(pieces, expected):
    cut = tuple(Piece(at, data.encode()) for at, data in enumerate(pieces.split("|")))
    clean = REDACTION.response(Response(200, (), cut), env=()).pieces
    assert [piece.data.decode() for piece in clean] == expected.split("|")
    assert {piece.at for piece in clean} <= {piece.at for piece in cut}


def test_headers_of_a_response_stay_but_for_secrets_and_what_one_connection_says_of_itself():
    kept = (
        ("retry-after", "2"),
        ("anthropic-ratelimit-tokens-limit", "9"),
        ("www-authenticate", 'Bearer realm="x"'),
        ("X-Nobody-Thought-Of", "this"),
        ("content-length", "3"),
    )
    secrets = ("X-Api-Key", "x-csrf-token", "authorization", "x-amz-security-token")
    others = ("Date", "cf-ray", "Server", "transfer-encoding", "X-Envoy-Upstream-Service-Time")
    place = f"https://u:p@host/next?api_key=a&sig={OPAQUE}#access_token=b"
    headers = (
        *kept,
        *((name, "abc") for name in (*others, *secrets)),
        ("X-Subject-Token", OPAQUE),
        ("Operation-Location", place),
    )
    assert REDACTION.response(Response(429, headers), env=()).headers == (
        *kept,
        *((name, "[redacted]") for name in (*secrets, "X-Subject-Token")),
        ("Operation-Location", "https://host/next?api_key=[redacted]&sig=[redacted]"),
    )


@pytest.mark.parametrize(
    ("allow", "kept"),
    [
        ([], "sid=[redacted]; Path=/; Expires=Wed, 09 Jun 2027 10:18:14 GMT; HttpOnly"),
        (["sid"], "sid=abc; Path=/; Expires=Wed, 09 Jun 2027 10:18:14 GMT; HttpOnly"),
        (["abc"], "sid=abc; Path=/; Expires=Wed, 09 Jun 2027 10:18:14 GMT; HttpOnly"),
        (["set-cookie"], "sid=abc; Path=/; Expires=Wed, 09 Jun 2027 10:18:14 GMT; HttpOnly"),
    ],
)
def test_a_cookie_keeps_its_name_and_attributes(allow: list[str], kept: str) -> None:
    sent = "sid=abc; Path=/; Expires=Wed, 09 Jun 2027 10:18:14 GMT; HttpOnly"
    response = Response(200, (("Set-Cookie", sent), ("Set-Cookie", "gone=; Max-Age=0")))
    after = Redaction(allow=allow).response(response, env=()).headers
    assert after == (("Set-Cookie", kept), ("Set-Cookie", "gone=; Max-Age=0"))


def test_a_body_that_stays_compressed_is_decoded_where_it_holds_a_secret() -> None:
    def compressed(body: bytes) -> Response:
        headers = (("content-encoding", "gzip"), ("content-type", "application/json"))
        return Response(200, headers, (Piece(0, gzip.compress(body)),))

    clean = compressed(b'{"text": "hello"}')
    assert REDACTION.response(clean, env=()) is clean
    after = REDACTION.response(compressed(b'{"api_key": "abcdef123456"}'), env=())
    assert (after.body, after.headers) == (
        b'{"api_key": "[redacted]"}',
        (("content-type", "application/json"),),
    )


@pytest.mark.parametrize(
    ("name", "value", "is_secret"),
    [
        ("token", "Hello", False),
        ("hmac", OPAQUE, True),
        ("hmac", "sha256", False),
        ("sv_sig", OPAQUE, True),
        ("token", f" {OPAQUE}", False),
        ("token", OPAQUE, True),
        ("gh_token", OPAQUE, True),
        ("nextPageToken", OPAQUE, False),
        ("progressToken", OPAQUE, False),
    ],
)
def test_a_token_of_a_response_is_redacted_only_if_it_looks_random(name, value, is_secret):
    response = Response(200, (), (Piece(0, json.dumps({name: value}).encode()),))
    after = json.loads(REDACTION.response(response, env=()).body)
    assert after == {name: "[redacted]" if is_secret else value}


# Values that look like keys.

KEYS = [pattern.example for pattern in KEY_PATTERNS if pattern.prefix[0].isalnum()] + [
    "sk-my-own-key-1234-abcdef", "sk-live-0123456789a",
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_what_looks_like_a_key_is_redacted_wherever_it_stands(key: str):
    assert said(key) == "[redacted]"
    assert said(f"use {key}, or") == "use [redacted], or"
    assert said(f"a\n{key}\nb") == "a\n[redacted]\nb"  # in JSON this is a\nsk-...
    assert said(f"é{key} é") == "é[redacted] é"  # and this \u00e9sk-...
    assert said(f"k={key}") == "k=[redacted]"
    assert body_of(f"a%3D{key}".encode(), "text/plain") == b"a%3D[redacted]"
    assert said(f"ta{key}") == f"ta{key}"  # glued to a word


def test_of_a_telegram_token_the_number_of_the_bot_stays():
    (token,) = (one.example for one in KEY_PATTERNS if one.kind == "a Telegram token")
    url = f"https://api.telegram.org/bot{token}/sendMessage"
    assert url_of(url) == "https://api.telegram.org/bot12345678[redacted]/sendMessage"
    assert said(f"see {url}") == f"see {url_of(url)}"


@pytest.mark.parametrize("pattern", KEY_PATTERNS, ids=lambda pattern: pattern.prefix)
def test_what_begins_like_a_key_is_none_for_that(pattern: KeyPattern):
    assert said(f"a {pattern.look_alike}, b") == f"a {pattern.look_alike}, b"


def test_the_documentation_shows_the_table_of_keys():
    rows: dict[str, list[str]] = {}
    for pattern in KEY_PATTERNS:
        rows.setdefault(pattern.kind, []).append(f"`{pattern.prefix}`")
    table = "\n".join(f"| {kind} | {' '.join(prefixes)} |" for kind, prefixes in rows.items())
    assert table in (ROOT / "docs/secrets.md").read_text("utf-8"), table


@pytest.mark.parametrize(
    "text",
    [
        "task-12345678901234567890abcdefgh",
        "use sk-learn-contrib-py-earth or sk-toggleable__label-arrow, sk-container-id-1",
        "sk-estimator-id-12345, sk-parallel_item-id-2026-11, sk-admin-dashboard-component",
        "the AKIA prefix; hf_hub_download; xai-sdk; gsk_; r8_; ghp_x",
        "models: gpt-4o-mini-2024-07-18, claude-sonnet-4-20250514",
        "msg_01XFDUDYJgAACzvnptvVoYEL call_abc123def456ghi789jkl chatcmpl-9xYzAbCdEfGhIjKlMnOp",
        "550e8400-e29b-41d4-a716-446655440000",
        "Bearer authentication is a scheme; Bearer tokens, bearer of bad news; Bearer <token>",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----",
        "A file begins with -----BEGIN PRIVATE KEY----- and then has base64",
    ],
)
def test_prose_and_ids_are_no_keys(text: str):
    assert said(text) == text


def test_no_key_is_found_inside_an_image():
    image = base64.b64encode(bytes(range(256)) * 1000).decode()
    image = f"{image[:5000]}AKIAIOSFODNN7EXAMPLE{image[5000:9000]}AIza{image[9000:]}"
    assert said(f"data:image/png;base64,{image}") == f"data:image/png;base64,{image}"


@pytest.mark.parametrize("token", [OPAQUE, "abc12345", "sk-short", "abc.def~1+/=x"])
def test_a_bearer_token_is_redacted(token: str):
    assert said(f"x: Bearer {token}, bearer {token}.") == "x: Bearer [redacted], bearer [redacted]."


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "])
def test_a_private_key_is_redacted_whole(kind: str):
    lines = "\n".join([LONG[:64]] * 3)
    pem = f"-----BEGIN {kind}PRIVATE KEY-----\n{lines}\n-----END {kind}PRIVATE KEY-----"
    assert said(f"my key:\n{pem}\nthanks") == "my key:\n[redacted]\nthanks"
    assert said(pem[:80].replace("\n", "\r\n")) == "[redacted]"  # broken off
    assert body_of(pem.encode() + b"\n", "text/plain") == b"[redacted]\n"
    assert body_of(json.dumps({"a": json.dumps({"b": pem})}).encode()) == (
        b'{"a": "{\\"b\\": \\"[redacted]\\"}"}'
    )


# Links in a text.


def test_the_signature_of_a_link_in_a_text_is_redacted_and_a_placeholder_stays():
    link = f"https://x.blob.example/a.png?se=2026&sig={OPAQUE}%3D&sp=r"
    assert said(f"![a]({link}) done") == (
        "![a](https://x.blob.example/a.png?se=2026&sig=[redacted]&sp=r) done"
    )
    assert body_of(
        b'{"url":"https://x.example/?a=1\\u0026X-Amz-Signature=%s"}' % OPAQUE.encode()
    ) == (b'{"url":"https://x.example/?a=1\\u0026X-Amz-Signature=[redacted]"}')

    for inner in (
        f"%26sig%3D{OPAQUE}%26b",
        f"%3Fsv_sig%3D{OPAQUE}%26b",
        f"%2526hmac%253D{OPAQUE}%2526b",
    ):
        text = f"see https://x.example/?to=https%3A%2F%2Fa{inner} now"
        assert said(text) == text.replace(OPAQUE, "[redacted]")

    placeholder = "GET /v1?api_key=YOUR_API_KEY&key=abc, then x = sig"
    assert said(placeholder) == placeholder


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgres://me:pw@db/x", "postgres://me:MARK@db/x"),
        ("redis://:p@s:s,w!@db", "redis://:MARK@db"),
        ("a http://me:p&w@[::1]:80/, b", "a http://me:MARK@[::1]:80/, b"),
        ("a http://me:p%40w@a.example", "a http://me:MARK@a.example"),
        ("see?to=https%3A%2F%2Fme%3Ap%2540w%40a%2Fb&c", "see?to=https%3A%2F%2Fme%3AMARK%40a%2Fb&c"),
        ("https%253A%252F%252Fme%253Apw%2540a", "https%253A%252F%252Fme%253AMARK%2540a"),
        ("https%3A//me%3Apw%40a", "https%3A//me%3AMARK%40a"),
        ("x://me@a x://a:80/me@b x://a:80?me@b x://a:80?b=1&me@c", None),
        ("x://a:80&mail=me@b 'x://a:80','me@b' x://{user}:{password}@{host} x://a:<pw>@b", None),
        ("12:30 me@a, mailto:me:pw@a", None),
    ],
)
def test_the_password_of_a_link_in_a_text_is_redacted(text: str, expected: str | None) -> None:
    clean = (expected or text).replace("MARK", "%5Bredacted%5D")
    assert said(text) == said(clean) == clean
    assert REDACTION.request(Request("GET", URL, (("accept", text),)), env=()).headers == (
        ("accept", clean),
    )
    nested = json.dumps({"a": json.dumps({"url": text})}).replace("/", "\\/").encode()
    assert json.loads(json.loads(body_of(nested))["a"]) == {"url": clean}
    came = Response(200, (("location", f"a {text}"),), (Piece(0, b'{"url":"%s"}' % text.encode()),))
    kept = REDACTION.response(came, env=())
    assert kept.headers == (("location", f"a {clean}"),)
    assert kept.body == b'{"url":"%s"}' % clean.encode()


def test_the_password_of_a_url_in_a_path_or_parameter_is_redacted() -> None:
    for link in ("https://me:pw@b.example/c", "https%3A%2F%2Fme%3Apw%40b.example"):
        for url in (f"{URL}/{link}", f"{URL}?to={link}&a=1"):
            assert url_of(url) == url.replace("pw", "%5Bredacted%5D")
            assert "pw" not in body_of(f"to={link}".encode(), FORM).decode()


# What users add.


def test_a_name_that_a_user_adds_counts_everywhere_and_in_every_style():
    redaction = Redaction(names=["Tenant-ID", "x"])
    sent = Request(
        "POST",
        URL + "?tenantId=a&x=1&subtenant_id=2",
        (("content-type", "application/json"),),
        b'{"tenant_id": "b", "args": "{\\"TENANT-ID\\": 5}", "tenant": "c", "x" :"d", "ax": "e"}',
    )
    redacted = redaction.request(sent, env=())
    assert redacted.url == URL + "?tenantId=[redacted]&x=[redacted]&subtenant_id=2"
    assert redacted.body == (
        b'{"tenant_id": "[redacted]", "args": "{\\"TENANT-ID\\": \\"[redacted]\\"}", '
        b'"tenant": "c", "x" :"[redacted]", "ax": "e"}'
    )


@pytest.mark.parametrize("name", ["é", "Größe-密码", "🔑", "-", "x", "id"])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_name_that_a_user_adds_may_be_of_any_letters_and_as_short_as_any(
    name: str, ascii_only: bool
) -> None:
    redaction = Redaction(names=[name])
    plain, hidden = (
        json.dumps(
            {name: value, "args": json.dumps({name: value}), "y": "b"}, ensure_ascii=ascii_only
        )
        for value in ("a", "[redacted]")
    )
    sent = Request("POST", f"{URL}?{quote(name)}=a&y=b", (), plain.encode())
    redacted = redaction.request(sent, env=())
    assert redacted.url == f"{URL}?{quote(name)}=[redacted]&y=b"
    assert redacted.body == hidden.encode()


def test_a_pattern_that_a_user_adds_is_searched_everywhere():
    sent = Request("POST", URL + "/acct_1", (("accept", "acct_2"),), b"\xff acct_3, acct_x")
    assert Redaction(patterns=["acct_[0-9]+"]).request(sent, env=()) == Request(
        "POST", URL + "/[redacted]", (("accept", "[redacted]"),), b"\xff [redacted], acct_x"
    )


def test_a_header_that_a_user_adds_is_kept_but_not_its_secret():
    redaction = Redaction(keep_headers=["X-Request-Id", "X-Api-Key", "Cookie"])
    sent = Request("GET", URL, (("x-request-id", "r1"), ("X-API-Key", "abc"), ("cookie", "a=b")))
    assert redaction.request(sent, env=()).headers == (
        ("x-request-id", "r1"),
        ("X-API-Key", "[redacted]"),
        ("cookie", "a=[redacted]"),
    )


def test_what_a_user_allows_is_no_secret():
    redaction = Redaction(allow=["password", "AKIAIOSFODNN7EXAMPLE", "value-of-env"])
    sent = Request("POST", URL, (), b'{"password": "a", "b": "AKIAIOSFODNN7EXAMPLE value-of-env"}')
    assert redaction.request(sent, env=("value-of-env",)) is sent
