# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What pyproject.toml cannot say: the extension modules, and that they work with each Python from 3.9 on."""

from runpy import run_path

from setuptools import Extension, setup

linked_with = run_path("native/build.py")["linked_with"]

setup(
    cffi_modules=["native/build.py:dev", "native/build.py:irm"],
    ext_modules=[
        Extension(
            "ouroboros._packets",
            ["native/packets.c"],
            define_macros=[("Py_LIMITED_API", "0x03090000")],
            py_limited_api=True,
            **linked_with("ouroboros-dev"),
        )
    ],
    options={
        "bdist_wheel": {"py_limited_api": "cp39"},
        # What was built before may be linked with another Ouroboros.
        "build_ext": {"force": True},
    },
)
