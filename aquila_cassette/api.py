"""`aquila_cassette(name)`: context manager, async context manager and decorator."""

from __future__ import annotations

import functools
import inspect
import re
import sys
import warnings
from collections.abc import (
    AsyncIterator,
    Callable,
    Coroutine,
    Generator,
    Hashable,
    Iterable,
    Iterator,
    Sequence,
)
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from aquila_cassette import http
from aquila_cassette.errors import UsageError
from aquila_cassette.model import Request, Response
from aquila_cassette.options import Layer, Mode, OnUnplayed, Pieces
from aquila_cassette.redaction import Redaction
from aquila_cassette.session import current_session as current
from aquila_cassette.session.cassette import Cassette, settled
from aquila_cassette.session.owner import Owner, owner_here
from aquila_cassette.session.session import Session

if TYPE_CHECKING:
    from aquila_cassette.faults import Fault

P = ParamSpec("P")
T = TypeVar("T")
_nothing: Any = lambda: None  # noqa: E731
# What functions below these decorators return.
_Manager = type(contextmanager(_nothing)())
_AsyncManager = type(asynccontextmanager(_nothing)())


class Block:
    """A block on one cassette: ``with``, ``async with``, or a decorator of any kind of function.

    It belongs to `owner`; by default to the test that runs, else to the function with the block.
    """

    def __init__(
        self,
        name: str,
        call: Layer,
        owner: Owner | None = None,
        function: Callable[..., Any] | None = None,
    ) -> None:
        if not isinstance(name, str):
            raise UsageError(
                f"aquila_cassette takes the name of a cassette, not {name!r}.",
                fix='Fix: write aquila_cassette("name"), with cassette_dir= for another folder',
            )
        self._name = name
        self._is_used = False
        self._call = call
        self._owner = owner
        self._function = function  # that it decorates
        self._entered: list[tuple[Owner, Session]] = []

    def __del__(self) -> None:
        if not getattr(self, "_is_used", True) and not sys.is_finalizing():
            warnings.warn(
                f"The block of cassette {self._name!r} was never entered: it records and replays "
                f'nothing.\nFix: with aquila_cassette("{self._name}"): ...',
                stacklevel=2,
            )

    def __enter__(self) -> Cassette:
        __tracebackhide__ = True
        self._is_used = True
        with current.real_disk():
            http.install()
            owner = self._owner or current.owner_finders[-1]() or owner_here(self._function)
            owner = owner.in_this_process()
            session = owner.open(self._name, self._call)
        current.enter(session)
        self._entered.append((owner, session))
        return Cassette(session)

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        __tracebackhide__ = True
        owner, session = self._entered.pop()
        current.leave(session)
        with current.real_disk():
            owner.close(session, error)

    async def __aenter__(self) -> Cassette:
        __tracebackhide__ = True
        return self.__enter__()

    async def __aexit__(
        self, exc_type: object, error: BaseException | None, traceback: object
    ) -> None:
        __tracebackhide__ = True
        if error is None:
            _, session = self._entered[-1]
            if session.options.hold:
                session.stepping.release(None)
            try:
                await settled([session], None, failures=False)
            except BaseException as late:
                self.__exit__(type(late), late, late.__traceback__)
                raise
        self.__exit__(exc_type, error, traceback)

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        """Run each call of `function`, sync or async, generator or not, in a block of its own."""
        self._is_used = True
        if inspect.isclass(function) or not callable(function):  # pytest would find no tests in it
            raise UsageError(
                f"aquila_cassette decorates functions, not {function!r}.",
                fix=f'Fix: write @pytest.mark.aquila_cassette("{self._name}") at a class, and '
                "@classmethod above this decorator",
            )
        make = functools.partial(Block, self._name, self._call, self._owner, function)
        wrapped: Callable[..., Any]
        if inspect.isasyncgenfunction(function):

            async def iterate_async(*args: P.args, **kwargs: P.kwargs) -> AsyncIterator[object]:
                __tracebackhide__ = True
                async with make(), aclosing(function(*args, **kwargs)) as items:
                    async for item in items:
                        yield item

            wrapped = iterate_async
        elif inspect.isgeneratorfunction(function):

            def iterate(*args: P.args, **kwargs: P.kwargs) -> Generator[Any, Any, Any]:
                __tracebackhide__ = True
                with make():
                    return (yield from function(*args, **kwargs))

            wrapped = iterate
        elif inspect.iscoroutinefunction(function):

            async def run_async(*args: P.args, **kwargs: P.kwargs) -> object:
                __tracebackhide__ = True
                async with make():
                    return await function(*args, **kwargs)

            wrapped = run_async
        else:

            def run(*args: P.args, **kwargs: P.kwargs) -> object:
                __tracebackhide__ = True
                with make():
                    result = function(*args, **kwargs)
                # It has not begun: its requests are made where it is awaited or entered.
                if inspect.iscoroutine(result):
                    return wait_for(result)
                kind: Any = type(result)
                later = {_Manager: enter, _AsyncManager: enter_async}.get(kind)
                return later(result) if later else result

            async def wait_for(coroutine: Coroutine[Any, Any, object]) -> object:
                __tracebackhide__ = True
                async with make():
                    return await coroutine

            @contextmanager
            def enter(manager: Any) -> Iterator[object]:
                with make(), manager as value:
                    yield value

            @asynccontextmanager
            async def enter_async(manager: Any) -> AsyncIterator[object]:
                async with make(), manager as value:
                    yield value

            wrapped = run
        return cast("Callable[P, T]", functools.wraps(function)(wrapped))


def aquila_cassette(
    name: str,
    *,
    mode: Mode | None = None,
    match_on: Sequence[str | Callable[[Request], Hashable]] | None = None,
    ignore_json: Sequence[str] | None = None,
    unordered_json: Sequence[str] | None = None,
    ignore_query: Sequence[str] | None = None,
    ignore_form: Sequence[str] | None = None,
    normalize: Sequence[str | re.Pattern[str]] | None = None,
    ignore_hosts: Sequence[str] | None = None,
    record_ambient: bool | None = None,
    redact: Redaction | Iterable[object] | None = None,
    speed: float | None = None,
    hold: bool | None = None,
    repeats: bool | None = None,
    on_unplayed: OnUnplayed | None = None,
    before_record_request: Callable[[Request], Request | None] | None = None,
    before_record_response: Callable[[Response], Response | None] | None = None,
    background: Sequence[str] | None = None,
    faults: Sequence[Fault] | None = None,
    pieces: Pieces | None = None,
    cassette_dir: str | Path | None = None,
) -> Block:
    """Record the HTTP traffic of a block into a cassette, or replay it from there.

    Use it as ``with``, as ``async with`` (which waits until all streams are over), or as a
    decorator of a sync or async function. Blocks nest; the innermost is in force. An option that
    is not given comes from the test's marker, ``aquila_config``, the ini file, or its default.

    Args:
        name: The cassette's name; dots and slashes are fine: ``chat_live.responds`` is
            ``cassettes/chat_live.responds.yaml``.
        mode: ``none`` (replay only), ``once`` (record if there is no file yet; the default),
            ``new_episodes`` (replay what is known, record the rest), ``all`` (re-record). Where
            ``CI`` is set the default is ``none``.
        match_on: What makes two requests the same; by default ``("method", "url", "body", "operation")``.
        ignore_json: Paths of JSON fields left out of matching: ``("messages.*.id",)``.
        unordered_json: Paths of JSON lists in which the order does not count.
        ignore_query: Query parameters left out of matching; ``X-Amz-*`` is a pattern.
        ignore_form: Form fields left out of matching, also of multipart forms.
        normalize: Text that differs each time: ``"dates"`` (and times), ``"uuids"``, ``"ids"``, patterns.
        ignore_hosts: Hosts to leave alone; ``*.example.com`` is a pattern.
        record_ambient: Whether ambient requests (telemetry, tokens) are recorded; default False.
        redact: Names of further secret fields, patterns of secret values, or a `Redaction`; they
            add to the defaults.
        speed: 0 (default) replays at once, 1 at the recorded pace, 4 four times as fast.
        hold: Whether streams are held back, and ``cassette.advance(n)`` lets their events through;
            then `speed` does not count for them. What is recorded is recorded whole first.
        repeats: Whether the last of equal interactions is replayed again and again.
        on_unplayed: ``fail`` (default), ``warn`` or ``ignore``.
        before_record_request: Sees each redacted request; returns the one to match and keep, or
            None to let it pass unrecorded.
        before_record_response: Sees each redacted response; returns the one to keep, or None.
        background: Patterns of what goes on for long on purpose, so that nobody waits for it: URLs
            (``*/v1/events*``), or places in the code (``*watch_prices*``).
        faults: Failures to replay in place of recorded answers: see `aquila_cassette.faults`.
        pieces: In which pieces answers are replayed: ``recorded`` (default), ``events`` (one each),
            ``bytes`` (one each), ``whole``, or a number, the seed of random ones.
        cassette_dir: The folder of the cassettes, by default ``cassettes``.

    Raises:
        UsageError: An option has a value that it cannot take (when the block is entered).

    Example:
        >>> import httpx
        >>> with aquila_cassette("docs/models", mode="none", cassette_dir="cassettes"):
        ...     httpx.get("http://127.0.0.1:8101/v1/models").json()["object"]
        'list'
    """
    given = dict(locals())
    del given["name"]
    return Block(name, Layer("aquila_cassette(...)", given))
