# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Packets in the memory that the two ends of a flow share. They are written and read in place, without a copy.

Both classes are context managers, and show a ``memoryview``. A view cannot outlive its loan: as long as a part of the
view is in use somewhere, the packet cannot be given back, and ``BufferError`` says so.

The other end can see and change these bytes at any time. So copy a packet before you check it, and do not read back
what you have written.
"""

from ouroboros._places import HeldPacket, ReservedPacket

__all__ = ["HeldPacket", "ReservedPacket"]
