# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The configuration of a layer, as the C library takes it."""

from __future__ import annotations

from typing import Any

from ouroboros._irm import ffi
from ouroboros._values import Name, name_bytes
from ouroboros.configuration import (
    EthConfig,
    IpcpConfig,
    IpcpType,
    Udp4Config,
    Udp6Config,
    UnicastConfig,
)


def store(place: Any, value: Name, what: str) -> None:
    """Copy bytes to an array of C, with a NUL behind them."""
    raw = name_bytes(value, what)
    if len(raw) >= len(place):
        raise ValueError(f"{what} is longer than {len(place) - 1} bytes")
    place[0 : len(raw)] = raw
    place[len(raw)] = b"\0"


def c_configuration(conf: IpcpConfig) -> Any:
    """Return a pointer to a ``struct ipcp_config``."""
    c = ffi.new("struct ipcp_config *")
    try:
        store(c.layer_info.name, conf.layer_name, "layer name")
        c.layer_info.dir_hash_algo = conf.dir_hash_algo
        c.type = conf.ipcp_type
        if conf.ipcp_type == IpcpType.UNICAST:
            _fill_unicast(c.unicast, conf.unicast or UnicastConfig())
        elif conf.ipcp_type in (IpcpType.ETH_DIX, IpcpType.ETH_LLC):
            _fill_eth(c.eth, conf.eth or EthConfig())
        elif conf.ipcp_type == IpcpType.UDP4:
            _fill_udp4(c.udp4, conf.udp4 or Udp4Config())
        elif conf.ipcp_type == IpcpType.UDP6:
            _fill_udp6(c.udp6, conf.udp6 or Udp6Config())
    except OverflowError as error:
        raise ValueError(f"a number is out of range: {error}") from error
    return c


def _fill_unicast(c: Any, conf: UnicastConfig) -> None:
    c.dt.addr_size = conf.dt.addr_size
    c.dt.eid_size = conf.dt.eid_size
    c.dt.max_ttl = conf.dt.max_ttl
    c.dt.routing.pol = conf.dt.routing.pol
    for member in ("pol", "t_recalc", "t_update", "t_timeo"):
        setattr(c.dt.routing.ls, member, getattr(conf.dt.routing.ls, member))
    c.dir.pol = conf.dir.pol
    for member in ("alpha", "k", "t_expire", "t_refresh", "t_replicate"):
        setattr(c.dir.dht.params, member, getattr(conf.dir.dht, member))
    c.addr_auth_type = conf.addr_auth
    c.cong_avoid = conf.cong_avoid


def _fill_eth(c: Any, conf: EthConfig) -> None:
    store(c.dev, conf.dev, "interface")
    c.ethertype = conf.ethertype


def _fill_udp4(c: Any, conf: Udp4Config) -> None:
    for place, address in ((c.ip_addr, conf.ip_addr), (c.dns_addr, conf.dns_addr)):
        ffi.memmove(ffi.addressof(place), _packed(address, 4), 4)
    c.port = conf.port


def _fill_udp6(c: Any, conf: Udp6Config) -> None:
    for place, address in ((c.ip_addr, conf.ip_addr), (c.dns_addr, conf.dns_addr)):
        ffi.memmove(ffi.addressof(place), _packed(address, 6), 16)
    c.port = conf.port


def _packed(address: str, version: int) -> bytes:
    import socket  # Only layers over UDP need it, and it takes a while to be loaded.

    try:
        return socket.inet_pton(socket.AF_INET if version == 4 else socket.AF_INET6, address)
    except OSError:
        raise ValueError(f"Invalid IPv{version} address: {address}") from None
