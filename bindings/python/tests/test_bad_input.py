# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What is wrong is an exception that says why, and never the end of the interpreter."""

import builtins
import copy
import errno
import gc
import os
import pickle
import warnings

import pytest

from ouroboros import errors, irm
from ouroboros._dev import lib
from ouroboros.dev import *
from ouroboros.event import *


def test_the_numbers_are_those_of_the_header():
    for symbol in (
        "ENOTALLOC",
        "EIPCPTYPE",
        "EIRMD",
        "EIPCP",
        "EIPCPSTATE",
        "EFLOWDOWN",
        "EFLOWPEER",
        "ENAME",
        "ECRYPT",
    ):
        assert getattr(errors, symbol) == getattr(lib, symbol)
        assert errors._EXPLANATIONS[getattr(errors, symbol)][0] == symbol
    for name, value in FlowProperties.__members__.items():
        c = {"Down": "FLOWFDOWN", "NoPartialRead": "FLOWFRNOPART", "NoPartialWrite": "FLOWFWNOPART"}
        c |= {"NonBlockingRead": "FLOWFRNOBLOCK", "NonBlockingWrite": "FLOWFWNOBLOCK", "NonBlocking": "FLOWFNONBLOCK"}
        c |= {"ReadOnly": "FLOWFRDONLY", "WriteOnly": "FLOWFWRONLY", "ReadWrite": "FLOWFRDWR"}
        assert value == getattr(lib, c[name])
    assert (FRCT_RETRANSMIT, FRCT_RESCNTL, FRCT_LINGER) == (lib.FRCTFRTX, lib.FRCTFRESCNTL, lib.FRCTFLINGER)


def closed(pair):
    flow, _ = pair
    flow.dealloc()
    return flow


@pytest.mark.parametrize("flow", [lambda pair: Flow(), closed], ids=["new", "closed"])
def test_an_object_without_a_flow(pair, flow):
    flow = flow(pair)
    for call in (
        flow.read,
        flow.readline,
        flow.read_packet,
        flow.peek,
        lambda: flow.read_into(bytearray(5)),
        lambda: flow.write(b"x"),
        lambda: flow.write(b""),
        lambda: flow.reserve(5),
        lambda: next(iter(flow)),
    ):
        with pytest.raises(FlowNotAllocatedException) as caught:
            call()
        assert caught.value.errno == errors.ENOTALLOC
    for call in (
        flow.get_flags,
        flow.get_qos,
        flow.get_rx_queue_len,
        flow.get_rcv_timeout,
        flow.get_frct_flags,
        lambda: flow.set_flags(FlowProperties.ReadWrite),
        lambda: flow.set_snd_timeout(1.0),
    ):
        with pytest.raises(FlowPermissionException) as caught:
            call()
        assert caught.value.errno == errors.ENOTALLOC
    with pytest.raises(FlowDeallocWarning):
        flow.dealloc()
    with flow:
        pass
    assert "not open" in repr(flow)


def test_errors_say_what_why_and_what_helps():
    with pytest.raises(FlowException) as caught:
        flow_alloc("nobody-has-this-name")
    error = caught.value
    assert (error.errno, error.subject) == (errors.ENAME, "nobody-has-this-name")
    assert "nobody-has-this-name" in str(error)
    assert "ENAME" in str(error)
    assert "irm bind" in error.hint
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.errno, copy.subject) == (type(error), str(error), error.errno, error.subject)
    with pytest.raises(TimeoutError) as timeout:
        flow_accept(0)
    copy = pickle.loads(pickle.dumps(timeout.value))
    assert (type(copy), copy.errno) == (FlowTimeoutError, errno.ETIMEDOUT)


def test_exceptions_are_made_without_arguments_too():
    for name in errors.__all__:
        error = getattr(errors, name)()
        assert (error.errno, error.subject, error.hint) == (None, "", "")


@pytest.mark.parametrize("bad", ["nul\0inside", b"nul\0inside"])
def test_nul_in_names(bad):
    for call in (
        lambda: flow_alloc(bad),
        lambda: flow_join(bad),
        lambda: irm.create_ipcp(bad, irm.IpcpType.LOCAL),
        lambda: irm.bind_process(os.getpid(), bad),
        lambda: irm.unbind_process(os.getpid(), bad),
        lambda: irm.bind_program(bad, "x"),
        lambda: irm.bind_program("/bin/true", "x", irm.BIND_AUTO, [bad]),
        lambda: irm.create_name(irm.NameInfo(bad)),
        lambda: irm.create_name(irm.NameInfo("x", server_sec=irm.NameSecPaths(key=bad))),
        lambda: irm.destroy_name(bad),
        lambda: irm.reg_name(bad, 1),
        lambda: irm.enroll_ipcp(1, bad),
        lambda: irm.connect_ipcp(1, irm.DT_COMP, bad),
        lambda: irm.bootstrap_ipcp(1, irm.IpcpConfig(irm.IpcpType.LOCAL, bad)),
    ):
        with pytest.raises(ValueError, match="NUL"):
            call()


@pytest.mark.parametrize("bad", [None, 5, 5.5, ["x"], object()])
def test_names_of_wrong_types(bad):
    for call in (lambda: flow_alloc(bad), lambda: flow_join(bad), lambda: irm.destroy_name(bad)):
        with pytest.raises(TypeError):
            call()


def test_names_that_are_too_long():
    with pytest.raises(FlowException) as caught:
        flow_alloc("x" * 256)
    assert caught.value.errno == errors.ENAME
    with pytest.raises(irm.IrmNameError) as refused:
        irm.destroy_name("x" * 256)
    assert refused.value.errno == errno.EINVAL
    with pytest.raises(ValueError, match="longer"):
        irm.create_name(irm.NameInfo("x" * 256))
    with pytest.raises(FlowException):
        flow_alloc("")


@pytest.mark.parametrize("bad", ["1", b"1", object(), [1.0]])
def test_timeouts_of_wrong_types(pair, bad):
    flow, _ = pair
    for call in (lambda: flow_accept(bad), lambda: flow_alloc("x", None, bad), lambda: flow.set_rcv_timeout(bad)):
        with pytest.raises(TypeError):
            call()


def test_odd_timeouts(pair):
    flow, other = pair
    with pytest.raises(ValueError, match="number"):
        flow_accept(float("nan"))
    for instant in (-1, -1e300, float("-inf")):
        with pytest.raises(TimeoutError):
            flow_accept(instant)
    flow.set_rcv_timeout(float("inf"))
    flow.set_rcv_timeout(1e300)
    other.write(b"x")
    assert flow.read() == b"x"


def test_odd_sizes(pair):
    flow, other = pair
    with pytest.raises(ValueError, match="count"):
        flow.read(-1)
    for bad in ("5", b"5", [5]):
        with pytest.raises(TypeError):
            flow.read(bad)
    for huge in (2**31, 2**63, 2**64, 10**30):
        other.write(b"small")
        assert flow.read(huge) == b"small"
    other.write(b"x")
    assert flow.read(0) == b""
    assert flow.read() == b"x"
    with pytest.raises(FlowException) as caught:
        flow.write(bytes(16 * 2**20 + 1))
    assert caught.value.errno == errno.EMSGSIZE


def test_management_with_numbers_out_of_range():
    for wrong in (-1, 2**16, 2**70):
        with pytest.raises(ValueError, match="16 bits"):
            irm.bind_program("true", "x", wrong)
        with pytest.raises(ValueError, match="LoadBalancePolicy"):
            irm.create_name(irm.NameInfo("x", wrong))


def test_quality_out_of_range():
    for bad in (QoSSpec(delay=-1), QoSSpec(delay=2**32), QoSSpec(bandwidth=2**64), QoSSpec(in_order=256)):
        with pytest.raises(ValueError, match="out of range"):
            flow_alloc("x", bad)
    with pytest.raises((TypeError, ValueError)):
        flow_alloc("x", QoSSpec(delay="soon"))
    with pytest.raises(TypeError, match="QoSSpec"):
        flow_alloc("x", "raw")


def test_a_flow_that_is_forgotten_is_deallocated(pairs):
    client, server = pairs()
    client_end = Flow()
    client_end._adopt(client.descriptor, client.name)
    client._descriptor = -1
    with pytest.warns(ResourceWarning, match="unclosed"):
        del client_end
        gc.collect()
    with pytest.raises(FlowDownException):
        server.read()


def test_sets_and_queues_that_are_forgotten_are_given_back(pair):
    client, _ = pair
    for _ in range(3000):
        flows = FlowSet([client])
        queue = FEventQueue()
        del flows, queue
        gc.collect(0)
    with FlowSet([client]) as flows:
        assert client in flows


def test_a_peer_that_vanishes_inside_with(name, script):
    other = script(f"f = flow_alloc({name!r}); f.writeline('hello'); hear(); os._exit(0)")
    with pytest.raises(FlowDownException) as caught, flow_accept() as server:
        assert server.readline() == "hello"
        other.say()
        server.read()
    assert caught.value.errno == errors.EFLOWDOWN
    assert server.descriptor == -1


def test_writing_to_a_peer_that_has_gone(pair):
    client, server = pair
    server.dealloc()
    with pytest.raises(FlowDownException):
        client.write(b"x")
    with pytest.raises(FlowDownException):
        client.reserve(5)


def test_a_peer_that_is_silent(pairs, name, script):
    import signal

    other = script(f"f = flow_alloc({name!r}, QoSSpec(timeout=100)); say('ready'); hear()")
    with flow_accept() as server:
        other.hear()
        other.process.send_signal(signal.SIGSTOP)
        with pytest.raises(FlowPeerException) as caught:
            server.read()
        assert caught.value.errno == errors.EFLOWPEER
        with pytest.raises(FlowPeerException):
            list(server)
    other.process.send_signal(signal.SIGCONT)


def test_without_irmd(script, tmp_path):
    lonely = script(
        """
from ouroboros import errors, irm
for call in (lambda: flow_alloc("x"), lambda: flow_accept(), lambda: flow_join("x"), irm.list_ipcps,
             irm.list_names, lambda: irm.bind_process(os.getpid(), "x")):
    try:
        call()
    except (FlowException, irm.IrmError) as error:
        assert error.errno == errors.EIRMD, error
        assert "OUROBOROS_RUNTIME_DIR" in error.hint
    else:
        raise AssertionError
say("survived")
""",
        OUROBOROS_RUNTIME_DIR=str(tmp_path),
    )
    assert lonely.hear() == "survived", lonely.end()
    assert lonely.end()[0] == 0


def test_an_irmd_that_dies(script, tmp_path_factory):
    import shutil
    import tempfile
    from pathlib import Path

    from conftest import Irmd

    directory = Path(tempfile.mkdtemp(prefix="ouroboros-py."))
    second = Irmd(directory)
    try:
        orphan = script(
            """
from ouroboros import errors, irm
irm.bind_process(os.getpid(), "own")
accepted = []
thread = threading.Thread(target=lambda: accepted.append(flow_accept()))
thread.start()
flow = flow_alloc("own")
thread.join()
def wait():
    try:
        flow_accept()
    except FlowException as error:
        assert error.errno == errors.EIRMD
        say("told")
thread = threading.Thread(target=wait)
thread.start()
say("ready"); hear()
thread.join()
flow.write(b"still"); assert accepted[0].read() == b"still"
try:
    flow_alloc("own")
except FlowException as error:
    assert error.errno == errors.EIRMD
try:
    flow.dealloc()
except FlowDeallocWarning as error:
    assert error.errno == errors.EIRMD
accepted.clear()
say("survived")
""",
            OUROBOROS_RUNTIME_DIR=str(directory),
        )
        assert orphan.hear() == "ready"
        second.process.kill()
        second.process.wait()
        orphan.say()
        assert orphan.hear() == "told"
        assert orphan.hear() == "survived"
        assert orphan.end()[0] == 0
    finally:
        second.stop()
        shutil.rmtree(directory, ignore_errors=True)


def test_what_stands_for_something_of_c_cannot_be_copied(pair):
    client, server = pair
    client.write(b"x")
    # A copy of a set outlived the set, and ended the interpreter.
    with FlowSet([client]) as flows, client.reserve(5) as room, server.peek():
        for original in (client, flows, FEventQueue(), room):
            for copied in (copy.copy, copy.deepcopy, pickle.dumps):
                with pytest.raises(TypeError, match="pickled"):
                    copied(original)


def test_sets_are_of_flows(pair):
    client, _ = pair
    # It is iterable, and this would wait for its packets.
    with pytest.raises(TypeError, match="list"):
        FlowSet(client)
    with FlowSet() as flows:
        for wrong in (None, 5, Flow, object()):
            with pytest.raises(TypeError, match="of flows"):
                flows.add(wrong)
            with pytest.raises(TypeError, match="FEventQueue"):
                flows.wait(wrong, 0)


def test_text_is_written_by_writeline(pair):
    with pytest.raises(TypeError, match="writeline"):
        pair[0].write("text")


def test_name_error_is_the_one_of_the_language_as_well():
    with pytest.raises(builtins.NameError):
        irm.destroy_name("there is none")
    assert issubclass(irm.NameError, irm.IrmError)
    assert "NameError" not in irm.__all__


def test_a_program_that_ends_with_open_flows(name, script):
    careless = script(f"f = flow_alloc({name!r}); g = f.reserve(10); s = g.view[1:]; say('bye')", "-X", "dev")
    with flow_accept() as server:
        assert careless.hear() == "bye"
        status, _, complaints = careless.end()
        assert status == 0, complaints
        assert "ResourceWarning" in complaints
        with pytest.raises(FlowDownException):
            server.read()


def test_there_are_no_warnings_about_nothing(pair):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pair[0], pair[1]:
            pass
        gc.collect()
