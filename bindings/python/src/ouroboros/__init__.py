# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Communication between processes by flows to names, within a host and between hosts.

ouroboros.dev: flows: allocate, accept, read and write them.
ouroboros.properties: flags, timeouts, quality and queue lengths of a flow.
ouroboros.inplace: packets in the memory that both ends share.
ouroboros.event: sets of flows, and what happens to the flows in them.
ouroboros.aio: flows in asyncio.
ouroboros.qos: what a flow shall be like.
ouroboros.irm: management: IPCPs, names, bindings.
ouroboros.configuration: what layers and names are like.
ouroboros.cli: management with the names of IPCPs, as irm(8) has it.
ouroboros.errors: exceptions.

Programs that were written for pyOuroboros 0.23 run unchanged.
"""

__version__ = "0.23.0"
