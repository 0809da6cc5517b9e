# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""An irmd of its own for each run, and flows whose two ends are in this process.

irmd and irm are those of PREFIX, or along PATH.
"""

from __future__ import annotations

import ctypes
import faulthandler
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

# Seconds after which a test that stands still is ended, with the stacks of all threads.
PATIENCE = float(os.environ.get("PATIENCE", "120"))

if "PREFIX" in os.environ:
    os.environ["PATH"] = f"{os.environ['PREFIX']}/bin:{os.environ['PREFIX']}/sbin:{os.environ['PATH']}"
# Set before a library is loaded: it attaches to irmd at once.
RUNTIME = Path(tempfile.mkdtemp(prefix="ouroboros-py."))
os.environ["OUROBOROS_RUNTIME_DIR"] = str(RUNTIME)
os.environ.pop("XDG_RUNTIME_DIR", None)

# However pytest ends, nothing of it stays: what ends it by TERM lets the fixtures end first, and for all else, the
# kernel ends what it started.
signal.signal(signal.SIGTERM, signal.default_int_handler)
ENDS_WITH_US = ["setpriv", "--pdeathsig", "KILL"]
IN_ORDER_WITH_US = ["setpriv", "--pdeathsig", "TERM"]
"""The beginning of a command. It has its process id for itself."""


def end_with(parent: int) -> None:
    """Let the kernel end this process, which is a fork of ``parent``, when that ends."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(98)


class Irmd:
    """A running irmd."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = directory / "irmd.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*IN_ORDER_WITH_US, "irmd", "--stdout", "--runtime-dir", str(directory)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        while subprocess.run(["irm", "status"], env=self.environment, capture_output=True).returncode != 0:
            assert self.process.poll() is None, self.log.read_text()

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "OUROBOROS_RUNTIME_DIR": str(self.directory)}

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="session", autouse=True)
def irmd() -> Iterator[Irmd]:
    daemon = Irmd(RUNTIME)
    yield daemon
    ended_early = daemon.process.poll() is not None
    daemon.stop()
    log = daemon.log.read_text()
    shutil.rmtree(RUNTIME, ignore_errors=True)
    assert not ended_early, log


@pytest.fixture(autouse=True)
def watchdog() -> Iterator[None]:
    faulthandler.dump_traceback_later(PATIENCE, exit=True, file=sys.__stderr__)
    yield
    faulthandler.cancel_dump_traceback_later()


_numbers = itertools.count()


@pytest.fixture
def name() -> Iterator[str]:
    """A name to which this process is bound."""
    from ouroboros import irm

    fresh = f"name-{next(_numbers)}"
    irm.bind_process(os.getpid(), fresh)
    yield fresh
    irm.destroy_name(fresh)


def in_thread(call: Callable[[], Any]) -> Callable[[], Any]:
    """Begin a call in a thread. Returns what waits for its result."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append((call(), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def result() -> Any:
        thread.join()
        value, error = outcome[0]
        if error is not None:
            raise error
        return value

    return result


@pytest.fixture
def pairs(name: str) -> Iterator[Callable[..., tuple[Any, Any]]]:
    """Makes flows: the end that allocated, and the end that accepted."""
    from ouroboros.dev import Flow, flow_accept, flow_alloc

    made: list[Flow] = []

    def make(*arguments: Any) -> tuple[Flow, Flow]:
        accepted = in_thread(flow_accept)
        client = flow_alloc(name, *arguments)
        made.extend([client, accepted()])
        return client, made[-1]

    yield make
    for flow in made:
        flow.__exit__(None, None, None)


@pytest.fixture
def pair(pairs: Callable[..., tuple[Any, Any]]) -> tuple[Any, Any]:
    return pairs()


class Script:
    """A Python program that is another process. ``say`` in it is a line here."""

    PREAMBLE = (
        "import os, sys, signal, threading, time\n"
        "from ouroboros.dev import *\n"
        "def say(*words): print(*words, flush=True)\n"
        "def hear(): return sys.stdin.readline().strip()\n"
    )

    def __init__(self, text: str, *options: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [*ENDS_WITH_US, sys.executable, *options, "-c", self.PREAMBLE + text],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def hear(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.end()
        return line.rstrip("\n")

    def say(self, line: str = "") -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def end(self) -> tuple[int, str, str]:
        """Wait for its end. Returns its status, and what it wrote."""
        output, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, output, errors


@pytest.fixture
def script() -> Iterator[Callable[..., Script]]:
    started: list[Script] = []

    def start(text: str, *options: str, **environment: str) -> Script:
        started.append(Script(text, *options, **environment))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate()
