# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Exceptions. Each says what failed, why, and what may help."""

from __future__ import annotations

import errno as system
import os

__all__ = [
    "FlowAllocatedException",
    "FlowDeallocWarning",
    "FlowDownException",
    "FlowException",
    "FlowMemoryError",
    "FlowNotAllocatedException",
    "FlowPeerException",
    "FlowPermissionException",
    "FlowTimeoutError",
    "FlowValueError",
    "FlowWouldBlock",
    "OuroborosError",
]

ENOTALLOC = 1000
EIPCPTYPE = 1001
EIRMD = 1002
EIPCP = 1003
EIPCPSTATE = 1004
EFLOWDOWN = 1005
EFLOWPEER = 1006
ENAME = 1007
ECRYPT = 1008
EAUTH = 1009

# Number: symbol, meaning, what may help.
_EXPLANATIONS = {
    ENOTALLOC: ("ENOTALLOC", "the flow is not open", "allocate, accept or join it first"),
    EIPCPTYPE: ("EIPCPTYPE", "this type of IPCP is unknown", "see whether its daemon is installed"),
    EIRMD: ("EIRMD", "irmd cannot be reached", "start irmd, or set OUROBOROS_RUNTIME_DIR to its directory"),
    EIPCP: ("EIPCP", "nobody serves the name and no layer leads to it", "start the server, and see 'irm status'"),
    EIPCPSTATE: ("EIPCPSTATE", "the IPCP is in the wrong state", "see 'irm ipcp list'"),
    EFLOWDOWN: ("EFLOWDOWN", "the flow is down", "the other end has gone"),
    EFLOWPEER: ("EFLOWPEER", "the other end is silent", "it hangs, or cannot be reached any more"),
    ENAME: ("ENAME", "the name is unknown", "create or bind it, as with 'irm bind'"),
    ECRYPT: ("ECRYPT", "encryption failed", "compare the settings of both ends"),
    EAUTH: ("EAUTH", "the other end did not prove its identity", "see its certificate, and the clocks of both hosts"),
    system.EPERM: ("EPERM", "not permitted", ""),
    system.EBUSY: ("EBUSY", "busy", "release the packet that is peeked at or reserved, or end the other call, first"),
    system.EINVAL: ("EINVAL", "an argument is not acceptable", ""),
    system.EAGAIN: ("EAGAIN", "it would have to wait", "the flow is set not to block"),
    system.EMSGSIZE: ("EMSGSIZE", "the packet is too large", "send it in pieces, or read into more room"),
    system.ETIMEDOUT: ("ETIMEDOUT", "the time is up", ""),
    system.EBADF: ("EBADF", "no flow is left", "deallocate some"),
    system.EMFILE: ("EMFILE", "no file descriptor is left", "raise 'ulimit -n'"),
}


class OuroborosError(Exception):
    """The base of all exceptions of this package.

    errno: the number of the error, positive: a number of the module ``errno``, or from 1000 on a number of
        ``ouroboros/errno.h``; None if there is no number. ``ouroboros-errors(7)`` explains all of them.
    subject: the name of the flow, peer, IPCP or program if it is known; otherwise empty.
    hint: what may help, or empty.
    """

    errno: int | None
    subject: str
    hint: str

    def __init__(self, message: str = "", errno: int | None = None, subject: str = "", hint: str = "") -> None:
        super().__init__(*([message] if message else []))
        self.errno = errno
        self.subject = subject
        self.hint = hint

    def __reduce__(self) -> tuple[type[OuroborosError], tuple[str, int | None, str, str]]:
        return type(self), (str(self), self.errno, self.subject, self.hint)


class FlowException(OuroborosError):
    """A flow could not be made, or could not be used."""


class FlowAllocatedException(FlowException):
    """The object has a flow already."""


class FlowNotAllocatedException(FlowException):
    """The object has no flow: none was allocated, or it was deallocated."""


class FlowDownException(FlowException):
    """The other end of the flow has gone, and all that it sent has been read."""


class FlowPeerException(FlowDownException):
    """The other end of the flow was silent for the peer timeout of the flow."""


class FlowPermissionException(FlowException):
    """The flow does not permit this, or does not have the property."""


class FlowTimeoutError(OuroborosError, TimeoutError):
    """The time was up."""


class FlowWouldBlock(OuroborosError, BlockingIOError):
    """The flow is set not to block, and there was nothing to read or no room to write."""


class FlowValueError(OuroborosError, ValueError):
    """The library does not accept an argument."""


class FlowMemoryError(OuroborosError, MemoryError):
    """There is no memory."""


class FlowDeallocWarning(OuroborosError, Warning):
    """The flow could not be deallocated properly: it was not open, or irmd is gone."""


_CLASSES: dict[int, type[OuroborosError]] = {
    system.ETIMEDOUT: FlowTimeoutError,
    system.EINVAL: FlowValueError,
    system.ENOMEM: FlowMemoryError,
    system.EAGAIN: FlowWouldBlock,
    system.EPERM: FlowPermissionException,
    EFLOWDOWN: FlowDownException,
    EFLOWPEER: FlowPeerException,
}


def explained(
    kind: type[OuroborosError], code: int, action: str, subject: str = "", hint: str = "", reason: str = ""
) -> OuroborosError:
    """Return an exception of a kind for the negative code that a function of the libraries returned.

    reason: why it failed, in the words of irmd; they say what may help, too.
    """
    number = -code
    symbol, meaning, help_ = _EXPLANATIONS.get(number) or (
        system.errorcode.get(number, str(number)),
        os.strerror(number) if number in system.errorcode else "an unknown error, perhaps of the other end",
        "",
    )
    hint = hint or help_
    if reason:
        return kind(f"{action}: {reason.removesuffix('.')} ({symbol})", number, subject, hint)
    return kind(f"{action}: {meaning} ({symbol})" + (f"; {hint}" if hint else ""), number, subject, hint)


def opening_error(code: int, action: str, subject: str, reason: str) -> OuroborosError:
    """Return the exception for a flow that could not be had, and why."""
    kind = _CLASSES.get(-code, FlowException)
    # Here the flow is not down, and not permitted means that irmd said so.
    if kind not in (FlowTimeoutError, FlowValueError, FlowMemoryError):
        kind = FlowException
    return explained(kind, code, action, subject, reason=reason)


def using_error(code: int, action: str, subject: str) -> OuroborosError:
    """Return the exception for a flow that could not be used."""
    if -code in (ENOTALLOC, system.EBADF):
        return explained(FlowNotAllocatedException, -ENOTALLOC, action, subject)
    hint = "this end, or the other one, was set to read only or to write only" if code == -system.EPERM else ""
    return explained(_CLASSES.get(-code, FlowException), code, action, subject, hint)
