/*
 * Ouroboros: flags of in-order flows (c-api §6)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

static long long flags_of(int fd)
{
    uint16_t flags = 0xFFFF;
    int      result = fccntl(fd, FRCTGFLAGS, &flags);

    return result == 0 ? (long long) flags : result;
}

static void check_raw(void)
{
    struct flow_pair pair = flow_pair_start("raw", NULL);
    uint16_t         flags;

    CHECK_RESULT(fccntl(pair.fd, FRCTGFLAGS, NULL), -EINVAL,
                 "FRCTGFLAGS into NULL, which is looked at first");
    CHECK_RESULT(fccntl(pair.fd, FRCTGFLAGS, &flags), -EPERM,
                 "FRCTGFLAGS of a flow that is not in order");
    CHECK_RESULT(fccntl(pair.fd, FRCTSFLAGS, FRCTFRESCNTL), -EPERM,
                 "FRCTSFLAGS of a flow that is not in order");
    flow_pair_end(&pair);
}

/* SHOULD and issue 2: they read back as set; FRCTFRTX is what loss makes it. */
static void check_data(void)
{
    const struct {
        int given;
        int wanted;
    } cases[] = { { 6, 7 }, { 4, 5 }, { 2, 3 }, { 0, 1 }, { 7, 7 } };
    struct flow_pair pair = flow_pair_start("data", &qos_data);
    size_t           i;

    CHECK_RESULT(fccntl(pair.fd, FRCTGFLAGS, NULL), -EINVAL,
                 "FRCTGFLAGS into NULL");
    CHECK_RESULT(flags_of(pair.fd), FRCTFRTX | FRCTFRESCNTL | FRCTFLINGER,
                 "flags of a new flow on which nothing is lost");
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_RESULT(fccntl(pair.fd, FRCTSFLAGS, cases[i].given), 0,
                     "flags %d are set", cases[i].given);
        CHECK_RESULT(flags_of(pair.fd), cases[i].wanted,
                     "and read as %d: FRCTFRTX stays", cases[i].wanted);
    }
    CHECK_RESULT(write_message(pair.fd, 1000, 1), 1000, "a message goes");
    CHECK_RESULT(agent_read(&pair.agent, pair.peer, 2000, 1), 1000,
                 "and arrives");
    flow_pair_end(&pair);
}

static void check_lossy(const char *      what,
                        const qosspec_t * qos)
{
    struct flow_pair pair = flow_pair_start(what, qos);

    CHECK_RESULT(flags_of(pair.fd), FRCTFRESCNTL,
                 "%s: flags of a new flow that may lose", what);
    CHECK_RESULT(fccntl(pair.fd, FRCTSFLAGS, FRCTFRESCNTL | FRCTFLINGER), 0,
                 "%s: both are set", what);
    CHECK_RESULT(flags_of(pair.fd), FRCTFRESCNTL | FRCTFLINGER,
                 "%s: both are read", what);
    CHECK_RESULT(fccntl(pair.fd, FRCTSFLAGS, 0), 0, "%s: none is set", what);
    CHECK_RESULT(flags_of(pair.fd), 0, "%s: none is read", what);
    flow_pair_end(&pair);
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);

    check_raw();
    check_data();
    check_lossy("best effort", &qos_best_effort);
    check_lossy("video", &qos_video);
    check_lossy("voice", &qos_voice);

    return conformance_end();
}
