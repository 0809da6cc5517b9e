# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Packets in the memory that the two ends of a flow share: made and read in place, and copied nowhere.

Both are context managers, and show a ``memoryview``. Nothing of that memory can be reached when it is no longer lent:
as long as a part of the view is in use somewhere, it cannot be given back, and ``BufferError`` says so.

The other end can see and change these bytes at any time. So copy what must be checked before it is used, and do not
read back what you have written.
"""

from ouroboros._places import HeldPacket, ReservedPacket

__all__ = ["HeldPacket", "ReservedPacket"]
