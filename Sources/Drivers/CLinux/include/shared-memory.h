// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory that processes share: how it is made and mapped, and how bytes get in and out.

#ifndef OUROBOROS_SHARED_MEMORY_H
#define OUROBOROS_SHARED_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/// For `cl_copy`: from the end to the beginning.
void cl_copy_backwards(void *to, const void *from, size_t count);

/// 16 to 64 bytes, which most messages are, without a call.
static inline void cl_copy_little(void *to, const void *from, size_t count) {
    typedef long long block __attribute__((vector_size(16), aligned(1), may_alias));
    const char *source = (const char *)from;
    char *destination = (char *)to;
    block first = *(const block *)source, last = *(const block *)(source + count - 16);
    if (count > 32) {
        block second = *(const block *)(source + 16), third = *(const block *)(source + count - 32);
        *(block *)(destination + 16) = second;
        *(block *)(destination + count - 32) = third;
    }
    *(block *)destination = first;
    *(block *)(destination + count - 16) = last;
}

/// memcpy(), but for what it is bad at. Processors of AMD copy with `rep movsb`, which memcpy() uses from 2 KiB on, forty
/// times slower [1.5 against 57 GB/s for 64 KiB] when the destination is 1 to 15 bytes ahead of the source within a page
/// [measured: not at 0, nor from 16 on]: their loads seem to hit what was just stored. A payload stands 8 bytes into a
/// page more often than not and the caller's buffer at 0 or 16, so that is the usual case. Backwards there is no such
/// hit.
static inline void cl_copy(void *to, const void *from, size_t count) {
    if (count - 16 <= 48)
        cl_copy_little(to, from, count);
    else if (count >= 2048 && (((uintptr_t)to - (uintptr_t)from - 1) & 4095) < 15)
        cl_copy_backwards(to, from, count);
    else
        memcpy(to, from, count);
}

/// Asks for the two cache lines at `address`, to be read soon. Never faults, whatever is there.
static inline void cl_prefetch_pair(const void *address) {
    __builtin_prefetch(address, 0, 3);
    __builtin_prefetch((const char *)address + 64, 0, 3);
}

/// A memfd of `size` bytes, sealed against shrinking, growing and further seals. Descriptor or -errno.
/// `*call` names the system call that failed.
int cl_memfd_sealed(const char *name, size_t size, const char **call);
/// 0 if the descriptor is a memfd of exactly `size` bytes that can neither shrink nor grow; else -EINVAL.
int cl_memfd_check(int fd, size_t size);
/// Maps shared memory again: what stands at `from`, which is mapped already, and what follows it in the same memfd,
/// `size` bytes in all, so that no descriptor is needed. At `place`, over what is mapped there, or anywhere if that is
/// NULL. The address, or NULL. Both addresses are multiples of a page.
void *cl_map_again(void *from, size_t size, void *place);
/// A memfd with these bytes, to be read from the beginning. Descriptor or -errno.
int cl_memfd_holding(const char *name, const void *bytes, size_t count);

#endif
