/*
 * Ouroboros: all calls where there is no irmd (c-api §5.2, §9; issue 2)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "conformance.h"

/* SHOULD and issue 2: -EIRMD at the call, never an exit at load time. */

static void check_flows(void)
{
    struct timespec zero = { 0, 0 };
    struct timespec hour = { 3600, 0 };
    char            byte = 0;

    CHECK(true, "the libraries load");
    CHECK_RESULT(flow_alloc("name", NULL, NULL), -EIRMD, "flow_alloc");
    CHECK_RESULT(flow_alloc("name", NULL, &hour), -EIRMD,
                 "flow_alloc with a time limit");
    CHECK_RESULT(flow_alloc(NULL, NULL, NULL), -EINVAL, "flow_alloc to NULL");
    CHECK_RESULT(flow_accept(NULL, NULL), -EIRMD, "flow_accept");
    CHECK_RESULT(flow_accept(NULL, &zero), -EIRMD,
                 "flow_accept with no time at all");
    CHECK_RESULT(flow_join("layer", NULL), -EIRMD, "flow_join");
    CHECK_RESULT(flow_dealloc(FIRST_FD), -ENOTALLOC, "flow_dealloc");
    CHECK_RESULT(flow_write(FIRST_FD, &byte, 1), -ENOTALLOC, "flow_write");
    CHECK_RESULT(flow_read(FIRST_FD, &byte, 1), -ENOTALLOC, "flow_read");
    CHECK_RESULT(flow_read(-1, &byte, 1), -EBADF, "flow_read on no flow");
}

static void check_sets(void)
{
    struct timespec time = { 0, 50 * 1000 * 1000 };
    fset_t *        set = fset_create();
    fqueue_t *      queue = fqueue_create();
    int64_t         begun = now_ms();

    CHECK(set != NULL && queue != NULL, "a set and a queue are created");
    CHECK_RESULT(fset_add(set, FIRST_FD), -EINVAL, "fset_add");
    CHECK_RESULT(fevent(set, queue, &time), -ETIMEDOUT, "fevent");
    CHECK(now_ms() - begun >= 50, "not before the time is up");
    fqueue_destroy(queue);
    fset_destroy(set);
}

static void check_management(void)
{
    struct ipcp_list_info * ipcps = NULL;
    struct name_info *      names = NULL;
    struct ipcp_config      conf = local_default_conf;
    struct name_info        info;
    pid_t                   pid = getpid();

    memset(&info, 0, sizeof(info));
    strcpy(info.name, "name");
    strcpy(conf.layer_info.name, "layer");

    CHECK_RESULT(irm_create_ipcp("ipcp", IPCP_LOCAL), -EIRMD, "create_ipcp");
    CHECK_RESULT(irm_destroy_ipcp(pid), -EIRMD, "destroy_ipcp");
    CHECK_RESULT(irm_list_ipcps(&ipcps), -EIRMD, "list_ipcps");
    CHECK_RESULT(irm_enroll_ipcp(pid, "layer"), -EIRMD, "enroll_ipcp");
    CHECK_RESULT(irm_bootstrap_ipcp(pid, &conf), -EIRMD, "bootstrap_ipcp");
    CHECK_RESULT(irm_connect_ipcp(pid, "dst", DT_COMP, qos_raw), -EIRMD,
                 "connect_ipcp");
    CHECK_RESULT(irm_disconnect_ipcp(pid, "dst", DT_COMP), -EIRMD,
                 "disconnect_ipcp");
    CHECK_RESULT(irm_bind_program("/bin/sh", "name", 0, 0, NULL), -EIRMD,
                 "bind_program");
    CHECK_RESULT(irm_unbind_program("sh", "name"), -EIRMD, "unbind_program");
    CHECK_RESULT(irm_bind_process(pid, "name"), -EIRMD, "bind_process");
    CHECK_RESULT(irm_unbind_process(pid, "name"), -EIRMD, "unbind_process");
    CHECK_RESULT(irm_create_name(&info), -EIRMD, "create_name");
    CHECK_RESULT(irm_destroy_name("name"), -EIRMD, "destroy_name");
    CHECK_RESULT(irm_list_names(&names), -EIRMD, "list_names");
    CHECK_RESULT(irm_reg_name("name", pid), -EIRMD, "reg_name");
    CHECK_RESULT(irm_unreg_name("name", pid), -EIRMD, "unreg_name");
    CHECK_RESULT(irm_create_name(NULL), -EINVAL, "create_name of NULL");
}

/* Start this program once more, with a runtime directory that is empty. */
static int begin_without(char ** argv)
{
    const char * parent = getenv("TMPDIR");
    char         directory[256];

    snprintf(directory, sizeof(directory), "%s/conformance-none-XXXXXX",
             parent != NULL ? parent : "/tmp");
    if (mkdtemp(directory) == NULL)
        return 1;
    setenv("OUROBOROS_RUNTIME_DIR", directory, 1);
    setenv("CONFORMANCE_WITHOUT", directory, 1);
    execv("/proc/self/exe", argv);
    return 1;
}

int main(int     argc,
         char ** argv)
{
    const char * directory = getenv("CONFORMANCE_WITHOUT");

    if (directory == NULL)
        return begin_without(argv);

    conformance_begin(argc, argv);
    check_flows();
    check_sets();
    check_management();
    CHECK_RESULT(rmdir(directory), 0, "nothing was left in the directory");

    return conformance_end();
}
