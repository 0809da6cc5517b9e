# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Describes the extension modules to cffi, and finds the installed headers and libraries through pkg-config.

PKG_CONFIG       the program; ``pkg-config`` without
PKG_CONFIG_PATH  where it looks, if Ouroboros is not installed where the system looks by itself
"""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent
# The version of the C interface that dev.h and irm.h describe.
VERSION = "0.23"


def pkg_config(library: str, *options: str) -> str:
    """Return what pkg-config says of a library, or end the build with a reason."""
    command = [*shlex.split(os.environ.get("PKG_CONFIG", "pkg-config")), *options, library]
    try:
        answer = subprocess.run(command, check=True, capture_output=True)
    except OSError as error:
        sys.exit(f"ERROR: {command[0]} cannot be run: {error.strerror} (package pkg-config).")
    except subprocess.CalledProcessError as error:
        sys.exit(
            f"ERROR: {library} not found via pkg-config. Is Ouroboros installed? "
            f"PKG_CONFIG_PATH=PREFIX/lib/pkgconfig says where.\n{os.fsdecode(error.stderr)}"
        )
    return os.fsdecode(answer.stdout).rstrip("\n")


def look_for_compiler() -> None:
    """End the build with a reason if there is no compiler, or nothing to compile against."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
    if shutil.which(compiler) is None:
        sys.exit(f"ERROR: there is no C compiler {compiler} (package gcc); CC=PROGRAM names another.")
    headers = Path(sysconfig.get_path("include"))
    if not (headers / "Python.h").exists():
        sys.exit(f"ERROR: the headers of Python are not in {headers} (package python3-dev).")


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
        # One by one: a directory may have a comma in its name.
        "extra_link_args": [] if is_searched(directory) else ["-Xlinker", "-rpath", "-Xlinker", directory],
    }


def is_searched(directory: str) -> bool:
    """Return whether the dynamic linker looks into a directory by itself."""
    multiarch = sysconfig.get_config_var("MULTIARCH") or ""
    return directory.rstrip("/") in {
        f"{root}/{name}".rstrip("/") for root in ("", "/usr") for name in ("lib", "lib64", f"lib/{multiarch}")
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
