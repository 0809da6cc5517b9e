# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ouroboros.irm and ouroboros.cli: IPCPs, names, bindings."""

import errno
import os
import subprocess
import sys

import pytest
from conftest import in_thread

from ouroboros import cli, errors, irm
from ouroboros.dev import FlowDownException, FlowPeer, FlowPermissionException, flow_accept, flow_alloc
from ouroboros.irm import *


@pytest.fixture
def ipcp():
    """A local IPCP: its name and process id."""
    name = f"ipcp-{os.urandom(4).hex()}"
    pid = create_ipcp(name, IpcpType.LOCAL)
    yield name, pid
    if any(row.pid == pid for row in list_ipcps()):
        destroy_ipcp(pid)


@pytest.fixture
def fresh():
    """A name that does not exist, and is gone afterwards."""
    name = f"fresh-{os.urandom(4).hex()}"
    yield name
    if any(row.name == name for row in list_names()):
        destroy_name(name)


def test_create_ipcp_returns_the_pid(ipcp):
    name, pid = ipcp
    assert pid > 0
    rows = [row for row in list_ipcps() if row.pid == pid]
    assert rows == [IpcpInfo(pid, IpcpType.LOCAL, name, "Not enrolled.")]
    assert repr(rows[0]) == f"IpcpInfo(pid={pid}, type=LOCAL, name='{name}', layer='Not enrolled.')"


def test_long_names_of_ipcps():
    pid = create_ipcp("x" * 255, IpcpType.LOCAL)
    assert [row.name for row in list_ipcps() if row.pid == pid] == ["x" * 254]
    destroy_ipcp(pid)


def test_a_local_layer(ipcp, fresh):
    _, pid = ipcp
    bootstrap_ipcp(pid, IpcpConfig(IpcpType.LOCAL, layer_name=b"py-layer"))
    assert [row.layer for row in list_ipcps() if row.pid == pid] == ["py-layer"]
    create_name(NameInfo(fresh))
    bind_process(os.getpid(), fresh)
    reg_name(fresh, pid)
    accepted = in_thread(flow_accept)
    with flow_alloc(fresh) as flow, accepted() as other:
        flow.write(b"x")
        assert other.read() == b"x"
    unreg_name(fresh, pid)
    unbind_process(os.getpid(), fresh)
    destroy_name(fresh)


def test_a_layer_over_udp():
    pid = create_ipcp("py-udp", IpcpType.UDP4)
    own = f"127.{os.getpid() % 250 + 1}.{os.urandom(1)[0]}.{os.urandom(1)[0] % 250 + 1}"
    bootstrap_ipcp(pid, IpcpConfig(IpcpType.UDP4, "py-internet", udp4=Udp4Config(own)))
    assert [row.layer for row in list_ipcps() if row.pid == pid] == ["py-internet"]
    destroy_ipcp(pid)


def test_names_and_their_policies(fresh):
    create_name(NameInfo(fresh, LoadBalancePolicy.SPILL))
    create_name(NameInfo(fresh, LoadBalancePolicy.ROUND_ROBIN))
    row = next(row for row in list_names() if row.name == fresh)
    assert row.pol_lb is LoadBalancePolicy.SPILL
    assert row.server_sec == NameSecPaths("", "", "")


def test_paths_of_names(fresh, tmp_path):
    file = tmp_path / "key"
    file.write_text("x")
    create_name(NameInfo(fresh, server_sec=NameSecPaths(key=str(file)), client_sec=NameSecPaths(crt=os.fsencode(file))))
    row = next(row for row in list_names() if row.name == fresh)
    assert row.server_sec == NameSecPaths("", str(file), "")
    assert row.client_sec == NameSecPaths("", "", str(file))


def test_programs_are_bound_and_started(fresh, tmp_path):
    program = tmp_path / "server.py"
    program.write_text(
        f"#!{sys.executable}\n"
        "import sys\nfrom ouroboros.dev import *\n"
        "with flow_accept() as flow:\n    flow.writeline(' '.join(sys.argv[1:]))\n    flow.readline()\n"
    )
    program.chmod(0o755)
    bind_program(str(program), fresh, BIND_AUTO, ["two words", b"three"])
    with pytest.raises(BindError) as caught:
        bind_program(os.fsencode(program), fresh)
    assert caught.value.errno == errno.EPERM
    with flow_alloc(fresh) as flow:
        assert flow.readline() == "two words three"
    unbind_program(str(program), fresh)
    with pytest.raises(BindError):
        unbind_program(str(program), fresh)
    bind_program("true", fresh)
    bind_program("true", fresh + "2")
    unbind_program("true", None)
    destroy_name(fresh + "2")


def test_processes_are_bound_to_names(fresh):
    bind_process(os.getpid(), fresh)
    with pytest.raises(BindError):
        bind_process(os.getpid(), fresh)
    unbind_process(os.getpid(), fresh)
    with pytest.raises(BindError):
        unbind_process(os.getpid(), fresh)
    bind_process(os.getpid(), fresh)
    unbind_process(os.getpid(), None)


def test_exceptions_say_why(ipcp):
    name, pid = ipcp
    nobody = 2**22 + 1
    for kind, number, call in (
        (IpcpCreateError, errno.EPERM, lambda: create_ipcp(name, IpcpType.LOCAL)),
        (IpcpCreateError, errors.EIPCPTYPE, lambda: create_ipcp("x", IpcpType.BROADCAST)),
        (IrmError, errno.EPERM, lambda: destroy_ipcp(nobody)),
        (IrmError, errno.EINVAL, lambda: destroy_ipcp(0)),
        (IrmError, errno.EINVAL, lambda: destroy_ipcp(2**40)),
        (IpcpBootstrapError, errno.EPERM, lambda: bootstrap_ipcp(nobody, IpcpConfig(IpcpType.LOCAL, "x"))),
        (IpcpEnrollError, errno.EPERM, lambda: enroll_ipcp(pid, "x")),
        (IpcpConnectError, errors.EIPCP, lambda: connect_ipcp(pid, DT_COMP, "x")),
        (IpcpConnectError, errors.EIPCP, lambda: disconnect_ipcp(pid, MGMT_COMP, "x")),
        (BindError, errno.ENOENT, lambda: bind_program("/does/not/exist", "x")),
        (BindError, errno.EPERM, lambda: bind_process(nobody, "x")),
        (irm.NameError, errno.EPERM, lambda: destroy_name("no-such-name")),
        (irm.NameError, errors.ENAME, lambda: reg_name("no-such-name", pid)),
    ):
        with pytest.raises(kind) as caught:
            call()
        assert caught.value.errno == number, str(caught.value)
        assert isinstance(caught.value, IrmError)


def test_arguments_of_wrong_types():
    for call in (
        lambda: destroy_ipcp("1"),
        lambda: create_name("x"),
        lambda: bootstrap_ipcp(1, None),
        lambda: bind_program("true", "x", "auto"),
        lambda: bind_program("true", "x", 0, [5]),
        lambda: connect_ipcp(1, DT_COMP, "x", "raw"),
    ):
        with pytest.raises((TypeError, AttributeError)):
            call()
    with pytest.raises(ValueError, match="99"):
        create_ipcp("x", 99)


@pytest.mark.parametrize(
    "conf",
    [
        IpcpConfig(IpcpType.UDP4, "x", udp4=Udp4Config("localhost")),
        IpcpConfig(IpcpType.UDP4, "x", udp4=Udp4Config("127.0.0.1", dns_addr="::1")),
        IpcpConfig(IpcpType.UDP6, "x", udp6=Udp6Config("127.0.0.1")),
        IpcpConfig(IpcpType.UDP4, "x", udp4=Udp4Config("127.0.0.1", port=65536)),
        IpcpConfig(IpcpType.UNICAST, "x", unicast=UnicastConfig(DtConfig(addr_size=256))),
        IpcpConfig(IpcpType.UNICAST, "x", unicast=UnicastConfig(dir=DirConfig(dht=DhtConfig(alpha=-1)))),
        IpcpConfig(IpcpType.ETH_DIX, "x", eth=EthConfig("e" * 256)),
        IpcpConfig(IpcpType.ETH_DIX, "x", eth=EthConfig("eth0", -1)),
        IpcpConfig(IpcpType.LOCAL, "x" * 256),
    ],
    ids=["IPv4", "DNS", "IPv6", "port", "address size", "alpha", "interface", "ethertype", "layer"],
)
def test_configurations_that_are_impossible(conf):
    with pytest.raises(ValueError, match=r"Invalid|range|longer"):
        bootstrap_ipcp(1, conf)


@pytest.mark.parametrize("kind", list(IpcpType), ids=lambda kind: kind.name)
def test_configurations_of_all_types_reach_irmd(kind):
    with pytest.raises(IpcpBootstrapError):
        bootstrap_ipcp(2**22 + 1, IpcpConfig(kind, "x"))


def test_defaults_are_those_of_the_headers():
    unicast = UnicastConfig()
    assert unicast.dt == DtConfig(4, 8, 60, RoutingConfig(RoutingPolicy.LINK_STATE, LinkStateConfig()))
    assert unicast.dt.routing.ls == LinkStateConfig(LinkStatePolicy.SIMPLE, 4, 15, 60)
    assert unicast.dir == DirConfig(DirectoryPolicy.DHT, DhtConfig(3, 8, 86400, 900, 900))
    assert unicast.addr_auth is AddressAuthPolicy.FLAT_RANDOM
    assert unicast.cong_avoid is CongestionAvoidPolicy.MB_ECN
    assert EthConfig() == EthConfig("", 0xA000)
    assert Udp4Config() == Udp4Config("0.0.0.0", "0.0.0.0", 3435)
    assert Udp6Config() == Udp6Config("::", "::", 3435)
    assert IpcpConfig(IpcpType.LOCAL).dir_hash_algo is DirectoryHashAlgo.SHA3_256
    assert UnicastConfig().dt is not UnicastConfig().dt


def test_cli_uses_names(fresh):
    cli.autoboot("cli-ipcp", IpcpType.LOCAL, "cli-layer")
    with pytest.raises(IpcpBootstrapError):
        cli.bootstrap_ipcp("cli-ipcp", IpcpConfig(IpcpType.LOCAL, "other"))
    (row,) = cli.list_ipcps(name="cli-ipcp", layer=b"cli-layer", ipcp_type=IpcpType.LOCAL)
    assert cli.list_ipcps(ipcp_type=IpcpType.UNICAST) == []
    cli.reg_name(fresh, ipcp="cli-ipcp", layers=["cli-layer"])
    (name,) = cli.list_names(fresh)
    assert name.pol_lb is LoadBalancePolicy.ROUND_ROBIN
    listed = subprocess.run(["irm", "name", "list", "name", fresh, "--json"], capture_output=True, text=True).stdout
    assert "cli-layer" in listed
    cli.unreg_name(fresh, layer="cli-layer")
    cli.bind_ipcp("cli-ipcp", fresh)
    cli.unbind_ipcp("cli-ipcp", fresh)
    cli.bind_process(os.getpid(), fresh)
    cli.unbind_process(os.getpid(), fresh)
    cli.bind_program("true", fresh)
    cli.unbind_program("true", fresh)
    cli.destroy_name(fresh)
    cli.create_name(fresh, LoadBalancePolicy.SPILL)
    assert cli.list_names(fresh)[0].pol_lb is LoadBalancePolicy.SPILL
    for component in ("*", "dt", "mgmt"):
        with pytest.raises(IpcpConnectError):
            cli.connect_ipcp("cli-ipcp", "x", component)
        with pytest.raises(IpcpConnectError):
            cli.disconnect_ipcp("cli-ipcp", "x", component)
    with pytest.raises(ValueError, match="component"):
        cli.connect_ipcp("cli-ipcp", "x", "data")
    cli.destroy_ipcp("cli-ipcp")
    assert row.pid not in [other.pid for other in irm.list_ipcps()]


def test_cli_knows_what_does_not_exist():
    for call in (
        lambda: cli.destroy_ipcp("nobody"),
        lambda: cli.bootstrap_ipcp("nobody", IpcpConfig(IpcpType.LOCAL)),
        lambda: cli.enroll_ipcp("nobody", "x"),
        lambda: cli.bind_ipcp("nobody", "x"),
        lambda: cli.reg_name("x", ipcps=["nobody"]),
        lambda: cli.connect_ipcp("nobody", "x"),
    ):
        with pytest.raises(ValueError, match="No IPCP named 'nobody'"):
            call()
    with pytest.raises(ValueError, match="No IPCP in layer 'nowhere'"):
        cli.unreg_name("x", layer="nowhere")


def test_an_ipcp_that_cannot_be_bootstrapped_is_not_left():
    with pytest.raises(ValueError, match="Invalid"):
        cli.autoboot("left", IpcpType.UDP4, "x", IpcpConfig(IpcpType.UDP4, udp4=Udp4Config("nowhere")))
    assert cli.list_ipcps("left") == []


def test_errors_say_why_in_the_words_of_irmd(fresh, tmp_path):
    create_name(NameInfo(fresh))
    bind_process(os.getpid(), fresh)
    with pytest.raises(BindError, match=r"is bound to .* already"):
        bind_process(os.getpid(), fresh)
    unbind_process(os.getpid(), fresh)
    with pytest.raises(errors.FlowException, match="nobody serves"):
        flow_alloc(fresh)
    program = tmp_path / "early"
    program.write_text("#!/bin/sh\nexit 127\n")
    program.chmod(0o700)
    bind_program(str(program), fresh, BIND_AUTO)
    with pytest.raises(errors.FlowException, match=f"{program} ended with status 127 before it accepted") as caught:
        flow_alloc(fresh)
    assert caught.value.errno == errors.EIPCP
    with pytest.raises(IrmNameError, match="there is no name"):
        destroy_name(fresh + "-other")


def test_bindings_are_listed(fresh, ipcp, tmp_path):
    program = tmp_path / "served"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    bind_program(str(program), fresh, BIND_AUTO, ["-l", "", "a b"])
    bind_process(os.getpid(), fresh)
    name, pid = ipcp
    bind_process(pid, fresh)
    rows = [row for row in list_bindings() if row.name == fresh]
    assert [row.type for row in rows[:1]] == [BindType.PROGRAM]
    assert (rows[0].prog, rows[0].uid, rows[0].pid, rows[0].argv) == (
        str(program),
        os.geteuid(),
        None,
        ["-l", "", "a b"],
    )
    processes = {row.type: row for row in rows[1:]}
    assert (processes[BindType.PROCESS].pid, processes[BindType.PROCESS].argv) == (os.getpid(), None)
    assert (processes[BindType.IPCP].pid, processes[BindType.IPCP].prog) == (pid, name)


def test_flows_are_listed_and_destroyed(fresh):
    bind_process(os.getpid(), fresh)
    accepted = in_thread(flow_accept)
    with flow_alloc(fresh) as flow, accepted() as other:
        flow.write(b"x" * 10)
        row = next(row for row in list_flows() if row.name == fresh)
        assert (row.state, row.layer) == (FlowState.ALLOCATED, "")
        assert row.age >= 0
        assert (row.client.pid, row.client.is_remote, row.client.host) == (os.getpid(), False, "")
        assert (row.client.packets, row.client.unread_packets, row.server.packets) == (1, 1, 0)
        assert row.client.unread_bytes == row.client.bytes > 10
        destroy_flow(row.id)
        assert other.read() == b"x" * 10
        with pytest.raises(FlowDownException):
            other.read()
        with pytest.raises(FlowDownException):
            flow.write(b"x")
    with pytest.raises(IrmError, match="there is no flow") as caught:
        destroy_flow(row.id)
    assert caught.value.errno == errno.ENOENT
    with pytest.raises(ValueError, match="32 bits"):
        destroy_flow(2**32)


def test_a_name_waits_for_its_server(fresh):
    create_name(NameInfo(fresh))
    with pytest.raises(errors.FlowException, match="nobody serves"):
        flow_alloc(fresh)
    assert get_name_wait(fresh) == 0
    set_name_wait(fresh, 0.2)
    assert get_name_wait(fresh) == pytest.approx(0.2)
    assert [row.wait for row in list_names() if row.name == fresh] == [pytest.approx(0.2)]
    with pytest.raises(errors.FlowException, match="nobody served"):
        flow_alloc(fresh)
    set_name_wait(fresh, None)
    assert get_name_wait(fresh) is None
    assert [row.wait for row in list_names() if row.name == fresh] == [None]
    with pytest.raises(errors.FlowTimeoutError):
        flow_alloc(fresh, timeo=0.2)
    allocated = in_thread(lambda: flow_alloc(fresh))
    bind_process(os.getpid(), fresh)
    with flow_accept() as other, allocated() as flow:
        other.write(b"y")
        assert flow.read() == b"y"
    set_name_policy(fresh, LoadBalancePolicy.SPILL)
    assert [row.pol_lb for row in list_names() if row.name == fresh] == [LoadBalancePolicy.SPILL]
    for wait in (-1, float("nan")):
        with pytest.raises(ValueError, match="time to wait"):
            set_name_wait(fresh, wait)
    for ask in (
        lambda: set_name_policy(fresh + "-other", LoadBalancePolicy.SPILL),
        lambda: get_name_wait(fresh + "-o"),
    ):
        with pytest.raises(IrmNameError) as caught:
            ask()
        assert caught.value.errno == errors.ENAME


def test_a_server_asks_for_the_name_and_the_peer(fresh):
    bind_process(os.getpid(), fresh)
    accepted = in_thread(flow_accept)
    with flow_alloc(fresh) as flow, accepted() as other:
        for end in (flow, other):
            assert end.name == fresh
            assert end.peer == FlowPeer(False, os.getpid(), os.geteuid(), os.getegid(), "", "")
    with pytest.raises(FlowPermissionException):
        flow.peer  # noqa: B018
