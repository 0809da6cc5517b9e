# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Time, and calls that a signal interrupts."""

from __future__ import annotations

import math
from errno import EINTR
from time import monotonic
from typing import Any, Callable

from ouroboros._dev import ffi

# What is longer than this, in seconds, is as long: no process lives so long.
_LONGEST = 10.0**9


def timespec(seconds: float | None) -> Any:
    """Return a pointer to an interval; NULL for None. What is negative is 0. Raises TypeError and ValueError."""
    if seconds is None:
        return ffi.NULL
    if math.isnan(seconds):
        raise ValueError("a timeout must be a number")
    limited = min(max(seconds, 0.0), _LONGEST)
    whole = int(limited)
    # Rounded up: a wait is never too short.
    carry, nanoseconds = divmod(math.ceil((limited - whole) * 1e9), 10**9)
    return ffi.new("struct timespec *", (whole + carry, nanoseconds))


def in_seconds(interval: Any) -> float:
    """Return what a pointer to an interval says, in seconds."""
    return float(interval.tv_sec + interval.tv_nsec / 1e9)


def uninterrupted(call: Callable[[Any], int], timeout: float | None, default: float | None = None) -> int:
    """Call with a timeout, and again with what is left of it after each signal whose handler did not raise.

    Without a timeout the library has one of ``default`` seconds, or none.
    """
    interval = timespec(timeout)
    limit = default if timeout is None else timeout
    deadline = None if limit is None else monotonic() + limit
    result = call(interval)
    while result == -EINTR:
        # The interpreter has run the handler by now; if it raised, we are not here.
        if deadline is not None:
            interval = timespec(deadline - monotonic())
        result = call(interval)
    return result
