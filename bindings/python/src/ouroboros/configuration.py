# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The configuration of layers and names: arguments of ``ouroboros.irm``, which has all of these names as well."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from ouroboros._irm import lib
from ouroboros._values import Name, name_text

__all__ = [
    "AddressAuthPolicy",
    "CongestionAvoidPolicy",
    "DhtConfig",
    "DirConfig",
    "DirectoryHashAlgo",
    "DirectoryPolicy",
    "DtConfig",
    "EthConfig",
    "IpcpConfig",
    "IpcpInfo",
    "IpcpType",
    "LinkStateConfig",
    "LinkStatePolicy",
    "LoadBalancePolicy",
    "NameInfo",
    "NameSecPaths",
    "RoutingConfig",
    "RoutingPolicy",
    "Udp4Config",
    "Udp6Config",
    "UnicastConfig",
]


class IpcpType(IntEnum):
    """The type of an IPCP. irmd looks for a name in this order of types."""

    LOCAL = lib.IPCP_LOCAL
    UNICAST = lib.IPCP_UNICAST
    BROADCAST = lib.IPCP_BROADCAST
    ETH_LLC = lib.IPCP_ETH_LLC
    ETH_DIX = lib.IPCP_ETH_DIX
    UDP4 = lib.IPCP_UDP4
    UDP6 = lib.IPCP_UDP6


class AddressAuthPolicy(IntEnum):
    """How addresses are chosen."""

    FLAT_RANDOM = lib.ADDR_AUTH_FLAT_RANDOM


class LinkStatePolicy(IntEnum):
    """The paths of routing: one path, one path with alternates, or all paths of equal cost."""

    SIMPLE = lib.LS_SIMPLE
    LFA = lib.LS_LFA
    ECMP = lib.LS_ECMP


class RoutingPolicy(IntEnum):
    """How ways are found."""

    LINK_STATE = lib.ROUTING_LINK_STATE


class CongestionAvoidPolicy(IntEnum):
    """How senders learn of congestion: not at all, or by marks of several bits."""

    NONE = lib.CA_NONE
    MB_ECN = lib.CA_MB_ECN


class DirectoryPolicy(IntEnum):
    """How names are found: by a distributed hash table."""

    DHT = lib.DIR_DHT


class DirectoryHashAlgo(IntEnum):
    """The hash under which a layer knows a name."""

    SHA3_224 = lib.DIR_HASH_SHA3_224
    SHA3_256 = lib.DIR_HASH_SHA3_256
    SHA3_384 = lib.DIR_HASH_SHA3_384
    SHA3_512 = lib.DIR_HASH_SHA3_512


class LoadBalancePolicy(IntEnum):
    """Which of several acceptors of a name gets the next flow: the one that has waited longest, or the latest one."""

    ROUND_ROBIN = lib.LB_RR
    SPILL = lib.LB_SPILL


@dataclass
class LinkStateConfig:
    """Link-state routing; times in seconds.

    t_recalc: between two calculations of the table; at least 1.
    t_update: between two updates to the neighbours; at least 1.
    t_timeo: after which a silent link is removed; at least 1.
    """

    pol: LinkStatePolicy = LinkStatePolicy.SIMPLE
    t_recalc: int = 4
    t_update: int = 15
    t_timeo: int = 60


@dataclass
class RoutingConfig:
    """Routing. ``ls`` is a ``LinkStateConfig``, the default one if it is None."""

    pol: RoutingPolicy = RoutingPolicy.LINK_STATE
    ls: LinkStateConfig = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.ls = self.ls or LinkStateConfig()


@dataclass
class DtConfig:
    """Data transfer in a unicast layer.

    addr_size: bytes of an address; 4.
    eid_size: bytes of an endpoint identifier; 8.
    max_ttl: most hops of a packet, from 0 to 255.
    routing: a ``RoutingConfig``, the default one if it is None.
    """

    addr_size: int = 4
    eid_size: int = 8
    max_ttl: int = 60
    routing: RoutingConfig = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.routing = self.routing or RoutingConfig()


@dataclass
class DhtConfig:
    """The distributed hash table of a directory; times in seconds.

    alpha: requests at a time, from 1 to 10.
    k: copies of an entry, from 1 to 20.
    t_expire: life of an entry, from 10 to 86,400.
    t_refresh: between two checks of contacts, from 3 to 3,600.
    t_replicate: between two copies of an entry, from 3 to 3,600.
    """

    alpha: int = 3
    k: int = 8
    t_expire: int = 86400
    t_refresh: int = 900
    t_replicate: int = 900


@dataclass
class DirConfig:
    """The directory. ``dht`` is a ``DhtConfig``, the default one if it is None."""

    pol: DirectoryPolicy = DirectoryPolicy.DHT
    dht: DhtConfig = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.dht = self.dht or DhtConfig()


@dataclass
class UnicastConfig:
    """A unicast layer. ``dt`` and ``dir`` are the default ones if they are None."""

    dt: DtConfig = None  # type: ignore[assignment]
    dir: DirConfig = None  # type: ignore[assignment]
    addr_auth: AddressAuthPolicy = AddressAuthPolicy.FLAT_RANDOM
    cong_avoid: CongestionAvoidPolicy = CongestionAvoidPolicy.MB_ECN

    def __post_init__(self) -> None:
        self.dt = self.dt or DtConfig()
        self.dir = self.dir or DirConfig()


@dataclass
class EthConfig:
    """An Ethernet layer.

    dev: name of the interface, up to 255 bytes.
    ethertype: from 0x0600 to 0xFFFE; only ETH_DIX has one.
    """

    dev: Name = ""
    ethertype: int = 0xA000


@dataclass
class Udp4Config:
    """A layer over UDP and IPv4.

    ip_addr: own address.
    dns_addr: address of the DNS server; 0.0.0.0 is none.
    port: from 1 to 65,535, the same on all hosts.
    """

    ip_addr: str = "0.0.0.0"
    dns_addr: str = "0.0.0.0"
    port: int = 3435


@dataclass
class Udp6Config:
    """A layer over UDP and IPv6, as ``Udp4Config``; ``::`` stands for no DNS server."""

    ip_addr: str = "::"
    dns_addr: str = "::"
    port: int = 3435


@dataclass
class IpcpConfig:
    """A layer, as ``bootstrap_ipcp`` makes it.

    ipcp_type: the type of the IPCP.
    layer_name: from 1 to 255 bytes.
    dir_hash_algo: the hash of names. Layers over UDP always use MD5.
    unicast, eth, udp4, udp6: what the type needs; the defaults if it is None.
    """

    ipcp_type: IpcpType
    layer_name: Name = ""
    dir_hash_algo: DirectoryHashAlgo = DirectoryHashAlgo.SHA3_256
    unicast: UnicastConfig | None = None
    eth: EthConfig | None = None
    udp4: Udp4Config | None = None
    udp6: Udp6Config | None = None


@dataclass(init=False)
class NameSecPaths:
    """Files of servers, or of clients, of a name: absolute paths of up to 511 bytes.

    An empty path stands for the file in irmd's own directory.

    enc: encryption settings.
    key: private key.
    crt: certificate.
    """

    enc: str
    key: str
    crt: str

    def __init__(self, enc: Name = "", key: Name = "", crt: Name = "") -> None:
        self.enc = name_text(enc)
        self.key = name_text(key)
        self.crt = name_text(crt)


@dataclass(init=False)
class NameInfo:
    """A name.

    name: from 1 to 255 bytes.
    pol_lb: which of several acceptors gets the next flow.
    server_sec: files of servers, which accept flows for the name; None stands for no files.
    client_sec: files of clients, which allocate flows to the name; None stands for no files.
    wait: the seconds that a flow to the name waits for a server, as ``list_names`` returns them; None is as long as its
        client. ``create_name`` ignores it: ``set_name_wait`` changes it.
    """

    name: str
    pol_lb: LoadBalancePolicy
    server_sec: NameSecPaths
    client_sec: NameSecPaths
    wait: float | None = field(default=0.0, compare=False)

    def __init__(
        self,
        name: Name,
        pol_lb: LoadBalancePolicy = LoadBalancePolicy.ROUND_ROBIN,
        server_sec: NameSecPaths | None = None,
        client_sec: NameSecPaths | None = None,
    ) -> None:
        self.name = name_text(name)
        self.pol_lb = pol_lb
        self.server_sec = server_sec or NameSecPaths()
        self.client_sec = client_sec or NameSecPaths()
        self.wait = 0.0


class IpcpInfo:
    """An IPCP, as ``list_ipcps`` returns it.

    pid: the process id.
    type: an ``IpcpType``.
    name: the name of the IPCP.
    layer: the name of its layer, or ``Not enrolled.``
    """

    def __init__(self, pid: int, ipcp_type: IpcpType, name: str, layer: str) -> None:
        self.pid = pid
        self.type = ipcp_type
        self.name = name
        self.layer = layer

    def __repr__(self) -> str:
        return f"IpcpInfo(pid={self.pid}, type={self.type.name}, name='{self.name}', layer='{self.layer}')"

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if isinstance(other, IpcpInfo) else NotImplemented

    __hash__ = None  # type: ignore[assignment]
