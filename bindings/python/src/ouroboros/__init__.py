# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Communication between processes by flows to names, within a host and between hosts.

ouroboros.dev: flows: allocate, accept, read and write them.
ouroboros.properties: flags, timeouts, quality and queue lengths of a flow.
ouroboros.statistics: round trip, losses and other numbers of a flow.
ouroboros.inplace: packets in the memory that both ends share.
ouroboros.event: sets of flows, and their events.
ouroboros.aio: flows in asyncio.
ouroboros.qos: quality of service.
ouroboros.irm: management: IPCPs, names, bindings.
ouroboros.configuration: the configuration of layers and names.
ouroboros.cli: management with the names of IPCPs, as in irm(8).
ouroboros.errors: exceptions.

Programs that were written for pyOuroboros 0.23 run unchanged.
"""

__version__ = "0.23.0"
