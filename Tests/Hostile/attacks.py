#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a hostile neighbour tries on irmd, and what must go on for everybody else.

usage: attacks.py    with OUROBOROS_RUNTIME_DIR and IRMD (its pid). Root plays several users; anybody else only one.
"""

import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

from local_protocol import CALL, MANAGEMENT, SESSION, STATISTICS, WATCHDOG, Connection, Refused, hello, socket_path

IRMD = int(os.environ["IRMD"])
IS_ROOT = os.geteuid() == 0
ALICE, BOB, CAROL = 31001, 31002, 31003
EPERM, ENOENT = 1, 2


class Skipped(Exception):
    pass


def as_user(user, body, groups=()):
    """Runs body in a child of that user; its exception's text, or None."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            if IS_ROOT:
                os.setgroups(list(groups))
                os.setresgid(user, user, user)
                os.setresuid(user, user, user)
            body()
            status = 0
        except BaseException as error:  # noqa: BLE001
            os.write(writing, repr(error).encode()[:4096])
        finally:
            os._exit(status)
    os.close(writing)
    text = b""
    while part := os.read(reading, 4096):
        text += part
    os.close(reading)
    os.waitpid(child, 0)
    return text.decode() or None


def must(user, body, groups=()):
    trouble = as_user(user, body, groups)
    assert trouble is None, trouble


def answers():
    connection = Connection(MANAGEMENT)
    assert connection.status()
    connection.close()


def is_dropped(connection):
    return connection.receive() == b""


def refused(errno, ask, *arguments):
    try:
        ask(*arguments)
    except Refused as error:
        assert error.args[0] == errno, error
        return
    raise AssertionError(f"{ask.__name__}{arguments} was allowed")


# Identity.


def greeting_of_a_dead_process():
    """The process that connected has died; whoever has a copy of the connection greets in its name."""
    for role in (SESSION, CALL, MANAGEMENT):
        connection = Connection.__new__(Connection)
        connection.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.descriptors, connection.requests = [], 0
        child = os.fork()
        if child == 0:
            connection.socket.connect(socket_path())
            os._exit(0)
        os.waitpid(child, 0)
        try:
            connection.send(hello(role))
        except (BrokenPipeError, ConnectionError):
            continue  # Refused at accept.
        assert is_dropped(connection), f"role {role} was welcome"
    answers()


def number_that_came_again():
    """A connection held by a process that died; its number is another process's now."""
    if not IS_ROOT or not os.access("/proc/sys/kernel/ns_last_pid", os.W_OK):
        raise Skipped("only root can choose process numbers")
    held = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    os.set_inheritable(held.fileno(), True)
    first = os.fork()
    if first == 0:
        os.setresuid(ALICE, ALICE, ALICE)
        held.connect(socket_path())
        os._exit(0)
    os.waitpid(first, 0)
    victim = 0
    for _ in range(200):
        with open("/proc/sys/kernel/ns_last_pid", "w") as file:
            file.write(str(first - 1))
        victim = os.fork()
        if victim == 0:
            os.setresuid(BOB, BOB, BOB)
            mine = Connection(SESSION)
            while mine.receive():
                pass
            os._exit(0)
        if victim == first:
            break
        os.kill(victim, signal.SIGKILL)
        os.waitpid(victim, 0)
    try:
        if victim != first:
            raise Skipped("the number did not come again")
        wait_until(lambda: log_has(f"New instance ({victim})"))
        for role in (SESSION, CALL):
            try:
                held.send(hello(role))
            except (BrokenPipeError, ConnectionError):
                break
        held.settimeout(WATCHDOG)
        try:
            assert held.recv(100) == b"", "the held connection was welcome"
        except ConnectionResetError:
            pass
        assert not log_has(f"Process {victim} attached again"), "the victim lost its session"
        os.kill(victim, 0)
    finally:
        os.kill(victim, signal.SIGKILL)
        os.waitpid(victim, 0)


def connection_from_before():
    """A process connects with few rights, gets more, and serves; who has a copy of the first connection is not it."""
    if not IS_ROOT:
        raise Skipped("only root can change its rights")
    for is_greeted in (False, True):
        name = f"before-{is_greeted}"
        os.seteuid(ALICE)
        former = Connection()
        if is_greeted:
            former.greet(CALL)
        os.seteuid(0)
        session, management = Connection(SESSION), Connection(MANAGEMENT)
        management.bind_process(os.getpid(), name)

        def try_the_former():
            if is_greeted:
                assert is_dropped(former), "the former connection is still a call of the process"
                return
            for role in (CALL, SESSION):
                try:
                    former.send(hello(role))
                except (BrokenPipeError, ConnectionError):
                    return
                assert is_dropped(former), f"the former connection was welcome in role {role}"

        must(ALICE, try_the_former)
        # The session is still the process's, and so is the name.
        server, client = Connection(CALL), Connection(CALL)
        server.accept()
        client.allocate(name)
        assert server.receive()[:1] == b"\x02", "the server got no flow"
        for connection in (former, session, management, server, client):
            connection.close()


def log_has(text):
    with open(os.environ["IRMD_LOG"], errors="replace") as file:
        return text in file.read()


def wait_until(condition):
    limit = time.monotonic() + WATCHDOG
    while not condition():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.01)


def greetings_that_do_not_come():
    """Connections without a word are dropped; one that greets stays."""
    silent = [Connection() for _ in range(20)]
    greeted = Connection(CALL)
    for connection in silent:
        assert is_dropped(connection)
    assert not greeted.is_readable(0)
    answers()


# Descriptors.


def lingering_socket():
    """A TCP socket that lingers, with unsent data: its last close takes seconds."""
    server = socket.create_server(("127.0.0.1", 0))
    sender = socket.create_connection(server.getsockname())
    accepted, _ = server.accept()
    sender.setblocking(False)
    try:
        while True:
            sender.send(b"x" * 65536)
    except BlockingIOError:
        pass
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3600))
    return server, accepted, sender


def descriptors():
    """By every kind of message; irmd drops the connection or the kernel refuses, and nobody waits."""
    kept = []
    for role, greets in ((SESSION, True), (CALL, True), (MANAGEMENT, True), (CALL, False)):
        server, accepted, sender = lingering_socket()
        kept += [server, accepted]
        connection = Connection(role if greets else None)
        # The end of a session is the end of all connections of its process.
        kept.append(connection)
        try:
            connection.send(b"\x04\0\0\0\0" if greets else hello(role), [sender.fileno()] * 3)
            sender.close()
            assert is_dropped(connection)
        except PermissionError:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
        answers()


def more_descriptors_than_anybody_reads():
    """253 of them in one message, and connections that end with some unread."""
    read, write = os.pipe()
    for _ in range(20):
        connection = Connection()
        try:
            connection.send(hello(CALL), [read] * 253)
        except (PermissionError, OSError):
            pass
        connection.close()
    answers()
    wait_until(lambda: sum(1 for _ in os.scandir(f"/proc/{IRMD}/fd")) < 200)
    os.close(read)
    os.close(write)


# Shares.


def flood_of_connections():
    """One user opens as many as irmd takes; the others still get in."""
    if not IS_ROOT:
        raise Skipped("needs two users")
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    reading, writing = os.pipe()
    ready_reading, ready = os.pipe()
    child = os.fork()
    if child == 0:
        os.setresuid(ALICE, ALICE, ALICE)
        held = []
        try:
            while len(held) < 4000:
                held.append(Connection())
        except OSError:
            pass
        os.write(ready, b"x")
        os.read(reading, 1)
        os._exit(0)
    try:
        os.read(ready_reading, 1)
        must(BOB, lambda: Connection(CALL))
        answers()
    finally:
        os.write(writing, b"x")
        os.waitpid(child, 0)


def many_that_wait():
    """Their server dies. They are refused in slices: somebody else is answered in between."""
    count = 400
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    manager = Connection(MANAGEMENT)
    server = os.fork()
    if server == 0:
        mine = Connection(SESSION)
        while mine.receive():
            pass
        os._exit(0)
    wait_until(lambda: log_has(f"New instance ({server})"))
    manager.bind_process(server, "hostile.crowd")
    calls = []
    for _ in range(count):
        call = Connection(CALL)
        call.allocate("hostile.crowd")
        calls.append(call)
    manager.status()
    os.kill(server, signal.SIGKILL)
    os.waitpid(server, 0)
    for call in calls:
        refused(1003, call.answer)
        call.close()
    answers()
    manager.destroy_name("hostile.crowd")


# Rights.


def managers():
    """A member of the group changes nothing of root's, and an ordinary user nothing at all."""
    if not IS_ROOT or not os.environ.get("OUROBOROS_GROUP"):
        raise Skipped("needs root and the group ouroboros")
    group = int(os.environ["OUROBOROS_GROUP"])
    root = Connection(MANAGEMENT)
    root.bind_program("/bin/true", "hostile.root")

    def member():
        carol = Connection(MANAGEMENT)
        refused(EPERM, carol.destroy_name, "hostile.root")
        refused(EPERM, carol.bind_program, "/bin/cat", "hostile.root")
        refused(EPERM, carol.bind_process, os.getpid(), "hostile.root")
        carol.bind_program("/bin/cat", "hostile.carol")
        carol.destroy_name("hostile.carol")

    def stranger():
        bob = Connection(MANAGEMENT)
        refused(EPERM, bob.status)
        refused(EPERM, bob.bind_process, os.getpid(), "hostile.bob")

    must(CAROL, member, [group])
    must(BOB, stranger)
    root.destroy_name("hostile.root")


def foreign_writers():
    """A program that others can replace is not started as root."""
    if not IS_ROOT:
        raise Skipped("needs root")
    root = Connection(MANAGEMENT)
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        program = place + "/program"
        for owner, mode, directory_mode in ((0, 0o777, 0o755), (ALICE, 0o755, 0o755), (0, 0o755, 0o777)):
            with open(program, "w") as file:
                file.write("#!/bin/sh\n")
            os.chown(program, owner, owner)
            os.chmod(program, mode)
            os.chmod(place, directory_mode)
            refused(EPERM, root.bind_program, program, "hostile.start", True)
            # Without a start nobody runs it for root.
            root.bind_program(program, "hostile.start")
            root.destroy_name("hostile.start")
        os.chmod(place, 0o755)
        root.bind_program(program, "hostile.start", True)
        root.destroy_name("hostile.start")


# Namespaces.


def process_of_another_namespace():
    """A process binds itself by the number that it has in its own PID namespace."""
    script = f"""
import os, sys
sys.path.insert(0, {os.path.dirname(os.path.abspath(__file__))!r})
from local_protocol import *
session, manager = Connection(SESSION), Connection(MANAGEMENT)
manager.bind_process(os.getpid(), "hostile.contained")
call = Connection(CALL)
call.accept()
print(os.getpid(), flush=True)
sys.stdin.read()
"""
    options = ["--pid", "--fork"] if IS_ROOT else ["--user", "--map-root-user", "--pid", "--fork"]
    contained = subprocess.Popen(
        ["unshare", *options, sys.executable, "-c", script],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    try:
        line = contained.stdout.readline()
        if not line:
            trouble = contained.communicate()[1]
            if "unshare" in trouble:
                raise Skipped("no PID namespaces here")
            raise AssertionError(trouble)
        assert int(line) < 10, line
        client = Connection(CALL)
        client.allocate("hostile.contained", 2000)
        try:
            client.answer()
        except Refused as error:
            # It has the flow and does not take it: served, that is.
            assert error.args[0] == 110, error
    finally:
        contained.stdin.close()
        contained.wait(WATCHDOG)
        Connection(MANAGEMENT).destroy_name("hostile.contained")


# Questions about flows.


def flow_to_itself(name):
    """A session that can be asked, and a flow of which this process has both ends. The third are its calls, to be kept."""
    session = Connection(SESSION, features=STATISTICS)
    Connection(MANAGEMENT).bind_process(os.getpid(), name)
    server, client = Connection(CALL), Connection(CALL)
    server.accept()
    client.allocate(name)
    flow = server.take()
    assert client.take() == flow
    return session, flow, (server, client)


def shown(manager):
    """What came of both ends: the last byte of each report that has no numbers."""
    answer = manager.answer()
    assert answer[0] == 5 and answer[9] == 9, answer
    return answer


def process_that_does_not_answer():
    """irmd waits a second and serves others meanwhile; a late answer is no mistake, and a second one is."""
    session, flow, _calls = flow_to_itself("hostile.silent")
    manager = Connection(MANAGEMENT)
    start = time.monotonic()
    manager.begin_show(flow)
    answers()
    assert shown(manager)[-2:] == b"\1\1", "both ends are silent"
    assert time.monotonic() - start >= 1, "irmd has waited for less than a second"
    late = [session.question() for _ in range(2)]
    assert [(one[1], one[2]) for one in late] == [(flow, 0), (flow, 1)], late
    for number, _, _ in late:
        session.describe(number, [1] * 35)
    # The next questions are answered in time.
    manager.begin_show(flow)
    for _ in range(2):
        session.describe(session.question()[0], [1, 0, 77])
    assert shown(manager).count(struct.pack("<Q", 77)) == 2, "the answers are not shown"
    session.describe(late[0][0], [])
    assert is_dropped(session), "it has answered twice"
    answers()


def process_that_answers_nonsense():
    """Bytes that are no answer end the session; a longer answer than irmd knows is none of them."""
    kinds = (b"\1\xff\xff", b"\2\0\0", b"", b"\1\1\0" + b"\0" * 7, b"\0\0", b"\1" + b"\xff" * 15000)
    for index, nonsense in enumerate(kinds):
        session, flow, _calls = flow_to_itself(f"hostile.nonsense.{index}")
        manager = Connection(MANAGEMENT)
        manager.begin_show(flow)
        number, _, _ = session.question()
        session.send(b"\x08" + struct.pack("<Q", number) + nonsense)
        while True:  # the second question may stand before the end
            message = session.receive()
            if message[:1] != b"\x07":
                break
        assert message == b"", nonsense
        # Its flows went with the session.
        try:
            shown(manager)
        except Refused as error:
            assert error.args[0] == 2, error
    session, flow, _calls = flow_to_itself("hostile.talkative")
    manager.begin_show(flow)
    for _ in range(2):
        session.describe(session.question()[0], [2**64 - 1] * 2000)
    assert len(shown(manager)) < 1500, "more is passed on than irmd knows"
    irm = os.path.join(os.path.dirname(os.path.dirname(os.readlink(f"/proc/{os.environ['IRMD']}/exe"))), "bin/irm")
    if os.path.exists(irm):
        child = subprocess.Popen([irm, "flow", "show", str(flow)], stdout=subprocess.PIPE, text=True)
        for _ in range(2):
            session.describe(session.question()[0], [2**64 - 1] * 35)
        output = child.communicate(timeout=WATCHDOG)[0]
        assert child.returncode == 0 and "unknown (18446744073709551615)" in output, output
    answers()


def answer_for_another():
    """A process answers what another one was asked: it loses its session, and the other one's answer counts."""
    session, flow, _calls = flow_to_itself("hostile.victim")
    manager = Connection(MANAGEMENT)
    manager.begin_show(flow)
    numbers = [session.question()[0] for _ in range(2)]

    def forge():
        attacker = Connection(SESSION, features=STATISTICS)
        attacker.describe(numbers[0], [1, 0, 66])
        assert is_dropped(attacker), "a foreign answer was taken"

    child = os.fork()
    if child == 0:
        forge()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, "the attacker was not stopped"
    for number in numbers:
        session.describe(number, [1, 0, 77])
    answer = shown(manager)
    assert answer.count(struct.pack("<Q", 77)) == 2 and struct.pack("<Q", 66) not in answer
    # Nor does anybody answer what was never asked.
    session.describe(numbers[1] + 1000, [1])
    assert is_dropped(session)
    answers()


def questions_without_end():
    """A process that does not read is asked no more than 64 things, and keeps its flow."""
    session, flow, _calls = flow_to_itself("hostile.deaf")
    manager = Connection(MANAGEMENT)
    for _ in range(200):
        manager.begin_show(flow)
    for _ in range(200):
        assert shown(manager)[-2:] == b"\1\1"
    asked = 0
    while session.is_readable(0):
        session.question()
        asked += 1
    assert asked == 64, asked
    answers()


ATTACKS = [
    greeting_of_a_dead_process,
    number_that_came_again,
    connection_from_before,
    descriptors,
    more_descriptors_than_anybody_reads,
    flood_of_connections,
    many_that_wait,
    managers,
    foreign_writers,
    process_of_another_namespace,
    process_that_does_not_answer,
    process_that_answers_nonsense,
    answer_for_another,
    questions_without_end,
    greetings_that_do_not_come,
]


def main():
    failed = 0
    for attack in ATTACKS:
        # Each in a process of its own, which what it raised or left ends with.
        child = os.fork()
        if child == 0:
            status = 0
            try:
                attack()
            except Skipped as reason:
                print(f"skipped: {attack.__name__}: {reason}", flush=True)
            except BaseException as error:  # noqa: BLE001
                print(f"FAILED: {attack.__name__}: {type(error).__name__}: {error}", flush=True)
                traceback.print_exc(file=sys.stdout)
                status = 1
            os._exit(status)
        failed += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
    print(f"{len(ATTACKS) - failed} passed, {failed} failed")
    return failed != 0


sys.exit(main())
