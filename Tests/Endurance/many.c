// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Many names and many IPCPs: created, listed, used, destroyed; and names of every length and of bytes that are no text.
//
// usage: many ROUNDS SEED        250 names and 5 IPCPs a round: 20 rounds are 5,000 and 100

#include "support.h"

static int number_of_names(void) {
    struct name_info *names = NULL;
    ssize_t count = irm_list_names(&names);
    if (count < 0)
        fail("irm_list_names: %zd", count);
    free(names);
    return (int)count;
}

static int number_of_ipcps(void) {
    struct ipcp_list_info *list = NULL;
    ssize_t count = irm_list_ipcps(&list);
    if (count < 0)
        fail("irm_list_ipcps: %zd", count);
    free(list);
    return (int)count;
}

static void create_name(const char *text) {
    struct name_info name = {.pol_lb = LB_SPILL};
    snprintf(name.name, sizeof name.name, "%s", text);
    int result = irm_create_name(&name);
    if (result != 0)
        fail("irm_create_name: %d", result);
}

// 0, 1, 255 and 256 bytes, and bytes that are no UTF-8: each name that can be is kept as it is and serves a flow.
static void try_odd_names(void) {
    char names[4][258] = {"n", "", "\xff\xfe\x80 \x01\n\"*", "\xc3("};
    memset(names[1], 'l', 255);
    int before = number_of_names();
    for (int i = 0; i < 4; i++) {
        struct name_info *list = NULL;
        create_name(names[i]);
        ssize_t count = irm_list_names(&list);
        bool found = false;
        for (ssize_t j = 0; j < count; j++)
            found |= strncmp(list[j].name, names[i], 254) == 0; // lists cut the last byte of the longest, c-api §9
        free(list);
        if (!found)
            fail("name %d is not listed as it is", i);
        if (irm_bind_process(getpid(), names[i]) != 0)
            fail("name %d cannot be bound", i);
        struct timespec none = {0, 0};
        int fd = flow_alloc(names[i], NULL, &none);
        if (fd != -ETIMEDOUT)
            fail("name %d: flow_alloc without patience and acceptor: %d", i, fd);
        if (irm_destroy_name(names[i]) != 0)
            fail("name %d cannot be destroyed", i);
    }
    char longest[257];
    memset(longest, 'x', 256);
    longest[256] = 0;
    if (irm_bind_process(getpid(), longest) != -EINVAL || irm_bind_process(getpid(), "") != -EINVAL)
        fail("a name of 256 or of 0 bytes is bound");
    int result = flow_alloc(longest, NULL, NULL);
    if (result >= 0)
        fail("a flow to a name of 256 bytes");
    result = flow_alloc("", NULL, NULL);
    if (result >= 0)
        fail("a flow to a name of 0 bytes");
    if (number_of_names() != before)
        fail("%d names instead of %d", number_of_names(), before);
}

static void try_many_names(int count) {
    int before = number_of_names();
    char name[64];
    uint64_t start = now_ns();
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%d.many.endurance", i);
        create_name(name);
    }
    uint64_t created = now_ns();
    if (number_of_names() != before + count)
        fail("%d names instead of %d", number_of_names(), before + count);
    uint64_t listed = now_ns();
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%d.many.endurance", i);
        int result = irm_destroy_name(name);
        if (result != 0)
            fail("irm_destroy_name: %d", result);
    }
    if (number_of_names() != before)
        fail("%d names instead of %d", number_of_names(), before);
    printf("%d names: created in %.0f ms, listed in %.1f ms, destroyed in %.0f ms\n", count,
           (double)(created - start) / 1e6, (double)(listed - created) / 1e6, (double)(now_ns() - listed) / 1e6);
}

static void try_many_ipcps(int count) {
    static pid_t pids[4096];
    char name[64];
    uint64_t start = now_ns();
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%d.many.endurance", i);
        pids[i] = create_local_ipcp(name);
        snprintf(name, sizeof name, "%d.layer", i);
        int result = bootstrap_local_ipcp(pids[i], name);
        if (result != 0)
            fail("irm_bootstrap_ipcp: %d", result);
    }
    uint64_t created = now_ns();
    if (number_of_ipcps() != count)
        fail("%d IPCPs instead of %d", number_of_ipcps(), count);
    // One name in all layers.
    create_name("everywhere.endurance");
    for (int i = 0; i < count; i++)
        if (irm_reg_name("everywhere.endurance", pids[i]) != 0)
            fail("irm_reg_name");
    if (irm_destroy_name("everywhere.endurance") != 0)
        fail("irm_destroy_name");
    for (int i = 0; i < count; i++) {
        int result = irm_destroy_ipcp(pids[i]);
        if (result != 0 || kill(pids[i], 0) == 0)
            fail("irm_destroy_ipcp: %d", result);
    }
    if (number_of_ipcps() != 0)
        fail("%d IPCPs are left", number_of_ipcps());
    printf("%d IPCPs: created and bootstrapped in %.0f ms, registered and destroyed in %.0f ms\n", count,
           (double)(created - start) / 1e6, (double)(now_ns() - created) / 1e6);
}

int main(int argc, char **argv) {
    int rounds = begin(argc, argv, 20, 300);
    try_odd_names();
    try_many_names(250);
    struct holdings before = irmd_holdings();
    try_many_names(rounds * 250 < 60000 ? rounds * 250 : 60000);
    try_many_ipcps(rounds * 5 < 1000 ? rounds * 5 : 1000);
    try_odd_names();
    // Tables and the allocator keep what they had at most, which is less than this for each name.
    expect_no_growth("many", before, 0, 1024 + rounds * 250);
    puts("ok");
    return 0;
}
