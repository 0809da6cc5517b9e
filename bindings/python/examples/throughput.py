#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How fast packets go from one process to another, and back.

throughput.py [BYTES [SECONDS]]     64 and 1 without

Binds itself to a name, and forks the other end.
"""

from __future__ import annotations

import os
import sys
import time

from ouroboros import irm
from ouroboros.dev import Flow, FlowException, flow_accept, flow_alloc


def serve(name: str) -> None:
    """Swallow packets until one is empty but for a byte, answer it, then echo until the client goes."""
    irm.bind_process(os.getpid(), name)
    with flow_accept() as flow:
        buffer = bytearray(2**21)
        received = 0
        while flow.read_into(buffer) > 1:
            received += 1
        flow.writeline(str(received))
        for packet in flow:
            flow.write(packet)


def one_way(flow: Flow, packet: bytes, seconds: float) -> None:
    """Write for some time, and say how much arrived."""
    sent = 0
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        for _ in range(100):
            flow.write(packet)
        sent += 100
    flow.write(b".")
    received = int(flow.readline())
    took = time.perf_counter() - start
    print(f"one way:    {received / took:12,.0f} packets/s {received * len(packet) * 8 / took / 1e9:8.2f} Gbit/s")
    print(f"lost:       {sent - received:12,}")


def round_trips(flow: Flow, packet: bytes, seconds: float) -> None:
    """Wait for the echo of each packet."""
    count = 0
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        for _ in range(100):
            flow.write(packet)
            flow.read_packet()
        count += 100
    took = time.perf_counter() - start
    print(f"round trip: {count / took:12,.0f} /s {took / count * 1e6:17.2f} µs")


def main() -> int:
    """Run both."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 64
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    packet = bytes(max(size, 2))
    name = f"throughput-{os.getpid()}"
    irm.create_name(irm.NameInfo(name))
    child = os.fork()
    if child == 0:
        serve(name)
        return 0
    try:
        # The other process is on its way to be bound.
        flow = None
        while flow is None:
            try:
                flow = flow_alloc(name)
            except FlowException:
                if os.waitpid(child, os.WNOHANG)[0]:
                    raise
        with flow:
            one_way(flow, packet, seconds)
            round_trips(flow, packet, seconds)
        os.waitpid(child, 0)
    finally:
        irm.destroy_name(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
