# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""An irmd that does not answer holds up no loop."""

import asyncio
import errno
import os
import signal
import threading

import pytest
from conftest import Irmd
from test_aio import asynchronous, fresh

from ouroboros import irm
from ouroboros.aio import *

__all__ = ["fresh"]


@pytest.fixture
def frozen(tmp_path):
    """The runtime directory of an irmd that is stopped."""
    daemon = Irmd(tmp_path)
    os.kill(daemon.process.pid, signal.SIGSTOP)
    yield tmp_path
    os.kill(daemon.process.pid, signal.SIGCONT)
    daemon.stop()


def test_a_first_request_is_cancelled_in_its_call(frozen, script):
    program = script(
        """
import asyncio
from ouroboros._dev import lib
from ouroboros._requests import Request

async def main():
    for kind, name in ((lib.REQUEST_ACCEPT, None), (lib.REQUEST_ALLOC, b"x"), (lib.REQUEST_JOIN, b"x")):
        request = Request(kind, name)
        await asyncio.sleep(0.01)
        say(request.finish())

asyncio.run(main())
""",
        OUROBOROS_RUNTIME_DIR=str(frozen),
    )
    # Not what the library says of an irmd that is silent for too long.
    assert [program.hear() for _ in range(3)] == [str(-errno.ECANCELED)] * 3
    assert program.end()[0] == 0


@asynchronous
async def test_a_listener_ends_without_irmd(fresh, monkeypatch):
    unbind, answered = irm.unbind_process, threading.Event()
    has_unbound = threading.Event()

    def unbind_late(*arguments):
        answered.wait()
        unbind(*arguments)
        has_unbound.set()

    monkeypatch.setattr(irm, "unbind_process", unbind_late)
    listener = Listener(fresh)
    listener.close()
    assert not has_unbound.is_set()
    answered.set()
    # It learns all the same.
    await asyncio.get_running_loop().run_in_executor(None, has_unbound.wait)


def test_a_listener_ends_when_irmd_has_gone_with_a_flow_that_nobody_took(tmp_path, script):
    daemon = Irmd(tmp_path)
    program = script(
        """
import asyncio
from ouroboros.aio import Listener, open_flow

async def main():
    listener = Listener("x")
    accepting = asyncio.create_task(listener.accept())
    client = await open_flow("x")
    # As if the task had been cancelled when the flow was there.
    listener._left.append((await accepting).flow)
    say("ready")
    hear()
    listener.close()
    client.close()
    say("closed")

asyncio.run(main())
""",
        OUROBOROS_RUNTIME_DIR=str(tmp_path),
    )
    assert program.hear() == "ready"
    daemon.process.kill()
    daemon.process.wait()
    program.say()
    assert program.hear() == "closed"
    assert program.end()[0] == 0
