"""List the files of the package that each journey touches: ``python -m tests.journeys FOLDER``."""

import asyncio
import gc
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import aiohttp
import httpx

import aquila_cassette as package
from aquila_cassette import MissError, aquila_cassette
from aquila_cassette.provider import Provider

ROOT = str(Path(package.__file__).parent) + os.sep
found: dict[str, list[str]] = {}


@contextmanager
def journey(name: str) -> Iterator[None]:
    """Note the files whose functions are called; the embedded provider does not count."""
    files = found.setdefault(name, [])

    def profile(frame: FrameType, event: str, _argument: object) -> None:
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(ROOT) and not file.startswith(ROOT + "provider"):
            short = file.removeprefix(ROOT)
            if short not in files:
                files.append(short)

    gc.collect()  # what earlier journeys left is closed before, not within this one
    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(None)


def main(folder: str) -> None:
    """Walk each journey once, after one that imports everything."""
    os.environ.pop("CI", None)
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "Say hello"}]}
    with Provider(gap=0) as provider:
        url = f"{provider.url}/v1/chat/completions"

        def read() -> None:
            with httpx.Client() as client, client.stream("POST", url, json=body) as response:
                list(response.iter_raw())

        async def read_aiohttp() -> None:
            async with (
                aiohttp.ClientSession() as session,
                session.post(url, json=body) as response,
            ):
                [piece async for piece in response.content.iter_any()]

        with aquila_cassette("warm", cassette_dir=folder):
            read()
        asyncio.run(read_aiohttp())
        block = aquila_cassette("a", cassette_dir=folder)
        block.__enter__()
        with journey("record, httpx"):
            read()
        with journey("save"):
            block.__exit__(None, None, None)
        block = aquila_cassette("a", cassette_dir=folder, mode="none")
        with journey("open"):
            block.__enter__()
        with journey("replay, httpx"):
            read()
        block.__exit__(None, None, None)
        with aquila_cassette("a", cassette_dir=folder, mode="none"), journey("replay, aiohttp"):
            asyncio.run(read_aiohttp())
        body["stream"] = False
        try:
            with (
                aquila_cassette("a", cassette_dir=folder, mode="none", on_unplayed="ignore"),
                journey("miss"),
            ):
                read()
        except MissError:
            pass
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
