# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The programs in the READMEs run as they stand there.

README_OF_ALL says where that of the whole project is; beside this directory, or two above it, without.
"""

import os
import re
from pathlib import Path

import pytest
from conftest import PATIENCE

from ouroboros import irm

OWN = Path(__file__).resolve().parent.parent / "README.md"
WHOLE = Path(os.environ.get("README_OF_ALL", OWN.parent.parent.parent / "README.md"))


def programs(file):
    return re.findall(r"^```python\n(.*?)^```$", file.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def begin(script):
    """Start a program of a README as a process with a name, or with none."""
    bound = []

    def start(text, name=None):
        program = script(text)
        if name is not None:
            irm.bind_process(program.process.pid, name)
            bound.append(name)
        return program

    yield start
    for name in bound:
        irm.destroy_name(name)


def output_of(program):
    output, errors = program.process.communicate(timeout=PATIENCE)
    assert program.process.returncode == 0, errors
    return output


def test_flows(begin):
    server, client, *_ = programs(OWN)
    begin(server, "echo")
    for _ in range(2):
        assert output_of(begin(client)) == "hello\n"


def test_flow_sets(begin):
    _, client, server, *_ = programs(OWN)
    begin(server, "echo")
    for client_of_many in [begin(client) for _ in range(3)]:
        assert output_of(client_of_many) == "hello\n"


def test_management(begin):
    _, _, _, manager, *_ = programs(OWN)
    output = output_of(begin(manager))
    try:
        assert "type=LOCAL, name='local-ipcp', layer='local-layer'" in output
        assert "'service'" in output
    finally:
        irm.destroy_name("service")
        irm.destroy_ipcp(next(ipcp.pid for ipcp in irm.list_ipcps() if ipcp.name == "local-ipcp"))


def test_asyncio(begin):
    *_, both = programs(OWN)
    assert output_of(begin(both)) == "b'hello'\n"
    irm.destroy_name("echo-too")


def test_those_of_the_whole_project(begin):
    client, server = programs(WHOLE)
    begin(server)
    while not any(row.name == "echo" for row in irm.list_names()):
        pass
    assert output_of(begin(client)) == "hello\n"
    irm.destroy_name("echo")
