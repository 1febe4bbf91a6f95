"""Which recorder wrote a file, and how a formatter laid it out."""

import base64
import json
from dataclasses import replace

import pytest
import yaml

from aquila_cassette.importers import detect_format
from tests.importers.samples import CASSETTER, URL, only, read, vcrpy


class Indented(yaml.SafeDumper):
    """Indents lists, as prettier and yamlfmt do."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


BETAMAX = f"""\
---
http_interactions:
- request:
    method: !binary cG9zdA==
    uri: {URL}
    body: {{encoding: UTF-8, string: '{{"n":1}}'}}
    headers: {{!binary "QXV0aG9yaXphdGlvbg==": [!binary QmVhcmVyIGFiYw==]}}
  response:
    status: {{code: 200, message: OK}}
    headers: {{Content-Type: [text/plain]}}
    body:
      encoding: ASCII-8BIT
      string: !binary |-
        {base64.b64encode(b"hi").decode()}
  recorded_at: 2026-11-22T10:30:00
recorded_with: VCR 6.4.0
"""


@pytest.mark.parametrize("indent", [2, 4, 8])
@pytest.mark.parametrize(
    ("text", "kind"), [(vcrpy(), "vcrpy"), (CASSETTER, "cassetter"), (BETAMAX, "betamax")]
)
def test_a_formatter_may_have_indented_it(text: str, kind: str, indent: int) -> None:
    tree = yaml.safe_load(text.replace("!binary", "!!binary"))
    data = "# by hand\n" + yaml.dump(tree, Dumper=Indented, indent=indent, sort_keys=False)
    data = data.replace(":\n", ":\n\n  # a comment\n", 1)
    assert detect_format(data.encode()) == kind
    found, expected = read(data).interactions, read(text).interactions
    assert [one.response for one in found] == [one.response for one in expected]
    assert [one.request.url for one in found] == [one.request.url for one in expected]


def test_flow_style_and_langchain_are_known() -> None:
    tree = yaml.safe_load(vcrpy())
    flow = yaml.dump(tree, default_flow_style=None, width=1000)
    assert read(flow).interactions == read(vcrpy()).interactions
    (item,) = tree["interactions"]
    # With an anchor and an alias.
    apart = {"requests": [item["request"]] * 2, "responses": [item["response"]] * 2}
    for dumper in (yaml.SafeDumper, Indented):
        assert read(yaml.dump(apart, Dumper=dumper)).interactions == read(vcrpy()).interactions * 2


def test_ruby_writes_binary_with_one_exclamation_mark_and_betamax_json() -> None:
    (item,) = yaml.safe_load(vcrpy())["interactions"]
    assert read(json.dumps({"http_interactions": [item]})).foreign == "betamax"
    assert only(BETAMAX) == replace(only(vcrpy()), recorded_at="2026-11-22T10:30:00Z")


def test_a_field_of_a_body_decides_nothing() -> None:
    ours = "version: 1\ninteractions:\n- request:\n    url: a\n    text: |\n      uri: b\n"
    assert detect_format(ours.encode()) is None
    assert (
        detect_format(vcrpy(sent="body: |\n      url: a\n      ended: complete").encode())
        == "vcrpy"
    )
