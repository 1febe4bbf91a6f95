"""What views and components have in common: assigns, handlers, jobs, and what they show."""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from aquila_cassette.errors import UsageError
from aquila_cassette.live.assigns import Assigns
from aquila_cassette.live.outcomes import Exited, Failed, Outcome
from aquila_cassette.live.work import Job, Work

if TYPE_CHECKING:
    from aquila_cassette.live.components import Component
    from aquila_cassette.live.view import View

__all__ = ["Part"]

_PACKAGE = __name__.rpartition(".")[0] + "."


def _is_private(base: type, name: str) -> bool:
    return (
        base.__module__.startswith(_PACKAGE) and name.startswith("_") and not name.startswith("__")
    )


class Part:
    """A part of a page with a state of its own: a view, or a component of one."""

    temporary_assigns: ClassVar[Mapping[str, Any]] = {}
    """Assigns that are set back to a copy of the value given here after each render."""

    assigns: Assigns
    """The state, which handlers change with `assign` and `update`."""

    view: View
    """The view that this is, or is a part of."""

    _work: Work

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        if cls.__module__.startswith(_PACKAGE):
            return
        for base in cls.__mro__[1:]:
            for name in vars(base):
                if name in vars(cls) and _is_private(base, name):
                    raise UsageError(
                        f"{cls.__name__} defines {name}, which is a name of {base.__name__}'s own.",
                        fix="Fix: give it another name",
                    )

    # What users write. The arguments are those of `mount`'s caller.

    def mount(self, *args: Any, **params: Any) -> Any:
        """Give the assigns their first values."""

    def handle_event(self, name: str, params: Any) -> Any:
        """Handle what a user did.

        Raises:
            UsageError: The class handles no events.
        """
        raise UsageError(
            f"{type(self).__name__} handles no events, and got {name!r}.",
            fix="Define it: def handle_event(self, name, params): ...",
        )

    def handle_async(self, name: str, outcome: Outcome) -> Any:
        """Handle how a job ended; by default one that raised is a failure of the view."""
        match outcome:
            case Failed(error) | Exited(BaseException() as error):
                self.view._fail(error)

    def render(self) -> Any:
        """Show the state; in a string, or however whoever shows it takes it."""
        return ""

    # What handlers do.

    def assign(self, **assigns: Any) -> None:
        """Set assigns.

        Raises:
            UsageError: A name is that of a method of mappings.
        """
        self.assigns._set(assigns)

    def update(self, name: str, function: Callable[[Any], Any]) -> None:
        """Set an assign to what `function` makes of it.

        Raises:
            KeyError: Nothing was assigned to that name yet.
        """
        self.assigns._set({name: function(self.assigns[name])})

    def start_async(
        self, name: str, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> None:
        """Start a job; how it ended comes to `handle_async`.

        It runs in the context of who calls this: where a cassette is in force here, it is in force
        there. A job of the same name that runs is cancelled, and its outcome never arrives.

        Args:
            name: Names the job within this view or component.
            function: An async function, which becomes a task; any other runs in a thread.
            args: Its arguments.
            kwargs: Its keyword arguments.

        Raises:
            UsageError: There is no event loop here, or the view is not mounted.
        """
        self.view._refuse_closed(f"start_async({name!r})")
        self._work.start(name, partial(function, *args, **kwargs))

    def cancel_async(self, name: str, reason: object = "cancelled") -> None:
        """Cancel a job; ``Exited(reason)`` comes to `handle_async`. Does nothing where none runs.

        Args:
            name: The name that it was started under.
            reason: What `handle_async` is told.
        """
        self._work.cancel(name, reason)

    def send(self, message: Any) -> None:
        """Have the view handle a message with `handle_info`; from any thread, at any time.

        A closed view drops it.
        """
        self.view._post(self.view, "handle_info", message)

    async def event(self, name: str, params: Any = None) -> None:
        """Have an event handled with `handle_event`, and wait until it is.

        Args:
            name: The event.
            params: What came with it; by default an empty dict.

        Raises:
            UsageError: Called inside a handler of the same view, or the view is not mounted.
            Exception: What the handler raised.
        """
        await self.view._ask(self, "handle_event", name, {} if params is None else params)

    def push_event(self, name: str, payload: Mapping[str, Any] | None = None) -> None:
        """Push an event to whoever shows the view."""
        self.view._push(name, payload or {})

    def put_flash(self, kind: str, message: str) -> None:
        """Show a message to the user, in place of the one of this kind."""
        self.view._put_flash(kind, message)

    def clear_flash(self, kind: str | None = None) -> None:
        """Take back the message of a kind, or all."""
        self.view._clear_flash(kind)

    def component(self, kind: type[Component], id_: Hashable, /, **assigns: Any) -> Component:
        """Make a component of the view, or update the one of this id.

        Args:
            kind: Its class.
            id_: Its id, of which there is one in a view.
            assigns: What its `handle_update` is given.

        Raises:
            UsageError: The id is that of a component of another class.
        """
        return self.view._component(kind, id_, assigns)

    def send_update(self, component: Component | Hashable, /, **assigns: Any) -> None:
        """Have a component handle new assigns with `handle_update`; from any thread.

        Args:
            component: The component, or its id.
            assigns: What its `handle_update` is given.

        Raises:
            UsageError: The view has no such component.
        """
        target = self.view._component_of(component)
        self.view._post(target, "handle_update", assigns)

    # What the view does with them.

    @property
    def _title(self) -> str:
        return type(self).__name__

    def _set_up(self) -> None:
        self.assigns = Assigns()
        self._work = Work(self._title, self.view._lock, self._tell)
        self._drop_temporary()

    def _drop_temporary(self) -> None:
        if self.temporary_assigns:
            self.assigns._set(copy.deepcopy(dict(self.temporary_assigns)))

    def _tell(self, job: Job, outcome: Outcome) -> None:
        self.view._post(self, "_settle", job, outcome, shown="handle_async")

    def _settle(self, job: Job, outcome: Outcome) -> Any:
        settled = self._work.settle(job, outcome)
        return None if settled is None else self.handle_async(job.name, settled)
