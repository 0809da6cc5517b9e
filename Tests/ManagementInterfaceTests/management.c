/*
 * Ouroboros: every row of the document's table of irm.h (c-api §9)
 *
 * Usage: management without | with
 * "without": no irmd answers. "with": one with ipcpd-local does, and is used
 * by nobody else.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include <ouroboros/errno.h>
#include <ouroboros/irm.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int checks;
static int failures;

static void check(long result, long expected, const char *call, int line) {
    checks++;
    if (result == expected)
        return;
    failures++;
    printf("line %d: %s is %ld, not %ld\n", line, call, result, expected);
}

#define IS(call, expected) check((long)(call), (long)(expected), #call, __LINE__)

static char long_name[257];  /* 256 bytes: one too many */
static char longest_name[256];

static pid_t pid_of(const char *name) {
    struct ipcp_list_info *list;
    ssize_t count = irm_list_ipcps(&list);
    pid_t pid = -1;
    for (ssize_t i = 0; i < count; i++)
        if (strncmp(list[i].name, name, sizeof list[i].name - 1) == 0)
            pid = list[i].pid;
    if (count > 0)
        free(list);
    return pid;
}

static struct name_info settings(const char *name, enum pol_balance balancing) {
    struct name_info info;
    memset(&info, 0, sizeof info);
    strncpy(info.name, name, NAME_SIZE);
    info.pol_lb = balancing;
    return info;
}

/* What is refused before irmd is asked, so that it is the same without it. */
static void arguments(void) {
    struct ipcp_config config = local_default_conf;
    struct name_info info;
    char *none[] = {NULL};

    IS(irm_create_ipcp(NULL, IPCP_LOCAL), -EINVAL);
    IS(irm_create_ipcp("", IPCP_LOCAL), -EINVAL);
    IS(irm_create_ipcp(long_name, IPCP_LOCAL), -EINVAL);
    IS(irm_create_ipcp("x", IPCP_INVALID), -EIPCPTYPE);
    IS(irm_create_ipcp("x", (enum ipcp_type)99), -EIPCPTYPE);
    IS(irm_destroy_ipcp(-1), -EINVAL);
    IS(irm_destroy_ipcp(0), -EINVAL); /* not irmd's process group */
    IS(irm_list_ipcps(NULL), -EINVAL);
    IS(irm_list_names(NULL), -EINVAL);
    IS(irm_enroll_ipcp(-1, "x"), -EINVAL);
    IS(irm_enroll_ipcp(1, NULL), -EINVAL);
    IS(irm_bootstrap_ipcp(1, NULL), -EINVAL);
    IS(irm_bootstrap_ipcp(1, &config), -EINVAL); /* no layer */
    strcpy(config.layer_info.name, "layer");
    IS(irm_bootstrap_ipcp(-1, &config), -EINVAL);
    config.layer_info.dir_hash_algo = DIR_HASH_INVALID;
    IS(irm_bootstrap_ipcp(1, &config), -EINVAL);
    config = local_default_conf;
    memset(config.layer_info.name, 'n', sizeof config.layer_info.name); /* no end */
    IS(irm_bootstrap_ipcp(1, &config), -EINVAL);
    config = uni_default_conf;
    strcpy(config.layer_info.name, "layer");
    config.unicast.cong_avoid = CA_INVALID;
    IS(irm_bootstrap_ipcp(1, &config), -EINVAL);
    IS(strstr(irm_last_error(), "congestion") != NULL, 1);
    config.unicast.cong_avoid = CA_NONE;
    config.unicast.dir.dht.params.k = 21;
    IS(irm_bootstrap_ipcp(1, &config), -EINVAL);
    IS(strstr(irm_last_error(), "dht_k") != NULL, 1);
    config.unicast.dir.dht.params.k = 20;
    config.unicast.dt.routing.ls.t_update = -1;
    IS(irm_bootstrap_ipcp(1, &config), -EINVAL);
    IS(strstr(irm_last_error(), "ls_t_update") != NULL, 1);
    config.type = IPCP_INVALID;
    IS(irm_bootstrap_ipcp(1, &config), -EINVAL);

    IS(irm_connect_ipcp(1, NULL, DT_COMP, qos_raw), -EINVAL);
    IS(irm_connect_ipcp(1, "x", NULL, qos_raw), -EINVAL);
    IS(irm_disconnect_ipcp(1, NULL, DT_COMP), -EINVAL);
    IS(irm_disconnect_ipcp(1, "x", NULL), -EINVAL);

    IS(irm_bind_program(NULL, "x", 0, 0, NULL), -EINVAL);
    IS(irm_bind_program("sh", NULL, 0, 0, NULL), -EINVAL);
    IS(irm_bind_program("sh", long_name, 0, 0, NULL), -EINVAL);
    IS(irm_bind_program("sh", "x", 0, 1, NULL), -EINVAL);
    IS(irm_bind_program("sh", "x", 0, 1, none), -EINVAL);
    IS(irm_bind_program("sh", "x", 0, -1, none), -EINVAL);
    IS(irm_bind_program("/nonexistent", "x", 0, 0, NULL), -ENOENT);
    IS(irm_bind_program("no-such-program", "x", 0, 0, NULL), -ENOENT);
    IS(irm_bind_program("/etc/passwd", "x", 0, 0, NULL), -EPERM);
    IS(irm_unbind_program(NULL, "x"), -EINVAL);
    IS(irm_bind_process(-1, "x"), -EINVAL);
    IS(irm_bind_process(1, NULL), -EINVAL);
    IS(irm_unbind_process(-1, "x"), -EINVAL);

    IS(irm_create_name(NULL), -EINVAL);
    info = settings("", LB_RR);
    IS(irm_create_name(&info), -EINVAL);
    info = settings("x", LB_INVALID);
    IS(irm_create_name(&info), -EINVAL);
    memset(info.name, 'n', sizeof info.name);
    IS(irm_create_name(&info), -EINVAL);
    IS(irm_destroy_name(NULL), -EINVAL);
    IS(irm_last_error()[0] != 0, 1);
    IS(irm_destroy_name(long_name), -EINVAL);
    IS(irm_reg_name(NULL, 1), -EINVAL);
    IS(irm_reg_name("x", -1), -EINVAL);
    IS(irm_reg_name("", 1), -ENAME);
    IS(irm_unreg_name(NULL, 1), -EINVAL);
}

static void search_path(void) {
    char *path = strdup(getenv("PATH"));

    unsetenv("PATH");
    IS(irm_bind_program("sh", "x", 0, 0, NULL), -ENOENT);
    setenv("PATH", "", 1);
    IS(irm_bind_program("sh", "x", 0, 0, NULL), -ENOENT);
    setenv("PATH", "bin:/bin", 1);
    IS(irm_bind_program("sh", "x", 0, 0, NULL), -EINVAL);
    setenv("PATH", path, 1);
    /* Twice: the search leaves PATH as it is. */
    (void)irm_bind_program("no-such-program", "x", 0, 0, NULL);
    IS(strcmp(getenv("PATH"), path), 0);
    free(path);
}

static void without(void) {
    struct ipcp_config config = local_default_conf;
    struct name_info info = settings("x", LB_RR);
    struct ipcp_list_info *ipcps;
    struct name_info *names;
    struct bind_list_info *bindings;
    struct flow_list_info *flows;
    struct name_list_info *wide;
    struct timespec wait;

    strcpy(config.layer_info.name, "layer");
    IS(irm_create_ipcp("x", IPCP_LOCAL), -EIRMD);
    IS(irm_destroy_ipcp(1), -EIRMD);
    IS(irm_list_ipcps(&ipcps), -EIRMD);
    IS(irm_enroll_ipcp(1, "x"), -EIRMD);
    IS(irm_bootstrap_ipcp(1, &config), -EIRMD);
    IS(irm_connect_ipcp(1, "x", DT_COMP, qos_raw), -EIRMD);
    IS(irm_disconnect_ipcp(1, "x", DT_COMP), -EIRMD);
    IS(irm_bind_program("sh", "x", 0, 0, NULL), -EIRMD);
    IS(irm_unbind_program("sh", NULL), -EIRMD);
    IS(irm_bind_process(getpid(), "x"), -EIRMD);
    IS(irm_unbind_process(getpid(), NULL), -EIRMD);
    IS(irm_create_name(&info), -EIRMD);
    IS(irm_destroy_name("x"), -EIRMD);
    IS(irm_list_names(&names), -EIRMD);
    IS(irm_reg_name("x", 1), -EIRMD);
    IS(irm_unreg_name("x", 1), -EIRMD);
    IS(irm_set_name_policy("x", LB_RR), -EIRMD);
    IS(irm_set_name_wait("x", NULL), -EIRMD);
    IS(irm_get_name_wait("x", &wait), -EIRMD);
    IS(irm_list_names_wide(&wide), -EIRMD);
    IS(irm_list_bindings(&bindings), -EIRMD);
    IS(irm_list_flows(&flows), -EIRMD);
    IS(irm_destroy_flow(1), -EIRMD);
    IS(strstr(irm_last_error(), "OUROBOROS_RUNTIME_DIR") != NULL, 1);
}

static void layers(void) {
    struct ipcp_config config = local_default_conf;
    struct ipcp_list_info *list = (struct ipcp_list_info *)1;
    struct bind_list_info *bindings = (struct bind_list_info *)1;
    struct flow_list_info *flows = (struct flow_list_info *)1;
    struct name_list_info *wide = (struct name_list_info *)1;
    pid_t pid;

    IS(irm_list_ipcps(&list), 0);
    IS(list == NULL, 1);
    IS(irm_list_bindings(&bindings), 0);
    IS(bindings == NULL, 1);
    IS(irm_list_flows(&flows), 0);
    IS(flows == NULL, 1);
    IS(irm_list_names_wide(&wide), 0);
    IS(wide == NULL, 1);
    IS(irm_create_ipcp("ipcp", IPCP_LOCAL), 0); /* not the pid */
    IS(irm_create_ipcp("ipcp", IPCP_LOCAL), -EPERM);
    IS(irm_create_ipcp(longest_name, IPCP_LOCAL), 0);
    IS(irm_list_ipcps(&list), 2);
    IS(list[0].pid < list[1].pid, 1);
    IS(list[0].type, IPCP_LOCAL);
    IS(strcmp(list[0].name, "ipcp"), 0);
    IS(strcmp(list[0].layer, "Not enrolled."), 0);
    IS(strlen(list[1].name), 254); /* cut to what fits */
    free(list);
    pid = pid_of("ipcp");

    strcpy(config.layer_info.name, "layer");
    IS(irm_bootstrap_ipcp(pid, &config), 0);
    IS(irm_bootstrap_ipcp(pid, &config), -EPERM);
    IS(irm_bootstrap_ipcp(getpid(), &config), -EPERM);
    IS(irm_list_ipcps(&list), 2);
    IS(strcmp(list[0].layer, "layer"), 0);
    free(list);
    IS(irm_enroll_ipcp(pid, "x"), -EPERM); /* not of a type that enrols */
    IS(irm_enroll_ipcp(getpid(), "x"), -EPERM);
    IS(irm_connect_ipcp(pid, "x", DT_COMP, qos_raw), -EIPCP);
    IS(irm_connect_ipcp(getpid(), "x", DT_COMP, qos_raw), -EIPCP);
    IS(irm_disconnect_ipcp(getpid(), "x", DT_COMP), -EIPCP);
    IS(irm_destroy_ipcp(getpid()), -EPERM);
    IS(irm_destroy_ipcp(pid_of(longest_name)), 0);
}

static void names(void) {
    struct name_info info = settings("name", LB_SPILL);
    struct name_info *list = (struct name_info *)1;
    pid_t pid = pid_of("ipcp");

    IS(irm_list_names(&list), 0);
    IS(list == NULL, 1);
    strcpy(info.s.enc, "/etc/hosts");
    strcpy(info.c.crt, "/etc/passwd");
    IS(irm_create_name(&info), 0);
    info.pol_lb = LB_RR;
    IS(irm_create_name(&info), 0); /* and stays as it was */
    info = settings(longest_name, LB_RR);
    IS(irm_create_name(&info), 0);
    IS(irm_list_names(&list), 2);
    IS(strcmp(list[0].name, "name"), 0);
    IS(list[0].pol_lb, LB_SPILL);
    IS(strcmp(list[0].s.enc, "/etc/hosts"), 0);
    IS(strcmp(list[0].c.crt, "/etc/passwd"), 0);
    IS(list[0].s.key[0], 0);
    IS(strlen(list[1].name), 254);
    free(list);

    IS(irm_reg_name("name", pid), 0);
    IS(irm_reg_name("unknown", pid), -ENAME);
    IS(irm_reg_name("name", getpid()), -EIPCP);
    IS(irm_unreg_name("name", pid), 0);
    IS(irm_unreg_name("unknown", pid), -ENAME);
    IS(irm_unreg_name("name", getpid()), -EIPCP);
    IS(irm_destroy_name("unknown"), -EPERM);
    IS(irm_destroy_name(""), -EPERM);
    IS(irm_destroy_name(longest_name), 0);
    IS(irm_destroy_name(longest_name), -EPERM);
}

static void bindings(void) {
    char *args[] = {(char *)"-c", (char *)"true", NULL};

    IS(irm_bind_program("cat", "name", 0, 0, NULL), 0);
    IS(irm_bind_program("cat", "name", 0, 0, NULL), -EPERM);
    IS(irm_bind_program("cat", "created", 0, 0, NULL), 0);
    IS(irm_destroy_name("created"), 0);
    IS(irm_unbind_program("cat", "unknown"), -EPERM);
    IS(irm_unbind_program("cat", NULL), 0); /* all names */
    IS(irm_unbind_program("cat", NULL), -EPERM);
    /* Unbinding ends the auto-start too: binding again works. */
    IS(irm_bind_program("/bin/sh", "name", BIND_AUTO, 2, args), 0);
    IS(irm_unbind_program("/bin/sh", "name"), 0);
    IS(irm_bind_program("sh", "name", BIND_AUTO, 2, args), 0);
    IS(irm_unbind_program("sh", "name"), 0);

    IS(irm_bind_process(getpid(), "name"), 0);
    IS(irm_bind_process(getpid(), "name"), -EPERM);
    IS(irm_unbind_process(getpid(), "unknown"), -EPERM);
    IS(irm_unbind_process(getpid(), NULL), 0);
    IS(irm_unbind_process(getpid(), NULL), -EPERM);
    IS(irm_bind_process(0x7ffffffe, "name"), -EPERM);
}

static void *list_often(void *wrong) {
    for (int i = 0; i < 50; i++) {
        struct ipcp_list_info *list = NULL;
        if (irm_list_ipcps(&list) != 1)
            __atomic_add_fetch((int *)wrong, 1, __ATOMIC_RELAXED);
        free(list);
    }
    return NULL;
}

static void threads(void) {
    pthread_t thread[4];
    int wrong = 0;

    for (int i = 0; i < 4; i++)
        pthread_create(&thread[i], NULL, list_often, &wrong);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    IS(wrong, 0);
}

int main(int argc, char **argv) {
    memset(long_name, 'l', 256);
    memset(longest_name, 'l', 255);
    arguments();
    search_path();
    if (argc > 1 && strcmp(argv[1], "with") == 0) {
        layers();
        names();
        bindings();
        threads();
        IS(irm_destroy_ipcp(pid_of("ipcp")), 0);
    } else {
        without();
    }
    printf("%d checks, %d failures\n", checks, failures);
    return failures != 0;
}
