# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Requests for flows that an event loop waits for."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING, Any

from ouroboros._dev import ffi, lib
from ouroboros._values import c_qos, sentence
from ouroboros._waiting import timespec
from ouroboros.errors import FlowMemoryError

if TYPE_CHECKING:
    from ouroboros.qos import QoSSpec


_REASON_BYTES = 1025


class Request:
    """A call of ``flow_alloc`` or ``flow_join``, which waits in a thread of the library.

    ``future`` is done when the call has returned. Every request is finished once by its owner. One that nobody finishes
    is taken back by garbage collection.
    """

    def __init__(self, kind: int, name: bytes, qos: QoSSpec | None = None, timeout: float | None = None) -> None:
        self.result = -errno.ECANCELED
        self.reason = ""
        self._handle: Any = None
        self._loop = asyncio.get_running_loop()
        handle = lib.request_start(
            kind,
            name,
            ffi.NULL if qos is None else c_qos(qos, ffi),
            timespec(timeout),
        )
        if handle == ffi.NULL:
            raise FlowMemoryError("no memory, thread or file descriptor to wait for a flow", errno.ENOMEM)
        self._handle = handle
        self.future: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(lib.request_fileno(handle), self._done)

    def _take(self) -> Any:
        """Take the handle, which is freed once: the collector may end this object before its owner finishes it."""
        handle, self._handle = self._handle, None
        return handle

    def __del__(self) -> None:
        handle = self._take()
        if handle is not None:
            lib.request_abandon(handle)

    def _done(self) -> None:
        if self._handle is not None:
            self._loop.remove_reader(lib.request_fileno(self._handle))
        if not self.future.done():
            self.future.set_result(None)

    def finish(self) -> int:
        """End the call, if it has not returned, and return its result: a descriptor or a negative number.

        ``result`` and ``reason`` say afterwards what came of it, and why. The result is -ECANCELED if the call has not
        returned. One that is ended may have its flow nevertheless: a result that is a descriptor has to be used or
        deallocated.
        """
        handle = self._take()
        if handle is None:
            return self.result
        self._loop.remove_reader(lib.request_fileno(handle))
        words = ffi.new("char[]", _REASON_BYTES)
        self.result = int(lib.request_finish(handle, words, _REASON_BYTES))
        self.reason = sentence(ffi.string(words))
        return self.result
