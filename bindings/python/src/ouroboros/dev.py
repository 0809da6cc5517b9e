# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Flows: allocate them to a name, accept them, read and write packets.

A server::

    with flow_accept() as flow:
        flow.write(flow.read())

A client::

    with flow_alloc("echo") as flow:
        flow.writeline("hello")
        print(flow.readline())

**Names** are ``str``, which is encoded in UTF-8, or ``bytes``.

**Timeouts** are in seconds. With ``None`` the library waits 20 s for a flow, and without limit for everything else.
With 0 or less a call looks once and does not wait.

**Signals.** A signal interrupts a call that waits, and its handler runs. If the handler raises, as the handler of
Ctrl-C does, the call ends with this exception; otherwise the call continues for the rest of its time.

**Threads.** All calls release the lock of the interpreter, and any number of threads may use a flow at once. While one
thread holds a packet in place, by ``peek`` or ``reserve``, the other threads cannot read or write: they get
``FlowException`` (EBUSY).

**fork.** A child may read and write the flows that it inherited; if it deallocates such a flow, the parent keeps the
flow. A flow that the child allocates or accepts belongs to the child. So ``multiprocessing`` with the method ``fork``
passes flows to its processes; other methods cannot, because a flow cannot be pickled. Flow sets, and everything of
``ouroboros.aio``, are only for the process that made them. A child has no threads: fork before you start threads.

**Garbage.** A flow to which nothing refers any more is deallocated, with a ``ResourceWarning``.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from errno import EINTR
from functools import partial
from operator import index
from os import getpid
from typing import TYPE_CHECKING, Any, Callable
from weakref import ReferenceType, WeakValueDictionary

from ouroboros import errors, properties, qos, statistics
from ouroboros._dev import ffi, lib
from ouroboros._packets import read_bytes
from ouroboros._places import hold_packet, reserve_room
from ouroboros._values import Name, c_qos, check_version, name_bytes, name_text, python_qos, sentence
from ouroboros._waiting import uninterrupted
from ouroboros.errors import *
from ouroboros.inplace import HeldPacket, ReservedPacket
from ouroboros.properties import *
from ouroboros.properties import FlowControl
from ouroboros.qos import *
from ouroboros.statistics import *

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Buffer, Self

__all__ = [
    "Flow",
    "flow_accept",
    "flow_alloc",
    "flow_join",
]
__all__ += errors.__all__
__all__ += properties.__all__
__all__ += qos.__all__
__all__ += statistics.__all__

check_version(lib)

_ALLOCATION_SECONDS = 20.0
_READ_BYTES = 2048
# As a count: all of a packet, whatever its size.
ALL = -1


class Flow(FlowControl):
    """A two-way channel for packets to another process.

    A new object has no flow; ``alloc``, ``accept`` or ``join`` gives it a flow, and after ``dealloc`` it can get
    another flow. As a context manager the object deallocates its flow at the end of the block, if it still has one.

    All methods that use the flow raise ``FlowNotAllocatedException`` if there is none.
    """

    _set: ReferenceType[Any] | None = None

    def alloc(self, dst: Name, qos: QoSSpec | None = None, timeo: float | None = None) -> QoSSpec | None:
        """Allocate a flow to a process that accepts flows for a name, and wait until it has accepted.

        dst: the name, of 1 to 255 bytes.
        qos: the quality that the flow must have; None is ``QOS_RAW``.
        timeo: longest wait in seconds; None is 20.

        Returns the quality of the flow, or None if ``qos`` is None.

        Raises ``FlowAllocatedException`` if the object has a flow, ``TimeoutError`` when the time is up, ``ValueError``
        for an impossible argument, ``MemoryError``, and otherwise ``FlowException``, whose ``errno`` says why: ENAME if
        the name is unknown, EIPCP if nobody serves the name, EIRMD if irmd is not there, ENOTSUP if the layer does not
        offer the quality.
        """
        name = name_bytes(dst)
        specification = ffi.NULL if qos is None else c_qos(qos, ffi)
        self._open(
            lambda interval, opened: lib.open_alloc(name, specification, interval, opened),
            f"flow to '{name_text(dst)}'",
            name_text(dst),
            timeo,
            _ALLOCATION_SECONDS,
        )
        return None if qos is None else python_qos(specification)

    def accept(self, timeo: float | None = None) -> QoSSpec:
        """Wait for a flow to any name to which this process or its program is bound.

        timeo: longest wait in seconds; None is without limit.

        Returns the quality that the client asked for. Raises as ``alloc``.
        """
        specification = ffi.new("qosspec_t *")
        self._open(
            lambda interval, opened: lib.open_accept(specification, interval, opened),
            "flow to this process",
            "",
            timeo,
            None,
        )
        return python_qos(specification)

    def join(self, dst: Name, timeo: float | None = None) -> None:
        """Join a broadcast layer: all other members can read what one member writes.

        dst: the name of the layer. An IPCP of this system must be in it.
        timeo: longest wait in seconds; None is 20.

        Raises as ``alloc``; ``errno`` is EIPCP if there is no such layer here, and ENOTALLOC if it is not a broadcast
        layer.
        """
        name = name_bytes(dst)
        self._open(
            lambda interval, opened: lib.open_join(name, interval, opened),
            f"flow to all of layer '{name_text(dst)}'",
            name_text(dst),
            timeo,
            _ALLOCATION_SECONDS,
        )

    def dealloc(self) -> None:
        """End the flow. Packets that were written before are still delivered; the call does not wait for the other end.

        Raises ``FlowDeallocWarning`` if there is no flow, or if irmd is gone; the object has no flow afterwards in any
        case.
        """
        code = self._close()
        if code < 0:
            raise errors.explained(FlowDeallocWarning, code, f"cannot deallocate {self!r}", self._name)

    def write(self, buf: Buffer, count: int | None = None) -> int:
        """Send bytes as one packet, and wait while the other end leaves too much unread.

        buf: any contiguous buffer; it is not copied before it is sent. The reader does not see an empty packet.
        count: send only this number of bytes.

        Returns the number of bytes. Raises ``FlowDownException`` when the other end has gone, ``FlowTimeoutError``
        after the send timeout, ``FlowWouldBlock`` on a flow that does not block, ``FlowPermissionException`` on a flow
        that is read only, ``FlowException`` with EMSGSIZE for a packet that the flow cannot carry (more than 16,777,216
        bytes inside the host and on flows in order, and 8,976 or 8,948 bytes on others over UDP), and
        ``ValueError`` for a ``count`` beyond the buffer.
        """
        if isinstance(buf, str):
            raise TypeError("write takes bytes, and writeline takes text")
        source = ffi.from_buffer(buf)
        size = len(source)
        if count is not None:
            count = index(count)
            if not 0 <= count <= size:
                raise ValueError(f"count is {count}, and the buffer has {size} bytes")
            size = count
        if self._write_limit is None:
            result: int = lib.flow_write(self._descriptor, source, size)
            while result == -EINTR:
                result = lib.flow_write(self._descriptor, source, size)
        else:
            result = self._limited(
                lambda: int(lib.flow_write(self._descriptor, source, size)), self._write_limit, lib.FLOWSSNDTIMEO
            )
        if result < 0:
            raise self._error(result, "write to")
        return result

    def writeline(self, ln: Name, count: int | None = None) -> int:
        """Send text in UTF-8 as one packet; nothing is added to the text.

        ln: the text, or its bytes.
        count: send only this number of characters, or of bytes.

        Returns the number of bytes. Raises as ``write``.
        """
        if count is not None:
            count = index(count)
            if not 0 <= count <= len(ln):
                raise ValueError(f"count is {count}, and the line has {len(ln)}")
            ln = ln[:count]
        return self.write(ln.encode() if isinstance(ln, str) else ln)

    def read(self, count: int | None = None) -> bytes:
        """Receive a packet, or the next part of one, and wait while there is none.

        count: the largest number of bytes to read; None is 2048. A larger packet comes in parts, one part for each
            call.
            A part that is shorter ends the packet; if the last part has exactly ``count`` bytes, the next call returns
            ``b""`` to mark the end. ``read_packet`` returns a packet in one piece.

        Raises ``FlowDownException`` when the other end has gone and all its packets are read, ``FlowPeerException``
        when the other end is silent, ``FlowTimeoutError`` after the receive timeout, ``FlowWouldBlock`` on a flow that
        does not block, ``FlowPermissionException`` on a flow that is write only, ``FlowException`` with EMSGSIZE for a
        packet that does not fit, with ``NoPartialRead``, and ``ValueError`` for a negative count.
        """
        if count is None:
            count = _READ_BYTES
        else:
            count = index(count)
            if count < 0:
                raise ValueError(f"count is {count}")
            count = min(count, sys.maxsize)
        return self._received(count)

    def readline(self, count: int | None = None) -> str:
        """Receive a packet as text in UTF-8.

        count: the largest number of bytes to read, as in ``read``.

        Raises as ``read``, and ``UnicodeDecodeError``.
        """
        return self.read(count).decode()

    def read_into(self, buffer: Buffer) -> int:
        """Receive a packet, or the next part of one, as ``read`` with a count of the buffer's size.

        buffer: any contiguous buffer that can be written. The bytes are copied once, from the place where the other end
            wrote them.

        Returns the number of bytes. Raises as ``read``, and ``BufferError`` or ``TypeError`` for other buffers.
        """
        target = ffi.from_buffer(buffer, require_writable=True)
        size = len(target)
        if self._read_limit is None:
            result: int = lib.flow_read(self._descriptor, target, size)
            while result == -EINTR:
                result = lib.flow_read(self._descriptor, target, size)
        else:
            result = self._reading(lambda: int(lib.flow_read(self._descriptor, target, size)))
        if result < 0:
            raise self._error(result, "read from")
        return result

    def read_packet(self) -> bytes:
        """Receive a packet, or the rest of one, whatever its size.

        Raises as ``read``.
        """
        return self._received(ALL)

    def __iter__(self) -> Iterator[bytes]:
        """Go through the packets, each in full, until the other end has gone."""
        while True:
            try:
                packet = self.read_packet()
            except FlowPeerException:
                raise
            except FlowDownException:
                return
            yield packet

    def peek(self) -> HeldPacket:
        """Wait for a packet, and show it in the place where the other end wrote it. See ``HeldPacket``.

        Raises as ``read``, and ``FlowException`` with EBUSY if a packet is held already.
        """
        held = hold_packet(self, self._descriptor) if self._read_limit is None else self._reading(self._hold)
        while isinstance(held, int):
            if held != -EINTR:
                raise self._error(held, "read from")
            held = hold_packet(self, self._descriptor)
        return held

    def reserve(self, count: int) -> ReservedPacket:
        """Wait for room for a packet of up to ``count`` bytes, in the place where the other end will read it.

        See ``ReservedPacket``. Raises as ``write``, and ``FlowException`` with EBUSY if room is reserved already.
        """
        if self._write_limit is None:
            room = reserve_room(self, self._descriptor, count)
        else:
            room = self._writing(partial(self._reserve, count))
        while isinstance(room, int):
            if room != -EINTR:
                raise self._error(room, "write to")
            room = reserve_room(self, self._descriptor, count)
        return room

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._close()

    def __repr__(self) -> str:
        to = f" to '{self._name}'" if self._name else ""
        return f"<{type(self).__name__} {self._descriptor}{to}>" if self._descriptor >= 0 else f"<Flow{to}, not open>"

    def __reduce__(self) -> Any:
        raise TypeError("a flow cannot be copied or pickled: it is for its process and its forks")

    def __del__(self, _deallocate: Callable[[int], int] = lib.flow_dealloc) -> None:
        if self._descriptor >= 0:
            try:
                if self._process == getpid():
                    warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
            finally:
                _deallocate(self._descriptor)
                self._descriptor = -1

    _process = -1

    def _open(
        self, call: Callable[[Any, Any], int], action: str, name: str, timeout: float | None, default: float | None
    ) -> None:
        if self._descriptor >= 0:
            raise FlowAllocatedException(f"{action}: the object has a flow already", subject=name)
        opened = ffi.new("int *", -1)
        try:
            result = uninterrupted(lambda interval: call(interval, opened), timeout, default)
            if result < 0:
                raise errors.opening_error(result, action, name, sentence(ffi.string(lib.flow_last_error())))
            self._adopt(result, name)
        except BaseException:
            # The number is there before a signal can say that it is not wanted any more.
            if opened[0] >= 0:
                self._descriptor = -1
                lib.flow_dealloc(opened[0])
            raise

    def _adopt(self, descriptor: int, name: str) -> None:
        self._descriptor = descriptor
        self._name = name or self._allocated_name()
        self._process = getpid()
        self._read_limit = self._write_limit = None
        open_flows[descriptor] = self

    def _allocated_name(self) -> str:
        """Return the name to which somebody else has allocated the flow."""
        place = ffi.new("char[]", lib.FLOW_NAME_SIZE)
        return "" if lib.get_name(self._descriptor, place) < 0 else name_text(ffi.string(place))

    def _close(self) -> int:
        # The number is forgotten first: from when it is free, another flow may have it.
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor < 0:
            return -errors.ENOTALLOC
        if open_flows.get(descriptor) is self:
            del open_flows[descriptor]
        flows = self._set and self._set()
        if flows:
            flows._forget(self)
        return int(lib.flow_dealloc(descriptor))

    def _received(self, count: int) -> bytes:
        """Read bytes; the way of every packet, so it is short."""
        if self._read_limit is None:
            result = read_bytes(self._descriptor, count)
        else:
            result = self._reading(lambda: read_bytes(self._descriptor, count))
        while isinstance(result, int):
            if result != -EINTR:
                raise self._error(result, "read from")
            result = read_bytes(self._descriptor, count)
        return result

    def _hold(self) -> HeldPacket | int:
        return hold_packet(self, self._descriptor)

    def _reserve(self, count: int) -> ReservedPacket | int:
        return reserve_room(self, self._descriptor, count)


open_flows: WeakValueDictionary[int, Flow] = WeakValueDictionary()
"""All open flows of the process by their descriptors, without those that were made by other means."""


def flow_alloc(dst: Name, qos: QoSSpec | None = None, timeo: float | None = None) -> Flow:
    """Return a new flow to a process that accepts flows for a name. See ``Flow.alloc``."""
    flow = Flow()
    flow.alloc(dst, qos, timeo)
    return flow


def flow_accept(timeo: float | None = None) -> Flow:
    """Return a new flow of a client. See ``Flow.accept``."""
    flow = Flow()
    flow.accept(timeo)
    return flow


def flow_join(dst: Name, qos: QoSSpec | None = None, timeo: float | None = None) -> Flow:
    """Return a new flow to all members of a broadcast layer. See ``Flow.join``.

    qos: ignored. The layer determines the quality.
    """
    flow = Flow()
    flow.join(dst, timeo)
    return flow
