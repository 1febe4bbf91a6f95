"""The adapter for a job of Gradio's Python client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aquila_cassette.live.adapter import Adapter, failure_of
from aquila_cassette.waiting.notifier import notify
from aquila_cassette.waiting.pending import Pending


class GradioAdapter(Adapter):
    """A job of `Client.submit`; it renders its last output."""

    def __init__(self, job: Any) -> None:
        self._job = job
        job.future.add_done_callback(lambda _future: notify())

    def pending(self) -> Sequence[Pending]:
        return [] if self._job.future.done() else [Pending("a job of Gradio's client")]

    def take_failure(self) -> BaseException | None:
        return failure_of(self._job.future)

    async def render(self) -> Any:
        return self.render_sync()

    def render_sync(self) -> Any:
        return self._job.result()
