"""gRPC cannot be recorded, and a block says so at the first call."""

from pathlib import Path

import grpc
import grpc.aio
import pytest

from aquila_cassette import UnsupportedError, aquila_cassette

METHOD = "/xai_api.Chat/GetCompletion"
NOBODY = "127.0.0.1:9"


def test_a_grpc_call_inside_a_block_is_refused_and_outside_goes_its_way(tmp_path: Path) -> None:
    with aquila_cassette("grpc"), grpc.insecure_channel(NOBODY) as channel:
        with pytest.raises(UnsupportedError) as caught:
            channel.unary_unary(METHOD)(b"")
        with pytest.raises(UnsupportedError, match=METHOD):
            list(channel.unary_stream(METHOD)(b""))
    assert str(caught.value) == (
        f"A gRPC call to {METHOD} was made inside a cassette, which cannot hold gRPC.\n"
        f"  cassette: {tmp_path}/cassettes/grpc.yaml\n"
        "Fix: make the call outside the block, or use the provider's HTTP interface"
    )
    with grpc.insecure_channel(NOBODY) as channel, pytest.raises(grpc.RpcError):
        channel.unary_unary(METHOD)(b"", timeout=1)


async def test_an_async_grpc_call_inside_a_block_is_refused() -> None:
    async with aquila_cassette("grpc"), grpc.aio.insecure_channel(NOBODY) as channel:
        with pytest.raises(UnsupportedError, match=METHOD):
            await channel.unary_unary(METHOD)(b"")
