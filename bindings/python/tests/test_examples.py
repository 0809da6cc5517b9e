# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The programs in examples do what they say."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ENDS_WITH_US, PATIENCE

from ouroboros import irm

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def run(program, *arguments):
    """Run an example to its end. Returns its status, output and complaints."""
    done = subprocess.run(
        [*ENDS_WITH_US, sys.executable, EXAMPLES / program, *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def begin():
    """Start examples that go on until they are interrupted."""
    started = []

    def start(program, *arguments, **options):
        process = subprocess.Popen(
            [*ENDS_WITH_US, sys.executable, EXAMPLES / program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_every_example_is_tested():
    tested = Path(__file__).read_text()
    assert all(f'"{example.name}"' in tested for example in EXAMPLES.glob("*.py"))


@pytest.mark.parametrize(("server", "arguments"), [("echo.py", ["--listen"]), ("echo_set.py", [])])
def test_echo(begin, server, arguments):
    process = begin(server, *arguments)
    assert process.stdout.readline() == "Serving.\n", process.communicate()
    irm.bind_process(process.pid, "echo")
    try:
        for words in (["hello", "two words"], ["again"], ["ünïcödé"]):
            assert run("echo.py", *words) == (0, "".join(f"{word}\n" for word in words), "")
        assert process.poll() is None
        process.send_signal(2)
        assert process.wait(PATIENCE) == 130
    finally:
        irm.destroy_name("echo")


def test_echo_with_many_clients(begin):
    process = begin("echo_set.py")
    assert process.stdout.readline() == "Serving.\n"
    irm.bind_process(process.pid, "echo")
    try:
        clients = [begin("echo.py", f"client {i}") for i in range(5)]
        for i, client in enumerate(clients):
            assert client.communicate(timeout=PATIENCE) == (f"client {i}\n", "")
    finally:
        irm.destroy_name("echo")


def test_echo_without_a_server():
    status, output, complaints = run("echo.py")
    assert (status, output) == (1, "")
    assert "flow to 'echo'" in complaints


def test_chat(begin):
    room = begin("chat.py", "serve")
    assert room.stdout.readline() == "Serving chat.\n", room.communicate()
    ann = begin("chat.py", "join", "ann")
    assert room.stdout.readline() == "Members: 1\n"
    bob = begin("chat.py", "join", "bob")
    assert room.stdout.readline() == "Members: 2\n"
    assert ann.stdout.readline() == "bob is here\n"
    print("hello bob", file=ann.stdin, flush=True)
    assert bob.stdout.readline() == "ann: hello bob\n"
    print("hello ann", file=bob.stdin, flush=True)
    assert ann.stdout.readline() == "bob: hello ann\n"
    bob.stdin.close()
    assert ann.stdout.readline() == "bob has left\n"
    assert bob.wait(PATIENCE) == 0
    room.send_signal(2)
    assert room.wait(PATIENCE) == 130
    ann.stdin.close()
    assert ann.wait(PATIENCE) in (0, 1)
    bob.stdin = ann.stdin = None
    assert run("chat.py")[0] == 2


def test_local_layer():
    status, output, complaints = run("local_layer.py")
    assert status == 0, complaints
    assert output.startswith("local-ipcp is a LOCAL IPCP in local-layer.\ntutorial.ping has the policy SPILL.\n")
    assert "5 received" in output
    assert output.endswith("IPCPs left: 0.\n")


def test_throughput():
    status, output, complaints = run("throughput.py", "1000", "0.05")
    assert status == 0, complaints
    assert re.search(r"^one way: +[\d,]+ packets/s", output)
    assert re.search(r"^lost: +0$", output, re.MULTILINE)
    assert re.search(r"^round trip: +[\d,]+ /s", output, re.MULTILINE)
    assert not any(row.name.startswith("throughput") for row in irm.list_names())
    assert os.path.exists(EXAMPLES)
