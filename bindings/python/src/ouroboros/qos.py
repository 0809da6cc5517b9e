# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Quality of service: the properties that a flow must have."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "BILLION",
    "DEFAULT_PEER_TIMEOUT",
    "MILLION",
    "QOS_BEST_EFFORT",
    "QOS_DATA",
    "QOS_RAW",
    "QOS_RAW_NO_ERRORS",
    "QOS_VIDEO",
    "QOS_VOICE",
    "UINT32_MAX",
    "QoSSpec",
]

DEFAULT_PEER_TIMEOUT = 120000
"""The peer timeout of a ``QoSSpec``, if it says nothing else, in milliseconds."""

UINT32_MAX = 0xFFFFFFFF
"""As ``delay`` or ``max_gap`` of a ``QoSSpec``: any."""

MILLION = 1000 * 1000
BILLION = 1000 * 1000 * 1000


@dataclass
class QoSSpec:
    """The properties that a flow must have. The client asks, and the server is told; there is no negotiation.

    All values are whole numbers that are not negative.

    delay: highest delay in milliseconds, up to ``UINT32_MAX``, which means any.
    bandwidth: bits per second, up to 2**64 - 1.
    availability: number of nines, up to 255; 3 means 99.9 %.
    loss: 0 means that nothing may be lost, and also asks for ``in_order`` = 1; up to ``UINT32_MAX``.
    ber: bit errors in 10**9 bits, up to ``UINT32_MAX``. Usual builds of the library make it 1.
    in_order: 1 if packets must arrive in order, otherwise 0.
    max_gap: longest interruption in milliseconds, up to ``UINT32_MAX``, which means any.
    timeout: peer timeout in milliseconds, up to ``UINT32_MAX``: the flow goes down when the peer is silent for so long.
        0 means never.
    """

    delay: int = UINT32_MAX
    bandwidth: int = 0
    availability: int = 0
    loss: int = 1
    ber: int = 1
    in_order: int = 0
    max_gap: int = UINT32_MAX
    timeout: int = DEFAULT_PEER_TIMEOUT


QOS_RAW = QoSSpec()
"""Packets as the layer delivers them. This is what a flow without a ``QoSSpec`` gets."""
QOS_RAW_NO_ERRORS = QoSSpec(ber=0)
"""The same with a checksum."""
QOS_BEST_EFFORT = QoSSpec(ber=0, in_order=1)
"""In order; packets may be lost."""
QOS_VIDEO = QoSSpec(100, 2**64 - 1, 3, 1, 0, 1, 100)
"""In order, with low delay and much bandwidth; packets may be lost."""
QOS_VOICE = QoSSpec(50, 100000, 5, 1, 0, 1, 50)
"""In order, with the lowest delay and little bandwidth; packets may be lost."""
QOS_DATA = QoSSpec(1000, 0, 0, 0, 0, 1, 2000)
"""In order, and nothing is lost."""
