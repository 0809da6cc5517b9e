# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Management: IPCPs, names and bindings.

A local layer, and a name in it that this process serves::

    pid = create_ipcp("local-ipcp", IpcpType.LOCAL)
    bootstrap_ipcp(pid, IpcpConfig(IpcpType.LOCAL, layer_name="local-layer"))
    bind_process(os.getpid(), "echo")
    reg_name("echo", pid)

Each function asks irmd and waits for the answer; a signal does not interrupt the wait. Management is for the user of
irmd, for root, and for members of the group ``ouroboros``. An exception has in ``errno`` the number that the library
returned: EPERM if irmd refused; EIRMD if irmd cannot be reached; EINVAL for a name of more than 255 bytes or an
impossible process id. Its message says why, in the words of irmd if irmd refused. A name with a NUL raises
``ValueError``, and a name that is neither ``str`` nor ``bytes`` raises ``TypeError``.
"""

from __future__ import annotations

import builtins
import errno
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from ouroboros import configuration
from ouroboros._irm import ffi, lib
from ouroboros._layers import c_configuration, store
from ouroboros._values import Name, c_qos, check_version, name_bytes, name_text, python_qos, sentence
from ouroboros.configuration import *
from ouroboros.errors import OuroborosError, explained
from ouroboros.qos import QOS_RAW, QoSSpec

__all__ = [
    "BIND_AUTO",
    "DT_COMP",
    "MGMT_COMP",
    "BindError",
    "BindInfo",
    "BindType",
    "FlowInfo",
    "FlowSide",
    "FlowState",
    "IpcpBootstrapError",
    "IpcpConnectError",
    "IpcpCreateError",
    "IpcpEnrollError",
    "IrmError",
    "IrmNameError",
    "QoSSpec",
    "bind_process",
    "bind_program",
    "bootstrap_ipcp",
    "connect_ipcp",
    "create_ipcp",
    "create_name",
    "destroy_flow",
    "destroy_ipcp",
    "destroy_name",
    "disconnect_ipcp",
    "enroll_ipcp",
    "get_name_wait",
    "list_bindings",
    "list_flows",
    "list_ipcps",
    "list_names",
    "reg_name",
    "set_name_policy",
    "set_name_wait",
    "unbind_process",
    "unbind_program",
    "unreg_name",
]
__all__ += configuration.__all__

check_version(lib)

BIND_AUTO: int = lib.BIND_AUTO
"""Option of ``bind_program``: irmd starts the program when a flow finds nobody else."""
DT_COMP = "Data Transfer"
"""The component of an IPCP that carries packets."""
MGMT_COMP = "Management"
"""The component of an IPCP that tells others of routes and names."""


class IrmError(OuroborosError):
    """irmd could not be asked, or refused."""


class IpcpCreateError(IrmError):
    """The IPCP could not be created."""


class IpcpBootstrapError(IrmError):
    """The IPCP could not be made the first member of a layer."""


class IpcpEnrollError(IrmError):
    """The IPCP could not be made a member of the layer."""


class IpcpConnectError(IrmError):
    """The component could not be connected or disconnected."""


class IrmNameError(IrmError, builtins.NameError):
    """The name could not be created, destroyed, registered or unregistered.

    ``ouroboros.irm.NameError`` is the same class. A star import does not import that name, so that it does not hide the
    built-in ``NameError``. The built-in class is a base of this class: ``except NameError`` works with both.
    """


class BindError(IrmError):
    """The program or process could not be bound or unbound."""


NameError = IrmNameError


def create_ipcp(name: Name, ipcp_type: IpcpType) -> int:
    """Start an IPCP. No other IPCP may have its name.

    Returns its process id. Raises ``IpcpCreateError``; ``errno`` is EIPCPTYPE if the daemon of the type is not
    installed.
    """
    raw = name_bytes(name)
    text = name_text(name)
    action = f"cannot create IPCP '{text}' of type {IpcpType(ipcp_type).name}"
    _check(IpcpCreateError, lib.irm_create_ipcp(raw, ipcp_type), action, text, "its name may be in use")
    # A name that is longer is cut where IPCPs are listed.
    for ipcp in list_ipcps():
        if ipcp.name == name_text(raw[:254]):
            return ipcp.pid
    raise explained(IpcpCreateError, -errno.ESRCH, action, text, "it has ended already; see the log of irmd")


def destroy_ipcp(pid: int) -> None:
    """End an IPCP; the flows that go through it go down. Raises ``IrmError``."""
    _check(IrmError, lib.irm_destroy_ipcp(_pid(pid)), f"cannot destroy IPCP {pid}", str(pid), "see 'irm ipcp list'")


def list_ipcps() -> list[IpcpInfo]:
    """Return all IPCPs, by type and then process id. Raises ``IrmError``."""
    rows, count = _list("struct ipcp_list_info **", lib.irm_list_ipcps, "cannot list IPCPs")
    return [
        IpcpInfo(rows[i].pid, IpcpType(rows[i].type), _text(rows[i].name), _text(rows[i].layer)) for i in range(count)
    ]


def enroll_ipcp(pid: int, dst: Name) -> None:
    """Make an IPCP a further member of a layer. Raises ``IpcpEnrollError``.

    dst: the name of a member, or of the layer.
    """
    _check(
        IpcpEnrollError,
        lib.irm_enroll_ipcp(_pid(pid), name_bytes(dst)),
        f"cannot enrol IPCP {pid} with '{name_text(dst)}'",
        name_text(dst),
    )


def bootstrap_ipcp(pid: int, conf: IpcpConfig) -> None:
    """Make an IPCP the first member of a new layer.

    Raises ``IpcpBootstrapError``, and ``ValueError`` for an invalid address, an invalid number, or a text that is too
    long.
    """
    layer = name_text(conf.layer_name)
    _check(
        IpcpBootstrapError,
        lib.irm_bootstrap_ipcp(_pid(pid), c_configuration(conf)),
        f"cannot bootstrap IPCP {pid} in layer '{layer}'",
        layer,
    )


def connect_ipcp(pid: int, component: Name, dst: Name, qos: QoSSpec | None = None) -> None:
    """Connect a component of an IPCP to the same component of another member of its layer.

    component: ``DT_COMP`` or ``MGMT_COMP``.
    dst: the name of the other member.
    qos: the quality of the flow between them; None is ``QOS_RAW``.

    Raises ``IpcpConnectError``; ``errno`` is EIPCP if no IPCP has the process id, or if its type has no connections.
    """
    specification = c_qos(QOS_RAW if qos is None else qos, ffi)
    _check(
        IpcpConnectError,
        lib.irm_connect_ipcp(_pid(pid), name_bytes(dst), name_bytes(component), specification[0]),
        f"cannot connect component '{name_text(component)}' of IPCP {pid} to '{name_text(dst)}'",
        name_text(dst),
        "only unicast and broadcast IPCPs have connections",
    )


def disconnect_ipcp(pid: int, component: Name, dst: Name) -> None:
    """End a connection that ``connect_ipcp`` made."""
    _check(
        IpcpConnectError,
        lib.irm_disconnect_ipcp(_pid(pid), name_bytes(dst), name_bytes(component)),
        f"cannot disconnect component '{name_text(component)}' of IPCP {pid} from '{name_text(dst)}'",
        name_text(dst),
        "only unicast and broadcast IPCPs have connections",
    )


def bind_program(prog: Name, name: Name, opts: int = 0, argv: Sequence[Name] | None = None) -> None:
    """Let all processes of a program accept flows for a name, and create the name if there is none.

    prog: a path, or a name that is searched for along ``PATH``. A script must be executable.
    opts: 0 or ``BIND_AUTO``.
    argv: with ``BIND_AUTO``, the arguments with which irmd starts the program, without the program itself.

    Raises ``BindError``; ``errno`` is ENOENT if there is no such program, and EPERM also if the program cannot be
    executed or has the binding already.
    """
    if not 0 <= opts < 2**16:
        raise ValueError(f"options are {opts}, and have 16 bits")
    arguments = [ffi.new("char[]", name_bytes(argument, "an argument")) for argument in argv or ()]
    _check(
        BindError,
        lib.irm_bind_program(
            name_bytes(prog, "program"), name_bytes(name), opts, len(arguments), ffi.new("char *[]", arguments or 1)
        ),
        f"cannot bind program '{name_text(prog)}' to name '{name_text(name)}'",
        name_text(prog),
        "it must be executable, and not bound to the name yet",
    )


def unbind_program(prog: Name, name: Name | None) -> None:
    """Remove the binding of a program. Raises ``BindError`` if there is no such binding.

    name: the name; None stands for all names of the program.
    """
    _check(
        BindError,
        lib.irm_unbind_program(name_bytes(prog, "program"), _optional(name)),
        f"cannot unbind program '{name_text(prog)}' from {_quoted(name)}",
        name_text(prog),
        "there may be no such binding",
    )


def bind_process(pid: int, name: Name) -> None:
    """Let a live process accept flows for a name, and create the name if there is none. Raises ``BindError``."""
    _check(
        BindError,
        lib.irm_bind_process(_pid(pid), name_bytes(name)),
        f"cannot bind process {pid} to name '{name_text(name)}'",
        name_text(name),
        "it must be alive, and not bound to the name yet",
    )


def unbind_process(pid: int, name: Name | None) -> None:
    """Remove the binding of a process. Raises ``BindError`` if there is no such binding.

    name: the name; None stands for all names of the process.
    """
    _check(
        BindError,
        lib.irm_unbind_process(_pid(pid), _optional(name)),
        f"cannot unbind process {pid} from {_quoted(name)}",
        "" if name is None else name_text(name),
        "there may be no such binding",
    )


def create_name(info: NameInfo) -> None:
    """Create a name. A name that exists does not change.

    Raises ``NameError``, and ``ValueError`` for a text that is too long.
    """
    row = ffi.new("struct name_info *")
    store(row.name, info.name, "name")
    row.pol_lb = LoadBalancePolicy(info.pol_lb)
    for target, paths in ((row.s, info.server_sec), (row.c, info.client_sec)):
        store(target.enc, paths.enc, "path")
        store(target.key, paths.key, "path")
        store(target.crt, paths.crt, "path")
    text = name_text(info.name)
    _check(IrmNameError, lib.irm_create_name(row), f"cannot create name '{text}'", text)


def destroy_name(name: Name) -> None:
    """Destroy a name, with its bindings and registrations; its flows continue. Raises ``NameError``."""
    text = name_text(name)
    code = lib.irm_destroy_name(name_bytes(name))
    _check(IrmNameError, code, f"cannot destroy name '{text}'", text, "there may be no such name")


def list_names() -> list[NameInfo]:
    """Return all names, with the time that flows to them wait for a server. Raises ``IrmError``."""
    rows, count = _list("struct name_list_info **", lib.irm_list_names_wide, "cannot list names")
    return [_name(rows[i]) for i in range(count)]


def _name(row: Any) -> NameInfo:
    policy = LoadBalancePolicy(row.pol_lb)
    info = NameInfo(_text(row.name), policy, _python_paths(row.s), _python_paths(row.c))
    info.wait = None if row.is_patient else row.wait_ns / 1e9
    return info


def set_name_policy(name: Name, pol_lb: LoadBalancePolicy) -> None:
    """Change which of several acceptors of a name gets the next flow.

    Raises ``NameError``; ``errno`` is ENAME if there is no such name.
    """
    text = name_text(name)
    code = lib.irm_set_name_policy(name_bytes(name), LoadBalancePolicy(pol_lb))
    _check(IrmNameError, code, f"cannot change name '{text}'", text)


def set_name_wait(name: Name, wait: float | None) -> None:
    """Change how long a flow to a name waits for a server if nobody serves the name.

    wait: the time in seconds; None is as long as the client waits, and 0 is not at all. A new name has 0.

    Raises ``NameError``; ``errno`` is ENAME if there is no such name.
    """
    text = name_text(name)
    limit = ffi.NULL
    if wait is not None:
        if not 0 <= wait < 2**62:
            raise ValueError(f"a time to wait is {wait} s")
        limit = ffi.new("struct timespec *", [int(wait), int(wait % 1 * 1e9)])
    _check(IrmNameError, lib.irm_set_name_wait(name_bytes(name), limit), f"cannot change name '{text}'", text)


def get_name_wait(name: Name) -> float | None:
    """Return how long a flow to a name waits for a server, in seconds; None is as long as its client.

    Raises ``NameError``; ``errno`` is ENAME if there is no such name.
    """
    text = name_text(name)
    wait = ffi.new("struct timespec *")
    code = lib.irm_get_name_wait(name_bytes(name), wait)
    _check(IrmNameError, min(code, 0), f"cannot look up name '{text}'", text)
    return None if code == 1 else float(wait.tv_sec + wait.tv_nsec / 1e9)


@dataclass(frozen=True)
class BindInfo:
    """A binding to a name.

    name: the name.
    type: the kind of binding.
    pid: the process; None for a program.
    uid: for a program, the user to whose processes the binding applies; otherwise None.
    prog: the path of a program; the last part of the path of a process, or empty; the name of an IPCP.
    argv: the arguments with which irmd starts a program; None if irmd does not start it.
    """

    name: str
    type: BindType
    pid: int | None
    uid: int | None
    prog: str
    argv: list[str] | None


class BindType(IntEnum):
    """What can be bound to a name."""

    PROGRAM = lib.BIND_PROGRAM
    PROCESS = lib.BIND_PROCESS
    IPCP = lib.BIND_IPCP


def list_bindings() -> list[BindInfo]:
    """Return all bindings, by name, in the order in which the names were created. Raises ``IrmError``."""
    rows, count = _list("struct bind_list_info **", lib.irm_list_bindings, "cannot list bindings")
    return [_binding(rows[i]) for i in range(count)]


def _binding(row: Any) -> BindInfo:
    is_program = row.type == lib.BIND_PROGRAM
    argv = [_text(row.argv[i]) for i in range(row.argc)] if row.opts & BIND_AUTO else None
    return BindInfo(
        _text(row.name),
        BindType(row.type),
        None if is_program else row.pid,
        row.uid if is_program else None,
        _text(row.prog),
        argv,
    )


@dataclass(frozen=True)
class FlowSide:
    """One side of a flow. The counts come from its processes, and irmd cannot check them.

    pid: the process, or the IPCP that leads to a remote process.
    prog: the last part of its program's path, or empty.
    is_remote: the process is on another host.
    host: the address and port of another host, as its layer writes them; empty for this host.
    packets: the packets that this side sent.
    bytes: their memory: each packet takes 8 bytes more, rounded up to a multiple of 64.
    unread_packets: the packets that the other side has not read.
    unread_bytes: their memory.
    """

    pid: int
    prog: str
    is_remote: bool
    host: str
    packets: int
    bytes: int
    unread_packets: int
    unread_bytes: int


@dataclass(frozen=True)
class FlowInfo:
    """A flow of this host.

    id: the number of the flow within the host.
    state: the state of the flow.
    name: the name to which the flow was allocated.
    layer: the layer to which the flow belongs, or empty.
    age: the seconds since the flow was made.
    qos: the quality of the flow.
    client: the side that allocated the flow.
    server: the side that accepted the flow.
    """

    id: int
    state: FlowState
    name: str
    layer: str
    age: float
    qos: QoSSpec
    client: FlowSide
    server: FlowSide


class FlowState(IntEnum):
    """The state of a flow."""

    PENDING = lib.FLOW_PENDING
    ALLOCATED = lib.FLOW_ALLOCATED
    DEALLOCATING = lib.FLOW_DEALLOCATING


def list_flows() -> list[FlowInfo]:
    """Return all flows of this host, by number. Raises ``IrmError``."""
    rows, count = _list("struct flow_list_info **", lib.irm_list_flows, "cannot list flows")
    return [
        FlowInfo(
            row.id,
            FlowState(row.state),
            _text(row.name),
            _text(row.layer),
            row.age_ms / 1000,
            python_qos(row.qs),
            _side(row.client),
            _side(row.server),
        )
        for row in (rows[i] for i in range(count))
    ]


def _side(side: Any) -> FlowSide:
    return FlowSide(
        side.pid,
        _text(side.prog),
        bool(side.is_remote),
        _text(side.host),
        side.packets,
        side.bytes,
        side.unread_packets,
        side.unread_bytes,
    )


def destroy_flow(flow_id: int) -> None:
    """End a flow: both ends can read the queued packets, and then the flow is down.

    The user of irmd and root can end any flow; other managers can end a flow if one of its ends or its name belongs to
    them. Raises
    ``IrmError``; ``errno`` is ENOENT if there is no such flow.
    """
    if not 0 <= flow_id < 2**32:
        raise ValueError(f"the number of a flow is {flow_id}, and has 32 bits")
    _check(IrmError, lib.irm_destroy_flow(flow_id), f"cannot destroy flow {flow_id}", str(flow_id))


def reg_name(name: Name, pid: int) -> None:
    """Make a name known in the layer of an IPCP.

    Raises ``NameError``; ``errno`` is ENAME if there is no such name, EIPCP if no IPCP has the process id.
    """
    text = name_text(name)
    code = lib.irm_reg_name(name_bytes(name), _pid(pid))
    _check(IrmNameError, code, f"cannot register name '{text}' with IPCP {pid}", text)


def unreg_name(name: Name, pid: int) -> None:
    """Remove a name from the layer of an IPCP."""
    text = name_text(name)
    code = lib.irm_unreg_name(name_bytes(name), _pid(pid))
    _check(IrmNameError, code, f"cannot unregister name '{text}' from IPCP {pid}", text)


def _check(kind: type[IrmError], code: int, action: str, subject: str, refused: str = "") -> None:
    """Raise an exception of a kind if a call failed. ``refused`` helps if it was irmd that refused."""
    if code < 0:
        hint = refused if code == -errno.EPERM else ""
        raise explained(kind, code, action, subject, hint, sentence(ffi.string(lib.irm_last_error())))


def _list(pointer: str, call: Any, action: str) -> tuple[Any, int]:
    """Return an array that is freed when nobody refers to it, and the number of its rows."""
    rows = ffi.new(pointer)
    count = call(rows)
    _check(IrmError, count, action, "")
    return ffi.gc(rows[0], lib.free), count


def _text(characters: Any) -> str:
    return name_text(ffi.string(characters))


def _optional(name: Name | None) -> Any:
    return ffi.NULL if name is None else name_bytes(name)


def _quoted(name: Name | None) -> str:
    return "all names" if name is None else f"name '{name_text(name)}'"


def _pid(pid: int) -> int:
    if not isinstance(pid, int):
        raise TypeError(f"a process id must be int, not {type(pid).__name__}")
    # What cannot be one gets the answer of the library.
    return pid if -1 < pid < 2**31 else -1


def _python_paths(paths: Any) -> NameSecPaths:
    return NameSecPaths(_text(paths.enc), _text(paths.key), _text(paths.crt))
