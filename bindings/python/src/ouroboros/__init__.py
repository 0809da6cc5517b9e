# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Ouroboros: communication between processes by flows to names, within a host and between hosts.

==================  ==================================================================
``ouroboros.dev``   flows: allocate, accept, read, write
``ouroboros.event`` sets of flows, and what happens to the flows in them
``ouroboros.qos``   what a flow shall be like
``ouroboros.aio``   flows in asyncio
``ouroboros.irm``   management: IPCPs, names, bindings
``ouroboros.cli``   the same as ``irm(8)`` has it, with names instead of process ids
==================  ==================================================================

A program that has been written for pyOuroboros 0.23 runs unchanged.
"""

__version__ = "0.23.0"
