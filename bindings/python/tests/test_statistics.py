# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What one end of a flow has counted."""

import asyncio
from dataclasses import fields
from time import monotonic
from types import SimpleNamespace

import pytest

from ouroboros import aio
from ouroboros.dev import *
from ouroboros.statistics import python_statistics


def test_packets_and_bytes_are_counted_at_both_ends(pair):
    client, server = pair
    assert client.statistics().kind is FlowKind.Inside
    assert client.statistics().ending is FlowEnding.Open
    client.write(bytes(1000))
    client.write(b"next")
    before = server.statistics()
    assert before.messages_unread == 2
    assert before.messages_read == 0
    assert len(server.read()) == 1000
    written, read = client.statistics(), server.statistics()
    assert (written.messages_written, written.bytes_written, written.packets_unacknowledged) == (2, 1004, 1)
    assert (read.messages_read, read.bytes_read, read.messages_unread) == (1, 1000, 1)
    assert written.payload == 16_777_216
    assert 0 < written.time <= monotonic()


def test_there_is_no_frcp_within_a_host(pair):
    statistics = pair[0].statistics()
    assert statistics.rtt is None
    assert statistics.rtt_least is None
    assert statistics.window is None
    assert statistics.rate is None
    assert statistics.rto == 0
    assert statistics.packets_sent == 0
    assert statistics.lost == 0


def test_the_reason_of_the_end_stands_until_dealloc(pair):
    client, server = pair
    server.dealloc()
    with pytest.raises(FlowDownException):
        client.read()
    assert client.statistics().ending is FlowEnding.Closed
    client.dealloc()
    with pytest.raises(FlowPermissionException, match="ENOTALLOC"):
        client.statistics()


def test_a_new_object_has_no_flow():
    with pytest.raises(FlowPermissionException, match="ENOTALLOC"):
        Flow().statistics()


def test_flows_of_asyncio_have_statistics_too(name):
    async def talk():
        listener = aio.Listener()
        accepting = asyncio.create_task(listener.accept())
        async with await aio.open_flow(name) as client, await accepting as server:
            await client.write(b"hello")
            assert await server.read() == b"hello"
            assert client.statistics().bytes_written == 5
            assert server.statistics().bytes_read == 5
        listener.close()

    asyncio.run(talk())


def test_numbers_of_a_later_version_are_understood():
    numbers = {field.name: 7_000_000_000 for field in fields(FlowStatistics)}
    statistics = python_statistics(SimpleNamespace(**numbers))
    assert statistics.kind is FlowKind.Unknown
    assert statistics.ending is FlowEnding.Down
    assert statistics.rtt == statistics.time == 7.0
    assert statistics.window == statistics.lost == 7_000_000_000
