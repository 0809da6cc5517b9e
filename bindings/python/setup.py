#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What pyproject.toml cannot say: the extension modules, and that they work with each Python from 3.9 on.

``setup.py install`` and ``setup.py develop`` are done by pip, which fetches what building needs.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from runpy import run_path

OLDEST_SETUPTOOLS = 77
BY_PIP = {"install": ["install"], "develop": ["install", "--editable"]}
# These neither compile nor need an installed Ouroboros.
WITHOUT_EXTENSIONS = ("sdist", "egg_info", "dist_info", "clean", "--name", "--version", "--help", "-h")

os.chdir(os.path.dirname(os.path.abspath(__file__)))
arguments = sys.argv[1:]
# Options may stand in front of it.
asked_for = next((word for word in arguments if not word.startswith("-")), "".join(arguments[:1]))


def missing():
    """Return what this interpreter lacks to build, in words."""
    try:
        import cffi  # noqa: F401
        import setuptools
    except ImportError as error:
        return error.name
    if int(setuptools.__version__.split(".")[0]) < OLDEST_SETUPTOOLS:
        return f"setuptools {OLDEST_SETUPTOOLS} or newer"
    return None


def installed_by_pip():
    """Let pip do what is asked for, and end with its status."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *BY_PIP[asked_for], "."]
    command += [argument for argument in arguments if argument != asked_for]
    if subprocess.run([sys.executable, "-c", "import pip"], capture_output=True).returncode != 0:
        sys.exit("ERROR: pip is not installed (package python3-pip and python3-venv, or python3 -m ensurepip).")
    if missing() is None:
        command.append("--no-build-isolation")
    print("setup.py: this is done by:", *command, flush=True)
    sys.exit(subprocess.run(command).returncode)


def options():
    """Return options of the commands that are run."""
    chosen = {
        "bdist_wheel": {"py_limited_api": "cp39"},
        # What was built before may be linked with another Ouroboros.
        "build_ext": {"force": True},
    }
    if "build" not in arguments:
        # What another version or user has left in build/ shall be neither in the way nor in the wheel.
        scratch = tempfile.mkdtemp(prefix="ouroboros-build.")
        atexit.register(shutil.rmtree, scratch, ignore_errors=True)
        chosen["build"] = {"build_base": scratch}
        if asked_for in ("egg_info", "bdist_wheel"):
            chosen["egg_info"] = {"egg_base": scratch}
    return chosen


def extensions():
    """Return the arguments of setup() that compile."""
    from setuptools import Extension

    build = run_path("native/build.py")
    build["look_for_compiler"]()
    without_cffi = [
        Extension(
            f"ouroboros._{name}",
            [f"native/{name}.c"],
            define_macros=[("Py_LIMITED_API", "0x03090000")],
            py_limited_api=True,
            **build["linked_with"]("ouroboros-dev"),
        )
        for name in ("packets", "places")
    ]
    return {"cffi_modules": ["native/build.py:dev", "native/build.py:irm"], "ext_modules": without_cffi}


if asked_for in BY_PIP:
    installed_by_pip()
lacking = missing()
if lacking is not None and asked_for not in WITHOUT_EXTENSIONS:
    sys.exit(f'ERROR: {lacking} is not installed; "pip install ." or "setup.py install" fetches it.')

from setuptools import setup  # noqa: E402

setup(options=options(), **({} if asked_for in WITHOUT_EXTENSIONS else extensions()))
