# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Waiting for events of many flows in one thread.

A server of many clients::

    with FlowSet() as flows:
        queue = FEventQueue()
        while True:
            flows.wait(queue)
            for flow, event in queue:
                if event == FEventType.FlowPkt:
                    flow.write(flow.read())
                elif event in (FEventType.FlowDealloc, FEventType.FlowPeer):
                    flow.dealloc()

Each packet causes one event: a program that reads one packet for each event never waits, if nobody else reads the flow.
The actions of a process cause no events in its own sets.
"""

from __future__ import annotations

import errno
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntFlag
from os import getpid
from threading import Lock
from typing import TYPE_CHECKING, Any

from ouroboros import dev, errors, properties, qos
from ouroboros._dev import ffi, lib
from ouroboros._waiting import uninterrupted
from ouroboros.dev import *
from ouroboros.dev import open_flows
from ouroboros.errors import *
from ouroboros.errors import explained
from ouroboros.properties import *
from ouroboros.qos import *

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = [
    "FEventQueue",
    "FEventType",
    "FlowEventError",
    "FlowEventTimeoutError",
    "FlowSet",
    "FlowSetError",
]
__all__ += dev.__all__
__all__ += errors.__all__
__all__ += properties.__all__
__all__ += qos.__all__


class FEventType(IntFlag):
    """What happened to a flow."""

    FlowPkt = lib.FLOW_PKT
    """A packet came."""
    FlowDown = lib.FLOW_DOWN
    """The flow was taken down."""
    FlowUp = lib.FLOW_UP
    """The flow was taken up again."""
    FlowAlloc = lib.FLOW_ALLOC
    """A flow was allocated. Programs do not get it."""
    FlowDealloc = lib.FLOW_DEALLOC
    """The other end has gone. Comes once, after the events of all packets."""
    FlowPeer = lib.FLOW_PEER
    """The other end was silent for the peer timeout of the flow. Comes once."""
    FlowRoom = lib.FLOW_ROOM
    """The packet fits that was refused. Comes only in sets that were made with ``room``, once for each refusal."""


class FlowEventError(OuroborosError):
    """There was no event, or a set or queue could not be used."""


class FlowEventTimeoutError(FlowEventError, TimeoutError):
    """Nothing happened in time."""


class FlowSetError(FlowEventError, MemoryError):
    """A flow could not be put into a set: the flow is not open, or is in a set already, or there is no memory."""


class FEventQueue:
    """The events that a wait has fetched.

    One thread at a time can use a queue; other threads get ``FlowEventError`` (EBUSY).
    """

    def __init__(self) -> None:
        queue = lib.fqueue_create()
        if queue == ffi.NULL:
            raise FlowMemoryError("no memory for a queue of events", errno.ENOMEM)
        self._queue = ffi.gc(queue, lib.fqueue_destroy)
        self._lock = Lock()

    def next(self) -> tuple[Flow, FEventType]:
        """Take the next event. Returns its flow and its type. ``FlowEventError``: no event is left."""
        self._take()
        try:
            while True:
                descriptor = lib.fqueue_next(self._queue)
                if descriptor < 0:
                    raise explained(FlowEventError, descriptor, "no event", hint="wait for one")
                flow = open_flows.get(descriptor)
                if flow is not None:
                    return flow, FEventType(lib.event_type(self._queue))
        finally:
            self._lock.release()

    def __iter__(self) -> Iterator[tuple[Flow, FEventType]]:
        """Take the events one by one, until no event is left."""
        while True:
            try:
                event = self.next()
            except FlowEventError as error:
                if error.errno == errno.EBUSY:
                    raise
                return
            yield event

    def __reduce__(self) -> Any:
        raise TypeError("a queue cannot be copied or pickled")

    def _take(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise explained(FlowEventError, -errno.EBUSY, "the queue is used by another thread")


class FlowSet:
    """A set of flows to wait for. A flow is in one set at most.

    The set keeps its flows alive until they are deallocated. As a context manager the set is destroyed at the end of
    the block; its flows stay open. A set can be used only in the process that made it.
    """

    def __init__(self, flows: list[Flow] | None = None, *, room: bool = False) -> None:
        """Make a set of flows.

        room: the set tells when there is room, with ``FEventType.FlowRoom``. If ``write`` or ``reserve`` raised
            ``FlowWouldBlock`` or ``FlowTimeoutError``, one event comes when a packet of that size fits; of several
            packets that did not fit, when the smallest fits. If the flow ends, ``FlowDealloc`` or ``FlowPeer`` comes
            instead.

        Raises ``MemoryError`` if the process has 1,024 sets, and as ``add``.
        """
        if isinstance(flows, Flow):
            # It is a row of packets, for which this would wait.
            raise TypeError("a set is made of a list of flows")
        made = lib.fset_create()
        if made == ffi.NULL:
            raise FlowMemoryError("no memory for a set of flows, or 1,024 of them", errno.ENOMEM)
        self._made: Any = ffi.gc(made, lib.fset_destroy)
        if room:
            lib.fset_want(made, lib.FLOW_ROOM)
        self._process = getpid()
        self._lock = Lock()
        self._waiting = 0
        self._flows: set[Flow] = set()
        try:
            for flow in flows or ():
                self.add(flow)
        except BaseException:
            self.destroy()
            raise

    def add(self, flow: Flow) -> None:
        """Put a flow into the set. Each packet that waits causes an event.

        Raises ``MemoryError`` (``FlowSetError``) if the flow is in a set already, is not open, or there is no memory.
        """
        if not isinstance(flow, Flow):
            raise TypeError(f"a set is of flows, and not of {type(flow).__name__}")
        with self._alive() as made:
            code = lib.fset_add(made, flow.descriptor)
            if code == 0:
                self._flows.add(flow)
                flow._set = weakref.ref(self)
        if code < 0:
            hint = (
                "it is in a set already" if code == -errno.EPERM else "" if flow.descriptor >= 0 else "it is not open"
            )
            raise explained(FlowSetError, code, f"cannot add {flow!r} to a set", flow.name, hint)

    def remove(self, flow: Flow) -> None:
        """Take a flow out of the set, with its events that were not fetched. A flow of another set is ignored."""
        with self._alive() as made:
            if flow in self._flows:
                lib.fset_del(made, flow.descriptor)
                self._forget(flow)

    def zero(self) -> None:
        """Take all flows out of the set."""
        with self._alive() as made:
            lib.fset_zero(made)
            for flow in list(self._flows):
                self._forget(flow)

    def wait(self, fq: FEventQueue, timeo: float | None = None) -> None:
        """Wait until something happens to a flow of the set, and put the events into a queue.

        If the queue still has events, the call returns at once and fetches nothing.

        timeo: longest wait in seconds; None is without limit, 0 and less looks once.

        Raises ``FlowEventTimeoutError`` when the time is up, and ``FlowEventError``.
        """
        if not isinstance(fq, FEventQueue):
            raise TypeError(f"events are put into an FEventQueue, and not into {type(fq).__name__}")
        fq._take()
        try:
            with self._alive() as made:
                self._waiting += 1
        except BaseException:
            fq._lock.release()
            raise
        try:
            code = uninterrupted(lambda interval: lib.fevent(made, fq._queue, interval), timeo)
        finally:
            with self._lock:
                self._waiting -= 1
            fq._lock.release()
        if code < 0:
            kind = FlowEventTimeoutError if code == -errno.ETIMEDOUT else FlowEventError
            raise explained(kind, code, "waiting for events")

    def destroy(self) -> None:
        """Destroy the set. Its flows stay open. A second call has no effect.

        Raises ``FlowEventError`` (EBUSY) while another thread waits for the set.
        """
        with self._lock:
            if self._made is None:
                return
            if self._waiting:
                raise explained(FlowEventError, -errno.EBUSY, "cannot destroy a set", hint="a thread waits for it")
            made, self._made = self._made, None
            for flow in list(self._flows):
                self._forget(flow)
            ffi.release(made)

    def fileno(self) -> int:
        """Return a file descriptor for ``select``, ``selectors`` and other event loops.

        The descriptor is readable when ``wait`` may find events; then wait with a timeout of 0, and take the events,
        until
        ``FlowEventTimeoutError``. The descriptor belongs to the set: do not read or close it. A child calls ``fileno``
        itself.
        """
        with self._alive() as made:
            descriptor = int(lib.fset_pollfd(made))
        if descriptor < 0:
            raise explained(FlowEventError, descriptor, "no file descriptor for a set")
        return descriptor

    def __contains__(self, flow: object) -> bool:
        return flow in self._flows

    def __len__(self) -> int:
        return len(self._flows)

    def __bool__(self) -> bool:
        return True

    def __reduce__(self) -> Any:
        raise TypeError("a set cannot be copied or pickled")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.destroy()

    @contextmanager
    def _alive(self) -> Iterator[Any]:
        """Give the set of C, which nobody destroys meanwhile."""
        if self._process != getpid():
            raise FlowEventError("the set belongs to another process", errno.EINVAL, hint="make one in the child")
        with self._lock:
            if self._made is None:
                raise FlowEventError("the set was destroyed", errno.EINVAL)
            yield self._made

    def _forget(self, flow: Flow) -> None:
        """Note that a flow is in this set no longer."""
        self._flows.discard(flow)
        flow._set = None
