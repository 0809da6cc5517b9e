/*
 * Ouroboros: binding programs to names (c-api §9)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include "management.h"

#include <limits.h>
#include <sys/stat.h>

static char program[PATH_MAX];

/* What irmd starts: says, on the first flow, with what it was started. */
static int serve(int     argc,
                 char ** argv)
{
    char text[256];
    int  length;
    int  fd;

    alarm(WATCHDOG);
    fd = flow_accept(NULL, NULL);
    if (fd < 0)
        return 1;

    length = snprintf(text, sizeof(text), "%d %s %s %d", argc, argv[2],
                      argv[3], (int) getuid());
    if (flow_write(fd, text, (size_t) length) != length)
        return 2;

    return flow_dealloc(fd) == 0 ? 0 : 3;
}

static void check_arguments(void)
{
    const char * name = own_name("arguments");
    char         file[PATH_MAX];
    FILE *       stream;

    CHECK_RESULT(irm_bind_program(NULL, name, 0, 0, NULL), -EINVAL,
                 "bind NULL");
    CHECK_RESULT(irm_bind_program(program, NULL, 0, 0, NULL), -EINVAL,
                 "bind to NULL");
    CHECK_RESULT(irm_bind_program(program, name, BIND_AUTO, 1, NULL), -EINVAL,
                 "bind with one argument of none");
    CHECK_RESULT(irm_bind_program("/nonexistent/program", name, 0, 0, NULL),
                 -ENOENT, "bind a file that does not exist");
    CHECK_RESULT(irm_bind_program("no-such-program-here", name, 0, 0, NULL),
                 -ENOENT, "bind a program that is not on PATH");

    snprintf(file, sizeof(file), "%s/plain", scratch_directory());
    stream = fopen(file, "w");
    MUST(stream != NULL, "a file is written");
    fclose(stream);
    chmod(file, 0600);
    CHECK_RESULT(irm_bind_program(file, name, 0, 0, NULL), -EPERM,
                 "bind a file that is not executable");
    CHECK_RESULT(irm_unbind_program(NULL, name), -EINVAL, "unbind NULL");
    CHECK_RESULT(irm_unbind_program("no-such-program-here", name), -1,
                 "unbind what is not bound");
}

/* SHOULD: the prototype cuts the environment's string into pieces. */
static void check_path(void)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s", getenv("PATH"));
    CHECK_RESULT(irm_bind_program("sh", own_name("sh1"), 0, 0, NULL), 0,
                 "a program on PATH is bound");
    CHECK(strcmp(path, getenv("PATH")) == 0, "PATH is as it was");
    CHECK_RESULT(irm_bind_program("sh", own_name("sh2"), 0, 0, NULL), 0,
                 "so that it can be bound to a second name");
    CHECK_RESULT(irm_unbind_program("sh", NULL), 0,
                 "SHOULD: it is unbound from all names");
    CHECK(irm_unbind_program("sh", own_name("sh1")) < 0, "the first");
    CHECK(irm_unbind_program("sh", own_name("sh2")) < 0, "and the second");

    setenv("PATH", "somewhere:/usr/bin:/bin", 1);
    CHECK_RESULT(irm_bind_program("sh", own_name("sh1"), 0, 0, NULL), -EINVAL,
                 "an entry of PATH that is not absolute");
    setenv("PATH", "", 1);
    CHECK_RESULT(irm_bind_program("sh", own_name("sh1"), 0, 0, NULL), -ENOENT,
                 "a PATH that is empty");
    unsetenv("PATH");
    CHECK_RESULT(irm_bind_program("sh", own_name("sh1"), 0, 0, NULL), -ENOENT,
                 "no PATH at all");
    setenv("PATH", path, 1);
    irm_destroy_name(own_name("sh1"));
    irm_destroy_name(own_name("sh2"));
}

/* A process accepts for the names of its program. This one does not. */
static void check_running(void)
{
    const char *     name = own_name("running");
    const char *     base = strrchr(program, '/') + 1;
    struct name_info info;
    struct agent     agent;
    int              fd;

    CHECK_RESULT(irm_bind_program(program, name, 0, 0, NULL), 0,
                 "a program is bound");
    CHECK(name_listed(name, &info) && info.pol_lb == LB_SPILL,
          "which creates the name, with spillover");
    CHECK_RESULT(irm_bind_program(program, name, 0, 0, NULL), -EPERM,
                 "but not twice");

    agent = agent_start();
    agent_begin(&agent, agent_command(AGENT_ACCEPT, -1));
    agent_sleep(&agent);
    fd = flow_alloc(name, NULL, NULL);
    CHECK(fd >= FIRST_FD, "a process of the program accepts for the name");
    CHECK(agent_finish(&agent).result >= FIRST_FD, "and has the flow");
    flow_dealloc(fd);

    CHECK_RESULT(irm_unbind_program(base, name), 0,
                 "the program is unbound by the last part of its path");
    CHECK_RESULT(irm_unbind_program(base, name), -1, "but not twice");
    CHECK_RESULT(flow_alloc(name, NULL, NULL), -EIPCP, "nobody serves it");
    irm_destroy_name(name);
    agent_end(&agent);
}

static void check_started(const char * name,
                          const char * argument)
{
    char    wanted[128];
    char    text[128];
    ssize_t length;
    int     fd = flow_alloc(name, NULL, NULL);

    CHECK(fd >= FIRST_FD, "a program is started for a flow");
    length = flow_read(fd, text, sizeof(text) - 1);
    text[length > 0 ? length : 0] = '\0';
    snprintf(wanted, sizeof(wanted), "4 %s last %d", argument, (int) getuid());
    CHECK(strcmp(text, wanted) == 0,
          "with its arguments, as the user who bound it: \"%s\"", text);
    CHECK_RESULT(flow_read(fd, text, 1), -EFLOWDOWN, "it ends");
    CHECK_RESULT(flow_dealloc(fd), 0, "the flow is deallocated");
}

/* An own copy of this program, as others run this one. */
static void check_auto(void)
{
    const char * name = own_name("auto");
    char *       arguments[3];
    char         texts[3][8] = { "--serve", "first", "last" };
    char         copy[PATH_MAX];
    char         command[3 * PATH_MAX];
    int          i;

    for (i = 0; i < 3; i++)
        arguments[i] = texts[i];
    snprintf(copy, sizeof(copy), "%s/started", scratch_directory());
    chmod(scratch_directory(), 0755);
    snprintf(command, sizeof(command), "cp '%s' '%s'", program, copy);
    MUST(system(command) == 0, "there is a copy of this program");

    CHECK_RESULT(irm_bind_program(copy, name, BIND_AUTO, 3, arguments), 0,
                 "a program is bound that irmd starts");
    check_started(name, "first");
    /* SHOULD: the prototype takes the dead for living. */
    check_started(name, "first");
    check_started(name, "first");

    /* SHOULD: the prototype goes on starting it. */
    CHECK_RESULT(irm_unbind_program("started", name), 0, "it is unbound");
    CHECK_RESULT(flow_alloc(name, NULL, NULL), -EIPCP,
                 "and not started any more");
    memcpy(texts[1], "other", 6);
    CHECK_RESULT(irm_bind_program(copy, name, BIND_AUTO, 3, arguments), 0,
                 "it is bound again with other arguments");
    check_started(name, "other");
    CHECK_RESULT(irm_unbind_program("started", NULL), 0,
                 "it is unbound from all names");
    irm_destroy_name(name);
}

/* A program that ends without an accept fails the request. */
static void check_failing(void)
{
    const char *    name = own_name("failing");
    struct timespec time = { 2, 0 };
    int             result;

    CHECK_RESULT(irm_bind_program("false", name, BIND_AUTO, 0, NULL), 0,
                 "a program is bound that does not accept");
    result = flow_alloc(name, NULL, &time);
    CHECK(result == -EIPCP || result == -ETIMEDOUT,
          "a flow to it is not allocated (%d)", result);
    irm_unbind_program("false", NULL);
    irm_destroy_name(name);
}

int main(int     argc,
         char ** argv)
{
    ssize_t length;

    if (argc == 4 && strcmp(argv[1], "--serve") == 0)
        return serve(argc, argv);

    conformance_begin(argc, argv);

    length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    REQUIRE(length > 0, "this program has a path");
    check_arguments();
    check_path();
    check_running();
    check_auto();
    check_failing();

    return conformance_end();
}
