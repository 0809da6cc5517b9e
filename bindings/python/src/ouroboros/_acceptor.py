# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Flows that come to this process, which an event loop waits for."""

from __future__ import annotations

import asyncio
import errno

from ouroboros import errors
from ouroboros._dev import ffi, lib
from ouroboros._values import sentence


class Acceptor:
    """An acceptor of the library, whose file descriptor an event loop polls while a task waits.

    While no task does, it accepts nothing: a flow that has come goes to others who accept, or waits in irmd. The loop
    keeps it while a task waits, as what it calls.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        made = lib.facceptor_create()
        self._acceptor = ffi.gc(made, lib.facceptor_destroy)
        if made == ffi.NULL:
            raise errors.FlowMemoryError("no memory for an acceptor, or 1,024 of them", errno.ENOMEM)
        self._waiting: set[asyncio.Future[None]] = set()
        self._descriptor = -1

    def is_of_running_loop(self) -> bool:
        """Whether it can be waited for here."""
        return self._loop is asyncio.get_running_loop()

    def take(self) -> int | None:
        """Take a flow that has come; None: there is none."""
        descriptor = int(lib.facceptor_take(self._acceptor, ffi.NULL))
        if descriptor >= 0:
            self._rest_later()
            return descriptor
        if descriptor == -errno.EAGAIN:
            return None
        reason = sentence(ffi.string(lib.flow_last_error()))
        # The library says once that irmd is not there; here each task is told.
        lib.facceptor_pause(self._acceptor)
        self._wake_all()
        raise errors.opening_error(descriptor, "flow to this process", "", reason)

    async def wait(self) -> None:
        """Wait until there may be something to take, or the acceptor is closed."""
        descriptor = lib.facceptor_pollfd(self._acceptor)
        if descriptor < 0:
            raise errors.opening_error(descriptor, "flow to this process", "", "")
        if descriptor != self._descriptor:
            self._stop_reading()
            self._loop.add_reader(descriptor, self._wake)
            self._descriptor = descriptor
        future = self._loop.create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)
            self._rest_later()

    def close(self) -> None:
        """Accept no more. Tasks that wait are woken."""
        self._stop_reading()
        lib.facceptor_pause(self._acceptor)
        self._wake_all()

    def _wake(self) -> None:
        """Wake a task. One that is cancelled takes nothing, and the loop calls again."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
                return

    def _wake_all(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    def _rest_later(self) -> None:
        """Accept nothing, unless a task waits again soon: most come back at once."""
        if self._waiting:
            return
        try:
            self._loop.call_soon(self._rest)
        except RuntimeError:  # The loop is closed, or its tasks are garbage that another thread collects.
            lib.facceptor_pause(self._acceptor)

    def _rest(self) -> None:
        if not self._waiting:
            self._stop_reading()
            lib.facceptor_pause(self._acceptor)

    def _stop_reading(self) -> None:
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            self._descriptor = -1
