// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#define _GNU_SOURCE
#include "placement.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

const char *const place_names[PLACES] = {[TWO] = "two", [ONE] = "one", [FREE] = "free"};

static int processors[2] = {-1, -1};
static bool siblings;

// The text by which the kernel names the threads of a core; the same for all of them.
static void core_of(int processor, char *text, int size) {
    char path[96];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", processor);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(text, size, file))
        snprintf(text, (size_t)size, "%d", processor);
    if (file)
        fclose(file);
}

void find_processors(void) {
    cpu_set_t allowed;
    char cores[2][64];
    if (sched_getaffinity(0, sizeof allowed, &allowed) < 0)
        return;
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (!CPU_ISSET(i, &allowed))
            continue;
        if (processors[CLIENT] < 0) {
            processors[CLIENT] = i;
            core_of(i, cores[0], sizeof cores[0]);
            continue;
        }
        core_of(i, cores[1], sizeof cores[1]);
        bool same_core = strcmp(cores[0], cores[1]) == 0;
        // Another core is better than another thread of the same.
        if (processors[SERVER] < 0 || (siblings && !same_core)) {
            processors[SERVER] = i;
            siblings = same_core;
        }
    }
}

bool place_exists(enum place place) { return place != TWO || processors[SERVER] >= 0; }

void take_place(enum place place, enum side side) {
    cpu_set_t set;
    int processor = place == ONE ? processors[CLIENT] : processors[side];
    if (place == FREE || processor < 0)
        return;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    sched_setaffinity(0, sizeof set, &set);
}

int processor_of(enum side side) { return processors[side]; }

bool processors_are_siblings(void) { return siblings; }
