# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Threads, fork and multiprocessing."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest
from conftest import ENDS_WITH_US, PATIENCE, end_with, in_thread

from ouroboros.dev import *
from ouroboros.event import FEventQueue, FlowEventError, FlowSet


def in_child(call):
    """Return the status of a child that calls, and leaves by os._exit."""
    with warnings.catch_warnings():
        # Threads that have ended may still be counted, and make newer Pythons warn.
        warnings.simplefilter("ignore", DeprecationWarning)
        parent, pid = os.getpid(), os.fork()
    if pid == 0:
        status = 99
        try:
            end_with(parent)
            status = call() or 0
        finally:
            os._exit(status)
    return lambda: os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_thread_that_waits_stops_nobody(pair):
    client, server = pair
    read = in_thread(server.read)
    counted = sum(range(100_000))
    client.write(b"x")
    assert read() == b"x"
    assert counted


def test_many_threads_share_a_flow(pair):
    client, server = pair
    readers = [in_thread(lambda: [server.read() for _ in range(250)]) for _ in range(4)]
    writers = [
        in_thread(lambda first=i * 250: [client.write(b"%d" % (first + j)) for j in range(250)]) for i in range(4)
    ]
    for writer in writers:
        writer()
    assert sorted(int(packet) for reader in readers for packet in reader()) == list(range(1000))


def test_many_threads_read_whole_packets(pair):
    client, server = pair
    readers = [in_thread(lambda: list(server)) for _ in range(4)]
    for i in range(2000):
        client.write(b"%d" % i * (i % 7 * 4000 + 1))
    client.dealloc()
    packets = [packet for reader in readers for packet in reader()]
    assert sorted(packets) == sorted(b"%d" % i * (i % 7 * 4000 + 1) for i in range(2000))


def test_a_flow_that_another_thread_ends(pair):
    client, server = pair
    read = in_thread(server.read)
    written = in_thread(lambda: [client.write(bytes(100_000)) for _ in range(1000)])
    while server.get_rx_queue_len() < 1 and client.descriptor < 0:
        pass
    client.dealloc()
    server.dealloc()
    for call in (read, written):
        try:
            call()
        except FlowException as error:
            assert isinstance(error, (FlowDownException, FlowNotAllocatedException))


def test_a_queue_is_for_one_thread(pair):
    client, server = pair
    with FlowSet([server]) as flows:
        queue = FEventQueue()
        waits = in_thread(lambda: flows.wait(queue))
        while not flows._waiting:
            pass
        with pytest.raises(FlowEventError, match="EBUSY"):
            queue.next()
        with pytest.raises(FlowEventError, match="EBUSY"):
            list(queue)
        with pytest.raises(FlowEventError, match="EBUSY"):
            flows.destroy()
        client.write(b"x")
        waits()
        assert queue.next()[0] is server


def test_a_child_uses_what_it_inherited(pair):
    client, server = pair

    def child():
        client.write(b"from the child")
        return 0 if server.read() == b"from the child" else 1

    assert in_child(child)() == 0
    client.write(b"from the parent")
    assert server.read() == b"from the parent"


def test_what_a_child_deallocates_its_parent_keeps(pair):
    client, server = pair
    assert in_child(lambda: client.dealloc())() == 0
    client.write(b"x")
    assert server.read() == b"x"


def test_a_child_has_flows_of_its_own(name):
    accepted = in_thread(flow_accept)

    def child():
        with flow_alloc(name) as flow:
            return 0 if flow.write(b"child") == 5 and flow.read() == b"parent" else 1

    end = in_child(child)
    with accepted() as flow:
        assert flow.read() == b"child"
        flow.write(b"parent")
        assert end() == 0


def test_a_child_cannot_wait_for_the_set_of_its_parent(pair):
    client, server = pair
    with FlowSet([server]) as flows:
        queue = FEventQueue()

        def child():
            try:
                flows.wait(queue, 0)
            except FlowEventError:
                return 0
            return 1

        client.write(b"x")
        assert in_child(child)() == 0
        flows.wait(queue)
        assert queue.next()[0] is server


def test_a_child_that_ends_as_programs_do(name, script):
    other = script(
        f"""
import gc
flow = flow_alloc({name!r})
held = flow.reserve(10)
pid = os.fork()
if pid == 0:
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
held.commit(1)
say("parent")
hear()
flow.dealloc()
""",
        "-W",
        "error::ResourceWarning",
    )
    with flow_accept() as server:
        assert other.hear() == "parent", other.end()
        assert len(server.read()) == 1
        server.write(b"still there")
        other.say()
        assert other.end()[0] == 0


def served(flow):
    flow.write(flow.read().upper())


def test_multiprocessing_hands_flows_to_processes(pair):
    client, server = pair
    context = multiprocessing.get_context("fork")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        worker = context.Process(target=served, args=(server,))
        worker.start()
    client.write(b"hello")
    assert client.read() == b"HELLO"
    worker.join()
    assert worker.exitcode == 0


def test_other_methods_of_multiprocessing_say_that_they_cannot(pair):
    context = multiprocessing.get_context("spawn")
    with pytest.raises(TypeError, match="fork"):
        context.Process(target=served, args=(pair[1],)).start()


def test_threads_that_allocate_and_accept(name):
    def serve():
        with flow_accept() as flow:
            flow.write(flow.read())

    servers = [in_thread(serve) for _ in range(8)]
    answers = []

    def ask(number):
        with flow_alloc(name) as flow:
            flow.write(b"%d" % number)
            answers.append(int(flow.read()))

    for client in [in_thread(lambda number=i: ask(number)) for i in range(8)]:
        client()
    for server in servers:
        server()
    assert sorted(answers) == list(range(8))
    assert threading.active_count() >= 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["TERM", "KILL"])
def test_nothing_stays_when_pytest_is_ended(tmp_path, number):
    endless = tmp_path / "test_endless.py"
    endless.write_text(
        "import os, time\n"
        "from test_processes import in_child\n"
        "def test(irmd, script):\n"
        "    other = script('say(os.getpid())\\nwhile True: time.sleep(1)')\n"
        "    child, its_id = os.pipe()\n"
        "    wait = in_child(lambda: [os.write(its_id, str(os.getpid()).encode()), time.sleep(3600)])\n"
        "    print(irmd.process.pid, other.hear(), os.read(child, 9).decode(), flush=True)\n"
        "    wait()\n"
    )
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    one = subprocess.Popen(
        [*ENDS_WITH_US, sys.executable, "-m", "pytest", "-qs", "-p", "no:cacheprovider", endless],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent), "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    started = [int(word) for word in next(line for line in one.stdout if line.strip()).split()]
    assert len(started) == 3
    one.send_signal(number)
    one.communicate(timeout=PATIENCE)
    while any(is_alive(pid) for pid in started):
        time.sleep(0.01)


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
