"""The plugin's command-line and ini options."""

from __future__ import annotations

import argparse
import os

import pytest

from aquila_cassette.options import SETTINGS, Layer, environment_layer

_FLAGS = {name: f"--{one['ini'].replace('_', '-')}" for name, one in SETTINGS.items()}


def add_options(parser: pytest.Parser) -> None:
    """Declare them; none takes a name that pytest-recording or cassetter owns."""
    group = parser.getgroup("aquila", "aquila_cassette: record and replay provider streams")
    for name, one in SETTINGS.items():
        metavar = one["ini"].rpartition("_")[2].upper()
        group.addoption(_FLAGS[name], choices=one.get("choices"), metavar=metavar, help=one["help"])
        parser.addini(one["ini"], f"as {_FLAGS[name]}")
    group.addoption(
        "--aquila-block-network",
        action="store_true",
        help="refuse every connection off this machine that no recording cassette makes",
    )
    # For `aquila-cassette record` and `unused`: the tests to run, and what became of them.
    group.addoption("--aquila-select", metavar="FILE", help=argparse.SUPPRESS)
    group.addoption("--aquila-report", metavar="FILE", help=argparse.SUPPRESS)
    parser.addini(
        "aquila_placeholder_keys",
        "whether SDKs get placeholder keys where none are set: true (for tests with cassettes), "
        "session (from before the first conftest.py is loaded) or false",
        default="true",
    )
    parser.addini("aquila_block_network", "as --aquila-block-network", type="bool", default=False)


def above(config: pytest.Config) -> list[Layer]:
    """Return the settings that are stronger than a call's: command line, then environment."""
    given = []
    for name, flag in _FLAGS.items():
        # Until the first conftest.py is loaded the command line is only in known_args_namespace.
        for namespace in (config.option, config.known_args_namespace):
            value = getattr(namespace, SETTINGS[name]["ini"], None)
            if value is not None:
                given.append(Layer(flag, {name: value}))
                break
    return [*given, *environment_layer(os.environ)]


def ini(config: pytest.Config) -> list[Layer]:
    """Return the ini file's settings; the folder is that of each test's suite, see `naming.suite_of`."""
    return [
        Layer(f"ini {one['ini']}", {name: value})
        for name, one in SETTINGS.items()
        if name != "cassette_dir" and (value := config.getini(one["ini"]))
    ]


def blocks_network(config: pytest.Config) -> bool:
    return bool(config.getoption("aquila_block_network") or config.getini("aquila_block_network"))


def placeholder_keys(config: pytest.Config) -> str:
    """Return when placeholder keys are set: ``true``, ``session`` or ``false``."""
    return str(config.getini("aquila_placeholder_keys")).strip().lower()
