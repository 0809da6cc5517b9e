# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""pyOuroboros, unmodified, and these bindings.

It builds and runs with this Ouroboros; its examples run with these bindings; and these have all of its names, arguments
and defaults.

PYOUROBOROS_SOURCE says where a checkout of its version 0.23 is, with its tags; skipped without.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ENDS_WITH_US, PATIENCE

from ouroboros import irm

SOURCE = os.environ.get("PYOUROBOROS_SOURCE")
pytestmark = pytest.mark.skipif(not SOURCE, reason="PYOUROBOROS_SOURCE does not say where pyOuroboros is")

# Prints what a program sees: the signatures of functions, classes and methods, and the values of constants.
SURFACE = r"""
import enum, importlib, inspect, json
def defaults(call):
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return None
    return [[p.name, None if p.default is p.empty else int(p.default) if isinstance(p.default, int) else p.default]
            for p in parameters]
surface = {}
for name in ("qos", "dev", "event", "irm", "cli"):
    module = importlib.import_module("ouroboros." + name)
    for key, value in vars(module).items():
        path = name + "." + key
        if key.startswith("_") or inspect.ismodule(value):
            continue
        if isinstance(value, (int, str)):
            surface[path] = value
        elif inspect.isclass(value) and value.__module__.startswith("ouroboros."):
            if issubclass(value, enum.Enum):
                surface[path] = {member: int(number) for member, number in value.__members__.items()}
            elif issubclass(value, BaseException):
                surface[path] = "exception"
            else:
                surface[path] = defaults(value)
                for method, function in inspect.getmembers(value, inspect.isfunction):
                    if not method.startswith("_") or method in ("__enter__", "__exit__"):
                        surface[path + "." + method] = defaults(function)
        elif inspect.isfunction(value):
            surface[path] = defaults(value)
print(json.dumps(surface))
"""


def surface(python):
    done = subprocess.run([python, "-c", SURFACE], capture_output=True, text=True, check=True, timeout=PATIENCE)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """An interpreter that has pyOuroboros."""
    directory = tmp_path_factory.mktemp("pyouroboros")
    # Nothing of an earlier build, which may have been with other libraries.
    shutil.copytree(SOURCE, directory / "source", ignore=shutil.ignore_patterns("build", "*.egg-info", "*.so"))
    prefix = os.environ["PREFIX"]
    environment = {
        **os.environ,
        "PKG_CONFIG_PATH": f"{prefix}/lib/pkgconfig",
        "CFLAGS": f"-I{prefix}/include",
        "LDFLAGS": f"-L{prefix}/lib -Wl,-rpath,{prefix}/lib",
        # The copy may belong to another user.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
    subprocess.run([sys.executable, "-m", "venv", directory / "environment"], check=True)
    pip = [directory / "environment" / "bin" / "pip", "install", "--quiet", directory / "source"]
    done = subprocess.run(pip, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return directory / "environment" / "bin" / "python"


def test_these_bindings_have_all_of_it(python):
    theirs, ours = surface(python), surface(sys.executable)
    different = {}
    for name, meaning in theirs.items():
        found = ours.get(name, "missing")
        if isinstance(meaning, list) and isinstance(found, list):
            # More arguments may follow, if they need not be given.
            found = found[: len(meaning)]
        if found != meaning:
            different[name] = (meaning, found)
    corrected = {f"{module}.FlowProperties" for module in ("dev", "event")}
    assert {name: pair for name, pair in different.items() if name not in corrected} == {}
    for name in corrected:
        assert {**theirs[name], "NoPartialWrite": 0o20000} == ours[name]


@pytest.mark.parametrize("example", ["oecho.py", "oecho_set.py"])
@pytest.mark.parametrize("bindings", ["its own bindings", "these bindings"])
def test_its_examples_run(python, example, bindings):
    interpreter = python if bindings == "its own bindings" else sys.executable
    program = Path(SOURCE) / "examples" / example
    server = subprocess.Popen(
        [*ENDS_WITH_US, interpreter, "-u", program, "--listen"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        irm.bind_process(server.pid, "oecho")
        for _ in range(3):
            client = [interpreter, program]
            done = subprocess.run(client, capture_output=True, text=True, timeout=PATIENCE)
            assert (done.returncode, done.stderr) == (0, ""), server.poll()
            assert "Hello, PyOuroboros" in done.stdout
    finally:
        server.kill()
        server.communicate()
        irm.destroy_name("oecho")
