/*
 * Ouroboros: quality of service of a flow (c-api §5.1)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

/*
 * What default builds make of a wish: c-api §5.1, ber is forced to 1. Where
 * nothing may be lost, all is in order.
 */
static qosspec_t granted(qosspec_t wish)
{
    wish.ber = 1;
    if (wish.loss == 0)
        wish.in_order = 1;
    return wish;
}

static void check_wish(const struct agent * agent,
                       const char *         name,
                       const char *         what,
                       qosspec_t            wish)
{
    qosspec_t           asked = wish;
    qosspec_t           wanted = granted(wish);
    qosspec_t           here;
    struct agent_answer accepted;
    int                 fd;

    agent_begin(agent, agent_command(AGENT_ACCEPT, -1));
    fd = flow_alloc(name, &asked, NULL);
    accepted = agent_finish(agent);
    REQUIRE(fd >= 0 && accepted.result >= 0, "%s: a flow", what);

    CHECK(same_qos(&asked, &wanted), "%s: flow_alloc tells what it is", what);
    CHECK(same_qos(&accepted.qos, &wanted),
          "%s: flow_accept tells what the client asked for", what);
    CHECK_RESULT(fccntl(fd, FLOWGQOSSPEC, &here), 0,
                 "%s: the flow tells its quality", what);
    CHECK(same_qos(&here, &wanted), "%s: and tells the same", what);

    CHECK_RESULT(write_message(fd, 100, 1), 100, "%s: a message goes", what);
    CHECK_RESULT(agent_read(agent, (int) accepted.result, 200, 1), 100,
                 "%s: and arrives", what);

    flow_dealloc(fd);
    agent_on(agent, AGENT_DEALLOC, (int) accepted.result);
}

static void check_wishes(void)
{
    const char * name = own_name("wishes");
    struct agent agent = agent_start();
    qosspec_t    odd = { 7, ((uint64_t) 1 << 40) + 1, 9, 5, 3, 1, 11, 5000 };

    REQUIRE(agent_bind(&agent, name) == 0, "an agent is bound");
    check_wish(&agent, name, "qos_raw", qos_raw);
    check_wish(&agent, name, "qos_raw_no_errors", qos_raw_no_errors);
    check_wish(&agent, name, "qos_best_effort", qos_best_effort);
    check_wish(&agent, name, "qos_video", qos_video);
    check_wish(&agent, name, "qos_voice", qos_voice);
    check_wish(&agent, name, "qos_data", qos_data);
    check_wish(&agent, name, "a quality of odd values", odd);
    odd.loss = 0;
    odd.in_order = 0;
    check_wish(&agent, name, "a loss of 0 without in_order", odd);
    agent_end(&agent);
}

static void check_none(void)
{
    struct flow_pair pair = flow_pair_start("none", NULL);
    qosspec_t        here;

    CHECK_RESULT(fccntl(pair.fd, FLOWGQOSSPEC, &here), 0,
                 "a flow allocated without qs tells its quality");
    CHECK(same_qos(&here, &qos_raw), "which is qos_raw");
    flow_pair_end(&pair);
}

/* flow_accept takes NULL as well. */
static void check_accept_none(void)
{
    const char *        name = own_name("accept");
    struct agent        agent = agent_start();
    struct agent_answer answer;
    struct agent_command command = agent_naming(AGENT_ALLOC, name);
    qosspec_t           here;
    int                 fd;

    CHECK_RESULT(irm_bind_process(getpid(), name), 0,
                 "a program binds itself to a name");
    command.has_qos = true;
    command.qos = qos_voice;
    agent_begin(&agent, command);
    fd = flow_accept(NULL, NULL);
    answer = agent_finish(&agent);
    REQUIRE(fd >= 0 && answer.result >= 0, "flow_accept with a qs of NULL");

    CHECK_RESULT(fccntl(fd, FLOWGQOSSPEC, &here), 0,
                 "the accepted flow tells its quality");
    CHECK(here.delay == 50 && here.in_order == 1 && here.timeout == 120000,
          "which is what the client asked for");
    flow_dealloc(fd);
    irm_destroy_name(name);
    agent_end(&agent);
}

static void check_refused(void)
{
    qosspec_t asked = qos_data;

    CHECK_RESULT(flow_alloc(own_name("unknown"), &asked, NULL), -ENAME,
                 "an allocation to an unknown name fails");
    CHECK_RESULT(asked.ber, 1, "ber is forced to 1 even so");
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);

    check_none();
    check_wishes();
    check_accept_none();
    check_refused();

    return conformance_end();
}
