// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A standard stream that is closed must not become the number of a socket, to which the program then writes its output.
// Libraries open descriptors before main(), so this comes before them.

#include <errno.h>
#include <fcntl.h>

static void hold_standard_streams(void) {
    // Of the wrong direction, so that what is written there fails and is not lost.
    static const int flags[] = {O_WRONLY, O_RDONLY, O_RDONLY};
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)open("/dev/null", flags[fd]);
}

// An entry of its own table of the program: constructors come later.
__attribute__((section(".preinit_array"), used)) static void (*begin)(void) = hold_standard_streams;
