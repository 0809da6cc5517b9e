// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What programs have, and no library: whatever is linked with this begins with its standard streams open.

#ifndef OUROBOROS_CTOOLS_H
#define OUROBOROS_CTOOLS_H

/// The commit that this was built from, cut short; "unknown" where neither git nor an archive of it said so.
const char *ct_commit(void);

#endif
