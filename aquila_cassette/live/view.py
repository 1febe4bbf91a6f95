"""`View` and `Component`, in the manner of Phoenix LiveView."""

from __future__ import annotations

import contextlib
import copy
import inspect
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Self

import anyio

from aquila_cassette.errors import UsageError
from aquila_cassette.live.adapter import PlainAdapter
from aquila_cassette.live.inbox import Inbox, Message
from aquila_cassette.live.jobs import Exited, Failed, Job, Jobs, Outcome, must_propagate
from aquila_cassette.waiting.notifier import notifier, notify
from aquila_cassette.waiting.pending import Pending, forbid_inside_job, mark_job, register

_logger = logging.getLogger("aquila_cassette.live")

_MAX_PUSHED = 1000


@dataclass(frozen=True)
class PushedEvent:
    """An event that a view pushed to the page."""

    name: str
    payload: Mapping[str, Any]


class Assigns(dict[str, Any]):
    """A dict whose values are attributes too; `assign` and `update` of the view change it."""

    def __getattr__(self, name: str) -> Any:
        if name not in self:
            raise AttributeError(f"{name!r} is not assigned; {', '.join(self) or 'nothing'} is")
        return self[name]


class ComponentBase:
    """A part of a page with a state of its own: a view, or a component of one."""

    temporary_assigns: ClassVar[Mapping[str, Any]] = {}
    """Assigns that are reset to a copy of the value given here after each render."""

    def __init__(self, view: View) -> None:
        self.view = view
        """The view that this is, or is a part of."""
        self.assigns = Assigns()
        """The state, which handlers change with `assign` and `update`."""
        self._jobs = Jobs(self._title, view, view._lock, self._report)
        self._reset_temporary()

    # What users define.

    def mount(self, *args: Any, **params: Any) -> Any:
        """Give the assigns their first values; the arguments are those of `View.mounted`."""

    def handle_event(self, name: str, params: Any) -> Any:
        """Handle what a user did; by default a `UsageError`."""
        raise UsageError(
            f"{type(self).__name__} handles no events, and got {name!r}.",
            fix="Fix: define it: def handle_event(self, name, params): ...",
        )

    def handle_async(self, name: str, outcome: Outcome) -> Any:
        """Handle how a job ended; by default one that raised is a failure of the view."""
        match outcome:
            case Failed(error) | Exited(BaseException() as error):
                self.view._fail(error)

    def render(self) -> Any:
        """Show the state, as a string or as whatever the page takes."""
        return ""

    # What handlers call.

    def assign(self, **assigns: Any) -> None:
        """Set assigns."""
        self.assigns.update(assigns)

    def update(self, name: str, function: Callable[[Any], Any]) -> None:
        """Set an assign to what `function` makes of it; a `KeyError` where there is none yet."""
        self.assigns[name] = function(self.assigns[name])

    def start_async(
        self, name: str, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> None:
        """Start a job; its outcome comes to `handle_async`.

        It runs in the context of its caller: a cassette that is in force here is in force there. A
        running job of this name is cancelled, and its outcome never arrives. An async function
        becomes a task; any other runs in a thread. A `UsageError` where the view is not mounted.
        """
        self.view._open_inbox(f"start_async({name!r})")
        self._jobs.start(name, partial(function, *args, **kwargs))

    def cancel_async(self, name: str, reason: object = "cancelled") -> None:
        """Cancel the job of this name, if there is one; ``Exited(reason)`` comes to `handle_async`."""
        self._jobs.cancel(name, reason)

    def send(self, message: Any) -> None:
        """Have the view handle a message with `handle_info`; from any thread. A closed view drops it."""
        self.view._post(self.view, self.view.handle_info, message)

    async def event(self, name: str, params: Any = None) -> None:
        """Have an event handled with `handle_event`, and wait until it is; raise what that raised.

        `params` is what came with it, by default an empty dict. A `UsageError` inside a handler of
        the same view, or where the view is not mounted.
        """
        params = {} if params is None else params
        await self.view._ask(self, partial(self.handle_event, name, params))

    def push_event(self, name: str, payload: Mapping[str, Any] | None = None) -> None:
        """Push an event to the page; `View.pushed` has it."""
        self.view.pushed.append(PushedEvent(name, payload or {}))
        notify()

    def put_flash(self, kind: str, message: str) -> None:
        """Show a message to the user, in place of the one of this kind."""
        self.view.flash[kind] = message
        notify()

    def clear_flash(self, kind: str | None = None) -> None:
        """Remove the message of a kind, or all."""
        for one in [kind] if kind else list(self.view.flash):
            self.view.flash.pop(one, None)

    def component(self, kind: type[Component], id_: Hashable, /, **assigns: Any) -> Component:
        """Make a component of the view, or update the one of this id.

        Its `handle_update` gets the assigns. A `UsageError` where the id is that of a component of
        another class.
        """
        component = self.view.components.get(id_)
        if component is None:
            component = kind(self.view, id_)
            component.mount()
            self.view.components[id_] = component
        elif type(component) is not kind:
            what = f"{component._title} is no {kind.__name__}."
            raise UsageError(what, fix="Fix: use another id")
        component.handle_update(assigns)
        return component

    def send_update(self, component: Component | Hashable, /, **assigns: Any) -> None:
        """Have a component, given by itself or its id, handle new assigns; from any thread.

        Its `handle_update` gets the assigns. A `UsageError` where the view has no such component.
        """
        id_ = component.id if isinstance(component, Component) else component
        target = self.view.components.get(id_)
        if target is None or (isinstance(component, Component) and component is not target):
            what = f"{self.view._title} has no component {id_!r}."
            raise UsageError(what, fix=f"Fix: make it first: self.component(..., {id_!r})")
        self.view._post(target, target.handle_update, assigns)

    # What the view calls.

    @property
    def _title(self) -> str:
        return type(self).__name__

    def _reset_temporary(self) -> None:
        self.assigns.update(copy.deepcopy(dict(self.temporary_assigns)))

    def _handle_outcome(self, name: str, outcome: Outcome) -> Any:
        return self.handle_async(name, outcome)

    def _report(self, job: Job, outcome: Outcome) -> None:
        def handle_async() -> Any:
            current = self._jobs.finish(job, outcome)
            return current and self._handle_outcome(job.name, current)

        self.view._post(self, handle_async)


class Component(ComponentBase):
    """A part of a view; make it with `component` in a handler of the view.

    Its `mount` and `handle_update` are plain functions. Its events, jobs and updates come through
    the view's inbox: one handler of the view and all its components runs at a time. Messages that
    are `send`t go to the view, which passes them on with `send_update`.
    """

    def __init__(self, view: View, id_: Hashable) -> None:
        self.id = id_
        super().__init__(view)

    def handle_update(self, assigns: dict[str, Any]) -> Any:
        """Handle new assigns; by default they are assigned."""
        self.assign(**assigns)

    @property
    def _title(self) -> str:
        return f"{type(self).__name__} {self.id!r} of {self.view._title}"


class View(ComponentBase):
    """A page with a state, one inbox, and jobs in the background.

    Define `mount`, `handle_event`, `handle_info`, `handle_async` and `render`, each sync or async.
    One handler runs at a time. One that raises is logged, and is a failure of the view, which goes
    on: `render_async` or the end of the `mounted` block raises it.
    """

    def __init__(self) -> None:
        self.pushed: deque[PushedEvent] = deque(maxlen=_MAX_PUSHED)
        self._lock = threading.RLock()
        self._inbox: Inbox | None = None
        self.flash: dict[str, str] = {}
        """The messages to the user, by their kinds."""
        self.components: dict[Hashable, Component] = {}
        """The components, by their ids."""
        self._on_render: list[Callable[[], Any]] = []
        self._failures: deque[BaseException] = deque()
        super().__init__(self)

    @classmethod
    @contextlib.asynccontextmanager
    async def mounted(cls, *args: Any, **params: Any) -> AsyncIterator[Self]:
        """Mount a view for the time of a block, and close it; the arguments are those of `mount`.

        What `mount` raised is raised; and, where the block ended well, what a handler raised and
        nothing has caught.
        """
        view = await cls.open(*args, **params)
        try:
            yield view
        finally:
            await view.aclose()
        if failure := view.take_failure():
            raise failure

    @classmethod
    async def open(cls, *args: Any, **params: Any) -> Self:
        """Mount a view; close it with `aclose`. Arguments and errors are those of `mount`."""
        view = cls()
        view._inbox = Inbox(view._lock, view._handle, view._drop)
        register(view)
        try:
            await view._ask(view, partial(view.mount, *args, **params))
        except BaseException:
            await view.aclose()
            raise
        return view

    async def aclose(self) -> None:
        """Cancel the jobs and the running handler, wait for them, and drop all messages.

        A `UsageError` inside a handler or a job of this view.
        """
        if self._inbox is None:
            return
        for owner in (self._inbox, self):
            forbid_inside_job("aclose", owner, "call it outside the view, where it was mounted")
        for part in self._parts():
            part._jobs.close()
        self._inbox.close()
        with anyio.CancelScope(shield=True):
            await notifier.until(lambda: not self.pending())

    def handle_info(self, message: Any) -> Any:
        """Handle a message; by default it is ignored."""

    # For the page.

    def on_render(self, callback: Callable[[], Any]) -> Callable[[], None]:
        """Call `callback`, sync or async, after each handled message; return what ends that.

        Temporary assigns are reset when all callbacks have returned.
        """
        self._on_render.append(callback)
        return lambda: self._on_render.remove(callback)

    async def rendered(self) -> Any:
        """Return what `render` returns, sync or async, and reset the temporary assigns."""
        return await PlainAdapter(self).render()

    def drop_temporary_assigns(self) -> None:
        """Reset the temporary assigns of the view and its components; call it after each render."""
        for part in self._parts():
            part._reset_temporary()

    # For `render_async`.

    def pending(self) -> Sequence[Pending]:
        """List the running jobs, what is being handled, and what waits to be."""
        if self._inbox is None or self._inbox.is_gone():
            return []
        with self._lock:
            jobs = [job for part in self._parts() for job in part._jobs.pending()]
            return [*jobs, *self._inbox.pending()]

    def is_closed(self) -> bool:
        return self._inbox is None or self._inbox.is_closed()

    def take_failure(self) -> BaseException | None:
        """Return the next error of a handler that nothing has caught, once; None without one."""
        return self._failures.popleft() if self._failures else None

    # For the view and its components.

    def _parts(self) -> list[ComponentBase]:
        return [self, *self.components.values()]

    def _open_inbox(self, what: str) -> Inbox:
        if self._inbox is None or self.is_closed():
            raise UsageError(
                f"{what} needs {self._title} to be mounted.",
                fix=f"Fix: call it inside: async with {self._title}.mounted(...) as view",
            )
        return self._inbox

    def _post(self, part: ComponentBase, handler: Callable[..., Any], *args: Any) -> None:
        """Have a handler of `part` called when its turn comes; a closed view drops it."""
        inbox = self._inbox or self._open_inbox("send")
        inbox.put(Message(f"{handler.__name__} of {part._title}", partial(handler, *args)))

    async def _ask(self, part: ComponentBase, handler: partial[Any]) -> None:
        """Have a handler of `part` called, wait for that, and raise what it raised."""
        title = f"{handler.func.__name__} of {part._title}"
        inbox = self._open_inbox(title)
        fix = "call the method itself, or send a message: self.send(...)"
        forbid_inside_job("event", inbox, fix)
        message = Message(title, handler, is_awaited=True)
        inbox.put(message)
        await message.wait()

    async def _handle(self, message: Message) -> None:
        error = await self._call(message.title, message.handler)
        for callback in list(self._on_render):
            failed = await self._call(f"on_render of {self._title}", callback)
            error = error or failed
        if self._on_render:
            self.drop_temporary_assigns()
        if error is not None and not message.is_awaited:
            self._fail(error)
        message.finish(error)

    async def _call(self, title: str, function: Callable[[], Any]) -> BaseException | None:
        """Log and return what a function of the user's raises."""
        try:
            with mark_job(title, self, self._inbox):
                result = function()
                if inspect.isawaitable(result):
                    await result
        except BaseException as error:
            if must_propagate(error):
                raise
            _logger.error("%s raised %r.", title, error, exc_info=error)
            return error
        return None

    def _drop(self, message: Message) -> None:
        what = f"{self._title} was closed before {message.title} was done."
        message.finish(UsageError(what, fix="Fix: close the view after that"))

    def _fail(self, error: BaseException) -> None:
        self._failures.append(error)
        notify()
