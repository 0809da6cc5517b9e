# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Packets without copies: buffers of the program, and memory that both ends share."""

import array
import gc
import mmap

import pytest
from conftest import in_thread

from ouroboros.dev import *
from ouroboros.inplace import HeldPacket, ReservedPacket


@pytest.mark.parametrize(
    "buffer",
    [b"abcd", bytearray(b"abcd"), memoryview(b"abcd"), memoryview(b"xxabcdxx")[2:6], array.array("H", b"abcd")],
    ids=["bytes", "bytearray", "memoryview", "slice", "array"],
)
def test_any_buffer_can_be_written(pair, buffer):
    client, server = pair
    assert client.write(buffer) == 4
    assert server.read() == b"abcd"


def test_what_is_no_buffer_cannot_be_written(pair):
    client, _ = pair
    for wrong in ("text", 5, None, object(), [b"x"]):
        with pytest.raises(TypeError):
            client.write(wrong)
    with pytest.raises((BufferError, ValueError)):
        client.write(memoryview(b"abcdef")[::2])


def test_a_written_buffer_is_free_again(pair):
    client, _ = pair
    buffer = bytearray(b"abcd")
    client.write(buffer)
    buffer.extend(b"more")
    with mmap.mmap(-1, 4096) as mapped:
        client.write(mapped)


def test_reading_into_a_buffer(pair):
    client, server = pair
    buffer = bytearray(b"........")
    client.write(b"abcd")
    assert server.read_into(buffer) == 4
    assert buffer == b"abcd...."
    client.write(b"xy")
    assert server.read_into(memoryview(buffer)[6:]) == 2
    assert buffer == b"abcd..xy"
    for wrong in (b"readonly", memoryview(b"readonly")):
        with pytest.raises((TypeError, BufferError, ValueError)):
            server.read_into(wrong)


def test_a_packet_is_shown_in_place(pair):
    client, server = pair
    client.write(b"0123456789")
    client.write(b"next")
    with server.peek() as packet:
        assert packet.readonly
        assert packet[2:5] == b"234"
        with pytest.raises(TypeError):
            packet[0] = 1
        with pytest.raises(FlowException, match="EBUSY"):
            server.peek()
    assert server.read() == b"next", "the block has read it"
    with pytest.raises(ValueError, match="released"):
        packet[0]


def test_a_part_of_a_view_keeps_the_packet(pair):
    client, server = pair
    client.write(b"0123456789")
    held = server.peek()
    part = held.view[5:]
    with pytest.raises(BufferError):
        held.release()
    assert held.view[:2] == b"01", "everything is as before"
    assert part == b"56789"
    part.release()
    held.release()
    held.release()
    with pytest.raises(ValueError, match="released"):
        _ = held.view


def test_garbage_collection_releases_a_packet(pair):
    client, server = pair
    client.write(b"first")
    client.write(b"second")
    part = server.peek().view[1:]
    gc.collect()
    with pytest.raises(FlowException, match="EBUSY"):
        server.read()
    assert part == b"irst"
    del part
    assert server.read() == b"second"


def test_a_packet_outlives_its_flow(pairs):
    client, server = pairs()
    client.write(b"0123456789")
    with server.peek() as packet:
        server.dealloc()
        client.dealloc()
        others = pairs()
        assert packet == b"0123456789"
    others[0].write(b"x")
    assert others[1].read() == b"x"


def test_a_packet_is_made_in_place(pair):
    client, server = pair
    with client.reserve(100) as packet:
        packet.view[:5] = b"hello"
        assert packet.commit(5) == 5
    assert server.read() == b"hello"
    with client.reserve(4) as packet:
        packet.view[:] = b"full"
    assert server.read() == b"full", "the block commits all"
    with pytest.raises(ValueError, match="committed"):
        packet.commit()
    with pytest.raises(ValueError, match="committed"):
        _ = packet.view


def test_a_block_that_raises_sends_nothing(pair):
    client, server = pair
    with pytest.raises(ZeroDivisionError), client.reserve(4):
        _ = 1 // 0
    client.write(b"next")
    assert server.read() == b"next"


def test_room_is_committed_once_and_not_too_much(pair):
    client, server = pair
    packet = client.reserve(4)
    for count in (-1, 5):
        with pytest.raises(ValueError, match="reserved"):
            packet.commit(count)
    with pytest.raises(FlowException, match="EBUSY"):
        client.write(b"x")
    part = packet.view[1:]
    with pytest.raises(BufferError):
        packet.commit()
    part.release()
    packet.view[:] = b"good"
    assert packet.commit() == 4
    assert server.read() == b"good"


def test_garbage_collection_gives_room_back(pair):
    client, server = pair
    part = client.reserve(10).view[2:]
    with pytest.raises(FlowException, match="EBUSY"):
        client.write(b"x")
    part[0] = 7
    del part
    client.write(b"next")
    assert server.read() == b"next"


def test_room_of_a_flow_that_ended_is_of_no_use(pair):
    client, server = pair
    packet = client.reserve(10)
    server.dealloc()
    packet.view[:3] = b"abc"
    with pytest.raises(FlowDownException):
        packet.commit(3)
    room = pair
    assert room[0].descriptor >= 0


def test_room_outlives_its_flow(pairs):
    client, _ = pairs()
    packet = client.reserve(10)
    client.dealloc()
    pairs()
    packet.view[:] = bytes(10)
    with pytest.raises(FlowDownException):
        packet.commit()


def test_impossible_room(pair):
    client, _ = pair
    with pytest.raises(ValueError, match="count"):
        client.reserve(-1)
    with pytest.raises(FlowException, match="EMSGSIZE"):
        client.reserve(2**80)
    with pytest.raises(TypeError):
        client.reserve("5")


def test_packets_in_place_are_made_by_flows(pair):
    client, _ = pair
    for kind in (HeldPacket, ReservedPacket):
        for make in (kind, lambda kind=kind: kind.__new__(kind)):
            with pytest.raises(TypeError, match=r"Flow\.peek and Flow\.reserve"):
                make()
        with pytest.raises(TypeError, match="base type"):
            type("Own", (kind,), {})
    with client.reserve(4) as packet, pytest.raises(TypeError, match="made by"):
        type(packet.view.obj)()


def test_another_view_of_the_whole_keeps_the_packet(pair):
    client, server = pair
    client.write(b"0123456789")
    held = server.peek()
    another = memoryview(held.view.obj)
    with pytest.raises(BufferError, match="in use"):
        held.release()
    with memoryview(held.view), pytest.raises(BufferError):
        held.release()
    assert another == held.view == b"0123456789"
    another.release()
    held.release()
    client.write(b"next")
    assert server.read() == b"next"


def test_what_shows_a_packet_cannot_be_used_afterwards(pair):
    client, server = pair
    client.write(b"0123456789")
    with server.peek() as packet:
        lender = packet.obj
        with pytest.raises((BufferError, TypeError, ValueError)):
            client.read_into(lender)
    with pytest.raises(BufferError, match="not lent"):
        memoryview(lender)
    with client.reserve(4) as room:
        lender = room.view.obj
        memoryview(lender)[:] = b"room"
    with pytest.raises(BufferError, match="not lent"):
        memoryview(lender)
    assert server.read() == b"room"


def test_the_views_of_a_packet_are_as_those_of_bytes(pair):
    client, server = pair
    client.write(b"0123456789")
    with server.peek() as packet, memoryview(b"0123456789") as other:
        for what in ("format", "itemsize", "ndim", "shape", "strides", "suboffsets", "nbytes", "readonly"):
            assert getattr(packet, what) == getattr(other, what)
    with client.reserve(10) as room, memoryview(bytearray(10)) as other:
        assert room.view is room.view
        assert (room.view.shape, room.view.readonly) == (other.shape, other.readonly)


def test_what_the_program_ends_itself_is_given_back(pair):
    client, server = pair
    client.write(b"first")
    client.write(b"second")
    held = server.peek()
    held.view.release()
    with pytest.raises(ValueError, match="released"):
        _ = held.view
    held.release()
    assert server.read() == b"second"
    room = client.reserve(4)
    room.view.release()
    with pytest.raises(ValueError, match="committed"):
        room.commit()
    client.write(b"next")
    assert server.read() == b"next"


def test_counts_are_whole_numbers(pair):
    client, server = pair

    class Number:
        def __init__(self, value, first=lambda: None):
            self.value, self.first = value, first

        def __index__(self):
            self.first()
            return self.value

    packet = client.reserve(Number(4))
    for wrong in ("2", 2.0, b"2"):
        with pytest.raises(TypeError):
            packet.commit(wrong)
    for wrong in (2**80, -(2**80), Number(5)):
        with pytest.raises(ValueError, match="and 4 bytes are reserved"):
            packet.commit(wrong)
    with pytest.raises(ValueError, match="committed"):
        packet.commit(Number(2, packet.commit))
    assert server.read() == bytes(4)
    assert client.reserve(4).commit(count=Number(3)) == 3
    assert server.read() == bytes(3)
    with pytest.raises(ValueError, match=f"count is {-(2**80)}"):
        client.reserve(-(2**80))


def test_packets_in_cycles_are_given_back(name):
    accepted = in_thread(flow_accept)
    client = flow_alloc(name)
    with accepted() as server:
        server.write(b"hello")
        client.held, client.room = client.peek(), client.reserve(10)
        view = client.held.view
        with pytest.warns(ResourceWarning, match="unclosed"):
            del client
            gc.collect()
        assert view == b"hello", "a view keeps the memory, and not the flow"
        with pytest.raises(FlowDownException):
            server.read()
