# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What one end of a flow has counted. ``ouroboros.dev`` has all of these names, too."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

__all__ = ["FlowEnding", "FlowKind", "FlowStatistics"]


class FlowKind(IntEnum):
    """What carries the messages of a flow."""

    Unknown = 0
    """A kind that this version does not know."""
    Inside = 1
    """Both ends are on this host."""
    Raw = 2
    """The flow leaves this host without FRCP."""
    Profile0 = 3
    """FRCP with profile 0, that of version 0.23."""
    Profile1 = 4
    """FRCP with profile 1."""


class FlowEnding(IntEnum):
    """Why nothing more comes, or can be written."""

    Open = 0
    """The flow has not ended."""
    Closed = 1
    """The other end has let go of the flow, or its process has died."""
    Down = 2
    """irmd, the layer or its IPCP has ended the flow."""
    Silent = 3
    """The other end was silent for too long."""
    Aborted = 4
    """The other end has aborted the flow."""
    Violated = 5
    """The other end has broken the rules."""
    Vain = 6
    """A packet was repeated in vain, while other packets came."""
    Undelivered = 7
    """The program let go of the flow, and the other end did not receive all."""


@dataclass(frozen=True)
class FlowStatistics:
    """What one end of a flow has counted since the flow began, and what it knows of the path.

    Times are in seconds. The cost of a packet is the number of bytes of its payload, and 64 bytes more. A flow that is
    not in order has no FRCP, see ``kind``: then only the fields up to ``packets_unacknowledged``, and ``payload``, have
    a meaning, ``bytes_unread`` is 0, and an empty packet or a keepalive counts as a message.

    kind: what carries the messages.
    ending: why the flow has ended.
    time: when the numbers were taken, by the clock of ``time.monotonic``.
    messages_written: packets that the program has written.
    bytes_written: their bytes.
    messages_read: packets that the program has read, with those that did not fit.
    bytes_read: their bytes.
    messages_unread: packets of the other program that can be read now.
    bytes_unread: bytes that are here and were not read.
    packets_unacknowledged: packets that wait for an acknowledgement; without FRCP, packets that the other end, or the
        IPCP, has not taken.
    bytes_unacknowledged: bytes that wait for an acknowledgement.
    rtt: the smoothed round trip, or None if it is not known.
    rtt_deviation: how much round trips differ.
    rtt_least: the least round trip of the last 10 s, or None if it is not known.
    rto: when nothing is acknowledged for this time, packets count as lost.
    window: the cost that may be in flight, or None if the layer limits the rate itself.
    in_flight: the cost in flight.
    rate: the cost a second at which packets are paced, 1.25 windows in a round trip, or None if they are not paced.
    credit_packets: packets that the other end allows beyond those that were sent.
    credit_bytes: the cost that the other end allows beyond what was sent.
    payload: bytes of the longest packet.
    packets_sent: packets with data or with the end of the flow that were sent, with repetitions.
    packets_received: such packets that were received, without duplicates.
    control_sent: packets that only acknowledge or ask.
    lost: packets that counted as lost.
    repeated: packets that were sent again.
    spurious: packets that the other end has received twice.
    reductions: reductions of the window.
    undone: reductions that were taken back, because nothing was lost.
    timeouts: expirations of the ``rto``.
    reordered: packets that were acknowledged after a later packet.
    duplicates: packets that came twice.
    damaged: packets that came with a wrong CRC, or too short.
    refused: packets that came and were not allowed, or for which there was no room.
    missing: packets that a lossy flow awaited in vain.
    """

    kind: FlowKind
    ending: FlowEnding
    time: float
    messages_written: int
    bytes_written: int
    messages_read: int
    bytes_read: int
    messages_unread: int
    bytes_unread: int
    packets_unacknowledged: int
    bytes_unacknowledged: int
    rtt: float | None
    rtt_deviation: float
    rtt_least: float | None
    rto: float
    window: int | None
    in_flight: int
    rate: int | None
    credit_packets: int
    credit_bytes: int
    payload: int
    packets_sent: int
    packets_received: int
    control_sent: int
    lost: int
    repeated: int
    spurious: int
    reductions: int
    undone: int
    timeouts: int
    reordered: int
    duplicates: int
    damaged: int
    refused: int
    missing: int


_TIMES = frozenset({"time", "rtt", "rtt_deviation", "rtt_least", "rto"})
_OPTIONAL = frozenset({"rtt", "rtt_least", "window", "rate"})


def python_statistics(numbers: Any) -> FlowStatistics:
    """Return what stands in a ``struct flow_statistics``."""
    values: dict[str, Any] = {}
    for field in FlowStatistics.__dataclass_fields__:
        number = int(getattr(numbers, field))
        values[field] = number / 1e9 if field in _TIMES else number
        if number == 0 and field in _OPTIONAL:
            values[field] = None
    known = FlowKind.__members__.values()
    values["kind"] = FlowKind(values["kind"]) if values["kind"] in known else FlowKind.Unknown
    endings = FlowEnding.__members__.values()
    values["ending"] = FlowEnding(values["ending"]) if values["ending"] in endings else FlowEnding.Down
    return FlowStatistics(**values)
