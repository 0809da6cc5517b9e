// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "COuroborosDev.h"

#include <ouroboros/fccntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>

int fccntl(int fd, int cmd, ...) {
    va_list list;
    uintptr_t argument = 0;
    va_start(list, cmd);
    switch (cmd) {
    case FLOWSFLAGS:
        argument = va_arg(list, uint32_t);
        break;
    case FRCTSFLAGS:
        argument = (uintptr_t)va_arg(list, int);
        break;
    case FLOWSRCVTIMEO:
    case FLOWGRCVTIMEO:
    case FLOWSSNDTIMEO:
    case FLOWGSNDTIMEO:
    case FLOWGQOSSPEC:
    case FLOWGFLAGS:
    case FLOWGRXQLEN:
    case FLOWGTXQLEN:
    case FRCTGFLAGS:
    case FLOWGNAME:
    case FLOWGPEER:
    case FLOWGMAXMSG:
        argument = (uintptr_t)va_arg(list, void *);
        break;
    default:
        break; // Refused behind, after the descriptor has been looked at.
    }
    va_end(list);
    return ouroboros_dev_control(fd, cmd, argument);
}

// The loader passes the arguments of main() to constructors.
__attribute__((constructor)) static void load(int count, char **arguments) {
    pthread_atfork(ouroboros_dev_prepare_fork, ouroboros_dev_parent_forked, ouroboros_dev_child_forked);
    ouroboros_dev_load(count, arguments);
}

__attribute__((destructor)) static void unload(void) { ouroboros_dev_unload(); }
