# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Event loops come and go, with all that belongs to them."""

import asyncio

from test_aio import fresh, turn
from test_processes import in_child

from ouroboros.aio import *
from ouroboros.aio import Flow as AsyncFlow

__all__ = ["fresh"]


def test_one_loop_after_the_other(pairs):
    client, server = pairs()

    async def read(flow):
        return await AsyncFlow(flow).read()

    for _ in range(3):
        client, server = pairs()
        client.write(b"x")
        assert asyncio.run(read(server)) == b"x"


def test_a_loop_that_ends_with_everything_open(fresh, script):
    careless = script(
        f"""
import asyncio
from ouroboros.aio import Listener, open_flow
async def main():
    listener = Listener({fresh!r})
    accepting = asyncio.create_task(listener.accept())
    await asyncio.sleep(0)
    flow = await open_flow({fresh!r})
    reading = asyncio.create_task(flow.read())
    opening = asyncio.create_task(open_flow({fresh!r}))
    await asyncio.sleep(0)
asyncio.run(main())
say("ended")
""",
        "-X",
        "dev",
    )
    assert careless.hear() == "ended"
    assert careless.end()[0] == 0


def test_ctrl_c_ends_a_loop(fresh, script):
    waiting = script(
        f"""
import asyncio
from ouroboros.aio import Listener
async def main():
    async with Listener({fresh!r}) as listener:
        say("ready")
        await listener.accept()
try:
    asyncio.run(main())
except KeyboardInterrupt:
    say("interrupted")
"""
    )
    assert waiting.hear() == "ready"
    waiting.interrupt()
    assert waiting.hear() == "interrupted", waiting.end()
    assert waiting.end()[0] == 0


def test_a_child_has_a_loop_of_its_own(name):
    async def parent():
        async with Listener() as listener:
            waiting = asyncio.create_task(listener.accept())
            await turn()
            end = in_child(lambda: asyncio.new_event_loop().run_until_complete(child()))
            async with await waiting as flow:
                assert await flow.read() == b"from the child"
                return await asyncio.get_running_loop().run_in_executor(None, end)

    async def child():
        async with await open_flow(name) as flow:
            await flow.write(b"from the child")
        return 0

    assert asyncio.run(parent()) == 0
