/*
 * Ouroboros: a program as others write it, for the tests of build systems
 *
 * Compiles as C and as C++. Needs no irmd.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include <ouroboros/dev.h>
#include <ouroboros/errno.h>
#include <ouroboros/fqueue.h>
#include <ouroboros/irm.h>
#include <ouroboros/version.h>

#include <stdio.h>

int main(void)
{
    char     byte = 0;
    fset_t * set = fset_create();
    int      right;

    right = set != NULL
        && flow_write(-1, &byte, 1) == -EBADF
        && flow_alloc(NULL, NULL, NULL) == -EINVAL
        && irm_create_name(NULL) == -EINVAL;
    fset_destroy(set);

    printf("Ouroboros %s %s\n", OUROBOROS_VERSION_STRING,
           right ? "works" : "does not work");
    return right ? 0 : 1;
}
