#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A chat room with asyncio. What one member writes, all others read.

chat.py serve           the room; it binds itself to the name chat
chat.py join NAME       a member: lines of standard input, until its end
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

from ouroboros.aio import Flow, Listener, open_flow
from ouroboros.dev import FlowException


class Room:
    """Who is here."""

    def __init__(self) -> None:
        self.members: set[Flow] = set()

    async def serve(self) -> None:
        """Accept members for ever."""
        tasks: set[asyncio.Task[None]] = set()
        async with Listener("chat") as listener:
            print("Serving chat.", flush=True)
            async for flow in listener:
                # A task that nobody refers to may vanish.
                task = asyncio.create_task(self.listen(flow))
                tasks.add(task)
                task.add_done_callback(tasks.discard)

    async def listen(self, member: Flow) -> None:
        """Tell the others what a member says, until it goes."""
        self.members.add(member)
        print(f"Members: {len(self.members)}", flush=True)
        try:
            async with member:
                async for line in member:
                    others = self.members - {member}
                    # One that goes in this moment is noticed by its own task.
                    await asyncio.gather(*(other.write(line) for other in others), return_exceptions=True)
        except FlowException as error:
            print(error, file=sys.stderr)
        finally:
            self.members.discard(member)


async def lines() -> AsyncIterator[str]:
    """Go through standard input. Reading it waits, so another thread does it."""
    while line := await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        yield line.rstrip("\n")


async def join(name: str) -> None:
    """Talk and listen, until the input or the room ends."""
    async with await open_flow("chat") as flow:

        async def listen() -> None:
            async for line in flow:
                print(line.decode(), flush=True)

        async def talk() -> None:
            await flow.write(f"{name} is here".encode())
            async for line in lines():
                await flow.write(f"{name}: {line}".encode())
            await flow.write(f"{name} has left".encode())

        tasks = [asyncio.create_task(listen()), asyncio.create_task(talk())]
        done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        for task in done:
            task.result()


def main() -> int:
    """Run what the command line says."""
    arguments = sys.argv[1:]
    try:
        if arguments == ["serve"]:
            asyncio.run(Room().serve())
        elif len(arguments) == 2 and arguments[0] == "join":
            asyncio.run(join(arguments[1]))
        else:
            print(__doc__, file=sys.stderr)
            return 2
    except FlowException as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
