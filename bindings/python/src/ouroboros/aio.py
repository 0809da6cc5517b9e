# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Flows in asyncio.

A server, which is bound to the name ``echo`` as long as it listens::

    async def echo(flow):
        async with flow:
            async for packet in flow:
                await flow.write(packet)

    tasks = set()
    async with Listener("echo") as listener:
        async for flow in listener:
            task = asyncio.create_task(echo(flow))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

A client::

    async with await open_flow("echo") as flow:
        await flow.write(b"hello")
        print(await flow.read())

**Waiting.** The event loop waits: one file descriptor of the library stands for all flows of a loop, and one for each
listener. Only a call that allocates or joins a flow has a thread, and this thread runs no Python.

**Cancellation** loses nothing. A task that is cancelled, or whose time is up (``asyncio.timeout``,
``asyncio.wait_for``), has not taken a packet, has written a packet whole or not at all, and has not lost a flow.

**Tasks.** The module keeps a task that waits for a flow, a listener or a request until the wait is over, even if the
program does not keep the task; asyncio itself does not promise this. Any number of tasks may read and write a flow;
each packet goes to one of the readers. A flow, a listener and their tasks belong to one loop, and to the process that
made them. A call that need not wait does not let other tasks run.

The exceptions are the exceptions of ``ouroboros.dev``.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from errno import EAGAIN, ECANCELED
from typing import TYPE_CHECKING

from ouroboros import dev, errors
from ouroboros._acceptor import Acceptor
from ouroboros._dev import lib
from ouroboros._packets import read_bytes
from ouroboros._reactor import Reactor
from ouroboros._requests import Request
from ouroboros._values import Name, name_bytes, name_text
from ouroboros.errors import FlowDownException, FlowException, FlowPeerException, FlowWouldBlock

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Buffer, Self

    from ouroboros.inplace import HeldPacket, ReservedPacket
    from ouroboros.properties import FlowPeer
    from ouroboros.qos import QoSSpec
    from ouroboros.statistics import FlowStatistics

__all__ = ["Flow", "Listener", "join_flow", "open_flow"]

# How long the end of a listener waits for irmd, in seconds.
_LONGEST_UNBINDING = 0.1


class Flow:
    """A flow that tasks read and write. ``open_flow``, ``join_flow`` and ``Listener`` make flows.

    As an asynchronous context manager the flow is closed at the end of the block.
    """

    def __init__(self, flow: dev.Flow) -> None:
        """Take over a flow of ``ouroboros.dev``, from within a running loop; it must be in no flow set."""
        self._flow = flow
        reactor = Reactor.running()
        self._bell = reactor.add(flow)
        self._patience = reactor.patience
        flow.set_flags(flow.get_flags() | dev.FlowProperties.NonBlocking)

    @property
    def flow(self) -> dev.Flow:
        """The flow itself, of ``ouroboros.dev``. It does not block, and must not be in a flow set."""
        return self._flow

    @property
    def name(self) -> str:
        """The name to which the flow was allocated, at both ends, or the name of the layer that was joined."""
        return self._flow.name

    @property
    def peer(self) -> FlowPeer:
        """The process at the other end of the flow, as irmd knows it."""
        return self._flow.peer

    def get_qos(self) -> QoSSpec:
        """Return the quality of the flow."""
        return self._flow.get_qos()

    def statistics(self) -> FlowStatistics:
        """Return what this end of the flow has counted. It also works after the flow has ended, until ``close``."""
        return self._flow.statistics()

    async def read(self) -> bytes:
        """Wait for a packet, and return it in full, whatever its size.

        Raises ``FlowDownException`` when the other end has gone and all its packets are read, and as
        ``ouroboros.dev.Flow.read``.
        """
        packet = self._packet()
        if packet is not None:
            return packet
        for _ in range(self._patience.turns()):
            await asyncio.sleep(0)
            packet = self._packet()
            if packet is not None:
                self._patience.paid()
                return packet
        self._patience.wasted()
        while packet is None:
            await self._bell.packet()
            packet = self._packet()
        return packet

    async def read_into(self, buffer: Buffer) -> int:
        """Wait for a packet, or the next part of one, as ``ouroboros.dev.Flow.read_into``."""
        while True:
            try:
                return self._flow.read_into(buffer)
            except FlowWouldBlock:
                await self._bell.packet()

    async def peek(self) -> HeldPacket:
        """Wait for a packet, and show it in place, as ``ouroboros.dev.Flow.peek``."""
        while True:
            try:
                return self._flow.peek()
            except FlowWouldBlock:
                await self._bell.packet()

    async def write(self, buf: Buffer, count: int | None = None) -> int:
        """Send bytes as one packet, and wait while the other end leaves too much unread.

        Arguments, result and exceptions are as in ``ouroboros.dev.Flow.write``. The buffer must not change until the
        call returns.
        """
        while True:
            try:
                return self._flow.write(buf, count)
            except FlowWouldBlock:
                await self._bell.room()

    async def reserve(self, count: int) -> ReservedPacket:
        """Wait for room for a packet, and lend the room in place, as ``ouroboros.dev.Flow.reserve``."""
        while True:
            try:
                return self._flow.reserve(count)
            except FlowWouldBlock:
                await self._bell.room()

    def close(self) -> None:
        """End the flow. Packets that were written before are still delivered. A second call has no effect.

        Tasks that wait for the flow raise ``FlowNotAllocatedException``.
        """
        self._flow.__exit__(None, None, None)
        self._bell.ring()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Return the next packet; the end is when the other end has gone. A silent one raises."""
        try:
            return await self.read()
        except FlowPeerException:
            raise
        except FlowDownException:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<aio.{repr(self._flow)[1:]}"

    def _packet(self) -> bytes | None:
        """Return a packet, or the rest of one, without waiting; None if there is none."""
        packet = read_bytes(self._flow.descriptor, dev.ALL)
        if isinstance(packet, bytes):
            return packet
        if packet == -EAGAIN:
            return None
        raise self._flow._error(packet, "read from")


class Listener:
    """Accepts flows for the names to which this process, or its program, is bound.

    ::

        async with Listener("echo") as listener:
            async for flow in listener:
                ...

    Bindings belong to the process: several listeners share the flows of all its names. While no task waits for a flow,
    flows go to other processes that accept, or wait in irmd.
    """

    def __init__(self, name: Name | None = None) -> None:
        """Begin to listen.

        name: bind this process to this name as long as the listener is open. None: it has its names from others, as
            from ``irm bind``.

        Raises ``BindError`` of ``ouroboros.irm``, as when this user may not manage the system.
        """
        self._name = name
        self._acceptor: Acceptor | None = None
        self._is_open = True
        if name is not None:
            from ouroboros import irm  # Others need not load the library for management.

            irm.bind_process(os.getpid(), name)

    async def accept(self) -> Flow:
        """Wait for a flow.

        Raises ``FlowException``, whose ``errno`` says why: EIRMD if irmd is gone, ECANCELED if the listener was closed.
        """
        while True:
            if not self._is_open:
                raise FlowException("the listener was closed", ECANCELED)
            if self._acceptor is None or not self._acceptor.is_of_running_loop():
                self._acceptor = Acceptor()
            descriptor = self._acceptor.take()
            if descriptor is not None:
                return _wrapped(_adopted(descriptor, ""))
            await self._acceptor.wait()

    def close(self) -> None:
        """Accept no more flows, and remove the binding that the listener made. A second call has no effect.

        Tasks that wait for a flow raise ``FlowException``, and loops over the listener end. The call waits 0.1 s at
        most: if
        irmd does not answer, the binding is removed later.
        """
        if not self._is_open:
            return
        self._is_open = False
        if self._acceptor is not None:
            self._acceptor.close()
        if self._name is not None:
            unbinding = threading.Thread(target=_unbind, args=(self._name,), daemon=True)
            with contextlib.suppress(RuntimeError):  # No thread can be had; the binding ends with the process.
                unbinding.start()
                unbinding.join(_LONGEST_UNBINDING)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Flow:
        """Return the next flow; the end is when the listener is closed."""
        try:
            return await self.accept()
        except FlowException:
            if self._is_open:
                raise
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()


def _unbind(name: Name) -> None:
    from ouroboros import irm

    with contextlib.suppress(irm.IrmError):  # Without irmd there is no binding, either.
        irm.unbind_process(os.getpid(), name)


async def open_flow(name: Name, qos: QoSSpec | None = None, timeout: float | None = None) -> Flow:
    """Allocate a flow to a process that accepts flows for a name.

    name: the name, of 1 to 255 bytes.
    qos: the quality that the flow must have; None is ``QOS_RAW``.
    timeout: longest wait in seconds; None is 20.

    Raises as ``ouroboros.dev.Flow.alloc``.
    """
    request = Request(lib.REQUEST_ALLOC, name_bytes(name), qos, timeout)
    return await _opened(request, f"flow to '{name_text(name)}'", name_text(name))


async def join_flow(layer: Name, timeout: float | None = None) -> Flow:
    """Join a broadcast layer: all other members can read what one member writes.

    layer: the name of the layer.
    timeout: longest wait in seconds; None is 20.

    Raises as ``ouroboros.dev.Flow.join``.
    """
    request = Request(lib.REQUEST_JOIN, name_bytes(layer), None, timeout)
    return await _opened(request, f"flow to all of layer '{name_text(layer)}'", name_text(layer))


async def _opened(request: Request, action: str, subject: str) -> Flow:
    try:
        await request.future
    except BaseException:
        code = request.finish()
        if code >= 0:
            lib.flow_dealloc(code)
        raise
    code = request.finish()
    if code < 0:
        raise errors.opening_error(code, action, subject, request.reason)
    return _wrapped(_adopted(code, subject))


def _wrapped(flow: dev.Flow) -> Flow:
    try:
        return Flow(flow)
    except BaseException:
        flow._close()
        raise


def _adopted(descriptor: int, name: str) -> dev.Flow:
    flow = dev.Flow()
    flow._adopt(descriptor, name)
    return flow
