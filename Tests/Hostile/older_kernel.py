#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs a program as a kernel before 6.5 would: without SO_PEERPIDFD and SO_PASSRIGHTS.

usage: older_kernel.py PROGRAM [ARGUMENT...]
"""

import ctypes
import os
import platform
import struct
import sys

SETSOCKOPT, GETSOCKOPT = {"x86_64": (54, 55), "aarch64": (208, 209)}[platform.machine()]
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, NO_SUCH_OPTION = 0x7FFF0000, 0x00050000 | 92
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER = 38, 22, 2

program = [
    (LOAD, 0, 0, 0),  # the number of the call
    (EQUAL, 2, 0, SETSOCKOPT),
    (EQUAL, 1, 0, GETSOCKOPT),
    (RETURN, 0, 0, ALLOW),
    (LOAD, 0, 0, 32),  # the third argument: the option
    (EQUAL, 1, 0, 83),
    (EQUAL, 0, 1, 77),
    (RETURN, 0, 0, NO_SUCH_OPTION),
    (RETURN, 0, 0, ALLOW),
]
words = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *one) for one in program))


class Program(ctypes.Structure):
    _fields_ = [("count", ctypes.c_ushort), ("words", ctypes.c_void_p)]


libc = ctypes.CDLL(None, use_errno=True)
filter_program = Program(len(program), ctypes.addressof(words))
if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, FILTER, ctypes.byref(filter_program), 0, 0):
    sys.exit("older_kernel.py: " + os.strerror(ctypes.get_errno()))
os.execv(sys.argv[1], sys.argv[1:])
