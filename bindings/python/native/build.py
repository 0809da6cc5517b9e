# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Describes the extension modules to cffi, and finds the installed headers and libraries through pkg-config.

PKG_CONFIG       the program; ``pkg-config`` without
PKG_CONFIG_PATH  where it looks, if Ouroboros is not installed where the system looks by itself
"""

import os
import subprocess
import sys
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent
# The version of the C interface that dev.h and irm.h describe.
VERSION = "0.23"


def pkg_config(library: str, *options: str) -> str:
    """Return what pkg-config says of a library, or end the build with a reason."""
    command = [os.environ.get("PKG_CONFIG", "pkg-config"), *options, library]
    try:
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        sys.exit(f"ERROR: {command[0]} is not installed.")
    except subprocess.CalledProcessError as error:
        sys.exit(f"ERROR: {library} not found via pkg-config. Is Ouroboros installed?\n{error.stderr}")
    return answer.stdout.strip()


def linked_with(library: str) -> dict[str, list[str]]:
    """Return the arguments of an extension module that is linked with a library."""
    version = pkg_config(library, "--modversion")
    if ".".join(version.split(".")[:2]) != VERSION:
        sys.exit(f"ERROR: Version mismatch: {library} is {version}, these bindings are for {VERSION}.")
    directory = pkg_config(library, "--variable=libdir")
    return {
        "libraries": [library],
        # pkg-config leaves out what it takes for a system directory.
        "include_dirs": [pkg_config(library, "--variable=includedir")],
        "library_dirs": [directory],
        "runtime_library_dirs": [] if directory.startswith(("/usr/lib", "/lib")) else [directory],
    }


def builder(library: str, module: str) -> FFI:
    """Return the description of an extension module to cffi."""
    name = module.rpartition("_")[2]
    ffi = FFI()
    for header in ("qos", name):
        ffi.cdef((HERE / f"{header}.h").read_text())
    ffi.set_source(module, (HERE / f"{name}.c").read_text(), **linked_with(library))
    return ffi


dev = builder("ouroboros-dev", "ouroboros._dev")
irm = builder("ouroboros-irm", "ouroboros._irm")
