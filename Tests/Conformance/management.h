/*
 * Ouroboros: IPCPs and names for the conformance programs
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef MANAGEMENT_H
#define MANAGEMENT_H

#include "conformance.h"

/* Create an IPCP and look up its pid; below zero if that fails. */
pid_t ipcp_start(const char *   name,
                 enum ipcp_type type);

/* Make a local IPCP the one member of a layer. */
int ipcp_bootstrap_local(pid_t        pid,
                         const char * layer);

/* Destroy it and wait until it is listed no more. */
int ipcp_end(pid_t pid);

/* The entry of the IPCP in irm_list_ipcps; false if there is none. */
bool ipcp_listed(pid_t                   pid,
                 struct ipcp_list_info * info);

/* Whether it is not in irm_list_ipcps; for wait_for. Points to the pid. */
bool ipcp_gone(void * argument);

/* A name without files; round robin. */
int name_create(const char * name);

bool name_listed(const char *       name,
                 struct name_info * info);

#endif /* MANAGEMENT_H */
