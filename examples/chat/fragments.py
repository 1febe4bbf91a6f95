"""What ChatLive shows, as HTML in parts: a page replaces those that changed and no others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from aquila_cassette.live import Chat, ChatMessage
from examples.chat.markup import markup

__all__ = ["fragments"]

_SUGGESTIONS = (
    ("Say hello", "to see an answer grow"),
    ("Explain what a stream is", "in three sentences"),
    ("Describe a cassette", "to someone who tests streams"),
)


def fragments(
    conversations: Iterable[Chat], current: Chat | None, flash: Mapping[str, str]
) -> dict[str, str]:
    """Write each part of the page under the id of its element.

    ``data-in`` names the element of the page that holds a part.

    Args:
        conversations: All of them, the newest last.
        current: The one that is open; None for one that has not begun.
        flash: Messages for the user, by their kind.
    """
    parts = {"list": _list(conversations, current), "title": _title(current)}
    if current is None:
        parts["empty"] = _empty()
    else:
        for number, message in enumerate(current.messages):
            last = number == len(current.messages) - 1
            parts[_id(current, number)] = _said(current, number, message, retry=last)
        if current.loading:
            parts[_id(current, len(current.messages))] = _growing(current)
    for kind, text in flash.items():
        parts[f"flash-{kind}"] = _flash(kind, text)
    parts["buttons"] = _buttons(loading=current is not None and current.loading)
    return parts


def _id(conversation: Chat, number: int) -> str:
    return f"{conversation.id}-{number}"


def _list(conversations: Iterable[Chat], current: Chat | None) -> str:
    items = "".join(_item(one, open_=one is current) for one in reversed([*conversations]))
    return f"<ul id='list' data-in='conversations'>{items}</ul>"


def _item(conversation: Chat, *, open_: bool) -> str:
    state = "<span class='pulse'><span class='unseen'>, being answered</span></span>"
    return (
        f"<li><button id='open-{conversation.id}' type='button' data-event='open'"
        f" data-id='{conversation.id}' aria-current='{str(open_).lower()}'"
        " popovertarget='sidebar' popovertargetaction='hide'>"
        f"<span class='name'>{escape(_name(conversation))}</span>"
        f"{state if conversation.loading else ''}</button></li>"
    )


def _title(current: Chat | None) -> str:
    return f"<h1 id='title' data-in='heading'>{escape(_name(current))}</h1>"


def _name(conversation: Chat | None) -> str:
    """Give the beginning of the first question."""
    words = " ".join(conversation.messages[0].text.split()) if conversation else "New chat"
    return words if len(words) <= 60 else f"{words[:59].rstrip()}…"


def _empty() -> str:
    buttons = "".join(
        f"<li><button type='button' data-event='send' data-prompt='{escape(f'{what} {why}')}'>"
        f"<strong>{escape(what)}</strong> <span>{escape(why)}</span></button></li>"
        for what, why in _SUGGESTIONS
    )
    return (
        "<section id='empty' data-in='thread'><h2>What shall we talk about?</h2>"
        f"<ul class='suggestions'>{buttons}</ul></section>"
    )


def _said(conversation: Chat, number: int, message: ChatMessage, *, retry: bool) -> str:
    if message.role == "user":
        return _turn(conversation, number, "user", f"<p>{escape(message.text)}</p>")
    body = markup(message.text)
    if message.ended != "done":
        body += _mark(message, retry=retry)
    return _turn(conversation, number, f"assistant {message.ended}", body, _foot(message))


def _growing(conversation: Chat) -> str:
    waiting = "<p class='dots'><span class='unseen'>The answer is on its way</span><i></i></p>"
    body = markup(conversation.response) or waiting
    return _turn(conversation, len(conversation.messages), "assistant growing", body)


def _turn(conversation: Chat, number: int, kind: str, body: str, foot: str = "") -> str:
    who = "You said" if kind == "user" else "The answer"
    busy = " aria-busy='true'" if kind.endswith("growing") else ""
    return (
        f"<article id='{_id(conversation, number)}' data-in='thread' class='turn {kind}'{busy}>"
        f"<h2 class='unseen'>{who}</h2><div class='text'>{body}</div>{foot}</article>"
    )


def _mark(message: ChatMessage, *, retry: bool) -> str:
    if message.ended == "stopped":
        told = "You stopped this answer."
    elif message.text:
        told = "Something went wrong. The answer breaks off here."
    else:
        told = "Something went wrong."
    button = "<button type='button' data-event='retry'>Try again</button>" if retry else ""
    return f"<div class='mark'><span>{told}</span>{button}</div>"


def _foot(message: ChatMessage) -> str:
    meta = message.meta
    if meta is None:
        return ""
    tokens = meta.usage.get("completion_tokens") or meta.usage.get("output_tokens")
    told = [meta.model or "", f"{tokens} tokens" if tokens else ""]
    return f"<p class='meta'>{escape(' · '.join(one for one in told if one))}</p>"


def _flash(kind: str, text: str) -> str:
    return (
        f"<div id='flash-{escape(kind)}' data-in='flashes' class='flash {escape(kind)}'"
        f" role='alert'><p>{escape(text)}</p>"
        "<button type='button' data-event='dismiss' aria-label='Dismiss'>"
        "<svg viewBox='0 0 16 16' aria-hidden='true'><path d='M4 4l8 8M12 4l-8 8'/></svg>"
        "</button></div>"
    )


def _buttons(*, loading: bool) -> str:
    send = "disabled hidden" if loading else ""
    stop = (
        "<button id='stop' type='button' data-event='stop' aria-label='Stop the answer'>"
        "<svg viewBox='0 0 16 16' aria-hidden='true'><rect x='4' y='4' width='8' height='8'"
        " rx='1.5'/></svg></button>"
    )
    return (
        f"<div id='buttons' data-in='controls'>"
        f"<button id='send' type='submit' aria-label='Send' {send}>"
        "<svg viewBox='0 0 16 16' aria-hidden='true'><path d='M8 13V3.5M3.5 8 8 3.5 12.5 8'/></svg>"
        f"</button>{stop if loading else ''}</div>"
    )
