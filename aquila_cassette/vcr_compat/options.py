"""The options of pytest-recording and pytest-vcr, declared once it is known that neither is."""

from __future__ import annotations

import pytest

from aquila_cassette.errors import UsageError
from aquila_cassette.vcr_compat.suite import Kind

__all__ = ["add_options", "kind_of", "refuse_company"]

_MODES = ("none", "once", "new_episodes", "all", "any")
_OWNERS = {"recording": "pytest-recording", "vcr": "pytest-vcr", "cassetter": "cassetter"}
_OF_PYTEST_VCR = ("vcr_record", "deprecated_vcr_record", "disable_vcr")


def refuse_company(manager: pytest.PytestPluginManager) -> None:
    """Refuse to run beside a plugin that owns the same marks and options.

    Raises:
        pytest.UsageError: There is one.
    """
    beside = [name for name in _OWNERS if manager.has_plugin(name)]
    if beside:
        owners = " and ".join(_OWNERS[name] for name in beside)
        blocked = " ".join(f"-p no:{name}" for name in beside)
        raise pytest.UsageError(
            str(
                UsageError(
                    f"aquila_cassette.vcr_compat and {owners} cannot both be in force.",
                    facts=["both own the mark `vcr` and its options"],
                    fix=f"Fix: pytest -p aquila_cassette.vcr_compat {blocked}",
                )
            )
        )


def add_options(parser: pytest.Parser) -> None:
    """Declare them."""
    group = parser.getgroup("aquila-vcr", "aquila_cassette for suites written for vcrpy")
    group.addoption(
        "--record-mode",
        choices=(*_MODES, "rewrite"),
        help="record mode of @pytest.mark.vcr (pytest-recording; default: none)",
    )
    group.addoption(
        "--block-network",
        action="store_true",
        help="refuse every connection that no recording cassette makes (pytest-recording)",
    )
    group.addoption(
        "--allowed-hosts",
        metavar="REGEXES",
        help="hosts that --block-network lets through, with commas between (pytest-recording)",
    )
    group.addoption(
        "--disable-recording",
        action="store_true",
        help="neither record nor replay (pytest-recording)",
    )
    group.addoption(
        "--vcr-record",
        choices=_MODES,
        help="record mode of @pytest.mark.vcr (pytest-vcr; default: once)",
    )
    group.addoption(
        "--vcr-record-mode",
        dest="deprecated_vcr_record",
        choices=_MODES,
        help="the same (pytest-vcr, deprecated)",
    )
    group.addoption(
        "--disable-vcr",
        action="store_true",
        help="neither record nor replay (pytest-vcr)",
    )
    group.addoption(
        "--vcr-strict",
        action="store_true",
        help="let a body that is not the recorded one be a miss, and a miss that was swallowed "
        "fail its test",
    )
    parser.addini("vcr_suite", "what the suite was written for: pytest-recording or pytest-vcr")


def kind_of(config: pytest.Config) -> Kind:
    """Tell which plugin the suite was written for.

    Raises:
        pytest.UsageError: The ini option names neither.
    """
    said = config.getini("vcr_suite")
    if said == "pytest-recording" or said == "pytest-vcr":
        return "pytest-vcr" if said == "pytest-vcr" else "pytest-recording"
    if said:
        raise pytest.UsageError(
            f"vcr_suite = {said} names no plugin: write pytest-recording or pytest-vcr"
        )
    if any(config.getoption(name) for name in _OF_PYTEST_VCR):
        return "pytest-vcr"
    manager = config.pluginmanager
    of_vcr = manager.is_blocked("vcr") and not manager.is_blocked("recording")
    return "pytest-vcr" if of_vcr else "pytest-recording"
