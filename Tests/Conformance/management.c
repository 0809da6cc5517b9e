/*
 * Ouroboros: IPCPs and names for the conformance programs
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "management.h"

pid_t ipcp_start(const char *   name,
                 enum ipcp_type type)
{
    struct ipcp_list_info * list = NULL;
    pid_t                   pid = -1;
    ssize_t                 count;
    ssize_t                 i;
    int                     result;

    result = (int) irm_create_ipcp(name, type);
    if (result != 0) {
        note("irm_create_ipcp gives %d", result);
        return -1;
    }

    count = irm_list_ipcps(&list);
    for (i = 0; i < count; i++)
        if (strncmp(list[i].name, name, sizeof(list[i].name) - 1) == 0)
            pid = list[i].pid;
    free(list);
    return pid;
}

int ipcp_bootstrap_local(pid_t        pid,
                         const char * layer)
{
    struct ipcp_config conf = local_default_conf;

    snprintf(conf.layer_info.name, sizeof(conf.layer_info.name), "%s", layer);
    return irm_bootstrap_ipcp(pid, &conf);
}

bool ipcp_gone(void * argument)
{
    struct ipcp_list_info info;

    return !ipcp_listed(*(const pid_t *) argument, &info);
}

int ipcp_end(pid_t pid)
{
    int result = irm_destroy_ipcp(pid);

    if (result == 0)
        wait_for(ipcp_gone, &pid);

    return result;
}

bool ipcp_listed(pid_t                   pid,
                 struct ipcp_list_info * info)
{
    struct ipcp_list_info * list = NULL;
    ssize_t                 count = irm_list_ipcps(&list);
    ssize_t                 i;
    bool                    found = false;

    for (i = 0; i < count && !found; i++) {
        found = list[i].pid == pid;
        if (found)
            *info = list[i];
    }

    free(list);
    return found;
}

int name_create(const char * name)
{
    struct name_info info;

    memset(&info, 0, sizeof(info));
    memcpy(info.name, name, strlen(name));
    info.pol_lb = LB_RR;
    return irm_create_name(&info);
}

bool name_listed(const char *       name,
                 struct name_info * info)
{
    struct name_info * list = NULL;
    ssize_t            count = irm_list_names(&list);
    ssize_t            i;
    bool               found = false;

    for (i = 0; i < count && !found; i++) {
        found = strncmp(list[i].name, name, NAME_SIZE - 1) == 0;
        if (found)
            *info = list[i];
    }

    free(list);
    return found;
}
