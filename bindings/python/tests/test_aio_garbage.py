# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What waits is not garbage, although asyncio keeps no task; what nobody waits for any more is."""

import asyncio
import gc
import weakref

import pytest
from test_aio import asynchronous, fresh, turn

from ouroboros.aio import *
from ouroboros.aio import Flow as AsyncFlow
from ouroboros.dev import FlowNotAllocatedException, open_flows

__all__ = ["fresh"]


async def forgotten(coroutine):
    """Start a task that nobody keeps, and collect all garbage while it waits."""
    asyncio.create_task(coroutine)  # noqa: RUF006
    await turn()
    # Longer than a reader looks again before it sleeps.
    for _ in range(40):
        await asyncio.sleep(0)
    gc.collect()


async def read_buffer(flow):
    buffer = bytearray(10)
    return bytes(buffer[: await flow.read_into(buffer)])


async def peek(flow):
    with await flow.peek() as packet:
        return bytes(packet)


async def iterate(flow):
    async for packet in flow:
        return packet
    return None


@pytest.mark.parametrize("read", [AsyncFlow.read, read_buffer, peek, iterate])
def test_a_reader_that_nobody_keeps(fresh, read):
    async def echo(flow):
        async with flow:
            await flow.write(await read(flow))

    async def serve(listener):
        async for flow in listener:
            await forgotten(echo(flow))
            del flow

    async def main():
        async with Listener(fresh) as listener:
            await forgotten(serve(listener))
            clients = [await open_flow(fresh) for _ in range(3)]
            for _ in range(20):
                await asyncio.sleep(0.001)
                gc.collect()
            for number, client in enumerate(clients):
                await client.write(b"%d" % number)
                assert await client.read() == b"%d" % number
                client.close()

    asyncio.run(main())


@asynchronous
async def test_an_opening_and_a_writer_that_nobody_keeps(fresh):
    async def write():
        async with await open_flow(fresh) as flow:
            for _ in range(100):
                await flow.write(bytes(100_000))

    async with Listener(fresh) as listener:
        await forgotten(write())
        server = await listener.accept()
        gc.collect()
        for _ in range(100):
            assert len(await server.read()) == 100_000
            gc.collect(0)
        server.close()


@asynchronous
async def test_garbage_is_collected_in_every_callback(fresh):
    def collect():
        gc.collect()
        running.call_soon(collect)

    async def echo(flow):
        async with flow:
            async for packet in flow:
                await flow.write(packet)

    running = asyncio.get_running_loop()
    collect()
    async with Listener(fresh) as listener:
        opening = asyncio.create_task(open_flow(fresh))
        asyncio.create_task(echo(await listener.accept()))  # noqa: RUF006
        async with await opening as client:
            for i in range(20):
                await client.write(b"%d" % i)
                assert await client.read() == b"%d" % i


@asynchronous
async def test_a_flow_that_nobody_waits_for_is_given_back(fresh):
    async with Listener(fresh) as listener:
        accepting = asyncio.create_task(listener.accept())
        flow = await open_flow(fresh)
        other = await accepting
        for _ in range(5):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(flow.read(), 0.001)
        bell = flow._bell
        assert not bell._readers
        assert bell not in bell._awaited
        descriptor = flow.flow.descriptor
        del bell
        with pytest.warns(ResourceWarning):
            del flow
            gc.collect()
        assert descriptor not in open_flows
        other.close()


@asynchronous
async def test_a_flow_that_ends_behind_the_back_of_its_reader(fresh):
    async with Listener(fresh) as listener:
        accepting = asyncio.create_task(listener.accept())
        flow = await open_flow(fresh)
        other = await accepting
        reading = asyncio.create_task(flow.read())
        for _ in range(40):
            await asyncio.sleep(0)
        flow.flow.dealloc()
        other.close()
        async with NewFlows(listener, fresh):
            with pytest.raises(FlowNotAllocatedException):
                await reading


class NewFlows:
    """New flows, of which some have the numbers of those that ended."""

    def __init__(self, listener, name):
        self.listener, self.name, self.flows = listener, name, []

    async def __aenter__(self):
        for _ in range(3):
            accepting = asyncio.create_task(self.listener.accept())
            self.flows += [await open_flow(self.name), await accepting]

    async def __aexit__(self, *_):
        for flow in self.flows:
            flow.close()


def test_a_loop_that_was_closed_or_forgotten_is_garbage(pairs):
    async def wait(flow):
        asyncio.create_task(AsyncFlow(flow).read())  # noqa: RUF006
        for _ in range(40):
            await asyncio.sleep(0)

    for is_closed in (True, False):
        _, server = pairs()
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda *_: None)  # A task that is pending is told of.
        loop.run_until_complete(wait(server))
        gone = weakref.ref(loop)
        if is_closed:
            loop.close()
            del loop
            gc.collect()
        else:
            with pytest.warns(ResourceWarning, match="unclosed event loop"):
                del loop
                gc.collect()
        assert gone() is None
