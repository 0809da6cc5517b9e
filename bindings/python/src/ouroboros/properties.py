# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Properties of a flow: flags, timeouts, quality, queue lengths. ``ouroboros.dev`` has all of these names, too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntFlag
from errno import EINTR, EPERM
from operator import index
from time import monotonic
from typing import TypeVar

from ouroboros import errors
from ouroboros._dev import ffi, lib
from ouroboros._values import name_text, python_qos
from ouroboros._waiting import in_seconds, timespec
from ouroboros.errors import FlowPermissionException, OuroborosError
from ouroboros.qos import QoSSpec
from ouroboros.statistics import FlowStatistics, python_statistics

# What a call that waits returns: a number that is negative if it failed, or what was waited for.
_Result = TypeVar("_Result")

__all__ = ["FRCT_LINGER", "FRCT_RESCNTL", "FRCT_RETRANSMIT", "FlowControl", "FlowPeer", "FlowProperties"]

FRCT_RETRANSMIT = 1
"""Lost packets are sent again. Follows from the quality of the flow, and cannot be changed."""
FRCT_RESCNTL = 2
"""The receiver limits the sender."""
FRCT_LINGER = 4
"""What waits to be sent is still sent after the flow was deallocated."""


class FlowProperties(IntFlag):
    """Flags of a flow. One of the first three values is the access; the other values are bits."""

    ReadOnly = 0o0
    WriteOnly = 0o1
    ReadWrite = 0o2
    Down = 0o4
    NonBlockingRead = 0o1000
    NonBlockingWrite = 0o2000
    NonBlocking = 0o3000
    NoPartialRead = 0o10000
    NoPartialWrite = 0o20000


@dataclass(frozen=True)
class FlowPeer:
    """The process at the other end of a flow.

    irmd vouches for it: the process and its user come from the kernel, the host comes from the layer, and neither end
    can
    change them. They describe the time when the flow was made.

    is_remote: the process is on another host.
    pid: the process id, or None if the process is remote. Since then the process may have ended, or may have passed the
        flow on to a child.
    uid: the effective user of the process when it asked for the flow or accepted it, or None.
    gid: the effective group of the process at that time, or None.
    layer: the layer of the flow, or empty if the flow belongs to no layer.
    host: the address and the port of the other host, as its layer writes them; empty if they are unknown, or if the
        peer is
        on this host. In a UDP layer the host is no more certain than the network below, in which addresses can be
        forged.
    """

    is_remote: bool
    pid: int | None
    uid: int | None
    gid: int | None
    layer: str
    host: str


class FlowControl:
    """The properties of a flow that can be read and changed. The base of ``Flow``.

    All methods raise ``FlowPermissionException`` if there is no flow, or if the flow does not have the property;
    ``errno`` says which of the two.
    """

    _descriptor = -1
    _name = ""
    _read_limit: float | None = None
    _write_limit: float | None = None

    @property
    def descriptor(self) -> int:
        """The number of the flow in the C library, from 64 to 65,535, or -1. It is not a file descriptor."""
        return self._descriptor

    @property
    def name(self) -> str:
        """The name to which the flow was allocated, at both ends, or the name of the layer that was joined."""
        return self._name

    @property
    def peer(self) -> FlowPeer:
        """The process at the other end of the flow, as irmd knows it."""
        peer = ffi.new("struct flow_peer *")
        self._control(lib.get_peer, peer)
        layer, host = (name_text(ffi.string(text)) for text in (peer.layer, peer.host))
        if peer.is_remote:
            return FlowPeer(True, None, None, None, layer, host)
        return FlowPeer(False, peer.pid, peer.uid, peer.gid, layer, host)

    def set_snd_timeout(self, timeo: float | None) -> None:
        """Limit how long a write waits, in seconds, counted from each call; None is without limit."""
        self._control(lib.control_time, lib.FLOWSSNDTIMEO, timespec(timeo))
        self._write_limit = timeo

    def get_snd_timeout(self) -> float:
        """Return how long a write waits at most, in seconds. ``FlowPermissionException``: there is no limit."""
        return self._time(lib.FLOWGSNDTIMEO)

    def set_rcv_timeout(self, timeo: float | None) -> None:
        """Limit how long a read waits, in seconds, counted from each call; None is without limit."""
        self._control(lib.control_time, lib.FLOWSRCVTIMEO, timespec(timeo))
        self._read_limit = timeo

    def get_rcv_timeout(self) -> float:
        """Return how long a read waits at most, in seconds. ``FlowPermissionException``: there is no limit."""
        return self._time(lib.FLOWGRCVTIMEO)

    def get_qos(self) -> QoSSpec:
        """Return the quality of the flow."""
        specification = ffi.new("qosspec_t *")
        self._control(lib.get_qos, specification)
        return python_qos(specification)

    def get_rx_queue_len(self) -> int:
        """Return the number of packets that wait to be read here."""
        return self._length(lib.FLOWGRXQLEN)

    def get_tx_queue_len(self) -> int:
        """Return the number of packets that the other end has not read yet."""
        return self._length(lib.FLOWGTXQLEN)

    def get_max_message(self) -> int:
        """Return how many bytes a message that is written here may have.

        16,777,216 inside the host and on flows in order, one packet of the layer on other flows.
        """
        return self._length(lib.FLOWGMAXMSG)

    def statistics(self) -> FlowStatistics:
        """Return what this end of the flow has counted. It also works after the flow has ended, until ``dealloc``."""
        numbers = ffi.new("struct flow_statistics *")
        self._control(lib.flow_statistics, numbers, ffi.sizeof("struct flow_statistics"))
        return python_statistics(numbers)

    def set_flags(self, flags: FlowProperties) -> None:
        """Replace all flags of the flow.

        ``Down`` takes the flow down until a call without this flag. While one end is ``WriteOnly`` the other end cannot
        write.
        """
        self._control(lib.set_flags, _bits(flags, 32))

    def get_flags(self) -> FlowProperties:
        """Return the flags of the flow: at first, ``ReadWrite`` and ``NoPartialWrite``."""
        flags = ffi.new("uint32_t *")
        self._control(lib.get_flags, flags)
        return FlowProperties(flags[0])

    def set_frct_flags(self, flags: int) -> None:
        """Set ``FRCT_RESCNTL`` and ``FRCT_LINGER`` of a flow that is in order, as given."""
        self._control(lib.set_frct_flags, _bits(flags, 16), refused="the flow is not in order")

    def get_frct_flags(self) -> int:
        """Return the ``FRCT_`` flags of a flow in order. ``FlowPermissionException``: the flow is not in order."""
        flags = ffi.new("uint16_t *")
        self._control(lib.get_frct_flags, flags, refused="the flow is not in order")
        return int(flags[0])

    def _reading(self, call: Callable[[], _Result]) -> _Result:
        return self._limited(call, self._read_limit, lib.FLOWSRCVTIMEO)

    def _writing(self, call: Callable[[], _Result]) -> _Result:
        return self._limited(call, self._write_limit, lib.FLOWSSNDTIMEO)

    def _limited(self, call: Callable[[], _Result], limit: float | None, command: int) -> _Result:
        """Call, and again after each signal, with what is left of the timeout that the flow has."""
        start = monotonic()
        result = call()
        if not _is_interrupted(result):
            return result
        try:
            while _is_interrupted(result):
                if limit is not None:
                    lib.control_time(self._descriptor, command, timespec(start + limit - monotonic()))
                result = call()
        finally:
            if limit is not None:
                lib.control_time(self._descriptor, command, timespec(limit))
        return result

    def _control(self, function: Callable[..., int], *arguments: object, refused: str = "") -> None:
        """Ask for or change a property. ``refused`` says why that may not be permitted."""
        code = function(self._descriptor, *arguments)
        if code < 0:
            code = -errors.ENOTALLOC if self._descriptor < 0 else code
            hint = refused if code == -EPERM else ""
            raise errors.explained(FlowPermissionException, code, repr(self), self._name, hint)

    def _time(self, command: int) -> float:
        interval = ffi.new("struct timespec *")
        self._control(lib.control_time, command, interval, refused="no timeout is set")
        return in_seconds(interval)

    def _length(self, command: int) -> int:
        length = ffi.new("size_t *")
        self._control(lib.control_length, command, length)
        return int(length[0])

    def _error(self, code: int, action: str) -> OuroborosError:
        return errors.using_error(code, f"cannot {action} {self!r}", self._name)


def _is_interrupted(result: object) -> bool:
    return isinstance(result, int) and result == -EINTR


def _bits(flags: int, width: int) -> int:
    value = index(flags)
    if not 0 <= value < 1 << width:
        raise ValueError(f"flags are {value}, and have {width} bits")
    return value
