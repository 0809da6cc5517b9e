// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The heap's functions, in front of those of libc.

#define _GNU_SOURCE
#include "CountedMemory.h"

#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern const char __executable_start;

static struct counted_memory *memory;
/// Of the first thread alone; others are on the way of no packet.
static __thread bool counts __attribute__((tls_model("initial-exec")));

static void count(void) {
    if (!counts)
        return;
    counts = false; // the trace may need memory itself
    void *frames[COUNTED_FRAMES + 2];
    int depth = backtrace(frames, COUNTED_FRAMES + 2);
    uint64_t *trace = memory->traces[memory->calls % COUNTED_TRACES];
    for (int i = 0; i < COUNTED_FRAMES; i++)
        trace[i] = i + 2 < depth ? (uint64_t)((const char *)frames[i + 2] - &__executable_start) : 0;
    memory->calls++;
    counts = true;
}

void *malloc(size_t size) {
    count();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count();
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
    count();
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **place, size_t alignment, size_t size) {
    count();
    *place = __libc_memalign(alignment, size);
    return *place == NULL ? 12 : 0;
}

void counted_memory_begin(void) {
    char path[4096];
    void *frames[1];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 32);
    if (length < 0)
        _exit(99);
    snprintf(path + length, 32, ".%d", (int)getpid());
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, sizeof *memory) < 0)
        _exit(99);
    memory = mmap(NULL, sizeof *memory, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory == MAP_FAILED)
        _exit(99);
    (void)backtrace(frames, 1); // it loads a library the first time
    counts = true;
}
