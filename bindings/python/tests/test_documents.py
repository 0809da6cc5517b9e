# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The examples in the docstrings, which are those of ouroboros-python(3), and that of fset_pollfd(3), run."""

import ast
import asyncio
import importlib
import inspect
import os
import re
import textwrap
from pathlib import Path

import pytest
from conftest import in_thread
from test_readme import WHOLE

import ouroboros
from ouroboros import irm
from ouroboros.inplace import HeldPacket, ReservedPacket

MODULES = sorted(path.stem for path in Path(ouroboros.__file__).parent.glob("[a-z]*.py"))


def docstrings(module):
    """Those of a module, of all that is defined in it, and of classes that are written in C."""
    tree = ast.parse(Path(ouroboros.__file__).with_name(f"{module}.py").read_text())
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield ast.get_docstring(node) or ""
    if module == "inplace":
        yield from (HeldPacket.__doc__, ReservedPacket.__doc__)


def examples():
    """What stands indented behind two colons, with its module, in the order of the names of modules."""
    found = []
    for module in MODULES:
        for text in docstrings(module):
            for match in re.finditer(r"::\n\n((?:(?: {4}.*)?\n)+(?: {4}.*)?| {4}.*)", text + "\n"):
                found.append((module, textwrap.dedent(match[1]).strip() + "\n"))
    return found


def example(words):
    """Return the one example that has these words, as code, and the names of its module."""
    (module, text), *others = [one for one in examples() if words in one[1]]
    assert not others, words
    code = compile(text, words, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names = vars(importlib.import_module(f"ouroboros.{module}"))
    return code, {**names, "os": os, "asyncio": asyncio, "__name__": "example"}


def run(words, **more):
    """Run an example, as a task if it awaits something."""
    code, names = example(words)
    names.update(more)
    result = eval(code, names)
    return (result, names) if inspect.iscoroutine(result) else (None, names)


TRIED = (
    "with flow_accept() as flow", 'with flow_alloc("echo")', "flow.peek()", "flow.reserve(65536)", "flows.wait(queue)",
    "asyncio.create_task(echo(flow))", "await open_flow(", "        ...", "bootstrap_ipcp(pid", "autoboot(",
)  # fmt: skip


def test_no_example_is_left_out():
    left = [text for _, text in examples() if not any(words in text for words in TRIED)]
    assert not left
    assert len(examples()) == len(TRIED)


@pytest.fixture
def echo():
    irm.bind_process(os.getpid(), "echo")
    yield
    irm.destroy_name("echo")


def test_a_server_and_a_client(echo, capsys):
    server = in_thread(lambda: run("with flow_accept() as flow"))
    run('with flow_alloc("echo")')
    server()
    assert capsys.readouterr().out == "hello\n"


def test_packets_in_place(pair, tmp_path):
    client, server = pair
    client.write(b"\1\2\3")
    _, names = run("flow.peek()", flow=server, total=0)
    assert names["total"] == 6
    (tmp_path / "file").write_bytes(b"x" * 100)
    with (tmp_path / "file").open("rb") as file:
        run("flow.reserve(65536)", flow=client, file=file)
    assert server.read() == b"x" * 100


def test_a_set(pairs):
    client, server = pairs()

    class EnoughError(Exception):
        pass

    class Sets:
        """A set of one flow, whose second wait ends the loop without end."""

        def __init__(self):
            from ouroboros.event import FlowSet

            self.set, self.waits = FlowSet([server]), 0

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.set.__exit__(None, None, None)

        def wait(self, queue):
            self.waits += 1
            if self.waits > 2:
                raise EnoughError
            self.set.wait(queue)

    client.write(b"hello")
    reading = in_thread(lambda: (client.read(), client.dealloc())[0])
    with pytest.raises(EnoughError):
        run("flows.wait(queue)", FlowSet=Sets)
    assert reading() == b"hello"


def test_asyncio(capsys):
    async def main():
        server = asyncio.create_task(run("asyncio.create_task(echo(flow))")[0])
        while not any(row.name == "echo" for row in irm.list_names()):
            await asyncio.sleep(0.001)
        await run("await open_flow(")[0]
        server.cancel()
        await asyncio.wait([server])

        listening = asyncio.create_task(run("        ...")[0])
        await asyncio.sleep(0)
        listening.cancel()
        await asyncio.wait([listening])

    asyncio.run(main())
    irm.destroy_name("echo")
    assert capsys.readouterr().out == "b'hello'\n"


def ended(name):
    for row in irm.list_ipcps():
        if row.name == name:
            irm.destroy_ipcp(row.pid)


def test_management():
    try:
        run("bootstrap_ipcp(pid")
        assert any(row.name == "echo" for row in irm.list_names())
        irm.destroy_name("echo")
        ended("local-ipcp")
        irm.create_name(irm.NameInfo("echo"))
        run("autoboot(")
        assert [row.layer for row in irm.list_ipcps()] == ["local-layer"]
    finally:
        irm.destroy_name("echo")
        ended("local-ipcp")


def test_the_loop_of_another_library():
    page = WHOLE.parent / "man" / "fset_pollfd.3"
    text = re.search(r"^loop = asyncio.*?(?=^\.Ed)", page.read_text(), re.MULTILINE | re.DOTALL)[0]

    class Library:
        """libouroboros-dev, of which only a descriptor that can be read is wanted."""

        @staticmethod
        def fset_pollfd(descriptor):
            return descriptor

    async def main():
        reader, writer = os.pipe()
        readable = asyncio.Event()
        names = {"asyncio": asyncio, "lib": Library, "flow_set": reader, "on_readable": readable.set}
        exec(compile(text, "fset_pollfd", "exec"), names)
        os.write(writer, b"x")
        await readable.wait()
        names["loop"].remove_reader(reader)
        os.close(reader)
        os.close(writer)

    asyncio.run(main())
