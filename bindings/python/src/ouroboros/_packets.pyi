# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The extension module of native/packets.c."""

def read_bytes(descriptor: int, count: int, /) -> bytes | int: ...
