/*
 * Ouroboros: what an error means, and why a call failed
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"
#include "management.h"

#include <pthread.h>
#include <sys/stat.h>

static bool flow_says(const char * words)
{
    if (strstr(flow_last_error(), words) != NULL)
        return true;
    note("it says: %s", flow_last_error());
    return false;
}

static bool irm_says(const char * words)
{
    if (strstr(irm_last_error(), words) != NULL)
        return true;
    note("it says: %s", irm_last_error());
    return false;
}

static void check_numbers(void)
{
    int  number;
    bool all = true;

    for (number = -5000; number <= 5000; number++)
        all = all && ouroboros_strerror(number) != NULL
            && ouroboros_strerror(number)[0] != '\0';
    CHECK(all, "every number has a text");
    CHECK(strcmp(ouroboros_strerror(ENOENT), "No such file or directory") == 0,
          "one of the system");
    CHECK(strcmp(ouroboros_strerror(-EFLOWDOWN), "The flow is down") == 0,
          "one of ours, negative");
    CHECK(strcmp(ouroboros_strerror(-1011), "Unknown error 1011") == 0,
          "one that means nothing");
}

static void * look(void * argument)
{
    *(bool *) argument = flow_last_error()[0] == '\0'
        && irm_last_error()[0] == '\0';
    flow_alloc(own_name("other"), NULL, NULL);
    *(bool *) argument = *(bool *) argument && flow_says("other");
    return NULL;
}

static void check_flows(void)
{
    const char *    name = own_name("unserved");
    struct timespec zero = { 0, 0 };
    struct timespec wrong = { -1, 0 };
    pthread_t       thread;
    bool            own = false;

    CHECK(flow_last_error()[0] == '\0', "nothing failed yet");
    flow_alloc(name, NULL, NULL);
    CHECK(flow_says(name) && flow_says("unknown"), "an unknown name");
    pthread_create(&thread, NULL, look, &own);
    pthread_join(thread, NULL);
    CHECK(own, "each thread has its own");
    CHECK(flow_says(name), "which is not changed by those of others");

    REQUIRE(name_create(name) == 0, "the name is created");
    flow_alloc(name, NULL, NULL);
    CHECK(flow_says("nobody serves"), "a name that nobody serves");
    irm_destroy_name(name);
    flow_accept(NULL, &zero);
    CHECK(flow_says("no flow was requested"), "no flow to accept");
    flow_accept(NULL, &wrong);
    CHECK(flow_says("invalid argument"), "no interval");
    flow_join("no-such-layer", NULL);
    CHECK(flow_says("no-such-layer"), "an unknown layer");
    flow_alloc(NULL, NULL, NULL);
    CHECK(flow_says("invalid argument"), "a name of NULL");
}

static void check_management(void)
{
    const char *     name = own_name("managed");
    struct name_info info;

    CHECK_RESULT(name_create(name), 0, "a name is created");
    CHECK(irm_last_error()[0] == '\0', "which did not fail");
    irm_bind_process(getpid(), name);
    irm_bind_process(getpid(), name);
    CHECK(irm_says("already"), "a binding that there is");
    irm_destroy_name(name);
    irm_destroy_name(name);
    CHECK(irm_says("there is no name"), "a name that there is not");
    irm_destroy_name(NULL);
    CHECK(irm_says("argument"), "a name of NULL");
    irm_bind_program("/nonexistent/program", name, 0, 0, NULL);
    CHECK(irm_says("/nonexistent/program does not exist"), "a program that is not there");
    CHECK(!name_listed(name, &info) && irm_last_error()[0] == '\0',
          "a list that is made");
}

/* A program that irmd starts, with what it shall do. */
static void bind_script(const char * name,
                        const char * body)
{
    char   file[512];
    FILE * stream;

    snprintf(file, sizeof(file), "%s/%s", scratch_directory(), name);
    stream = fopen(file, "w");
    MUST(stream != NULL, "a file is written");
    fprintf(stream, "%s\n", body);
    fclose(stream);
    chmod(file, 0700);
    REQUIRE(irm_bind_program(file, name, BIND_AUTO, 0, NULL) == 0,
            "%s is bound", name);
}

static void check_started(void)
{
    const char * early = own_name("early");
    const char * killed = own_name("killed");
    const char * broken = own_name("broken");

    bind_script(early, "#!/bin/sh\nexit 127");
    CHECK_RESULT(flow_alloc(early, NULL, NULL), -EIPCP, "it ends");
    CHECK(flow_says(early)
          && flow_says("ended with status 127 before it accepted"),
          "with a status, which the client is told");
    bind_script(killed, "#!/bin/sh\nkill -9 $$");
    CHECK_RESULT(flow_alloc(killed, NULL, NULL), -EIPCP, "it is killed");
    CHECK(flow_says("killed by signal 9 before it accepted"),
          "which the client is told");
    bind_script(broken, "#!/nonexistent/interpreter");
    CHECK_RESULT(flow_alloc(broken, NULL, NULL), -EIPCP,
                 "it cannot be started");
    CHECK(flow_says("cannot start") && flow_says(broken),
          "which the client is told");
    irm_destroy_name(early);
    irm_destroy_name(killed);
    irm_destroy_name(broken);
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);
    check_numbers();
    check_flows();
    check_management();
    check_started();
    return conformance_end();
}
