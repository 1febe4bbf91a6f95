"""The matrix of SDKs, an environment for each group of SDKs that can be installed together."""

from __future__ import annotations

import sys
from pathlib import Path

import nox

sys.path.insert(0, str(Path(__file__).parent))  # nox runs this file from anywhere

from tests.sdks.rows import ENVIRONMENTS

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True

HARNESS = [
    "pytest>=9",
    "pytest-asyncio>=1.3",
    "pytest-xdist>=3.8",
    "hypothesis>=6",
    "cryptography>=44",
    "h2>=4",
]


@nox.session
@nox.parametrize("environment", [nox.param(name, id=name) for name in ENVIRONMENTS])
def sdks(session: nox.Session, environment: str) -> None:
    """Run every SDK of an environment through the matrix, and note what held."""
    session.install("--editable", ".", *HARNESS, *ENVIRONMENTS[environment])
    session.run(
        *(
            "pytest",
            "tests/sdks",
            "--quiet",
            "--numprocesses=auto",
            "--dist=worksteal",
            "-p",
            "no:cacheprovider",
        ),
        *(f"--sdks={environment}", f"--sdks-results=.nox/results/{environment}.json"),
        *session.posargs,
    )


@nox.session
def pages(session: nox.Session) -> None:
    """Run the pages of frameworks that are too large for the project's own environment."""
    session.install(
        "--editable", ".", *HARNESS, "streamlit>=1.50", "gradio>=6", "channels[daphne]>=4"
    )
    # They leave event loops and files open, and warn of what they will do.
    warn = ("-W", "default")
    session.run("pytest", "tests/pages", "-q", "-p", "no:cacheprovider", *warn, *session.posargs)
