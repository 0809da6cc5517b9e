# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Flow sets and what happens to the flows in them."""

import contextlib
import selectors

import pytest

from ouroboros.event import *


@pytest.fixture
def flows():
    with FlowSet() as made:
        yield made


def happened(flows, queue, timeout=None):
    flows.wait(queue, timeout)
    return list(queue)


def test_the_numbers_are_those_of_the_header():
    assert {event.name: int(event) for event in FEventType} == {
        "FlowPkt": 1,
        "FlowDown": 2,
        "FlowUp": 4,
        "FlowAlloc": 8,
        "FlowDealloc": 16,
        "FlowPeer": 32,
        "FlowRoom": 64,
    }


def test_each_packet_makes_an_event(flows, pair):
    client, server = pair
    queue = FEventQueue()
    flows.add(server)
    for _ in range(3):
        client.write(b"x")
    events = []
    while len(events) < 3:
        events += happened(flows, queue)
    assert events == [(server, FEventType.FlowPkt)] * 3
    assert all(flow is server for flow, _ in events)
    with pytest.raises(FlowEventTimeoutError):
        flows.wait(queue, 0)
    with pytest.raises(TimeoutError):
        flows.wait(queue, 0.001)


def test_next_says_when_there_is_nothing(flows, pair):
    client, server = pair
    queue = FEventQueue()
    with pytest.raises(FlowEventError):
        queue.next()
    flows.add(server)
    client.write(b"x")
    flows.wait(queue)
    flow, event = queue.next()
    assert flow.read() == b"x"
    assert event == FEventType.FlowPkt
    assert event == 1
    with pytest.raises(FlowEventError):
        queue.next()


def fill(flow):
    """Write until a packet is refused. Returns how many went."""
    flow.set_flags(flow.get_flags() | FlowProperties.NonBlockingWrite)
    count = 0
    with contextlib.suppress(FlowWouldBlock):
        while True:
            flow.write(bytes(1000))
            count += 1
    return count


def test_a_refused_packet_has_one_event_when_it_fits(pair):
    client, server = pair
    queue = FEventQueue()
    with FlowSet([client], room=True) as flows:
        for _ in range(3):
            count = fill(client)
            with pytest.raises(FlowEventTimeoutError):
                flows.wait(queue, 0)
            server.read()
            assert happened(flows, queue) == [(client, FEventType.FlowRoom)]
            for _ in range(count - 1):
                server.read()
            client.write(b"x")
            server.read()
            with pytest.raises(FlowEventTimeoutError):
                flows.wait(queue, 0)


def test_a_set_that_does_not_ask_hears_nothing_of_room(flows, pair):
    client, server = pair
    flows.add(client)
    for _ in range(fill(client)):
        server.read()
    with pytest.raises(FlowEventTimeoutError):
        flows.wait(FEventQueue(), 0.01)


def test_the_other_end_goes(flows, pair):
    client, server = pair
    queue = FEventQueue()
    flows.add(server)
    client.write(b"x")
    client.dealloc()
    events = []
    while (server, FEventType.FlowDealloc) not in events:
        events += happened(flows, queue)
    assert events == [(server, FEventType.FlowPkt), (server, FEventType.FlowDealloc)]


def test_a_flow_goes_down_and_up(flows, pair):
    client, server = pair
    queue = FEventQueue()
    flows.add(server)
    client.set_flags(client.get_flags() | FlowProperties.Down)
    assert happened(flows, queue) == [(server, FEventType.FlowDown)]
    client.set_flags(client.get_flags() & ~FlowProperties.Down)
    assert happened(flows, queue) == [(server, FEventType.FlowUp)]


def test_a_silent_peer(flows, name, script):
    import signal

    other = script(f"f = flow_alloc({name!r}, QoSSpec(timeout=100)); say('ready'); hear()")
    with flow_accept() as server:
        flows.add(server)
        other.hear()
        other.process.send_signal(signal.SIGSTOP)
        assert happened(flows, FEventQueue()) == [(server, FEventType.FlowPeer)]
        other.process.send_signal(signal.SIGCONT)


def test_a_flow_is_in_one_set(flows, pair):
    client, server = pair
    flows.add(client)
    assert client in flows
    assert server not in flows
    assert len(flows) == 1
    for others in (flows, FlowSet()):
        with pytest.raises(MemoryError):
            others.add(client)
    flows.remove(client)
    with FlowSet([client, server]) as others:
        assert len(others) == 2
        others.zero()
        assert len(others) == 0
        flows.add(client)
    with pytest.raises(FlowSetError, match="not open"):
        flows.add(Flow())


def test_a_set_that_cannot_be_made_in_full_is_not_made(pair):
    client, server = pair
    with pytest.raises(MemoryError):
        FlowSet([client, server, Flow()])
    with FlowSet([client, server]):
        pass


def test_what_is_not_in_the_set_is_ignored(flows, pair):
    client, server = pair
    flows.add(client)
    flows.remove(server)
    flows.remove(Flow())
    client.dealloc()
    assert len(flows) == 0
    flows.remove(client)


def test_a_destroyed_set(pair):
    client, _ = pair
    flows = FlowSet([client])
    flows.destroy()
    flows.destroy()
    for call in (
        lambda: flows.add(client),
        lambda: flows.remove(client),
        flows.zero,
        flows.fileno,
        lambda: flows.wait(FEventQueue(), 0),
    ):
        with pytest.raises(FlowEventError, match="destroyed"):
            call()
    with FlowSet([client]):
        pass


def test_arguments_of_wrong_types(flows):
    for bad in (None, 5, "flow"):
        with pytest.raises((TypeError, AttributeError)):
            flows.add(bad)
        with pytest.raises((TypeError, AttributeError)):
            flows.wait(bad, 0)
    with pytest.raises(TypeError):
        flows.wait(FEventQueue(), "soon")


def test_events_of_flows_that_are_gone_are_skipped(flows, pairs):
    first, second = pairs(), pairs()
    queue = FEventQueue()
    flows.add(first[1])
    flows.add(second[1])
    first[0].write(b"x")
    second[0].write(b"x")
    events = []
    flows.wait(queue)
    first[1].dealloc()
    while not events:
        events = list(queue) or happened(flows, queue)
    assert events == [(second[1], FEventType.FlowPkt)]


def test_a_set_can_be_selected(flows, pair):
    client, server = pair
    queue = FEventQueue()
    flows.add(server)
    with selectors.DefaultSelector() as selector:
        selector.register(flows, selectors.EVENT_READ)
        for _ in range(3):
            client.write(b"x")
            assert selector.select()
            with pytest.raises(FlowEventTimeoutError):
                while True:
                    assert happened(flows, queue, 0) == [(server, FEventType.FlowPkt)]
            assert not selector.select(0)


def test_one_queue_serves_several_sets(pairs):
    first, second = pairs(), pairs()
    queue = FEventQueue()
    with FlowSet([first[1]]) as one, FlowSet([second[1]]) as two:
        first[0].write(b"x")
        second[0].write(b"x")
        assert happened(one, queue) == [(first[1], FEventType.FlowPkt)]
        assert happened(two, queue) == [(second[1], FEventType.FlowPkt)]
