# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Signals: a handler runs at once while a call waits. If it raises, the call ends; if not, the call goes on."""

import signal
import time

import pytest

WAITS = {
    "read": "flow.read()",
    "read with a timeout": "flow.set_rcv_timeout(3600); flow.read()",
    "read_packet": "flow.read_packet()",
    "read_into": "flow.read_into(bytearray(10))",
    "peek": "flow.peek()",
    "write": "while True: flow.write(bytes(100000))",
    "write with a timeout": "flow.set_snd_timeout(3600)\n    while True: flow.write(bytes(100000))",
    "reserve": "flow.write(bytes(1000000)); flow.reserve(1000000)",
    "accept": "flow_accept()",
    "accept with a timeout": "flow_accept(3600)",
    "alloc": "flow_alloc(NAME, None, 3600)",
    "wait": "from ouroboros.event import *; FlowSet([flow]).wait(FEventQueue())",
    "wait with a timeout": "from ouroboros.event import *; FlowSet([flow]).wait(FEventQueue(), 3600)",
}


def is_asleep(script) -> None:
    """Wait until the main thread of a script sleeps in the kernel."""
    while True:
        with open(f"/proc/{script.process.pid}/stat") as stat:
            if stat.read().rpartition(")")[2].split()[0] == "S":
                return


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS.keys())
def test_ctrl_c_ends_what_waits(name, script, wait):
    from ouroboros.dev import flow_accept

    other = script(
        f"""
NAME = {name!r}
flow = flow_alloc(NAME)
say("waits")
try:
    {wait}
except KeyboardInterrupt:
    say("interrupted")
flow.dealloc()
"""
    )
    with flow_accept():
        assert other.hear() == "waits"
        is_asleep(other)
        # One that comes between two calls that wait is taken there.
        other.interrupt()
        assert other.hear() == "interrupted", other.end()
        assert other.end()[0] == 0


def test_a_handler_that_does_not_raise_changes_nothing(pair):
    client, server = pair
    handled = []

    def handle(number, frame):
        handled.append(number)
        if len(handled) == 3:
            signal.setitimer(signal.ITIMER_REAL, 0)
            client.write(b"at last")

    before = signal.signal(signal.SIGALRM, handle)
    try:
        for read in (server.read, server.read_packet, lambda: bytes(server.peek().view)):
            handled.clear()
            signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
            assert read() == b"at last"
            assert len(handled) == 3
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def alarms():
    """Signals every five milliseconds, and how many there were."""
    handled = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: handled.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
    yield handled
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_a_timeout_is_kept_whatever_signals_come(pair, alarms):
    from ouroboros.dev import FlowTimeoutError, flow_accept
    from ouroboros.event import FEventQueue, FlowSet

    client, server = pair
    server.set_rcv_timeout(0.1)
    flows, queue = FlowSet([client]), FEventQueue()
    for wait in (
        server.read,
        server.peek,
        lambda: flow_accept(0.1),
        lambda: flows.wait(queue, 0.1),
    ):
        alarms.clear()
        start = time.monotonic()
        with pytest.raises(TimeoutError):
            wait()
        assert time.monotonic() - start >= 0.1, "never early"
        assert alarms, "a signal came"
    assert server.get_rcv_timeout() == 0.1, "it is the same afterwards"
    client.set_snd_timeout(0.1)
    with pytest.raises(FlowTimeoutError):
        while True:
            client.write(bytes(100_000))
    assert client.get_snd_timeout() == 0.1


def test_flows_are_allocated_whatever_signals_come(name, alarms):
    from conftest import in_thread

    from ouroboros.dev import FlowDownException, flow_accept, flow_alloc

    def serve():
        served = 0
        while served < 20:
            with flow_accept() as flow:
                try:
                    flow.write(flow.read())
                    served += 1
                except FlowDownException:
                    pass  # Of a request that was withdrawn when a signal came, and made anew.

    end = in_thread(serve)
    for _ in range(20):
        with flow_alloc(name) as flow:
            flow.write(b"x")
            assert flow.read() == b"x"
    end()


def test_interruptions_at_any_moment_leave_nothing_behind(name, script):
    """Signals whose handler raises, as that of Ctrl-C, come all the time; then everything still works."""
    other = script(
        """
import random
from ouroboros import irm
class Enough(Exception): pass
armed = False
def raises(number, frame):
    if armed:
        raise Enough
irm.bind_process(os.getpid(), "own")
def serve():
    while True:
        flow = flow_accept()
        threading.Thread(target=lambda flow=flow: [flow.write(packet) for packet in flow], daemon=True).start()
threading.excepthook = lambda *_: None
threading.Thread(target=serve, daemon=True).start()
flow = flow_alloc("own")
flow.set_rcv_timeout(10)
signal.signal(signal.SIGALRM, raises)
def disturbed(call):
    global armed
    try:
        try:
            armed = True
            # More than one: what is raised in a destructor is lost.
            signal.setitimer(signal.ITIMER_REAL, random.uniform(0.00001, 0.0005), 0.002)
            while True:
                call()
        finally:
            armed = False
    except Enough:
        pass
def packets():
    flow.write(b"x"); flow.read_packet()
def in_place():
    with flow.reserve(10) as room:
        room.commit(5)
    with flow.peek() as packet:
        assert len(packet)
def opening():
    with flow_alloc("own"):
        pass
for call in (packets, in_place, opening):
    for _ in range(200):
        disturbed(call)
signal.signal(signal.SIGALRM, signal.SIG_IGN)
flow.write(b"the end")
while flow.read_packet() != b"the end":
    pass
say("in order")
""",
        "-W",
        "ignore::ResourceWarning",
    )
    assert other.hear() == "in order", other.end()
