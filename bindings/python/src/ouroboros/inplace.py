# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Packets in the memory that the two ends of a flow share: made and read in place, and copied nowhere.

Both are context managers, and show a ``memoryview``. Nothing of that memory can be reached when it is no longer lent:
as long as a part of the view is in use somewhere, it cannot be given back, and ``BufferError`` says so.

The other end can see and change these bytes at any time. So copy what must be checked before it is used, and do not
read back what you have written.
"""

from __future__ import annotations

import weakref
from functools import partial
from operator import index
from typing import TYPE_CHECKING, Any, Callable

from ouroboros._dev import ffi, lib
from ouroboros.errors import EFLOWDOWN

if TYPE_CHECKING:
    from types import TracebackType

    from ouroboros.dev import Flow

__all__ = ["HeldPacket", "ReservedPacket"]


class _Loan:
    """Memory that is lent to the program until no view of it is left.

    All views refer to one exporter, each for itself; it dies with the last of them, and C takes the memory back. No
    Python runs for that, so a handler of a signal that raises cannot prevent it.
    """

    def __init__(self, flow: Flow, loan: Any, size: int, settle: Callable[..., None], is_readonly: bool) -> None:
        self._flow = flow
        self._loan = loan
        self._is_readonly = is_readonly
        self._show(ffi.buffer(ffi.gc(loan.address, partial(settle, loan)), size))

    def __reduce__(self) -> Any:
        raise TypeError("memory that is lent cannot be copied or pickled; its bytes can")

    def _show(self, exporter: Any) -> None:
        self._exporter = weakref.ref(exporter)
        view = memoryview(exporter)
        self._view = view.toreadonly() if self._is_readonly else view

    def _end(self) -> None:
        """End the view, and with it the loan. Raises BufferError, and it goes on, if parts of the view are in use."""
        self._view.release()
        exporter = self._exporter()
        if exporter is not None:
            self._show(exporter)
            del exporter  # A traceback would keep it alive.
            raise BufferError("a part of this view is still in use; release it first")


class HeldPacket(_Loan):
    """A packet that is shown where the other end wrote it, until it is released. Made by ``Flow.peek``.

    ::

        with flow.peek() as packet:      # a memoryview that cannot be written
            total += sum(packet)

    Until then nothing else can be read from the flow, and the writer does not get the room back. The end of the block
    releases the packet, and so does garbage collection.
    """

    def __init__(self, flow: Flow, loan: Any, size: int) -> None:
        super().__init__(flow, loan, size, lib.loan_release, True)

    @property
    def view(self) -> memoryview:
        """The packet. ``ValueError`` after it was released."""
        if not self._loan.address:
            raise ValueError("the packet was released")
        return self._view

    def release(self) -> None:
        """Let go of the packet, whereby it is read. A second call has no effect.

        Raises ``BufferError`` if a part of the view is still in use; the packet is still held then.
        """
        if self._loan.address:
            self._end()

    def __enter__(self) -> memoryview:
        return self.view

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.release()


class ReservedPacket(_Loan):
    """Room for a packet where the other end will read it. Made by ``Flow.reserve``.

    ::

        with flow.reserve(65536) as packet:
            packet.commit(file.readinto(packet.view))

    Until it is committed nothing else can be written to the flow. The end of the block commits all of it if nothing was
    committed, and nothing if the block raised; garbage collection gives the room back, and nothing is sent.
    """

    def __init__(self, flow: Flow, loan: Any, size: int) -> None:
        super().__init__(flow, loan, size, lib.loan_commit, False)
        self._size = size

    @property
    def view(self) -> memoryview:
        """The room. ``ValueError`` after it was committed."""
        if not self._loan.address:
            raise ValueError("the packet was committed")
        return self._view

    def commit(self, count: int | None = None) -> int:
        """Send the first ``count`` bytes as one packet; None is all, and 0 sends nothing and gives the room back.

        Returns ``count``. Raises ``ValueError`` if there are not so many, or if it was committed already,
        ``BufferError`` if a part of the view is still in use (the room is still reserved then), and as ``Flow.write``
        if the flow went down.
        """
        if not self._loan.address:
            raise ValueError("the packet was committed")
        size = self._size if count is None else index(count)
        if not 0 <= size <= self._size:
            raise ValueError(f"count is {size}, and {self._size} bytes are reserved")
        self._loan.count = size
        try:
            self._end()
        except BufferError:
            self._loan.count = 0
            raise
        result = int(self._loan.result)
        if result < 0:
            raise self._flow._error(-EFLOWDOWN if self._flow.descriptor < 0 else result, "write to")
        return result

    def __enter__(self) -> ReservedPacket:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._loan.address:
            self.commit(None if exc_type is None else 0)
