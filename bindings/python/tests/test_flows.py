# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Flows: what is written at one end is read at the other."""

import pytest

from ouroboros.dev import *


def test_what_one_end_writes_the_other_reads(pair):
    client, server = pair
    assert client.write(b"hello") == 5
    assert server.read() == b"hello"
    assert server.writeline("häh") == 4
    assert client.readline() == "häh"
    assert server.writeline(b"bytes") == 5
    assert client.readline() == "bytes"


def test_packets_keep_their_bounds(pair):
    client, server = pair
    for size in (1, 63, 64, 2047, 65536, 1_000_000):
        client.write(bytes(size))
        client.write(b"end")
        assert len(server.read_packet()) == size
        assert server.read() == b"end"


def test_count_limits_what_is_written(pair):
    client, server = pair
    assert client.write(b"abcdef", 3) == 3
    assert client.writeline("häh", 2) == 3
    assert server.read() == b"abc"
    assert server.readline() == "hä"
    for count in (-1, 7):
        with pytest.raises(ValueError, match="count"):
            client.write(b"abcdef", count)
        with pytest.raises(ValueError, match="count"):
            client.writeline("abcdef", count)


def test_a_packet_that_does_not_fit_comes_in_parts(pair):
    client, server = pair
    client.write(b"0123456789")
    assert server.read(4) == b"0123"
    assert server.read(4) == b"4567"
    assert server.read(4) == b"89"
    client.write(b"0123")
    assert server.read(4) == b"0123"
    assert server.read(4) == b"", "the mark of the end"
    client.write(b"0123456789")
    assert server.read(4) == b"0123"
    assert server.read_packet() == b"456789", "the rest"


def test_the_default_count_is_2048(pair):
    client, server = pair
    client.write(bytes(3000))
    assert len(server.read()) == 2048
    assert len(server.read()) == 952


def test_without_parts_what_does_not_fit_is_lost(pair):
    client, server = pair
    server.set_flags(FlowProperties.ReadWrite | FlowProperties.NoPartialRead)
    client.write(b"0123456789")
    client.write(b"next")
    with pytest.raises(FlowException) as caught:
        server.read(4)
    assert "EMSGSIZE" in str(caught.value)
    assert server.read(4) == b"next"


def test_an_empty_packet_is_not_seen(pair):
    client, server = pair
    assert client.write(b"") == 0
    client.write(b"seen")
    assert server.read() == b"seen"


def test_alloc_accept_and_dealloc_are_methods_too(name):
    from conftest import in_thread

    client, server = Flow(), Flow()
    accepted = in_thread(lambda: server.accept(20.0))
    assert client.alloc(name, None, 20.0) is None
    assert accepted() == QoSSpec()
    with pytest.raises(FlowAllocatedException):
        client.alloc(name)
    with pytest.raises(FlowAllocatedException):
        client.accept(0)
    with pytest.raises(FlowAllocatedException):
        client.join(name)
    client.dealloc()
    server.dealloc()
    accepted = in_thread(lambda: server.accept(20.0))
    client.alloc(name)
    accepted()
    client.dealloc()
    server.dealloc()


def test_the_block_of_with_ends_the_flow(pairs):
    client, server = pairs()
    with client as inner:
        assert inner is client
        client.write(b"last words")
    assert client.descriptor == -1
    assert server.read() == b"last words"
    with pytest.raises(FlowDownException):
        server.read()
    with server:
        server.dealloc()


def test_both_ends_know_the_quality(pairs):
    asked = QoSSpec(delay=100, bandwidth=10**10, availability=3, loss=0, ber=1, in_order=1, max_gap=50, timeout=60000)
    client, server = pairs(asked)
    assert client.get_qos() == asked
    assert server.get_qos() == asked
    assert Flow.alloc.__doc__


def test_where_nothing_may_be_lost_all_is_in_order(pairs):
    client, server = pairs(QoSSpec(loss=0))
    assert client.get_qos() == server.get_qos() == QoSSpec(loss=0, in_order=1)


def test_alloc_returns_what_was_given(name):
    from conftest import in_thread

    accepted = in_thread(flow_accept)
    with Flow() as client:
        assert client.alloc(name, QOS_DATA) == QoSSpec(1000, 0, 0, 0, 1, 1, 2000), "ber becomes 1"
        accepted().dealloc()


def test_timeouts_of_read_and_write(pair):
    client, server = pair
    for getter in (client.get_rcv_timeout, client.get_snd_timeout):
        with pytest.raises(FlowPermissionException, match="no timeout is set"):
            getter()
    client.set_rcv_timeout(0.25)
    client.set_snd_timeout(0.5)
    assert (client.get_rcv_timeout(), client.get_snd_timeout()) == (0.25, 0.5)
    client.set_rcv_timeout(0)
    with pytest.raises(TimeoutError):
        client.read()
    with pytest.raises(FlowTimeoutError):
        client.read_packet()
    client.set_snd_timeout(0)
    with pytest.raises(FlowTimeoutError):
        while True:
            client.write(bytes(100_000))
    assert server.read(200_000) == bytes(100_000)
    client.set_rcv_timeout(None)
    with pytest.raises(FlowPermissionException):
        client.get_rcv_timeout()


def test_queue_lengths_count_packets(pair):
    client, server = pair
    for _ in range(3):
        client.write(b"x")
    assert server.get_rx_queue_len() == 3
    assert client.get_tx_queue_len() == 3
    server.read()
    assert server.get_rx_queue_len() == 2
    assert client.get_tx_queue_len() == 2
    assert client.get_rx_queue_len() == 0


def test_longest_message(pair):
    client, server = pair
    longest = client.get_max_message()
    assert longest == server.get_max_message() == 16_777_216
    client.write(bytes(longest))
    assert len(server.read(longest + 1)) == longest
    client.write(bytes(longest))
    assert len(server.read_packet()) == longest
    with pytest.raises(FlowException):
        client.write(bytes(longest + 1))


def test_flags(pair):
    client, server = pair
    assert client.get_flags() == FlowProperties.ReadWrite | FlowProperties.NoPartialWrite
    client.set_flags(FlowProperties.ReadWrite | FlowProperties.NonBlocking)
    assert client.get_flags() == FlowProperties.ReadWrite | FlowProperties.NonBlocking
    with pytest.raises(BlockingIOError):
        client.read()
    with pytest.raises(FlowWouldBlock):
        while True:
            client.write(bytes(100_000))
    client.set_flags(FlowProperties.ReadOnly)
    with pytest.raises(FlowPermissionException):
        client.write(b"x")
    client.set_flags(FlowProperties.Down)
    with pytest.raises(FlowDownException):
        client.read()
    for flags in (-1, 2**32):
        with pytest.raises(ValueError, match="flags"):
            client.set_flags(flags)
    assert server.get_flags()


def test_flags_of_flows_in_order(pairs):
    client, _ = pairs(QOS_DATA)
    assert client.get_frct_flags() == FRCT_RETRANSMIT | FRCT_RESCNTL | FRCT_LINGER
    client.set_frct_flags(FRCT_RESCNTL)
    assert client.get_frct_flags() == FRCT_RETRANSMIT | FRCT_RESCNTL
    raw, _ = pairs()
    with pytest.raises(FlowPermissionException, match="not in order"):
        raw.get_frct_flags()


def test_a_flow_is_a_row_of_packets(pair):
    client, server = pair
    for i in range(5):
        client.write(b"%d" % i)
    client.dealloc()
    assert list(server) == [b"0", b"1", b"2", b"3", b"4"]


def test_names_are_text_or_bytes(name):
    from conftest import in_thread

    accepted = in_thread(flow_accept)
    with flow_alloc(name.encode()) as client, accepted() as server:
        assert client.name == name
        assert server.name == client.name
        assert name in repr(client)


def test_names_need_not_be_utf_8():
    import os

    from conftest import in_thread

    from ouroboros import irm

    raw = b"n\xff\xfe"
    irm.bind_process(os.getpid(), raw)
    accepted = in_thread(flow_accept)
    with flow_alloc(raw), accepted():
        text = raw.decode("utf-8", "surrogateescape")
        assert text in [row.name for row in irm.list_names()]
        irm.destroy_name(text)


def test_another_process_is_at_the_other_end(name, script):
    other = script(f"f = flow_alloc({name!r}); f.writeline('hello'); say(f.readline())")
    with flow_accept() as server:
        assert server.readline() == "hello"
        server.writeline("bye")
        assert other.hear() == "bye"


def test_a_handler_of_a_signal_may_read_too(pair):
    import signal

    client, server = pair
    inner = []

    def handle(number, frame):
        inner.append(server.read_packet())
        client.write(b"outer")

    before = signal.signal(signal.SIGALRM, handle)
    try:
        for read in (server.read, server.read_packet):
            inner.clear()
            client.write(b"inner")
            signal.raise_signal(signal.SIGALRM)
            assert read() == b"outer"
            assert inner == [b"inner"]
    finally:
        signal.signal(signal.SIGALRM, before)


def test_the_whole_of_a_packet_after_the_mark_of_one_in_parts(pair):
    client, server = pair
    client.write(b"0123")
    assert server.read(4) == b"0123"
    client.write(b"next")
    assert server.read_packet() == b"next"
