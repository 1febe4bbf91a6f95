"""The private names of other libraries that the package relies on: one table, and what a move breaks.

A name that is no longer where it was fails here first. Whoever adds one, adds its row.
"""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.file_list import PACKAGE


class Private(NamedTuple):
    module: str
    name: str
    used_in: str
    risk: str


TABLE = [
    Private("aiohttp.client", "_middlewares", "http", "a session's own middlewares are lost"),
    Private("aiohttp.client", "_read_bufsize", "http", "a line may be too long on replay"),
    Private("aiohttp.client_reqrep", "_continue", "http", "a replay waits for `100 Continue`"),
    Private("aiohttp.helpers", "_cancelled", "http", "a time-out is recorded as a cancellation"),
    Private("aiohttp.streams", "_buffer", "http", "pieces arrive joined"),
    Private("aiohttp.streams", "_eof", "http", "a body does not end"),
    Private("aiohttp.streams", "_exception", "http", "a failure is raised late"),
    Private("asyncio", "_get_running_loop", "waiting", "sync code is taken for async code"),
    Private("asyncio.tasks", "_children", "waiting", "`render_async` is early in groups"),
    Private("asyncio.tasks", "_fut_waiter", "waiting", "`render_async` is early"),
    Private("asyncio.futures", "_log_traceback", "waiting", "a task's error is not reported"),
    Private("asyncio.taskgroups", "_tasks", "waiting", "`render_async` is early in groups"),
    Private("anyio._backends._asyncio", "_tasks", "waiting", "`render_async` is early in groups"),
    Private("threading", "waiter", "waiting", "a thread that was notified is taken for parked"),
    Private("threading", "_waiters", "waiting", "a thread that was notified is taken for parked"),
    Private("trio", "_channel", "waiting", "who waits for a channel is waited for"),
    Private("trio", "_sync", "waiting", "who waits for an event is waited for"),
    Private("trio", "_timeouts", "waiting", "who sleeps for ever is waited for"),
    Private("trio._core", "_parking_lot", "waiting", "who waits for a condition is waited for"),
    Private("trio._core", "_run", "waiting", "who waits for a nursery is waited for"),
    Private("trio._core", "_traps", "waiting", "who waits in trio is waited for"),
    Private("http.client", "_tunnel_host", "http", "the URL behind a proxy is wrong"),
    Private("http.client", "_tunnel_port", "http", "the URL behind a proxy is wrong"),
    Private("importlib._bootstrap", "_initializing", "http", "a half imported module is patched"),
    Private(
        "lm15.transports._async", "_do_stream", "http", "lm15's async streams are not recorded"
    ),
    Private(
        "multiprocessing.context", "_start_method", "http", "a spawned worker passes unreported"
    ),
    Private("nicegui.binding", "_refresh_step", "live", "a bound value is drawn 0.1 s later"),
    Private("openai._base_client", "_sleep_for_retry", "http", "an SDK retries a miss"),
    Private("anthropic._base_client", "_sleep_for_retry", "http", "an SDK retries a miss"),
    Private("os", "_data", "redaction", "each request reads the whole environment, slowly"),
    Private("multiprocessing.context", "_start_method", "http", "a forked worker is warned of"),
    Private("starlette.testclient", "_send_rx", "live", "the messages of a WebSocket are not read"),
    Private("sys", "_current_frames", "waiting", "the code of a thread is not known"),
    Private("sys", "_getframe", "session", "a miss does not say which line sent it"),
    Private("textual.app", "_exception", "live", "an app's error is raised when it ends"),
    Private("textual.message_pump", "_timers", "live", "timers are not waited for"),
    Private("textual.timer", "_callback", "live", "timers are not waited for"),
    Private("textual.timer", "_interval", "live", "timers are not waited for"),
    Private("textual.worker", "_task", "live", "a time-out does not say where a worker waits"),
    Private("tornado.simple_httpclient", "_HTTPConnection", "http", "tornado is not recorded"),
    Private("tornado.simple_httpclient", "_handle_exception", "http", "failures are not recorded"),
    Private("tornado.simple_httpclient", "_remove_timeout", "http", "a held answer times out"),
    Private("vcr.cassette", "_args_getter", "vcr_compat", "suites for vcrpy do not start"),
    Private("vcr.cassette", "_as_dict", "vcr_compat", "mode all adds to what it records again"),
    Private("vcr.cassette", "_before_record_response", "vcr_compat", "filters do not run"),
    Private("vcr.cassette", "_load", "vcr_compat", "suites for vcrpy do not load"),
    Private("vcr.cassette", "_match_on", "vcr_compat", "suites for vcrpy do not match"),
    Private("vcr.cassette", "_persister", "vcr_compat", "suites for vcrpy do not save"),
    Private("vcr.cassette", "_played_interactions", "vcr_compat", "an interaction replays twice"),
    Private("vcr.cassette", "_save", "vcr_compat", "suites for vcrpy do not save"),
]
# Not installed beside the tests: only `make sdks` and the suites of others meet them.
ELSEWHERE = {"_next_wait": "backoff: an SDK retries a miss", "_reason": "vcrpy 9: a miss says less"}
PUBLIC = {"_replace", "_asdict", "_fields"}  # of named tuples


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.module}.{row.name}")
def test_a_private_name_that_we_use_is_still_where_it_was(row: Private) -> None:
    module = importlib.import_module(row.module)
    if not hasattr(module, row.name):
        assert re.search(rf"\b{row.name}\b", inspect.getsource(module)), row.risk
    sources = [path.read_text("utf-8") for path in (PACKAGE / row.used_in).rglob("*.py")]
    assert any(re.search(rf"\b{row.name}\b", source) for source in sources), "no longer used"


def test_each_private_name_of_another_library_is_in_the_table() -> None:
    trees = [ast.parse(path.read_text("utf-8")) for path in PACKAGE.rglob("*.py")]
    ours = {name for tree in trees for name in defined(tree)}
    used = {name for tree in trees for name in private_names(tree)}
    known = {row.name for row in TABLE} | set(ELSEWHERE) | PUBLIC
    assert sorted(used - ours - known) == []


def private_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and re.match("_[a-z]", node.attr):
            yield node.attr


def defined(tree: ast.AST) -> Iterator[str]:
    """Give the names that are ours: of functions, classes, attributes that are set, and arguments."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Attribute(attr=name, ctx=ast.Store()) | ast.Name(id=name, ctx=ast.Store()):
                yield name
