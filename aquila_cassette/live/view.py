"""The view: what LiveView is to Phoenix, in Python, for asyncio and trio."""

from __future__ import annotations

import contextlib
import inspect
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Self

import anyio

from aquila_cassette.errors import UsageError
from aquila_cassette.live.attempt import called, goes_on_up
from aquila_cassette.live.components import Component
from aquila_cassette.live.inbox import Inbox, Message
from aquila_cassette.live.part import Part
from aquila_cassette.live.reply import Reply
from aquila_cassette.waiting.notifier import notifier, notify
from aquila_cassette.waiting.pending import Pending, mark_job, register

__all__ = ["PushedEvent", "View"]

_logger = logging.getLogger("aquila_cassette.live")

_MOST_PUSHED = 1000


@dataclass(frozen=True)
class PushedEvent:
    """An event that a view pushed to whoever shows it."""

    name: str
    payload: Mapping[str, Any]


class View(Part):
    """A page with a state, one inbox, and jobs in the background.

    Define `mount`, `handle_event`, `handle_info`, `handle_async` and `render`, each sync or async.
    One handler runs at a time. One that raises is logged and is a failure of the view, which lives
    on: whoever waits for the view is told.

    Example:
        >>> import asyncio
        >>> class Counter(View):
        ...     def mount(self):
        ...         self.assign(count=0)
        ...     def handle_event(self, name, params):
        ...         self.update("count", lambda count: count + params["by"])
        ...     def render(self):
        ...         return f"<p>{self.assigns.count}</p>"
        >>> async def count():
        ...     async with Counter.mounted() as view:
        ...         await view.event("add", {"by": 2})
        ...         return await view.rendered()
        >>> asyncio.run(count())
        '<p>2</p>'
    """

    def __init__(self) -> None:
        self.view = self
        self.pushed: deque[PushedEvent] = deque(maxlen=_MOST_PUSHED)
        self._lock = threading.RLock()
        self._inbox: Inbox | None = None
        self._flash: dict[str, str] = {}
        self._components: dict[Hashable, Component] = {}
        self._shown_by: list[Callable[[], Any]] = []
        self._failures: deque[BaseException] = deque()
        self._set_up()

    # The life of a view.

    @classmethod
    @contextlib.asynccontextmanager
    async def mounted(cls, *args: Any, **params: Any) -> AsyncIterator[Self]:
        """Mount a view for the time of a block, and close it.

        Args:
            args: What `mount` is given.
            params: What `mount` is given by name.

        Raises:
            Exception: What `mount` raised; or, where the block ended well, what a handler raised
                that nobody was told of.
        """
        view = await cls.open(*args, **params)
        try:
            yield view
        except BaseException as error:
            await view.aclose()
            while failure := view.take_failure():
                error.add_note(f"Nobody was told that {view._title} had failed: {failure!r}")
            raise
        await view.aclose()
        if failure := view.take_failure():
            raise failure

    @classmethod
    async def open(cls, *args: Any, **params: Any) -> Self:
        """Mount a view, and leave it to the caller to close it.

        Args:
            args: What `mount` is given.
            params: What `mount` is given by name.

        Raises:
            Exception: What `mount` raised.
        """
        view = cls()
        view._inbox = Inbox(view._title, view._lock)
        register(view)
        try:
            await view._ask(view, "mount", *args, **params)
        except BaseException:
            await view.aclose()
            raise
        return view

    async def aclose(self) -> None:
        """Cancel the jobs and the handler under way, wait for them, and drop all messages.

        Raises:
            UsageError: Called inside a handler or a job of this view.
        """
        if self._inbox is None:
            return
        self._inbox.refuse_inside("aclose")
        for part in self._parts():
            part._work.refuse_inside("aclose")
        for part in self._parts():
            part._work.close()
        self._inbox.close()
        with anyio.CancelScope(shield=True):
            while True:
                count = notifier.count
                if not self.pending():
                    return
                await notifier.wait(count)

    # What users write, besides what every part has.

    def handle_info(self, message: Any) -> Any:
        """Handle a message; by default it is ignored."""

    # What whoever shows it has of it.

    @property
    def flash(self) -> Mapping[str, str]:
        """The messages to the user, by their kinds."""
        return MappingProxyType(self._flash)

    @property
    def components(self) -> Mapping[Hashable, Component]:
        """The components, by their ids."""
        return MappingProxyType(self._components)

    def on_render(self, callback: Callable[[], Any]) -> Callable[[], None]:
        """Call `callback`, sync or async, after each handled message; to show what has changed.

        Temporary assigns are dropped when all callbacks have returned.

        Args:
            callback: What to call.

        Returns:
            A function that ends that.
        """
        self._shown_by.append(callback)
        return lambda: self._shown_by.remove(callback)

    async def rendered(self) -> Any:
        """Give what `render` gives, sync or async, and drop the temporary assigns."""
        shown = await called(self.render)
        self.drop_temporary_assigns()
        return shown

    def drop_temporary_assigns(self) -> None:
        """Set the temporary assigns of the view and its components back; after each render."""
        for part in self._parts():
            part._drop_temporary()

    # What whoever waits for it asks; a source of `aquila_cassette.waiting`.

    def pending(self) -> Sequence[Pending]:
        """List the jobs that run, what is being handled, and what waits to be."""
        if self._inbox is None or self._inbox.gone:
            return []
        with self._lock:
            running = [job.pending() for part in self._parts() for job in part._work.running]
            return [*running, *self._inbox.pending()]

    def take_failure(self) -> BaseException | None:
        """Give the next error of a handler that nobody was told of, once; None without one."""
        return self._failures.popleft() if self._failures else None

    # What its parts have it do.

    def _parts(self) -> list[Part]:
        return [self, *self._components.values()]

    def _refuse_closed(self, what: str) -> Inbox:
        if self._inbox is None:
            raise UsageError(
                f"{what} needs {self._title} to be mounted.",
                fix=f"Fix: async with {type(self).__name__}.mounted(...) as view",
            )
        if self._inbox.closed:
            raise UsageError(f"{what} came after {self._title} was closed.")
        return self._inbox

    def _post(self, part: Part, handler: str, *args: Any, shown: str | None = None) -> None:
        """Have a handler of `part` called, once it is its turn; a closed view drops it."""
        inbox = self._inbox or self._refuse_closed("send")
        what = f"{shown or handler} of {part._title}"
        handle = partial(self._handle, what, getattr(part, handler), args, {}, self._fail)
        inbox.put(Message(what, handle, lambda: None))

    async def _ask(self, part: Part, handler: str, /, *args: Any, **kwargs: Any) -> None:
        """Have a handler of `part` called, wait for that, and raise what it raised."""
        what = f"{handler} of {part._title}"
        inbox = self._refuse_closed(what)
        inbox.refuse_inside("event")
        reply = Reply(self._fail)
        handle = partial(self._handle, what, getattr(part, handler), args, kwargs, reply.give)
        closed = UsageError(f"{self._title} was closed before {what} was done.")
        if not inbox.put(Message(what, handle, partial(reply.give, closed))):
            raise closed
        await reply.wait()

    async def _handle(
        self,
        what: str,
        handler: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        tell: Callable[[BaseException | None], None],
    ) -> None:
        error = await self._attempt(what, partial(handler, *args, **kwargs))
        for callback in list(self._shown_by):
            failed = await self._attempt(f"on_render of {self._title}", callback)
            error = error or failed
        if self._shown_by:
            self.drop_temporary_assigns()
        tell(error)

    async def _attempt(self, what: str, function: Callable[[], Any]) -> BaseException | None:
        try:
            with mark_job(what):
                await called(function)
        except BaseException as error:
            if goes_on_up(error):
                raise
            _logger.error("%s raised %r.", what, error, exc_info=error)
            return error
        return None

    def _fail(self, error: BaseException | None) -> None:
        if error is not None:
            self._failures.append(error)
            notify()

    def _push(self, name: str, payload: Mapping[str, Any]) -> None:
        self.pushed.append(PushedEvent(name, payload))
        notify()

    def _put_flash(self, kind: str, message: str) -> None:
        self._flash[kind] = message
        notify()

    def _clear_flash(self, kind: str | None) -> None:
        if kind is None:
            self._flash.clear()
        else:
            self._flash.pop(kind, None)

    def _component(
        self, kind: type[Component], id_: Hashable, assigns: dict[str, Any]
    ) -> Component:
        component = self._components.get(id_)
        if component is None:
            component = kind(self, id_)
            _refuse_waiting(component.mount(), f"mount of {component._title}")
            self._components[id_] = component
        elif type(component) is not kind:
            raise UsageError(
                f"The id {id_!r} is taken in {self._title}.",
                facts=[f"expected: {type(component).__name__}", f"got:      {kind.__name__}"],
                fix="Fix: another id",
            )
        _refuse_waiting(component.handle_update(assigns), f"handle_update of {component._title}")
        return component

    def _component_of(self, given: Component | Hashable) -> Component:
        id_ = given.id if isinstance(given, Component) else given
        component = self._components.get(id_)
        if component is None or (isinstance(given, Component) and given is not component):
            known = ", ".join(map(repr, self._components)) or "none"
            raise UsageError(
                f"{self._title} has no component {id_!r}.",
                facts=[f"it has: {known}"],
                fix=f"Make it in a handler: self.component(..., {id_!r})",
            )
        return component


def _refuse_waiting(result: Any, what: str) -> None:
    if inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()
        raise UsageError(
            f"{what} is async, and there is nobody who could wait for it.",
            fix="Make it a plain function; wait in a job: self.start_async(...)",
        )
