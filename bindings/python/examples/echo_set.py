#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Echo what many clients write, in one thread: a server with a flow set. echo.py is a client for it.

echo_set.py             with a name: irm bind program ./echo_set.py name echo
"""

from __future__ import annotations

import threading

from ouroboros.event import (
    FEventQueue,
    FEventType,
    Flow,
    FlowDownException,
    FlowProperties,
    FlowSet,
    FlowWouldBlock,
    flow_accept,
)


def accept(flows: FlowSet) -> None:
    """Put all new flows into the set. Another thread may do that while one waits for the set."""
    while True:
        flow = flow_accept()
        flow.set_flags(FlowProperties.ReadWrite | FlowProperties.NonBlockingRead)
        flows.add(flow)


def answer(flow: Flow, event: FEventType) -> None:
    """Do what an event asks for."""
    try:
        if event == FEventType.FlowPkt:
            flow.write(flow.read_packet())
        elif event in (FEventType.FlowDealloc, FEventType.FlowPeer):
            flow.dealloc()
    except FlowWouldBlock:
        pass  # An empty packet makes an event, and nothing to read.
    except FlowDownException:
        flow.dealloc()


def main() -> None:
    """Serve for ever."""
    print("Serving.", flush=True)
    with FlowSet() as flows:
        queue = FEventQueue()
        threading.Thread(target=accept, args=(flows,), daemon=True).start()
        while True:
            flows.wait(queue)
            for flow, event in queue:
                if flow.descriptor >= 0:
                    answer(flow, event)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
