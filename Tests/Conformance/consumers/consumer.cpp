// Ouroboros: the same program, compiled as C++
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "consumer.c"
