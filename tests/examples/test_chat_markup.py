"""A model's text becomes HTML that says the same, and nothing that it does not mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.chat.markup import markup
from tests.examples.conftest import Read


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Hello", "<p>Hello</p>"),
        ("One\nand a half\n\nTwo", "<p>One<br>and a half</p><p>Two</p>"),
        ("# Title\nText", "<p class='heading'>Title</p><p>Text</p>"),
        ("**bold `code`** `**`", "<p><strong>bold <code>code</code></strong> <code>**</code></p>"),
        ("Do:\n- one\n  more\n- two", "<p>Do:</p><ul><li>one<br>more</li><li>two</li></ul>"),
        ("3. three\n4. four", "<ol start='3'><li>three</li><li>four</li></ol>"),
        ("```py\na < b\n\nc\n```\nend", "<pre><code>a &lt; b\n\nc</code></pre><p>end</p>"),
        ("```\nstill open", "<pre><code>still open</code></pre>"),
        ("<script>x()</script>", "<p>&lt;script&gt;x()&lt;/script&gt;</p>"),
    ],
)
def test_a_text_is_written_as_html(text: str, html: str) -> None:
    assert markup(text) == html


_ALLOWED = {
    *((tag, ()) for tag in ("p", "br", "ul", "li", "pre", "code", "strong")),
    ("p", ("class",)),
    ("ol", ("start",)),
}

_TEXTS = st.lists(
    st.sampled_from(
        [*"<>&'\"`*#- \n\tab1.", "```", "~~~", "**", "\n\n", "\n- ", "\n1. ", "<b onclick='x'>"]
    )
    | st.characters(),
    max_size=40,
).map("".join)


@given(_TEXTS)
def test_any_text_gives_only_tags_that_are_known_and_closed(text: str) -> None:
    read = Read(markup(text))
    assert read.seen <= _ALLOWED
    assert read.open == []
