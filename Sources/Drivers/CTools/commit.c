// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A file of its own, so that another commit compiles nothing else anew.

#include "CTools.h"

// git-archive(1) fills this in: an archive has no repository.
static const char archived[] = "$Format:%h$";

const char *ct_commit(void) {
    if (archived[0] != '$')
        return archived;
#ifdef OUROBOROS_COMMIT
    if (OUROBOROS_COMMIT[0] != '\0')
        return OUROBOROS_COMMIT;
#endif
    return "unknown";
}
