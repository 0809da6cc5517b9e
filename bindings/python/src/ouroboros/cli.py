# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Management with the names of IPCPs and layers instead of process ids, as in ``irm(8)``.

A local layer, and a name in it::

    autoboot("local-ipcp", IpcpType.LOCAL, "local-layer")
    reg_name("echo", layer="local-layer")

A name that no IPCP or layer has raises ``ValueError``; everything else raises as ``ouroboros.irm``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ouroboros import configuration, irm
from ouroboros._values import Name, name_text
from ouroboros.configuration import *
from ouroboros.irm import (
    BIND_AUTO,
    DT_COMP,
    MGMT_COMP,
    BindError,
    IpcpBootstrapError,
    IpcpConnectError,
    IpcpCreateError,
    IpcpEnrollError,
    IrmError,
    IrmNameError,
    create_ipcp,
    destroy_name,
)
from ouroboros.qos import QoSSpec

__all__ = [
    "BIND_AUTO",
    "DT_COMP",
    "MGMT_COMP",
    "BindError",
    "IpcpBootstrapError",
    "IpcpConnectError",
    "IpcpCreateError",
    "IpcpEnrollError",
    "IrmError",
    "IrmNameError",
    "QoSSpec",
    "autoboot",
    "bind_ipcp",
    "bind_process",
    "bind_program",
    "bootstrap_ipcp",
    "connect_ipcp",
    "create_ipcp",
    "create_name",
    "destroy_ipcp",
    "destroy_name",
    "disconnect_ipcp",
    "enroll_ipcp",
    "list_ipcps",
    "list_names",
    "reg_name",
    "unbind_ipcp",
    "unbind_process",
    "unbind_program",
    "unreg_name",
]
__all__ += configuration.__all__

# What has connections has names of its own, too.
_CONNECTED = (IpcpType.UNICAST, IpcpType.BROADCAST)
_COMPONENTS = {"mgmt": MGMT_COMP, "dt": DT_COMP}


def destroy_ipcp(name: Name) -> None:
    """End an IPCP."""
    irm.destroy_ipcp(_ipcp(name).pid)


def list_ipcps(
    name: Name | None = None, layer: Name | None = None, ipcp_type: IpcpType | None = None
) -> list[IpcpInfo]:
    """Return the IPCPs that have this name, are in this layer, and are of this type; None is any."""
    return [
        ipcp
        for ipcp in irm.list_ipcps()
        if (name is None or ipcp.name == name_text(name))
        and (layer is None or ipcp.layer == name_text(layer))
        and (ipcp_type is None or ipcp.type == ipcp_type)
    ]


def bootstrap_ipcp(name: Name, conf: IpcpConfig, autobind: bool = False) -> None:
    """Make an IPCP the first member of a new layer.

    autobind: bind the IPCP to its own name and to the name of the layer, if it is a unicast or broadcast IPCP.
    """
    ipcp = _ipcp(name)
    bound = _autobind(ipcp, name, conf.layer_name) if autobind else []
    try:
        irm.bootstrap_ipcp(ipcp.pid, conf)
    except BaseException:
        for own in bound:
            irm.unbind_process(ipcp.pid, own)
        raise


def enroll_ipcp(name: Name, dst: Name, autobind: bool = False) -> None:
    """Make an IPCP a further member of the layer of ``dst``: the name of a member, or of the layer.

    autobind: bind the IPCP to its own name and to the name of the layer.
    """
    irm.enroll_ipcp(_ipcp(name).pid, dst)
    if autobind:
        ipcp = _ipcp(name)
        _autobind(ipcp, name, ipcp.layer)


def connect_ipcp(name: Name, dst: Name, comp: str = "*", qos: QoSSpec | None = None) -> None:
    """Connect an IPCP to a member of its layer.

    dst: the name of the other member.
    comp: ``mgmt``, ``dt``, or ``*``, which is first ``mgmt`` and then ``dt``.
    qos: the quality of the flow between them; None is ``QOS_RAW``.
    """
    pid = _ipcp(name).pid
    for component in _components(comp):
        irm.connect_ipcp(pid, component, dst, qos)


def disconnect_ipcp(name: Name, dst: Name, comp: str = "*") -> None:
    """End the connections that ``connect_ipcp`` made."""
    pid = _ipcp(name).pid
    for component in _components(comp):
        irm.disconnect_ipcp(pid, component, dst)


def bind_program(prog: Name, name: Name, opts: int = 0, argv: Sequence[Name] | None = None) -> None:
    """Let all processes of a program accept flows for a name. See ``ouroboros.irm.bind_program``."""
    irm.bind_program(prog, name, opts, argv)


def unbind_program(prog: Name, name: Name) -> None:
    """Remove the binding of a program."""
    irm.unbind_program(prog, name)


def bind_process(pid: int, name: Name) -> None:
    """Let a live process accept flows for a name."""
    irm.bind_process(pid, name)


def unbind_process(pid: int, name: Name) -> None:
    """Remove the binding of a process."""
    irm.unbind_process(pid, name)


def bind_ipcp(ipcp: Name, name: Name) -> None:
    """Let an IPCP accept flows for a name."""
    irm.bind_process(_ipcp(ipcp).pid, name)


def unbind_ipcp(ipcp: Name, name: Name) -> None:
    """Remove the binding of an IPCP."""
    irm.unbind_process(_ipcp(ipcp).pid, name)


def create_name(name: Name, pol_lb: int | None = None, info: NameInfo | None = None) -> None:
    """Create a name. A name that exists does not change.

    pol_lb: a ``LoadBalancePolicy``; None is the policy of ``info``.
    info: everything else; None is the default. The name in it is not used.
    """
    given = info or NameInfo(name)
    policy = given.pol_lb if pol_lb is None else LoadBalancePolicy(pol_lb)
    irm.create_name(NameInfo(name, policy, given.server_sec, given.client_sec))


def list_names(name: Name | None = None) -> list[NameInfo]:
    """Return all names, or the one that is given, if it exists."""
    return [row for row in irm.list_names() if name is None or row.name == name_text(name)]


def reg_name(
    name: Name,
    ipcp: Name | None = None,
    ipcps: Iterable[Name] | None = None,
    layer: Name | None = None,
    layers: Iterable[Name] | None = None,
) -> None:
    """Make a name known in the layers of these IPCPs, and in these layers. Create the name if it does not exist."""
    members = _members(ipcp, ipcps, layer, layers)
    if not list_names(name):
        create_name(name)
    for member in members:
        irm.reg_name(name, member.pid)


def unreg_name(
    name: Name,
    ipcp: Name | None = None,
    ipcps: Iterable[Name] | None = None,
    layer: Name | None = None,
    layers: Iterable[Name] | None = None,
) -> None:
    """Remove a name from the layers of these IPCPs, and from these layers."""
    for member in _members(ipcp, ipcps, layer, layers):
        irm.unreg_name(name, member.pid)


def autoboot(name: Name, ipcp_type: IpcpType, layer: Name, conf: IpcpConfig | None = None) -> None:
    """Create an IPCP and make it the first member of a new layer, bound to its own name and to the name of the layer.

    conf: everything else of the layer; None is the default. The type and the name of the layer in it are not used.

    An IPCP that cannot be bootstrapped is destroyed again.
    """
    given = conf or IpcpConfig(ipcp_type)
    whole = IpcpConfig(ipcp_type, layer, given.dir_hash_algo, given.unicast, given.eth, given.udp4, given.udp6)
    pid = create_ipcp(name, ipcp_type)
    try:
        bootstrap_ipcp(name, whole, autobind=True)
    except BaseException:
        irm.destroy_ipcp(pid)
        raise


def _ipcp(name: Name) -> IpcpInfo:
    found = list_ipcps(name)
    if not found:
        raise ValueError(f"No IPCP named '{name_text(name)}'")
    return found[0]


def _members(
    ipcp: Name | None, ipcps: Iterable[Name] | None, layer: Name | None, layers: Iterable[Name] | None
) -> list[IpcpInfo]:
    """Return the IPCPs that these arguments mean, each once."""
    found = [_ipcp(one) for one in _all(ipcp, ipcps)]
    for one in _all(layer, layers):
        members = list_ipcps(layer=one)
        if not members:
            raise ValueError(f"No IPCP in layer '{name_text(one)}'")
        found += members
    return list({member.pid: member for member in found}.values())


def _all(one: Name | None, several: Iterable[Name] | None) -> list[Name]:
    return ([] if one is None else [one]) + list(several or ())


def _components(pattern: str) -> list[str]:
    found = [component for word, component in _COMPONENTS.items() if pattern in ("*", word, component)]
    if not found:
        raise ValueError(f"'{pattern}' is not a component: it must be mgmt, dt or *")
    return found


def _autobind(ipcp: IpcpInfo, name: Name, layer: Name) -> list[Name]:
    """Bind an IPCP to its own name and to the name of its layer. Returns the names."""
    bound: list[Name] = []
    if ipcp.type in _CONNECTED:
        for own in (name, layer):
            irm.bind_process(ipcp.pid, own)
            bound.append(own)
    return bound
