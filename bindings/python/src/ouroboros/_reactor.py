# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What wakes the tasks that wait for flows: one flow set for each event loop, whose file descriptor the loop polls."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakValueDictionary, ref

from ouroboros import errors
from ouroboros._dev import ffi, lib

if TYPE_CHECKING:
    from ouroboros.dev import Flow

# Flows that are woken at a time; the others follow in the next turn of the loop.
_EVENTS = 1024


class Bell:
    """Rings when something has happened to a flow. Wakes all tasks that wait, so that none that is cancelled takes it.

    Tasks wait for packets or for room, and the events of the one do not wake those who wait for the other.

    asyncio refers to a task that waits only weakly, and often nobody else keeps it: the loop must lead to whatever a
    task waits for, or both are garbage. ``awaited``, the bells with tasks that wait, is what the loop keeps.
    """

    def __init__(self, awaited: set[Bell]) -> None:
        self._awaited = awaited
        self._readers: set[asyncio.Future[None]] = set()
        self._writers: set[asyncio.Future[None]] = set()

    async def packet(self) -> None:
        """Wait for the next ring. A task that looked before, without awaiting in between, misses nothing."""
        await self._wait(self._readers)

    async def room(self) -> None:
        """Wait for room, after a write was refused. The rest is as in ``packet``."""
        await self._wait(self._writers)

    def ring(self, events: int = ~0) -> None:
        """Wake all tasks that wait for one of these events; the end of a flow is for all."""
        if events != lib.FLOW_ROOM:
            self._wake(self._readers)
        if events != lib.FLOW_PKT:
            self._wake(self._writers)

    async def _wait(self, waiting: set[asyncio.Future[None]]) -> None:
        future = asyncio.get_running_loop().create_future()
        waiting.add(future)
        self._awaited.add(self)
        try:
            await future
        finally:
            waiting.discard(future)
            if not self._readers and not self._writers:
                self._awaited.discard(self)

    def _wake(self, waiting: set[asyncio.Future[None]]) -> None:
        for future in waiting:
            # One that was cancelled, or woken before, is done already.
            if not future.done():
                future.set_result(None)


class Patience:
    """How many turns of the loop a task looks again before it sleeps.

    To wake a process takes longer than many turns, and one whose peer is awake, too, need not sleep. A wait that ends
    in a sleep halves what the next one may try, one that does not gives it back, and every sixteenth tries in full.
    """

    LONGEST = 16

    def __init__(self) -> None:
        self._turns = self.LONGEST
        self._waits = 0

    def turns(self) -> int:
        """Begin a wait. Returns how many turns it may try."""
        self._waits += 1
        return self.LONGEST if self._waits % 16 == 0 else self._turns

    def paid(self) -> None:
        """Note that a turn brought something."""
        self._turns = self.LONGEST

    def wasted(self) -> None:
        """Note that none did."""
        self._turns //= 2


class Reactor:
    """The flow set of an event loop. It reads and writes no packet: that stays with the tasks.

    The loop keeps it, as what it calls, until the loop is closed; nothing else does, so that a loop that is forgotten
    is garbage with all tasks that wait for its flows.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        made, queue = lib.fset_create(), lib.fqueue_create()
        self._set = ffi.gc(made, lib.fset_destroy)
        self._queue = ffi.gc(queue, lib.fqueue_destroy)
        if ffi.NULL in (made, queue):
            raise errors.FlowMemoryError("no memory for a set of flows, or 1,024 of them", errno.ENOMEM)
        lib.fset_want(self._set, lib.FLOW_ROOM)
        descriptor = lib.fset_pollfd(self._set)
        if descriptor < 0:
            raise errors.opening_error(descriptor, "waiting for flows", "", "")
        self._flows = ffi.new("int[]", _EVENTS)
        self._types = ffi.new("int[]", _EVENTS)
        self.patience = Patience()
        self._bells: WeakValueDictionary[int, Bell] = WeakValueDictionary()
        self._awaited: set[Bell] = set()
        loop.add_reader(descriptor, self._wake)

    @staticmethod
    def running() -> Reactor:
        """Return that of the running loop."""
        loop = asyncio.get_running_loop()
        known = _reactors.get(loop)
        reactor = None if known is None else known()
        if reactor is None:
            reactor = Reactor(loop)
            _reactors[loop] = ref(reactor)
        return reactor

    def add(self, flow: Flow) -> Bell:
        """Put a flow into the set. Returns its bell, which rings as long as somebody refers to it."""
        code = lib.fset_add(self._set, flow.descriptor)
        if code < 0:
            hint = "it is in a set already" if code == -errno.EPERM else ""
            raise errors.explained(errors.FlowException, code, f"cannot wait for {flow!r}", flow.name, hint)
        former = self._bells.get(flow.descriptor)
        bell = self._bells[flow.descriptor] = Bell(self._awaited)
        if former is not None:
            # The flow that had the number was deallocated behind our back: tasks that wait for it shall see that.
            former.ring()
        return bell

    def _wake(self) -> None:
        count = lib.fset_drain(self._set, self._queue, self._flows, self._types, _EVENTS)
        for descriptor, events in zip(ffi.unpack(self._flows, count), ffi.unpack(self._types, count)):
            bell = self._bells.get(descriptor)
            if bell is not None:
                bell.ring(events)


_reactors: WeakKeyDictionary[asyncio.AbstractEventLoop, ref[Reactor]] = WeakKeyDictionary()
