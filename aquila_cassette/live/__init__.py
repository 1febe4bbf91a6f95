"""Views for tests, and `render_async`: wait until a page is complete."""

from aquila_cassette.live.adapter import Adapter, register_view
from aquila_cassette.live.assertions import assert_flash, assert_push_event
from aquila_cassette.live.jobs import Completed, Exited, Failed, Outcome, track
from aquila_cassette.live.render import render_async, render_sync, wait_settled
from aquila_cassette.live.stream_view import Chat, ChatMessage, StreamView
from aquila_cassette.live.view import Component, PushedEvent, View

__all__ = [
    "Adapter",
    "Chat",
    "ChatMessage",
    "Completed",
    "Component",
    "Exited",
    "Failed",
    "Outcome",
    "PushedEvent",
    "StreamView",
    "View",
    "assert_flash",
    "assert_push_event",
    "register_view",
    "render_async",
    "render_sync",
    "track",
    "wait_settled",
]
