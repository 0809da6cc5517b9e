# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What pyproject.toml cannot say: the two extension modules, and that they work with each Python from 3.9 on."""

from setuptools import setup

setup(
    cffi_modules=["native/build.py:dev", "native/build.py:irm"],
    options={"bdist_wheel": {"py_limited_api": "cp39"}},
)
