"""Patch a method of a library when the library is imported, once per process.

What is patched for a block and restored after it breaks with the first block that ends out of
order, or with the first other tool that restores "the original" it saw. Ours stay, and pass
everything through while no cassette is open.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_MARK = "__aquila_patch__"

_THIS = object()
"""Tells our methods from those of an earlier import of this package (pytester makes such)."""


def is_patched(owner: Any, name: str) -> bool:
    """Return whether a method of ours is there already, alone or below somebody else's."""
    return getattr(vars(owner).get(name), _MARK, None) is _THIS


def patch(owner: Any, name: str, method: Callable[..., Any]) -> None:
    """Put `method` in the place of a method of a class, or a function of a module, unless it is.

    It is called with the original, bound, and then with what the original would get. The original
    may be any descriptor: instrumentation leaves objects of wrapt, which need to be bound.
    """
    if is_patched(owner, name):
        return
    found = original = vars(owner).get(name) or getattr(owner, name)  # or that of a base class
    while hasattr(original, _MARK):
        original = original.__wrapped__

    def patched(instance: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        bound = original.__get__(instance, type(instance))
        return method(bound, instance, *args, **kwargs)

    replacement = patched if isinstance(owner, type) else functools.partial(method, original)
    functools.update_wrapper(replacement, original)
    setattr(replacement, _MARK, _THIS)
    setattr(owner, name, replacement)
    # While vcrpy sends a request it restores the methods that it saw when it was imported, in the
    # whole process: a request that another thread makes then would pass by unseen.
    patches: Any = sys.modules.get("vcr.patch")
    for kept, value in list(vars(patches).items()) if patches else ():
        if value is found:
            setattr(patches, kept, replacement)


def patch_each(lib: ModuleType, methods: Mapping[str, Callable[..., Any]]) -> None:
    """Patch those of `methods` that a module has: each by its class, if it has one, and its name."""
    for path, method in methods.items():
        holder, _, name = path.rpartition(".")
        owner = getattr(lib, holder, None) if holder else lib
        if hasattr(owner, name):
            patch(owner, name, method)


def when_imported(name: str, hook: Callable[[ModuleType], None]) -> None:
    """Call `hook` with the module `name`: now, or right after its first import.

    ``*.name`` is the module of that name in any package.
    Importing a library only to patch it would cost a suite that does not use it its import time,
    and would break ``httpx2.alias_httpx()``, which must run before anybody imports httpx.
    The hook may be called again with the same module.
    """
    if name.startswith("*.") and _finder.modules != (count := len(sys.modules)):
        _finder.modules = count
        for loaded in [one for full, one in sys.modules.items() if full.endswith(name[1:])]:
            hook(loaded)
    module = sys.modules.get(name)
    if module is not None:
        # While another thread imports it, it is not whole: the next block comes here again.
        if not getattr(module.__spec__, "_initializing", False):
            hook(module)
        return
    _finder.hooks[name] = hook
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


class _Finder(MetaPathFinder):
    def __init__(self) -> None:
        self.hooks: dict[str, Callable[[ModuleType], None]] = {}
        self.modules = 0  # that were loaded when they were looked through
        self._asking = threading.local()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        hook = self.hooks.get(name) or self.hooks.get("*." + name.rpartition(".")[2])
        if hook is None or getattr(self._asking, "name", None) == name:
            return None
        self._asking.name = name
        try:
            spec = importlib.util.find_spec(name)
        finally:
            del self._asking.name
        loader: Any = None if spec is None else spec.loader
        if loader is not None:

            def exec_module(module: ModuleType) -> None:
                del loader.exec_module
                loader.exec_module(module)
                hook(module)

            loader.exec_module = exec_module
        return spec


_finder = _Finder()
