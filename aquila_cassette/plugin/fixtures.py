"""The fixtures `aquila_cassette`, `cassette`, `aquila_config` and `aquila_view`, and the marker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from aquila_cassette.errors import UsageError
from aquila_cassette.plugin import naming
from aquila_cassette.plugin.run import RUN

if TYPE_CHECKING:
    from aquila_cassette.api import Block
    from aquila_cassette.session.cassette import Cassette


_OPENED: pytest.StashKey[Cassette] = pytest.StashKey()


@pytest.fixture(scope="session")
def aquila_config() -> dict[str, Any]:
    """Override it to give options to all cassettes of a suite, a module or a class.

    It returns a dict of `aquila_cassette`'s options: ``{"ignore_hosts": ["metrics.example"]}``.
    """
    return {}


@pytest.fixture(autouse=True)
def _aquila_test(request: pytest.FixtureRequest, aquila_config: dict[str, Any]) -> Iterator[None]:
    """Note which settings this test has, and open the cassette of its marker or fixture.

    That comes first, so that the cassette also holds what other fixtures of the test ask.
    """
    run = request.config.stash[RUN]
    run.settings = aquila_config
    if request.config.pluginmanager.has_plugin("cassetter"):
        naming.refuse_cassetters_fixture(request.node)
    is_marked = naming.marker_of(request.node) is not None
    if not is_marked and "_aquila_cassette_of_test" not in request.fixturenames:
        yield
        return
    is_own = not is_marked or any(
        mark.name in ("aquila_cassette", "aquila_fault") for mark in request.node.own_markers
    )
    for cassette in _opened(request, is_own):
        request.node.stash[_OPENED] = cassette
        yield


@pytest.fixture(scope="session")
def aquila_cassette() -> Callable[..., Block]:
    """The function that opens a cassette by name, as ``with``, ``async with`` or decorator.

    It is the same for all, so wider fixtures and tests of hypothesis may ask for it.
    """
    from aquila_cassette.api import aquila_cassette

    return aquila_cassette


@pytest.fixture
def aquila_view() -> Iterator[Callable[..., Any]]:
    """Give the async function that mounts a view for the time of a test.

    ``view = await aquila_view(ChatLive, client)`` takes the arguments of the view's `mount`. What a handler raised, and
    nothing has caught, fails the test.
    """
    import asyncio

    from aquila_cassette.live import View

    views: list[tuple[View, asyncio.AbstractEventLoop | None]] = []

    async def mount(kind: type[View], /, *args: Any, **params: Any) -> View:
        view = await kind.open(*args, **params)
        views.append((view, asyncio._get_running_loop()))
        return view

    yield mount
    for view, loop in views:
        # A run of trio ends its views itself.
        if loop is not None and not loop.is_closed():
            loop.run_until_complete(view.aclose())
    for failure in filter(None, [view.take_failure() for view, _ in views]):
        raise failure


class CassetteFixture:
    """The fixture `cassette`, a plugin of its own: where cassetter is installed the name is taken.

    cassetter has an automatic fixture of this name. A second one would shadow it, and its tests
    would run without their cassettes.
    """

    @pytest.fixture
    def cassette(self, _aquila_cassette_of_test: Cassette) -> Cassette:
        """The cassette of the test's marker, or one that is named after the test."""
        return _aquila_cassette_of_test

    @pytest.fixture
    def _aquila_cassette_of_test(
        self, request: pytest.FixtureRequest, _aquila_test: None
    ) -> Iterator[Cassette]:
        """Tell by its name that a test asks for our `cassette`, not for one of its suite."""
        if _OPENED in request.node.stash:
            yield request.node.stash[_OPENED]
        else:  # asked for by `getfixturevalue`
            yield from _opened(request)


def _opened(request: pytest.FixtureRequest, is_own: bool = True) -> Iterator[Cassette]:
    """Open a block for a test; one that is not its own (of a class) may see no request in it."""
    from aquila_cassette.api import Block
    from aquila_cassette.options import Layer

    run = request.config.stash[RUN]
    name = naming.marked_name(request.node)
    owner = run.owner_of_now()
    assert owner is not None, "a test runs"
    block = Block(name, Layer("the fixture", {}), owner)
    cassette = block.__enter__()
    if not cassette.path.exists():
        try:
            naming.refuse_shared_name(naming.node_id(request.node.nodeid), name, run.tally.tests)
        except UsageError as error:
            block.__exit__(None, error, None)
            raise
    cassette._session.warns_if_empty = is_own  # one of a class may be left unused
    yield cassette
    # The test's own exception does not come by here, so its report is asked for it.
    block.__exit__(None, None if owner.outcome == "passed" else Exception("the test failed"), None)
