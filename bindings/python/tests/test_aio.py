# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Flows in asyncio."""

import asyncio
import contextlib
import errno
import functools
import os
import subprocess

import pytest

from ouroboros import dev, irm
from ouroboros.aio import *
from ouroboros.aio import Flow as AsyncFlow
from ouroboros.dev import FlowDownException, FlowException, FlowNotAllocatedException, FlowPeerException, QoSSpec


def asynchronous(test):
    """Run a test as the main task of a loop."""

    @functools.wraps(test)
    def run(*arguments, **named):
        asyncio.run(test(*arguments, **named))

    # pytest looks at the wrapper for fixtures, and must not await it.
    return run


@pytest.fixture
def fresh():
    """A name that nobody has yet."""
    name = f"aio-{os.urandom(4).hex()}"
    yield name
    if any(row.name == name for row in irm.list_names()):
        irm.destroy_name(name)


@contextlib.asynccontextmanager
async def joined(listener, name, qos=None):
    """The two ends of a new flow."""
    accepted = asyncio.create_task(listener.accept())
    async with await open_flow(name, qos) as client, await accepted as server:
        yield client, server


async def turn():
    """Let all other tasks go on until they wait."""
    for _ in range(5):
        await asyncio.sleep(0)


@asynchronous
async def test_echo(fresh):
    async def serve(listener):
        async for flow in listener:
            async with flow:
                async for packet in flow:
                    await flow.write(packet.upper())

    async with Listener(fresh) as listener:
        server = asyncio.create_task(serve(listener))
        for _ in range(3):
            async with await open_flow(fresh) as flow:
                assert flow.name == fresh
                for word in (b"hello", b"x" * 65535, b"y" * 65536, b"z" * 65537, b"w" * 500_000):
                    await flow.write(word)
                    assert await flow.read() == word.upper()
        listener.close()
        await server


@asynchronous
async def test_many_flows_in_one_loop(fresh):
    async def serve(flow):
        async with flow:
            async for packet in flow:
                await flow.write(packet)

    async def ask(number):
        async with await open_flow(fresh) as flow:
            for i in range(10):
                await flow.write(b"%d %d" % (number, i))
            return [await flow.read() for i in range(10)]

    async def accept(listener):
        async for flow in listener:
            tasks.append(asyncio.create_task(serve(flow)))

    tasks = []
    async with Listener(fresh) as listener:
        tasks.append(asyncio.create_task(accept(listener)))
        answers = await asyncio.gather(*map(ask, range(20)))
    assert answers == [[b"%d %d" % (number, i) for i in range(10)] for number in range(20)]
    await asyncio.gather(*tasks)


@asynchronous
async def test_a_writer_that_is_held_back_goes_on(fresh):
    async with Listener(fresh) as listener, joined(listener, fresh) as (client, server):

        async def write():
            for i in range(100):
                await client.write(b"%d" % i + bytes(100_000))

        writer = asyncio.create_task(write())
        packets = [await server.read() for _ in range(100)]
        await writer
        assert [int(packet.rstrip(b"\0")) for packet in packets] == list(range(100))


def count_writes(flow):
    """Count what is tried on a flow from now on."""
    tries = []
    write = flow.flow.write

    def counted(*arguments):
        tries.append(1)
        return write(*arguments)

    flow.flow.write = counted
    return tries


@asynchronous
async def test_a_writer_that_is_held_back_does_not_look_again_and_again(fresh):
    async with Listener(fresh) as listener, joined(listener, fresh) as (client, server):
        count = 0
        with contextlib.suppress(dev.FlowWouldBlock):
            while True:
                client.flow.write(bytes(1000))
                count += 1
        tries = count_writes(client)
        writer = asyncio.create_task(client.write(bytes(1000)))
        # Packets for others are no news for a writer.
        for _ in range(5):
            await server.write(b"news")
            assert await client.read() == b"news"
        await turn()
        assert len(tries) == 1
        for _ in range(count):
            assert len(await server.read()) == 1000
        await writer
        assert len(tries) == 2
        assert len(await server.read()) == 1000


@asynchronous
async def test_a_writer_that_is_held_back_hears_of_the_end(fresh):
    async with Listener(fresh) as listener:
        for is_ours in (False, True):
            async with joined(listener, fresh) as (client, server):
                writer = asyncio.create_task(client.write(bytes(1_000_000)))
                await writer
                writer = asyncio.create_task(client.write(bytes(1_000_000)))
                await turn()
                assert not writer.done()
                (client if is_ours else server).close()
                with pytest.raises(FlowNotAllocatedException if is_ours else FlowDownException):
                    await writer


@asynchronous
async def test_a_writer_that_is_cancelled_has_written_nothing(fresh):
    async with Listener(fresh) as listener, joined(listener, fresh) as (client, server):
        await client.write(b"a" * 1_000_000)
        writers = [asyncio.create_task(client.write(b"%d" % i * 1_000_000)) for i in range(3)]
        await turn()
        writers[1].cancel()
        first = {(await server.read())[:1] for _ in range(3)}
        assert first == {b"a", b"0", b"2"}
        await asyncio.gather(writers[0], writers[2])


@asynchronous
async def test_packets_in_place_and_in_buffers(fresh):
    async with Listener(fresh) as listener, joined(listener, fresh) as (client, server):
        waiting = asyncio.create_task(server.peek())
        await turn()
        with await client.reserve(100) as room:
            room.view[:5] = b"hello"
            room.commit(5)
        with await waiting as packet:
            assert packet == b"hello"
        buffer = bytearray(3)
        reading = asyncio.create_task(server.read_into(buffer))
        await turn()
        await client.write(b"abcdef")
        assert await reading == 3
        assert buffer == b"abc"
        assert await server.read() == b"def", "the rest"
        with await client.reserve(1_000_000) as room:
            assert len(room.view) == 1_000_000
        second = asyncio.create_task(client.reserve(1_000_000))
        await turn()
        assert len(await server.read()) == 1_000_000
        (await second).commit(0)


@asynchronous
async def test_a_packet_of_which_parts_were_read(fresh):
    async with Listener(fresh) as listener, joined(listener, fresh) as (client, server):
        await client.write(b"0123")
        assert server.flow.read(4) == b"0123"
        await client.write(b"next")
        assert await server.read() == b"next"


@asynchronous
async def test_each_packet_goes_to_one_reader(fresh):
    async with Listener(fresh) as listener, joined(listener, fresh) as (client, server):
        readers = [asyncio.create_task(server.read()) for _ in range(5)]
        await turn()
        for i in range(5):
            await client.write(b"%d" % i)
        assert sorted(await asyncio.gather(*readers)) == [b"0", b"1", b"2", b"3", b"4"]


@asynchronous
async def test_a_reader_that_is_cancelled_takes_nothing(fresh):
    async with Listener(fresh) as listener, joined(listener, fresh) as (client, server):
        for i in range(50):
            readers = [asyncio.create_task(server.read()) for _ in range(3)]
            await turn()
            readers[1].cancel()
            await client.write(b"%d" % i)
            if i % 2:
                await asyncio.sleep(0)
            readers[0].cancel()
            await client.write(b"last")
            results = await asyncio.gather(*readers, return_exceptions=True)
            read = [result for result in results if isinstance(result, bytes)]
            while b"last" not in read:
                read.append(await server.read())
            assert read.count(b"%d" % i) == 1, "in whose hands ever"
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(server.read(), 0.01)


@asynchronous
async def test_a_writer_that_is_cancelled_writes_all_or_nothing(fresh):
    async with Listener(fresh) as listener, joined(listener, fresh) as (client, server):
        written = 0
        with pytest.raises(asyncio.TimeoutError):
            while True:
                await asyncio.wait_for(client.write(bytes(50_000)), 0.05)
                written += 1
        for _ in range(written):
            assert len(await server.read()) == 50_000
        await client.write(b"end")
        assert await server.read() == b"end"


@asynchronous
async def test_the_other_end_goes(fresh):
    async with Listener(fresh) as listener, joined(listener, fresh) as (client, server):
        reading = asyncio.create_task(server.read())
        await turn()
        client.close()
        with pytest.raises(FlowDownException):
            await reading
        assert [packet async for packet in server] == []
        with pytest.raises(FlowDownException):
            await server.write(b"x")


@asynchronous
async def test_this_end_is_closed_by_another_task(fresh):
    async with Listener(fresh) as listener, joined(listener, fresh) as (_client, server):
        reading = asyncio.create_task(server.read())
        await turn()
        server.close()
        server.close()
        for call in (reading, server.read(), server.write(b"x"), server.peek(), server.reserve(5)):
            with pytest.raises(FlowNotAllocatedException):
                await call
        assert "not open" in repr(server)


@asynchronous
async def test_a_silent_peer(name, script):
    import signal

    other = script(f"f = flow_alloc({name!r}, QoSSpec(timeout=100)); say('ready'); hear()")
    async with Listener() as listener, await listener.accept() as server:
        other.hear()
        other.process.send_signal(signal.SIGSTOP)
        with pytest.raises(FlowPeerException):
            async for _ in server:
                pass
        other.process.send_signal(signal.SIGCONT)


@asynchronous
async def test_names_that_nobody_has():
    with pytest.raises(FlowException) as caught:
        await open_flow("nobody-has-this-name")
    assert caught.value.subject == "nobody-has-this-name"
    with pytest.raises(FlowException):
        await join_flow("no-such-layer")
    with pytest.raises(ValueError, match="NUL"):
        await open_flow("nul\0inside")
    with pytest.raises(TypeError):
        await open_flow(5)
    with pytest.raises(ValueError, match="range"):
        await open_flow("x", QoSSpec(delay=-1))


@asynchronous
async def test_opening_takes_its_time(name):
    with pytest.raises(TimeoutError):
        await open_flow(name, timeout=0.01)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(open_flow(name), 0.01)
    opening = asyncio.create_task(open_flow(name))
    await turn()
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening


@asynchronous
async def test_quality(fresh):
    asked = QoSSpec(loss=0, in_order=1, timeout=60000)
    async with Listener(fresh) as listener, joined(listener, fresh, asked) as (client, server):
        assert client.get_qos() == asked
        assert server.get_qos() == asked


@asynchronous
async def test_cancelled_accepts_lose_no_flow(fresh):
    async with Listener(fresh) as listener:
        for _ in range(20):
            acceptors = [asyncio.create_task(listener.accept()) for _ in range(3)]
            opening = asyncio.create_task(open_flow(fresh))
            await turn()
            acceptors[0].cancel()
            await asyncio.sleep(0.001)
            acceptors[1].cancel()
            results = await asyncio.gather(*acceptors[:2], return_exceptions=True)
            accepted = [result for result in results if isinstance(result, AsyncFlow)]
            if accepted:
                acceptors[2].cancel()
            async with (accepted or [await acceptors[2]])[0] as server, await opening as client:
                await client.write(b"x")
                assert await server.read() == b"x"
            await asyncio.gather(*acceptors, return_exceptions=True)


@asynchronous
async def test_a_cancelled_opening_leaves_no_flow(fresh):
    def number_of_flows():
        listed = subprocess.run(["irm", "flow", "list", "--json"], capture_output=True, text=True, check=True)
        return listed.stdout.count(fresh)

    accepted = []

    async def accept(listener):
        async for flow in listener:
            accepted.append(flow)

    async with Listener(fresh) as listener:
        acceptor = asyncio.create_task(accept(listener))
        for i in range(50):
            opening = asyncio.create_task(open_flow(fresh))
            await asyncio.sleep(i * 0.00002)
            opening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                (await opening).close()
        acceptor.cancel()
        await asyncio.gather(acceptor, return_exceptions=True)
    for flow in accepted:
        with contextlib.suppress(FlowException):
            async for _ in flow:
                pass
        flow.close()
    while number_of_flows():
        await asyncio.sleep(0.01)


@asynchronous
async def test_a_listener_that_is_closed(fresh):
    listener = Listener(fresh)
    accepting = asyncio.create_task(listener.accept())
    await turn()
    listener.close()
    listener.close()
    for call in (accepting, listener.accept()):
        with pytest.raises(FlowException) as caught:
            await call
        assert caught.value.errno == errno.ECANCELED
    assert [flow async for flow in listener] == []
    with pytest.raises(FlowException):
        await open_flow(fresh)
    async with Listener(fresh) as again, joined(again, fresh):
        pass


@asynchronous
async def test_a_flow_of_the_other_interface(pairs):
    client, server = pairs()
    wrapped = AsyncFlow(server)
    client.write(b"x")
    assert await wrapped.read() == b"x"
    with pytest.raises(FlowException, match="in a set already"):
        AsyncFlow(server)
    with dev.Flow() as closed, pytest.raises(FlowException):
        AsyncFlow(closed)


@asynchronous
async def test_a_refusal_says_why_in_the_words_of_irmd(fresh):
    irm.create_name(irm.NameInfo(fresh))
    with pytest.raises(FlowException, match=f"nobody serves {fresh}"):
        await open_flow(fresh)


@asynchronous
async def test_a_listener_for_which_nobody_waits_leaves_flows_to_others(fresh):
    async with Listener(fresh) as listener, Listener() as other:
        async with joined(listener, fresh) as (_client, _server):
            accepting = asyncio.create_task(other.accept())
            for _ in range(3):
                # Each of them has accepted last; the one that nobody waits for takes no flow.
                async with await open_flow(fresh), await accepting:
                    accepting = asyncio.create_task(other.accept())
            accepting.cancel()
        async with joined(listener, fresh):
            pass


@asynchronous
async def test_many_tasks_accept(fresh):
    async with Listener(fresh) as listener:
        accepting = [asyncio.create_task(listener.accept()) for _ in range(10)]
        opening = [asyncio.create_task(open_flow(fresh)) for _ in range(10)]
        for flow in await asyncio.gather(*accepting, *opening):
            flow.close()
