/*
 * Ouroboros: management of IPCPs (c-api §9)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "management.h"

#include <signal.h>

/* No process has it: the kernel's numbers end before. */
#define NOBODY 0x7FFFFFF0

static void check_arguments(void)
{
    struct ipcp_config conf = local_default_conf;
    char               longer[IPCP_NAME_SIZE + 2];

    memset(longer, 'i', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';

    CHECK_RESULT(irm_create_ipcp(NULL, IPCP_LOCAL), -EINVAL,
                 "an IPCP without a name");
    CHECK_RESULT(irm_create_ipcp(longer, IPCP_LOCAL), -EINVAL,
                 "an IPCP with a name of 256 bytes");
    /* The prototype's irmd dies of it. */
    CHECK(irm_create_ipcp(own_name("type"), IPCP_INVALID) < 0,
          "an IPCP of an unknown type");
    CHECK(irm_create_ipcp(own_name("type"), (enum ipcp_type) 1000) < 0,
          "an IPCP of another unknown type");
    CHECK_RESULT(irm_list_ipcps(NULL), -EINVAL, "a list into NULL");
    CHECK_RESULT(irm_bootstrap_ipcp(-1, &conf), -EINVAL, "bootstrap pid -1");
    CHECK_RESULT(irm_bootstrap_ipcp(getpid(), NULL), -EINVAL,
                 "bootstrap with no configuration");
    strcpy(conf.layer_info.name, "layer");
    CHECK_RESULT(irm_bootstrap_ipcp(NOBODY, &conf), -1, "bootstrap nobody");
    CHECK_RESULT(irm_enroll_ipcp(-1, "x"), -EINVAL, "enrol pid -1");
    CHECK_RESULT(irm_enroll_ipcp(getpid(), NULL), -EINVAL, "enrol with NULL");
    CHECK_RESULT(irm_enroll_ipcp(NOBODY, "x"), -1, "enrol nobody");
}

static int pause_as_child(int ready)
{
    signal(SIGALRM, SIG_DFL);
    alarm(WATCHDOG);
    if (write(ready, "r", 1) != 1)
        return 1;
    for (;;)
        pause();
}

/* The prototype sends SIGTERM to any pid, and 0 is irmd's process group. */
static void check_destroy(void)
{
    int   ready[2];
    char  byte;
    pid_t pid;

    CHECK_RESULT(irm_destroy_ipcp(-1), -EINVAL, "destroy pid -1");
    CHECK(irm_destroy_ipcp(0) < 0, "destroy pid 0");
    CHECK_RESULT(irm_destroy_ipcp(NOBODY), -1, "destroy nobody");

    MUST(pipe(ready) == 0, "a pipe");
    fflush(stdout);
    pid = fork();
    if (pid == 0)
        _exit(pause_as_child(ready[1]));
    MUST(read(ready[0], &byte, 1) == 1, "a child is ready");
    CHECK(irm_destroy_ipcp(pid) < 0, "destroy a process that is no IPCP");
    CHECK_RESULT(waitpid(pid, NULL, WNOHANG), 0, "it lives on");
    kill(pid, SIGKILL);
    child_result(pid);
}

static void check_life(void)
{
    const char *            name = own_name("life");
    const char *            layer = own_name("layer");
    struct ipcp_list_info   info;
    struct ipcp_list_info * list = (struct ipcp_list_info *) 1;
    struct ipcp_config      conf = local_default_conf;
    ssize_t                 before = irm_list_ipcps(&list);
    pid_t                   pid;

    REQUIRE(before > 0 || (before == 0 && list == NULL),
            "a list of IPCPs, NULL if there are none");
    free(list);

    CHECK_RESULT(irm_create_ipcp(name, IPCP_LOCAL), 0,
                 "irm_create_ipcp gives 0, not the pid");
    CHECK_RESULT(irm_create_ipcp(name, IPCP_LOCAL), -1,
                 "there cannot be two of a name");
    REQUIRE(irm_list_ipcps(&list) == before + 1, "the list has one more");
    for (pid = -1; before >= 0; before--)
        if (strcmp(list[before].name, name) == 0)
            pid = list[before].pid;
    free(list);
    REQUIRE(pid > 0, "the new one is in it");
    CHECK_RESULT(kill(pid, 0), 0, "its pid is a process's");

    CHECK(ipcp_listed(pid, &info) && info.type == IPCP_LOCAL, "its type");
    CHECK(strcmp(info.layer, "Not enrolled.") == 0, "not in a layer yet");
    CHECK_RESULT(irm_enroll_ipcp(pid, own_name("nobody")), -1,
                 "a local IPCP cannot be enrolled");

    conf.type = IPCP_BROADCAST;
    CHECK(irm_bootstrap_ipcp(pid, &conf) < 0, "nor be one of another type");
    CHECK_RESULT(ipcp_bootstrap_local(pid, layer), 0, "it is bootstrapped");
    CHECK(ipcp_listed(pid, &info) && strcmp(info.layer, layer) == 0,
          "and listed with its layer");
    CHECK(ipcp_bootstrap_local(pid, own_name("other")) < 0, "but once only");
    CHECK(ipcp_listed(pid, &info) && strcmp(info.layer, layer) == 0,
          "its layer stays");

    CHECK_RESULT(irm_destroy_ipcp(pid), 0, "it is destroyed");
    wait_for(ipcp_gone, &pid);
    CHECK(irm_destroy_ipcp(pid) < 0, "but not twice");
}

/* SHOULD: irm lists the truth; the prototype lists the dead for ever. */
static void check_death(void)
{
    const char * name = own_name("death");
    pid_t        pid = ipcp_start(name, IPCP_LOCAL);

    REQUIRE(pid > 0, "an IPCP is created");
    CHECK_RESULT(kill(pid, SIGKILL), 0, "and killed");
    wait_for(ipcp_gone, &pid);
    CHECK(true, "it is listed no more");
    pid = ipcp_start(name, IPCP_LOCAL);
    CHECK(pid > 0, "another can have its name");
    CHECK_RESULT(ipcp_end(pid), 0, "that is destroyed");
}

/* SHOULD: 254 bytes of a longer name fit into the list. */
static void check_long_names(void)
{
    char                  name[IPCP_NAME_SIZE + 1];
    char                  layer[LAYER_NAME_SIZE + 1];
    struct ipcp_list_info info;
    pid_t                 pid;

    memset(name, 'i', IPCP_NAME_SIZE);
    name[IPCP_NAME_SIZE] = '\0';
    memset(layer, 'l', LAYER_NAME_SIZE);
    layer[LAYER_NAME_SIZE] = '\0';

    pid = ipcp_start(name, IPCP_LOCAL);
    REQUIRE(pid > 0, "an IPCP with a name of 255 bytes");
    CHECK_RESULT(ipcp_bootstrap_local(pid, layer), 0, "a layer with such one");
    REQUIRE(ipcp_listed(pid, &info), "both are listed");
    CHECK(strlen(info.name) == 254 && strncmp(info.name, name, 254) == 0,
          "the IPCP with 254 bytes of its name");
    CHECK(strlen(info.layer) == 254 && strncmp(info.layer, layer, 254) == 0,
          "and of its layer's");
    CHECK_RESULT(ipcp_end(pid), 0, "it is destroyed");
}

static void check_hashes(void)
{
    struct ipcp_config conf = local_default_conf;
    unsigned           hash;
    pid_t              pid;

    snprintf(conf.layer_info.name, sizeof(conf.layer_info.name), "%s",
             own_name("hash"));
    for (hash = DIR_HASH_SHA3_224; hash < DIR_HASH_INVALID; hash++) {
        pid = ipcp_start(own_name("hashes"), IPCP_LOCAL);
        REQUIRE(pid > 0, "an IPCP is created");
        conf.layer_info.dir_hash_algo = (enum pol_dir_hash) hash;
        CHECK_RESULT(irm_bootstrap_ipcp(pid, &conf), 0,
                     "a layer with directory hash %u", hash);
        CHECK_RESULT(ipcp_end(pid), 0, "it is destroyed");
    }
}

/* Issue 2: NULL arguments give -EINVAL. The order is (dst, component). */
static void check_connect(void)
{
    pid_t pid = ipcp_start(own_name("connect"), IPCP_LOCAL);

    REQUIRE(pid > 0, "an IPCP is created");
    CHECK_RESULT(irm_connect_ipcp(NOBODY, "dst", DT_COMP, qos_raw), -EIPCP,
                 "connect nobody");
    CHECK_RESULT(irm_connect_ipcp(pid, "dst", DT_COMP, qos_raw), -EIPCP,
                 "connect an IPCP without connections");
    CHECK_RESULT(irm_connect_ipcp(pid, NULL, DT_COMP, qos_raw), -EINVAL,
                 "connect to NULL");
    CHECK_RESULT(irm_connect_ipcp(pid, "dst", NULL, qos_raw), -EINVAL,
                 "connect the component NULL");
    CHECK_RESULT(irm_disconnect_ipcp(NOBODY, "dst", MGMT_COMP), -EIPCP,
                 "disconnect nobody");
    CHECK_RESULT(irm_disconnect_ipcp(pid, "dst", MGMT_COMP), -EIPCP,
                 "disconnect an IPCP without connections");
    CHECK_RESULT(irm_disconnect_ipcp(pid, NULL, MGMT_COMP), -EINVAL,
                 "disconnect from NULL");
    CHECK_RESULT(irm_disconnect_ipcp(pid, "dst", NULL), -EINVAL,
                 "disconnect the component NULL");
    CHECK_RESULT(ipcp_end(pid), 0, "it is destroyed");
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);

    check_arguments();
    check_destroy();
    check_life();
    check_death();
    check_long_names();
    check_hashes();
    check_connect();

    return conformance_end();
}
