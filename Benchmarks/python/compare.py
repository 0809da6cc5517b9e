# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Flows from Python against Unix sockets from Python, interleaved.

compare.py ROUNDS SECONDS

Each transport has a process of its own at the other end, which echoes packets, or swallows those that are large and
tells how many there were. Both ends are awake all the time.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ouroboros import aio, irm
from ouroboros.dev import Flow, FlowException, flow_accept, flow_alloc

Connection = TypeVar("Connection")

SMALL = bytes(64)
LARGE = bytes(65536)
# Ends a row of large packets.
END = b"end"

DIRECTORY = tempfile.mkdtemp(dir=os.environ["OUROBOROS_RUNTIME_DIR"])
PATHS = {kind: f"{DIRECTORY}/{kind}" for kind in ("seqpacket", "stream", "messages")}


class Sockets:
    """Python's socket module over SOCK_SEQPACKET."""

    @staticmethod
    def serve() -> None:
        """Echo small packets, count large ones."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(PATHS["seqpacket"])
        listener.listen()
        end, _ = listener.accept()
        buffer, count = bytearray(len(LARGE)), 0
        while size := end.recv_into(buffer):
            if size == len(LARGE):
                count += 1
            elif size == len(END):
                end.send(str(count).encode())
                count = 0
            else:
                end.send(memoryview(buffer)[:size])

    def __init__(self) -> None:
        self.end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.end.connect(PATHS["seqpacket"])

    def ping(self) -> None:
        """One round trip."""
        self.end.send(SMALL)
        self.end.recv(2048)

    def push(self) -> None:
        """Write a large packet."""
        self.end.send(LARGE)

    def count(self) -> int:
        """Return how many large packets arrived."""
        self.end.send(END)
        return int(self.end.recv(2048))


class Flows:
    """ouroboros.dev, with packets that are copied."""

    NAME = "bench-flows"

    @classmethod
    def serve(cls) -> None:
        """Echo small packets, count large ones."""
        irm.bind_process(os.getpid(), cls.NAME)
        end = flow_accept()
        buffer, count = bytearray(len(LARGE) + 1), 0
        while size := end.read_into(buffer):
            if size == len(LARGE):
                count += 1
            elif size == len(END):
                end.writeline(str(count))
                count = 0
            else:
                end.write(memoryview(buffer)[:size])

    def __init__(self) -> None:
        self.end = allocated(self.NAME)

    def ping(self) -> None:
        """One round trip."""
        self.end.write(SMALL)
        self.end.read()

    def push(self) -> None:
        """Write a large packet."""
        self.end.write(LARGE)

    def count(self) -> int:
        """Return how many large packets arrived."""
        self.end.write(END)
        return int(self.end.readline())


class FlowsInPlace(Flows):
    """ouroboros.dev, with packets that are made and read where both ends see them."""

    NAME = "bench-in-place"

    @classmethod
    def serve(cls) -> None:
        """Echo small packets, count large ones, and copy none but from one place to the other."""
        irm.bind_process(os.getpid(), cls.NAME)
        end = flow_accept()
        count = 0
        while True:
            with end.peek() as packet:
                size = len(packet)
                if size == len(LARGE):
                    count += 1
                elif size == len(END):
                    end.writeline(str(count))
                    count = 0
                else:
                    with end.reserve(size) as room:
                        room.view[:] = packet

    def ping(self) -> None:
        """One round trip."""
        with self.end.reserve(len(SMALL)) as room:
            room.view[:] = SMALL
        with self.end.peek():
            pass

    def push(self) -> None:
        """Make a large packet in place."""
        self.end.reserve(len(LARGE)).commit()


async def serve_streams() -> None:
    """Echo with asyncio's streams."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while packet := await reader.read(2048):
            writer.write(packet)

    async with await asyncio.start_unix_server(echo, PATHS["stream"]) as server:
        await server.serve_forever()


async def serve_messages() -> None:
    """Echo with the socket functions of the loop."""
    loop = asyncio.get_running_loop()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(PATHS["messages"])
    listener.listen()
    listener.setblocking(False)
    end, _ = await loop.sock_accept(listener)
    while packet := await loop.sock_recv(end, 2048):
        await loop.sock_sendall(end, packet)


async def serve_flows() -> None:
    """Echo with ouroboros.aio."""
    async with aio.Listener("bench-aio") as listener, await listener.accept() as flow:
        async for packet in flow:
            await flow.write(packet)


class Patience:
    """Until when a server that is on its way is waited for."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._end = time.monotonic() + 30

    def look_again(self) -> None:
        """Wait a moment, or end the program: a contestant that does not begin has failed."""
        if time.monotonic() > self._end:
            sys.exit(f"compare.py: the server of {self._server} does not begin")
        time.sleep(0.001)


def allocated(name: str) -> Flow:
    """Return a flow to a server that may be on its way."""
    patience = Patience(name)
    while True:
        try:
            return flow_alloc(name)
        except FlowException:
            patience.look_again()


def rate(call: Callable[[], object], seconds: float) -> float:
    """Return how often a second something can be done."""
    count, start = 0, time.perf_counter()
    while (took := time.perf_counter() - start) < seconds:
        for _ in range(50):
            call()
        count += 50
    return count / took


def one_way(transport: Sockets | Flows, seconds: float) -> float:
    """Return the large packets a second that arrived."""
    start = time.perf_counter()
    rate(transport.push, seconds)
    arrived = transport.count()
    return arrived / (time.perf_counter() - start)


async def async_rate(call: Callable[[], Awaitable[object]], seconds: float) -> float:
    """Return how often a second something can be awaited."""
    count, start = 0, time.perf_counter()
    while (took := time.perf_counter() - start) < seconds:
        for _ in range(50):
            await call()
        count += 50
    return count / took


async def stream_pings(seconds: float) -> float:
    """Return the round trips a second of asyncio's streams."""
    reader, writer = await asyncio.open_unix_connection(PATHS["stream"])

    async def ping() -> None:
        writer.write(SMALL)
        await reader.readexactly(len(SMALL))

    result = await async_rate(ping, seconds)
    writer.close()
    await writer.wait_closed()
    return result


class Loop:
    """An event loop that is kept, with one end of a transport that serves one client."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.connect(PATHS["messages"])
        self.socket.setblocking(False)
        self.flow = self.loop.run_until_complete(self.wrapped())

    @staticmethod
    async def wrapped() -> aio.Flow:
        """Return the flow."""
        return aio.Flow(allocated("bench-aio"))

    async def message_ping(self) -> None:
        """One round trip with the socket functions of the loop."""
        await self.loop.sock_sendall(self.socket, SMALL)
        await self.loop.sock_recv(self.socket, 2048)

    async def flow_ping(self) -> None:
        """One round trip with ouroboros.aio."""
        await self.flow.write(SMALL)
        await self.flow.read()

    def rate(self, call: Callable[[], Awaitable[object]], seconds: float) -> float:
        """Return how often a second something can be awaited."""
        return self.loop.run_until_complete(async_rate(call, seconds))


def import_milliseconds(module: str) -> float:
    """Return how long a new interpreter imports a module."""
    program = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    return float(subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True).stdout) * 1000


def start(serve: Callable[[], object]) -> int:
    """Serve in a child."""
    parent, child = os.getpid(), os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        end_with(parent)
        try:
            serve()
        finally:
            os._exit(1)
    return child


def end_with(parent: int) -> None:
    """Let the kernel end this process when its parent ends, however that ends."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def connected(make: Callable[[], Connection]) -> Connection:
    """Connect to a server that may be on its way."""
    patience = Patience("Unix sockets")
    while True:
        try:
            return make()
        except (FileNotFoundError, ConnectionRefusedError):
            patience.look_again()


def main() -> int:
    """Measure, and print the medians and what is to be reached."""
    rounds, seconds = int(sys.argv[1]), float(sys.argv[2])
    children = [
        start(serve)
        for serve in (
            Sockets.serve,
            Flows.serve,
            FlowsInPlace.serve,
            lambda: asyncio.run(serve_streams()),
            lambda: asyncio.run(serve_messages()),
            lambda: asyncio.run(serve_flows()),
        )
    ]
    try:
        measure(rounds, seconds)
    finally:
        for child in children:
            os.kill(child, signal.SIGTERM)
            os.waitpid(child, 0)
    return 0


def measure(rounds: int, seconds: float) -> None:
    """Go through all figures once a round."""
    patience = Patience("asyncio's streams")
    while not os.path.exists(PATHS["stream"]):
        patience.look_again()
    sockets, flows, in_place, loop = connected(Sockets), Flows(), FlowsInPlace(), connected(Loop)
    figures: dict[str, Callable[[], float]] = {
        "round trip 64 B, socket": lambda: rate(sockets.ping, seconds),
        "round trip 64 B, flow": lambda: rate(flows.ping, seconds),
        "round trip 64 B, flow in place": lambda: rate(in_place.ping, seconds),
        "one way 64 KiB, socket": lambda: one_way(sockets, seconds),
        "one way 64 KiB, flow": lambda: one_way(flows, seconds),
        "one way 64 KiB, flow in place": lambda: one_way(in_place, seconds),
        "asyncio 64 B, streams": lambda: loop.loop.run_until_complete(stream_pings(seconds)),
        "asyncio 64 B, sock_recv": lambda: loop.rate(loop.message_ping, seconds),
        "asyncio 64 B, flow": lambda: loop.rate(loop.flow_ping, seconds),
    }
    imports = {f"import {module}": module for module in ("ouroboros.dev", "ouroboros.event", "ouroboros.irm")}
    results: dict[str, list[float]] = {title: [] for title in [*figures, *imports]}
    for _ in range(rounds):
        for title, figure in figures.items():
            results[title].append(figure())
        for title, module in imports.items():
            results[title].append(import_milliseconds(module))
    medians = {title: statistics.median(values) for title, values in results.items()}
    for title, values in results.items():
        unit = "ms" if title in imports else "/s"
        print(f"{title:32} median {medians[title]:12,.1f} {unit}   min {min(values):12,.1f}   max {max(values):12,.1f}")
    print()
    for title, one, other, target in (
        ("round trip, flow / socket", "round trip 64 B, flow", "round trip 64 B, socket", 1),
        ("round trip, in place / flow", "round trip 64 B, flow in place", "round trip 64 B, flow", 0.83),
        ("one way, flow / socket", "one way 64 KiB, flow", "one way 64 KiB, socket", 2),
        ("one way, in place / socket", "one way 64 KiB, flow in place", "one way 64 KiB, socket", 2),
        ("one way, in place / flow", "one way 64 KiB, flow in place", "one way 64 KiB, flow", 1),
        ("asyncio, flow / streams", "asyncio 64 B, flow", "asyncio 64 B, streams", 1),
        ("asyncio, flow / sock_recv", "asyncio 64 B, flow", "asyncio 64 B, sock_recv", 1),
    ):
        ratio = f"{medians[one] / medians[other]:.2f}" if medians[other] > 0 else "-"
        print(f"{title:32} {ratio}   (to reach: {target})")


if __name__ == "__main__":
    sys.exit(main())
