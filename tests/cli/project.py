"""A project with tests of its own and cassettes that they recorded long ago."""

import json
from dataclasses import replace
from pathlib import Path

import httpx

from aquila_cassette import importers
from aquila_cassette.api import Block
from aquila_cassette.model import Interaction
from aquila_cassette.options import Layer
from aquila_cassette.provider import Provider
from aquila_cassette.session.owner import Owner
from aquila_cassette.storage import files

LONG_AGO = "2020-02-01T10:30:00Z"

HEAD = """
import httpx, pytest
client = httpx.Client(verify=False)

def ask(prompt):
    body = {{"model": "gpt-4o-mini", "stream": True,
            "messages": [{{"role": "user", "content": prompt}}]}}
    return client.post("{url}/v1/chat/completions", json=body).text
"""
PYPROJECT = """
[tool.pytest.ini_options]
addopts = ["-p", "aquila_cassette.plugin"]
filterwarnings = ["error", "ignore::ResourceWarning"]
"""


class Project:
    """The project in the current folder; its tests ask the provider."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        Path("pyproject.toml").write_text(PYPROJECT)

    def tests(self, source: str, name: str = "test_it.py") -> None:
        """Write a file of tests; `ask(prompt)` is there to use."""
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEAD.format(url=self.provider.url) + source)

    def cassette(
        self,
        name: str,
        *recorded: tuple[str | None, str],
        at: str = LONG_AGO,
        folder: str = "cassettes",
    ) -> Path:
        """Write a cassette: the prompts of some tests."""
        path = Path(folder, f"{name}.yaml")
        interactions = [
            replace(self._asked(prompt), recorded_by=test, recorded_at=at)
            for test, prompt in recorded
        ]
        files.save(path, interactions)
        return path

    def _asked(self, prompt: str) -> Interaction:
        """Ask the provider as the tests do, and save nothing."""
        messages = [{"role": "user", "content": prompt}]
        body = {"model": "gpt-4o-mini", "stream": True, "messages": messages}
        owner = Owner("a test")
        block = Block("x", Layer("the test", {"mode": "all", "cassette_dir": "none"}), owner)
        with httpx.Client(verify=False) as client, block as cassette:
            client.post(f"{self.provider.url}/v1/chat/completions", json=body).read()
        return cassette.recorded[0]

    def prompts(self, name: str) -> list[str]:
        """List the prompts on a cassette."""
        cassette = importers.load(Path("cassettes", f"{name}.yaml"))
        bodies = [json.loads(one.request.body) for one in cassette.interactions]
        return [body["messages"][-1]["content"] for body in bodies]
