/*
 * Ouroboros: names that wait for their servers, and who is at the other end
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"
#include "management.h"

static void check_arguments(void)
{
    const char *    name = own_name("arguments");
    struct timespec second = { 1, 0 };
    struct timespec negative = { -1, 0 };
    struct timespec wrong = { 0, 1000000000 };

    CHECK_RESULT(irm_set_name_wait(NULL, &second), -EINVAL, "a name of NULL");
    CHECK_RESULT(irm_set_name_wait(name, &second), -ENAME, "an unknown name");
    CHECK_RESULT(irm_set_name_policy(name, LB_RR), -ENAME, "the same");
    CHECK_RESULT(irm_set_name_policy("", LB_RR), -ENAME, "an empty one");
    REQUIRE(name_create(name) == 0, "a name is created");
    CHECK_RESULT(irm_set_name_wait(name, &negative), -EINVAL, "less than 0");
    CHECK_RESULT(irm_set_name_wait(name, &wrong), -EINVAL, "no interval");
    CHECK_RESULT(irm_set_name_policy(name, LB_INVALID), -EINVAL, "no policy");
    CHECK_RESULT(irm_set_name_wait(name, NULL), 0, "as long as the client");
    CHECK_RESULT(irm_set_name_policy(name, LB_SPILL), 0, "another policy");
    irm_destroy_name(name);
}

/* The row of a name; NULL if there is none. The list is kept in *all. */
static const struct name_list_info * find(const char *             name,
                                          struct name_list_info ** all)
{
    ssize_t count = irm_list_names_wide(all);
    ssize_t i;

    for (i = 0; i < count; i++)
        if (strcmp((*all)[i].name, name) == 0)
            return &(*all)[i];
    return NULL;
}

/* How long a name waits can be asked. */
static void check_asked(char * program)
{
    const char *                  name = own_name("asked");
    struct timespec               span = { 5, 250000000 };
    struct timespec               told = { 7, 7 };
    struct name_list_info *       all = NULL;
    const struct name_list_info * row;
    struct agent                  agent = agent_start();

    CHECK_RESULT(irm_get_name_wait(NULL, &told), -EINVAL, "a name of NULL");
    CHECK_RESULT(irm_get_name_wait(name, NULL), -EINVAL, "no place for it");
    CHECK_RESULT(irm_get_name_wait(name, &told), -ENAME, "an unknown name");
    CHECK_RESULT(irm_get_name_wait("", &told), -ENAME, "an empty one");
    CHECK_RESULT(irm_list_names_wide(NULL), -EINVAL, "no place for a list");
    REQUIRE(name_create(name) == 0, "a name is created");
    CHECK_RESULT(irm_get_name_wait(name, &told), 0, "a new name is asked");
    CHECK(told.tv_sec == 0 && told.tv_nsec == 0, "and does not wait");
    CHECK_RESULT(irm_set_name_wait(name, &span), 0, "it waits 5.25 s");
    CHECK_RESULT(irm_get_name_wait(name, &told), 0, "which it tells");
    CHECK(told.tv_sec == 5 && told.tv_nsec == 250000000, "as it is");
    row = find(name, &all);
    REQUIRE(row != NULL, "it is listed");
    CHECK(row->wait_ns == UINT64_C(5250000000) && row->is_patient == 0
          && row->pol_lb == LB_RR, "with that");
    CHECK(row->acceptors == 0 && row->processes == 0 && row->programs == 0
          && row->opts == 0 && row->layerc == 0 && row->layers[0] == NULL
          && row->s.enc[0] == '\0' && row->c.crt[0] == '\0',
          "and with nothing else");
    free(all);

    CHECK_RESULT(irm_set_name_wait(name, NULL), 0, "as long as the client");
    told.tv_sec = 7;
    CHECK_RESULT(irm_get_name_wait(name, &told), 1, "it tells that");
    CHECK(told.tv_sec == 7, "and no time");
    REQUIRE(agent_bind(&agent, name) == 0, "a process is bound");
    REQUIRE(irm_bind_program(program, name, BIND_AUTO, 0, NULL) == 0,
            "and a program");
    row = find(name, &all);
    REQUIRE(row != NULL, "it is listed");
    CHECK(row->is_patient == 1 && row->wait_ns == 0, "as patient");
    CHECK(row->processes >= 1 && row->programs == 1 && row->opts == BIND_AUTO,
          "with what is bound");
    free(all);
    agent_end(&agent);
    irm_destroy_name(name);
    CHECK(find(name, &all) == NULL, "nothing is left");
    free(all);
}

/* A client that starts first gets the server that comes. */
static void check_waits(void)
{
    const char *         name = own_name("late");
    struct agent         client = agent_start();
    struct agent         server = agent_start();
    struct agent_command command = agent_naming(AGENT_ALLOC, name);
    struct agent_answer  answer;
    struct name_info     info;
    struct timespec      none = { 0, 0 };
    struct timespec      brief = { 0, 300000000 };
    char                 told[FLOW_NAME_SIZE];
    struct flow_peer     peer;
    int                  fd;

    REQUIRE(name_create(name) == 0, "a name is created");
    CHECK_RESULT(irm_set_name_wait(name, &brief), 0, "it waits 300 ms");
    answer = agent_call(&client, command);
    CHECK(answer.result == -EIPCP, "nobody comes");
    CHECK(answer.lasted >= 300, "which is not said too early");

    CHECK_RESULT(irm_set_name_wait(name, NULL), 0,
                 "it waits as long as the client");
    command.milliseconds = 300;
    answer = agent_call(&client, command);
    CHECK(answer.result == -ETIMEDOUT && answer.lasted >= 300,
          "the client's own time is over");
    CHECK(name_listed(name, &info) && info.pol_lb == LB_RR,
          "the policy is what it was");

    command.milliseconds = -1;
    agent_begin(&client, command);
    agent_sleep(&client);
    CHECK(agent_bind(&server, name) == 0, "a server is bound");
    CHECK(agent_accept(&server) >= FIRST_FD, "and gets the flow");
    answer = agent_finish(&client);
    CHECK(answer.result >= FIRST_FD, "of the client that was first");
    agent_on(&client, AGENT_DEALLOC, (int) answer.result);
    agent_kill(&server);

    CHECK_RESULT(irm_set_name_wait(name, &none), 0, "it waits no more");
    CHECK_RESULT(flow_alloc(name, NULL, NULL), -EIPCP, "and fails at once");

    /* This process serves, and asks who the client is. */
    CHECK_RESULT(irm_bind_process(getpid(), name), 0, "this one is bound");
    agent_begin(&client, command);
    fd = flow_accept(NULL, NULL);
    CHECK(fd >= FIRST_FD, "it accepts");
    CHECK(agent_finish(&client).result >= FIRST_FD, "and the client has it");
    memset(told, 'x', sizeof(told));
    CHECK_RESULT(fccntl(fd, FLOWGNAME, told), 0, "it asks for the name");
    CHECK(strcmp(told, name) == 0, "which is what the client allocated to");
    memset(&peer, 0xff, sizeof(peer));
    CHECK_RESULT(fccntl(fd, FLOWGPEER, &peer), 0, "it asks for the client");
    CHECK(peer.is_remote == 0 && peer.pid == client.pid, "its process");
    CHECK(peer.uid == geteuid() && peer.gid == getegid(), "its user");
    CHECK(peer.layer[0] == '\0' && peer.host[0] == '\0', "no layer, no host");
    CHECK_RESULT(fccntl(fd, FLOWGNAME, NULL), -EINVAL, "no place for a name");
    CHECK_RESULT(fccntl(fd, FLOWGPEER, NULL), -EINVAL, "nor for a peer");
    CHECK_RESULT(flow_dealloc(fd), 0, "the flow ends");
    CHECK_RESULT(fccntl(fd, FLOWGNAME, told), -ENOTALLOC, "it has no name");
    CHECK_RESULT(fccntl(fd, FLOWGPEER, &peer), -ENOTALLOC, "and no peer");
    CHECK_RESULT(fccntl(fd, 0x4f530003, &peer), -ENOTALLOC,
                 "errors of the descriptor come first");
    agent_end(&client);
    irm_destroy_name(name);
}

static int ask_inherited(void * argument)
{
    char             told[FLOW_NAME_SIZE];
    struct flow_peer peer;
    int              fd = *(int *) argument;

    return fccntl(fd, FLOWGNAME, told) == 0
        && fccntl(fd, FLOWGPEER, &peer) == 0
        && strstr(told, "inherited") != NULL && peer.pid == getppid() ? 0 : 1;
}

/* A child asks of a flow that it has inherited; both ends are its parent's. */
static void check_inherited(void)
{
    const char *    name = own_name("inherited");
    struct agent    agent = agent_start();
    struct agent_command command = agent_naming(AGENT_ALLOC, name);
    int             fd;
    struct flow_peer peer;

    irm_bind_process(getpid(), name);
    agent_begin(&agent, command);
    fd = flow_accept(NULL, NULL);
    CHECK(agent_finish(&agent).result >= FIRST_FD, "a flow");
    CHECK_RESULT(in_child(ask_inherited, &fd), 1,
                 "a child's parent is not the peer");
    CHECK_RESULT(fccntl(fd, FLOWGPEER, &peer), 0, "the peer is");
    CHECK(peer.pid == agent.pid, "the agent, also after that");
    CHECK_RESULT(fccntl(fd, 0x4f5300ff, &peer), -ENOTSUP,
                 "an unknown command");
    flow_dealloc(fd);
    agent_end(&agent);
    irm_destroy_name(name);
}

#define OTHER_GROUP 4321

/* Allocates as who started it, and again as who it became. */
static int allocate_as_another(void * argument)
{
    const char * name = argument;
    int          fd = flow_alloc(name, NULL, NULL);

    if (fd < 0 || flow_dealloc(fd) < 0 || setegid(OTHER_GROUP) < 0)
        return 1;
    fd = flow_alloc(name, NULL, NULL);
    return fd >= 0 && flow_dealloc(fd) == 0 ? 0 : 2;
}

/* Programs that give up rights are no more who they were. */
static void check_changed(void)
{
    const char *     name = own_name("changed");
    struct flow_peer peer;
    pid_t            child;
    int              status = 0;
    int              fd;

    if (geteuid() != 0) {
        note("skipped: only root can become another");
        return;
    }
    irm_bind_process(getpid(), name);
    child = fork();
    MUST(child >= 0, "a child");
    if (child == 0)
        _exit(allocate_as_another((void *) name));
    fd = flow_accept(NULL, NULL);
    CHECK_RESULT(fccntl(fd, FLOWGPEER, &peer), 0, "a client");
    CHECK(peer.pid == child && peer.gid == getegid(), "as it was started");
    flow_dealloc(fd);
    fd = flow_accept(NULL, NULL);
    CHECK_RESULT(fccntl(fd, FLOWGPEER, &peer), 0, "the same client");
    CHECK(peer.pid == child && peer.gid == OTHER_GROUP && peer.uid == 0,
          "as it is now");
    flow_dealloc(fd);
    waitpid(child, &status, 0);
    CHECK_RESULT(status, 0, "it had both flows");
    irm_destroy_name(name);
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);
    check_arguments();
    check_asked(argv[0]);
    check_waits();
    check_inherited();
    check_changed();
    return conformance_end();
}
