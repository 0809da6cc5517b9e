#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Echo what clients write: one server, which serves one client after the other, and a client.

echo.py --listen        with a name: irm bind program ./echo.py name echo
echo.py WORD...         what comes back from the server of the name echo
"""

from __future__ import annotations

import sys

from ouroboros.dev import FlowDownException, FlowException, flow_accept, flow_alloc


def serve() -> None:
    """Serve for ever. A client that vanishes in the middle is no reason to stop."""
    print("Serving.", flush=True)
    while True:
        with flow_accept() as flow:
            try:
                for packet in flow:
                    flow.write(packet)
            except FlowDownException as error:
                print(error, file=sys.stderr)


def ask(words: list[str]) -> None:
    """Print the answer to each word."""
    with flow_alloc("echo") as flow:
        for word in words:
            flow.writeline(word)
            print(flow.readline())


def main() -> int:
    """Run what the command line says."""
    try:
        if sys.argv[1:] == ["--listen"]:
            serve()
        else:
            ask(sys.argv[1:] or ["hello"])
    except FlowException as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
