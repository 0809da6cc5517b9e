# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The extension module that is linked with libouroboros-irm, as cffi makes it of native/irm.h."""

from ouroboros._dev import _FFI, _Lib

ffi: _FFI
lib: _Lib
