# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A program owns its file descriptors, and may close those of the library."""

from textwrap import dedent


def test_flows_and_sets_after_everything_was_closed(script):
    program = script(
        dedent("""
        import os
        from ouroboros.dev import *
        from ouroboros.event import *
        from ouroboros.irm import bind_process
        import threading, tempfile

        def both(name):
            accepted = []
            thread = threading.Thread(target=lambda: accepted.append(flow_accept()))
            thread.start()
            client = flow_alloc(name)
            thread.join()
            return client, accepted[0]

        name = f"closing.{os.getpid()}"
        bind_process(os.getpid(), name)
        kept = []
        for turn in range(3):
            os.closerange(3, 1024)
            mine = [tempfile.TemporaryFile(buffering=0) for _ in range(50)]
            kept.append(mine)  # Their numbers are others' when they are collected.
            client, server = both(name)
            with FlowSet() as flows:
                flows.add(server)
                client.write(b"hello")
                queue = FEventQueue()
                flows.wait(queue)
                flow, kind = queue.next()
                assert kind == FEventType.FlowPkt
                assert server.read() == b"hello"
            assert all(os.fstat(file.fileno()).st_size == 0 for file in mine)
        say("done")
        os._exit(0)
        """)
    )
    assert program.hear() == "done"


def test_a_request_whose_descriptors_are_closed_touches_nothing_else(script):
    program = script(
        dedent("""
        import asyncio, os, tempfile
        from ouroboros.aio import Listener
        from ouroboros.irm import bind_process

        async def main():
            waiting[:] = [asyncio.ensure_future(Listener(f"request.{os.getpid()}").accept())]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            os.closerange(3, 1024)
            mine[:] = [tempfile.TemporaryFile(buffering=0) for _ in range(600)]

        loop, mine, waiting = asyncio.new_event_loop(), [], []
        try:
            loop.run_until_complete(main())
        except OSError:
            pass  # The loop's own descriptors are closed, too.
        assert len(mine) == 600
        assert all(os.fstat(file.fileno()).st_size == 0 for file in mine)
        say("done")
        """)
    )
    assert program.hear() == "done"
    # The interpreter ends with the request still under way.
    status, _, errors = program.end()
    assert status == 0, errors
