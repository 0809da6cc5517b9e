/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include <ouroboros/errno.h>
#include <ouroboros/irm.h>
#include <ouroboros/version.h>

#include <stdlib.h>
