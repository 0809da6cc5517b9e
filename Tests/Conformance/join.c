/*
 * Ouroboros: flow_join (c-api §5.4)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "management.h"

static void check_arguments(void)
{
    struct timespec hour = { 3600, 0 };

    /* SHOULD, as for flow_alloc: NULL is -EINVAL. */
    CHECK_RESULT(flow_join(NULL, NULL), -EINVAL, "a layer of NULL");
    CHECK_RESULT(flow_join("", NULL), -EIPCP, "an empty name");
    CHECK_RESULT(flow_join(own_name("none"), NULL), -EIPCP,
                 "a layer that does not exist");
    CHECK_RESULT(flow_join(own_name("none"), &hour), -EIPCP,
                 "the same with an hour to wait");
}

static void check_other_layer(void)
{
    const char * layer = own_name("layer");
    pid_t        pid = ipcp_start(own_name("ipcp"), IPCP_LOCAL);

    REQUIRE(pid > 0, "a local IPCP is created");
    REQUIRE(ipcp_bootstrap_local(pid, layer) == 0, "and bootstrapped");
    CHECK_RESULT(flow_join(layer, NULL), -ENOTALLOC,
                 "a layer that is not a broadcast layer");
    CHECK_RESULT(ipcp_end(pid), 0, "the IPCP is destroyed");
    CHECK_RESULT(flow_join(layer, NULL), -EIPCP, "its layer with it");
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);

    check_arguments();
    check_other_layer();

    return conformance_end();
}
