#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Management: build the local layer of ouroboros-tutorial(7), ping through it, and take it down again.

local_layer.py          needs a running irmd, and oping along PATH
"""

from __future__ import annotations

import subprocess
import sys

from ouroboros.cli import (
    IpcpType,
    IrmError,
    autoboot,
    bind_process,
    destroy_ipcp,
    destroy_name,
    list_ipcps,
    list_names,
    reg_name,
    unreg_name,
)


def main() -> int:
    """Build, use and remove the layer."""
    try:
        autoboot("local-ipcp", IpcpType.LOCAL, "local-layer")
    except IrmError as error:
        print(error, file=sys.stderr)
        return 1
    for ipcp in list_ipcps(layer="local-layer"):
        print(f"{ipcp.name} is a {ipcp.type.name} IPCP in {ipcp.layer}.")

    with subprocess.Popen(["oping", "--listen"], stdout=subprocess.DEVNULL) as server:
        bind_process(server.pid, "tutorial.ping")
        reg_name("tutorial.ping", layer="local-layer")
        for name in list_names("tutorial.ping"):
            print(f"{name.name} has the policy {name.pol_lb.name}.")

        status = subprocess.run(["oping", "-n", "tutorial.ping", "-c", "5", "-i", "10ms"]).returncode

        unreg_name("tutorial.ping", layer="local-layer")
        destroy_name("tutorial.ping")
        server.terminate()
    destroy_ipcp("local-ipcp")
    print(f"IPCPs left: {len(list_ipcps(name='local-ipcp'))}.")
    return status


if __name__ == "__main__":
    sys.exit(main())
