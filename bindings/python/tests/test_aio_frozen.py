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
from ouroboros.aio import Listener

async def main():
    accepting = asyncio.create_task(Listener().accept())
    await asyncio.sleep(0.01)
    accepting.cancel()
    await asyncio.gather(accepting, return_exceptions=True)
    say(accepting.cancelled())
    for kind in (lib.REQUEST_ALLOC, lib.REQUEST_JOIN):
        request = Request(kind, b"x")
        await asyncio.sleep(0.01)
        say(request.finish())

asyncio.run(main())
""",
        OUROBOROS_RUNTIME_DIR=str(frozen),
    )
    assert program.hear() == "True"
    # Not what the library says of an irmd that is silent for too long.
    assert [program.hear() for _ in range(2)] == [str(-errno.ECANCELED)] * 2
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
import select
from ouroboros._acceptor import Acceptor
from ouroboros._dev import lib
from ouroboros.aio import Listener, open_flow

async def main():
    listener = Listener("x")
    # As if a task had been cancelled when the flow was there.
    acceptor = listener._acceptor = Acceptor()
    readable = lib.facceptor_pollfd(acceptor._acceptor)
    select.select([readable], [], [])  # irmd has greeted it
    assert acceptor.take() is None
    opening = asyncio.create_task(open_flow("x"))
    while not select.select([readable], [], [], 0)[0]:
        await asyncio.sleep(0)
    say("ready")
    hear()
    listener.close()
    await asyncio.gather(opening, return_exceptions=True)
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
