// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How long dlopen takes: each library in a fresh process, interleaved.
// usage: load ROUNDS LIBRARY…

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ROUNDS = 1000, MAX_LIBRARIES = 8 };

static double load(const char *library) {
    int fds[2];
    double result = -1;
    if (pipe(fds) < 0)
        return -1;
    if (fork() == 0) {
        struct timespec before, after;
        clock_gettime(CLOCK_MONOTONIC, &before);
        void *handle = dlopen(library, RTLD_NOW);
        clock_gettime(CLOCK_MONOTONIC, &after);
        if (!handle) {
            fprintf(stderr, "%s\n", dlerror());
            _exit(1);
        }
        double spent = (double)(after.tv_sec - before.tv_sec) * 1e6 + (double)(after.tv_nsec - before.tv_nsec) / 1e3;
        _exit(write(fds[1], &spent, sizeof spent) != sizeof spent);
    }
    close(fds[1]);
    if (read(fds[0], &result, sizeof result) != sizeof result)
        exit(1);
    close(fds[0]);
    wait(NULL);
    return result;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    static double results[MAX_LIBRARIES][MAX_ROUNDS];
    int rounds = argc > 1 ? atoi(argv[1]) : 0;
    int count = argc - 2;
    if (rounds < 1 || rounds > MAX_ROUNDS || count < 1 || count > MAX_LIBRARIES) {
        fprintf(stderr, "usage: load ROUNDS LIBRARY...\n");
        return 2;
    }
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < count; i++)
            results[i][round] = load(argv[i + 2]);
    for (int i = 0; i < count; i++) {
        qsort(results[i], (size_t)rounds, sizeof(double), compare);
        printf("%8.0f us  %s\n", results[i][rounds / 2], argv[i + 2]);
    }
    return 0;
}
