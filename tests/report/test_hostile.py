"""A cassette is data: whatever it holds, the page shows it and obeys none of it."""

import json
from pathlib import Path
from typing import Any

from aquila_cassette import Interaction, Request, Response
from aquila_cassette.model import Failure, Piece
from aquila_cassette.storage import files
from tests.report.conftest import Show, texts

HACK = "window.hacked = (window.hacked ?? 0) + 1"
PAYLOADS = [
    f"</script><script>{HACK}</script>",
    f"<!--<script>{HACK}</script>",
    f'"><img src="http://127.0.0.1:9/x" onerror="{HACK}">',
    f"<svg onload='{HACK}'><style>*{{display:none}}</style>",
    f"javascript:{HACK}//https://example.org/",
    f"{{{{script}}}}${{{HACK}}}`{HACK}`",
    f"]]>\u2028{HACK}\u2029\ufeff\\u003cscript>",
]


def said_in_chat(text: str) -> bytes:
    def frame(delta: dict[str, Any], **more: Any) -> bytes:
        chunk = {"object": "chat.completion.chunk", "model": text, "choices": [{"delta": delta}]}
        chunk["choices"][0] |= more  # type: ignore[index]
        return f"data: {json.dumps(chunk)}\n\n".encode()

    call = {"index": 0, "id": "c", "function": {"name": text, "arguments": text}}
    return (
        frame({"content": text})
        + frame({"reasoning_content": text})
        + frame({"refusal": text})
        + frame({"tool_calls": [call]}, finish_reason=text)
        + f"data: {json.dumps({'error': {'message': text}})}\n\n".encode()
    )


def hostile(text: str) -> Interaction:
    """An interaction that holds `text` wherever one can hold a text."""
    body = {
        "model": text,
        "messages": [
            {"role": "system", "content": text},
            {"role": "user", "content": [{"type": "text", "text": text}, {text: text}]},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": text}}]},
            {"role": text, "content": text, "tool_calls": [{"function": {"name": text}}]},
            {"role": "tool", "content": json.dumps([text, {text: text}])},
        ],
        "tools": [{"name": text, "parameters": {"properties": {text: {}}}}],
        text: text,
    }
    return Interaction(
        Request(
            "POST", f"https://x.example/{text}?{text}", (("x", text),), json.dumps(body).encode()
        ),
        Response(
            200,
            (("content-type", "text/event-stream"), ("x", text)),
            (Piece(10, said_in_chat(text)), Piece(20, f": {text}\n".encode())),
            ended="failed",
            error=Failure(text.splitlines()[0], text),
        ),
        text,
        text,
    )


def test_nothing_in_a_cassette_is_markup_or_script_but_text_as_it_is_written(show: Show) -> None:
    files.save(Path("cassettes/hostile.yaml"), [hostile(text) for text in PAYLOADS])
    Path('cassettes/"><img src=x onerror=alert(1)>.yaml').write_text("<script>alert(1)</script>")
    page = show()
    for number in range(len(PAYLOADS)):  # whatever can be opened is, and all is played
        page.evaluate("(hash) => { location.hash = hash }", f"#hostile/{number + 1}")
        for summary in page.locator(".section summary").all():
            summary.click()
        page.keyboard.press("Space")
        page.clock.run_for(100)
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.fill("#query", "<script>")
    page.keyboard.press("Escape")
    page.keyboard.press("h")
    assert page.evaluate("typeof window.hacked") == "undefined"
    made = page.evaluate("[...document.querySelectorAll('*')].map((node) => node.localName)")
    assert not {"img", "iframe", "object", "embed", "link", "base"} & set(made)
    assert made.count("style") == 1
    links = page.evaluate(
        "[...document.querySelectorAll('[href]')].map((n) => n.attributes.href.value)"
    )
    assert all(link.startswith("#") for link in links)
    shown = (".answer .said", ".answer .thought .words", ".message.system .words", ".badges .model")
    for number, text in enumerate(PAYLOADS[:6], 1):
        page.evaluate("(hash) => { location.hash = hash }", f"#hostile/{number}")
        assert [texts(page, selector) for selector in shown] == [[text]] * len(shown)
        assert texts(page, ".url")[0].startswith("https://x.example/")


def test_half_characters_and_those_that_reorder_or_ring_are_made_visible(show: Show) -> None:
    text = "a\x1b[31m\x07b\x00\ud83dc\u202edesrever\u2066 \x9f d\U0001f600\té\nz"
    request = Request("POST", "https://x.example/", (), json.dumps({"prompt": text}).encode())
    answer = Response(
        200, (("content-type", "text/event-stream"),), (Piece(1, said_in_chat(text)[:-20]),)
    )
    files.save(Path("cassettes/odd.yaml"), [Interaction(request, answer)])
    page = show("#odd/1")
    for selector in (".message.user .words", ".answer .said"):
        shown = page.locator(selector).evaluate("(node) => node.textContent")
        shown = shown.replace("\r", "").replace("\ud83d", "�")
        assert shown == "a␛[31m␇b␀�c�desrever� � d😀\té\nz"
