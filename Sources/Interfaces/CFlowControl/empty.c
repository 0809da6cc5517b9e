// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The header is all there is; a target of the package needs a source file.

#include "CFlowControl.h"
