/*
 * Ouroboros: connection establishment (c-api §8)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

static struct conn_info departing_info(void)
{
    struct conn_info info;

    memset(&info, 0, sizeof(info));
    strcpy(info.comp_name, DT_COMP);
    strcpy(info.protocol, "dtp");
    info.pref_version = 0x89ABCDEF;
    info.pref_syntax = PROTO_FIXED;
    info.addr = UINT64_C(0xFEDCBA9876543210);
    return info;
}

static bool same(const struct conn_info * one,
                 const struct conn_info * other)
{
    return strcmp(one->comp_name, other->comp_name) == 0
        && strcmp(one->protocol, other->protocol) == 0
        && one->pref_version == other->pref_version
        && one->pref_syntax == other->pref_syntax
        && one->addr == other->addr;
}

struct ends {
    const char * name;
    int          ready; /* The server says so here. */
};

/* The other end: echoes one hello, then answers with no hello, then leaves. */
static int serve(void * argument)
{
    struct ends *    ends = argument;
    struct conn_info info;
    int              fd;

    if (irm_bind_process(getpid(), ends->name) != 0
        || write(ends->ready, "r", 1) != 1)
        return 1;
    fd = flow_accept(NULL, NULL);
    if (fd < 0)
        return 2;
    if (cep_rcv(fd, &info) != 0)
        return 3;
    if (cep_snd(fd, &info) != 0)
        return 4;
    if (write_message(fd, 100, 1) != 100)
        return 5;
    if (flow_dealloc(fd) != 0)
        return 6;

    return 0;
}

static void check_round_trip(void)
{
    struct conn_info info = departing_info();
    struct conn_info answer;
    struct ends      ends;
    int              ready[2];
    char             byte;
    pid_t            pid;
    int              fd;

    MUST(pipe(ready) == 0, "a pipe");
    ends.name = own_name("hello");
    ends.ready = ready[1];
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        alarm(WATCHDOG);
        _exit(serve(&ends));
    }
    close(ready[1]);
    MUST(read(ready[0], &byte, 1) == 1, "the other end is ready");

    fd = flow_alloc(ends.name, NULL, NULL);
    REQUIRE(fd >= 0, "a flow");
    CHECK_RESULT(cep_snd(fd, &info), 0, "a hello is sent");
    memset(&answer, 0xAA, sizeof(answer));
    CHECK_RESULT(cep_rcv(fd, &answer), 0, "one is received");
    CHECK(same(&info, &answer), "its members are what the other end sent");
    CHECK_RESULT(cep_rcv(fd, &answer), -1, "a message that is no hello");
    CHECK_RESULT(cep_rcv(fd, &answer), -1, "a flow that is down");
    CHECK_RESULT(cep_snd(fd, &info), -1, "which cannot send either");
    CHECK_RESULT(child_result(pid), 0, "the other end is content");
    flow_dealloc(fd);
}

static void check_arguments(void)
{
    struct flow_pair pair = flow_pair_start("arguments", NULL);
    struct conn_info info = departing_info();
    struct timespec  zero = { 0, 0 };

    CHECK_RESULT(cep_snd(pair.fd, NULL), -EINVAL, "cep_snd of NULL");
    CHECK_RESULT(cep_rcv(pair.fd, NULL), -EINVAL, "cep_rcv into NULL");
    CHECK_RESULT(cep_snd(200, &info), -1, "cep_snd on what is no flow");
    CHECK_RESULT(cep_rcv(200, &info), -1, "cep_rcv on what is no flow");

    fccntl(pair.fd, FLOWSRCVTIMEO, &zero);
    CHECK_RESULT(cep_rcv(pair.fd, &info), -1, "a hello that does not come");
    flow_pair_end(&pair);
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);

    check_arguments();
    check_round_trip();

    return conformance_end();
}
