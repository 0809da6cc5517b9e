/*
 * Ouroboros: hosts that nobody knows, and what they send: requests made by
 * hand, copies of what they have seen, forgeries, noise
 *
 * usage: strangers [DATAGRAMS [SEED]]
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "datagrams.h"

#include <signal.h>
#include <sys/socket.h>

/* Their addresses. */
#define STRANGER 3
#define FORGER 5

/* KiB by which a daemon may grow: what is bounded by Limits. */
#define MORE_KIB 24576

static const struct work legitimate = { 2, 2, 0, 1, 1400 };

static int             stranger;
static int             forger;
static struct datagram sent;
static struct datagram got;

/* The answer to a request: sent until it comes, as a host does. */
static int32_t answer_at(int                     from,
                         const struct datagram * request,
                         int                     number)
{
    int tries;

    for (tries = 0; tries < 10; tries++) {
        send_to(from, number, request);
        while (receive(from, &got))
            if (got.count >= MANAGEMENT_SIZE && number_at(&got, 0) == 0
                && number_at(&got, 4) == number_at(request, 4))
                return (int32_t) number_at(&got, 12);
    }
    return INT32_MIN;
}

static int32_t answer_to(const struct datagram * request,
                         int                     number)
{
    return answer_at(stranger, request, number);
}

/* The endpoint of a flow at host two; its own is the requester. */
static uint32_t flow_of(uint32_t          requester,
                        const char *      name,
                        struct datagram * request)
{
    qosspec_t qos = raw_with_timeout(0);

    make_request(request, requester, name, &qos, 0);
    MUST(answer_to(request, 2) == 0, "a request made by hand is accepted");
    return number_at(&got, 8);
}

/* A message through a flow and back; sent again until it is. */
static bool comes_back(uint32_t endpoint,
                       uint32_t requester,
                       size_t   count,
                       unsigned seed)
{
    int tries;

    for (tries = 0; tries < 10; tries++) {
        make_packet(&sent, endpoint, count, seed);
        send_to(stranger, 2, &sent);
        while (receive(stranger, &got))
            if (got.count == count + 4 && number_at(&got, 0) == requester
                && holds(got.bytes + 4, count, 0, seed))
                return true;
    }
    return false;
}

static void check_requests(void)
{
    qosspec_t qos = raw_with_timeout(1000);
    qosspec_t impossible = qos;
    long long malformed = network(TWO, "dropped: malformed");

    impossible.loss = 0;
    make_request(&sent, 1, "two.strange", &impossible, 0);
    CHECK_RESULT(answer_to(&sent, 2), -ENOTSUP,
                 "no loss without order: refused");
    make_request(&sent, 2, "two.not.served", &qos, 0);
    CHECK_RESULT(answer_to(&sent, 2), -ENAME, "a name not served: refused");
    make_request(&sent, 3, "two.strange", &qos, -30);
    CHECK_RESULT(answer_to(&sent, 2), -EAUTH, "an old request: refused");
    make_request(&sent, 4, "two.strange", &qos, 30);
    CHECK_RESULT(answer_to(&sent, 2), -EAUTH, "one of tomorrow: refused");
    make_request(&sent, 5, "two.strange", &qos, 0);
    sent.count -= 1;
    CHECK(answer_to(&sent, 2) < 0, "one that is too short: refused");
    make_request(&sent, 0, "two.strange", &qos, 0);
    send_to(stranger, 2, &sent);
    wait_for_more(TWO, "dropped: malformed", malformed);
    CHECK(true, "an endpoint of 0: dropped and counted");
}

/* Each host has its lines of the log: the script counts them. */
static void check_lines(void)
{
    qosspec_t qos = raw_with_timeout(1000);
    int       refused = 0;
    uint32_t  i;

    for (i = 0; i < 300; i++) {
        make_request(&sent, 1000 + i, "two.strange", &qos, -30);
        refused += answer_to(&sent, 2) == -EAUTH;
    }
    CHECK_RESULT(refused, 300, "many old requests: refused");
    make_request(&sent, 1, "two.strange", &qos, -30);
    CHECK_RESULT(answer_at(forger, &sent, 2), -EAUTH, "and of another host");
}

/* Who is not the host at the other end cannot write into a flow. */
static void check_forgery(uint32_t endpoint,
                          uint32_t requester)
{
    long long before = network(TWO, "dropped: wrong source");
    long long unknown = network(TWO, "dropped: unknown endpoint");
    int       other = socket(FAMILY, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    address_t address = address_of(STRANGER);

    make_packet(&sent, endpoint, 100, 66);
    send_to(forger, 2, &sent);
    wait_for_more(TWO, "dropped: wrong source", before);
    CHECK(true, "a packet from another address is dropped and counted");

    PORT_OF(&address) = 0;
    MUST(bind(other, (struct sockaddr *) &address, sizeof(address)) == 0,
         "the stranger has another port");
    send_to(other, 2, &sent);
    wait_for_more(TWO, "dropped: wrong source", before + 1);
    CHECK(true, "also from another port of the right one");
    close(other);

    make_packet(&sent, endpoint ^ 0x10000, 100, 66);
    send_to(stranger, 2, &sent);
    wait_for_more(TWO, "dropped: unknown endpoint", unknown);
    CHECK(true, "an endpoint before or after it is unknown");
    /* Echoes of what was dropped would come before. */
    CHECK(comes_back(endpoint, requester, 200, 7), "the flow works");
    CHECK_RESULT(number_at(&got, 0), requester, "for its own packets");
}

/* Who is not the host at the other end cannot end a flow, and that host not
 * without both endpoints. */
static void check_goodbyes(uint32_t endpoint,
                           uint32_t requester)
{
    long long others = network(TWO, "dropped: end of flow from others");
    long long late = network(TWO, "dropped: end of unknown flow");

    make_gone(&sent, endpoint, requester);
    send_to(forger, 2, &sent);
    wait_for_more(TWO, "dropped: end of flow from others", others);
    CHECK(true, "an end from another address is dropped and counted");
    make_gone(&sent, endpoint, requester ^ 1);
    send_to(stranger, 2, &sent);
    wait_for_more(TWO, "dropped: end of flow from others", others + 1);
    CHECK(true, "also one from the right address with another endpoint");
    make_gone(&sent, endpoint ^ 0x10000, requester);
    send_to(stranger, 2, &sent);
    wait_for_more(TWO, "dropped: end of unknown flow", late);
    CHECK(true, "the end of a flow that is not there is counted, too");
    CHECK(comes_back(endpoint, requester, 200, 8), "the flow works");
}

static long long flows_before;

static bool has_fewer_flows(void * argument)
{
    (void) argument;
    return network(TWO, "flows") < flows_before;
}

/* The host at the other end can. */
static void check_goodbye(uint32_t endpoint,
                          uint32_t requester)
{
    flows_before = network(TWO, "flows");
    make_gone(&sent, endpoint, requester);
    send_to(stranger, 2, &sent);
    wait_for(has_fewer_flows, NULL);
    CHECK(true, "the stranger can end its own flow");
}

/* A request that was seen is of no use to who has seen it. */
static void check_replay(const struct datagram * request,
                         uint32_t                endpoint)
{
    long long flows = network(TWO, "flows");
    int       mine = stranger;

    CHECK_RESULT(answer_to(request, 2), 0, "a repetition is answered");
    CHECK_RESULT(number_at(&got, 8), endpoint, "with the same endpoint");
    sent = *request;
    sent.bytes[7] ^= 0x55;
    CHECK_RESULT(answer_to(&sent, 2), -EAUTH,
                 "a replay with another endpoint is refused");
    stranger = forger;
    CHECK_RESULT(answer_to(request, 2), -EAUTH,
                 "so is one from another address");
    stranger = mine;
    CHECK_RESULT(network(TWO, "flows"), flows, "neither makes a flow");
}

/* Host one asks the stranger, who shows that to host two. */
static void check_captured(struct datagram * captured)
{
    struct agent         agent = agent_at(ONE);
    struct agent_command alloc = agent_naming(AGENT_ALLOC, "captured");
    long long            before = network(ONE, "dropped: unexpected reply");

    alloc.milliseconds = 2500;
    agent_begin(&agent, alloc);
    do
        MUST(receive(stranger, captured), "host one asks");
    while (captured->count != REQUEST_SIZE + DATA_SIZE
           || number_at(captured, 0) != 0);

    make_reply(&sent, number_at(captured, 4), 77, 0);
    send_to(forger, 1, &sent);
    wait_for_more(ONE, "dropped: unexpected reply", before);
    CHECK(true, "a reply from another address is dropped and counted");
    make_reply(&sent, number_at(captured, 4) ^ 0x10000, 77, 0);
    send_to(stranger, 1, &sent);
    wait_for_more(ONE, "dropped: unexpected reply", before + 1);
    CHECK(true, "so is one to another endpoint");
    make_reply(&sent, number_at(captured, 4), 77, 0);
    send_to(stranger, 1, &sent);
    CHECK(agent_finish(&agent).result < 0,
          "a reply without proof that the request was read is none");

    /* Host two has never seen it; it is fresh, but for another name. */
    CHECK_RESULT(answer_to(captured, 2), -ENAME,
                 "host two does not serve what another host was asked for");
    agent_end(&agent);
}

/* More requests than the layer lets irmd have, to a name nobody accepts. */
#define CROWD 1100

/* They leave room for other names, and for other sources. */
static void check_crowd(void)
{
    struct agent    agent = agent_at(TWO);
    qosspec_t       qos = raw_with_timeout(0);
    long long       before = network(TWO, "dropped: too many requests");
    struct datagram request;
    int             mine = stranger;
    uint32_t        i;

    MUST(agent_call(&agent, agent_naming(AGENT_BIND, "two.crowded")).result == 0,
         "a process that never accepts is bound to a name");
    for (i = 1; i <= CROWD; i++) {
        make_request(&request, 0x10000 + i, "two.crowded", &qos, 0);
        send_to(stranger, 2, &request);
    }
    wait_for_more(TWO, "dropped: too many requests", before);
    stranger = forger;
    make_request(&request, 0x20000, "two.not.served", &qos, 0);
    CHECK_RESULT(answer_to(&request, 2), -ENAME,
                 "a host is answered while another crowds a name");
    (void) flow_of(0x20001, "two.strange", &request);
    stranger = mine;
    agent_end(&agent);
    make_request(&request, 0x20002, "two.not.served", &qos, 0);
    CHECK_RESULT(answer_to(&request, 2), -ENAME,
                 "when the name is gone the requests to it are");
}

/* Guesses, as if from the other end of a flow: 2^31 are possible. */
#define GUESSES 65536

static void check_guesses(uint32_t endpoint,
                          uint32_t requester)
{
    long long before = network(TWO, "dropped: unknown endpoint");
    uint32_t  i;
    int       echoes = 0;

    for (i = 1; i <= GUESSES; i++) {
        uint32_t guess = i % 2 ? endpoint ^ (i << 15) : i << 16 | (endpoint & 0xFFFF);

        make_packet(&sent, guess & 0x7FFFFFFF, 40, 99);
        if ((guess & 0x7FFFFFFF) != endpoint)
            send_to(stranger, 2, &sent);
        /* Through the flow and back: host two has read what came before. */
        if (i % 64 == 0)
            echoes += comes_back(endpoint, requester, 100, i);
    }
    CHECK_RESULT(echoes, GUESSES / 64, "the flow works meanwhile");
    CHECK(network(TWO, "dropped: unknown endpoint") - before > GUESSES / 2,
          "guesses of an endpoint from its own source find nothing");
}

/* One datagram of a flood, of one kind or another. */
static void make_odd(uint32_t                endpoint,
                     const struct datagram * request,
                     const struct datagram * captured)
{
    qosspec_t qos = raw_with_timeout(1000);
    uint64_t  number = random_number();
    int       i;

    switch (number % 13) {
    case 0:
        make_noise(&sent, 200, false);
        break;
    case 1:
        make_noise(&sent, 200, true);
        break;
    case 2:
        make_noise(&sent, DATAGRAM_SIZE - 8, number & 4096);
        break;
    case 3:
        make_packet(&sent, endpoint, number / 16 % 1400, 66);
        break;
    case 4:
        make_packet(&sent, (uint32_t) (number >> 32), number / 16 % 1400, 66);
        break;
    case 5:
        make_request(&sent, (uint32_t) number, "two.not.served", &qos, 0);
        break;
    case 6:
        make_request(&sent, (uint32_t) number, "two.not.served", &qos, 0);
        sent.count = number / 16 % sent.count;
        break;
    case 7:
        make_request(&sent, (uint32_t) number, "two.not.served", &qos, 0);
        for (i = 0; i < 3; i++)
            sent.bytes[4 + random_number() % (sent.count - 4)]
                ^= (uint8_t) random_number();
        break;
    case 8:
        sent = *request;
        break;
    case 9:
        sent = *captured;
        sent.bytes[5] ^= (uint8_t) (number >> 40);
        break;
    case 10:
        make_reply(&sent, (uint32_t) (number >> 16), (uint32_t) (number >> 24),
                   number & 4096 ? 0 : -EAUTH);
        break;
    case 11:
        make_gone(&sent, number & 4096 ? endpoint : (uint32_t) (number >> 16),
                  number & 8192 ? 0xABCD : (uint32_t) (number >> 24));
        break;
    default:
        make_reply(&sent, endpoint, (uint32_t) (number >> 24), 0);
        sent.count = number / 16 % (sent.count + 1);
        break;
    }
}

struct daemons {
    pid_t pids[4];
    long  kib[4];
};

static struct daemons look_at_daemons(void)
{
    struct daemons daemons;
    int            i;

    daemons.pids[0] = ipcp_of(ONE);
    daemons.pids[1] = ipcp_of(TWO);
    daemons.pids[2] = irmd_of(ONE);
    daemons.pids[3] = irmd_of(TWO);
    for (i = 0; i < 4; i++)
        daemons.kib[i] = memory_of(daemons.pids[i]);
    return daemons;
}

static void check_flood(long                    datagrams,
                        uint32_t                endpoint,
                        uint32_t                requester,
                        const struct datagram * request,
                        const struct datagram * captured)
{
    static const char * const who[] = { "the IPCP of host one",
                                        "the IPCP of host two",
                                        "the irmd of host one",
                                        "the irmd of host two" };
    struct daemons before = look_at_daemons();
    struct daemons after;
    struct worker  one = client_at(ONE, "two.echo", &legitimate);
    struct worker  two = client_at(TWO, "one.echo", &legitimate);
    long long      packets;
    long           i;
    bool           right = true;

    packets = network(ONE, "packets arrived");
    for (i = 0; i < datagrams; i++) {
        make_odd(endpoint, request, captured);
        send_to(forger, i % 2 ? 1 : 2, &sent);
        /* Through a flow and back: so host two has read what came before. */
        if (i % 64 == 63)
            right = comes_back(endpoint, requester, 100, (unsigned) i)
                && right;
    }
    CHECK(network(ONE, "packets arrived") > packets,
          "there was traffic meanwhile (%lld packets)",
          network(ONE, "packets arrived") - packets);
    CHECK(right, "the stranger's own flow works during all of the flood");
    CHECK_RESULT(worker_end(&one), 0, "so do those from host one");
    CHECK_RESULT(worker_end(&two), 0, "and those from host two");

    after = look_at_daemons();
    for (i = 0; i < 4; i++) {
        CHECK(after.pids[i] == before.pids[i] && kill(after.pids[i], 0) == 0,
              "%s lives", who[i]);
        CHECK(after.kib[i] <= before.kib[i] + MORE_KIB,
              "it has not grown (%ld to %ld KiB)", before.kib[i],
              after.kib[i]);
    }
    CHECK(network(TWO, "dropped: malformed") > 0
          && network(TWO, "dropped: wrong source") > 0
          && network(TWO, "dropped: unknown endpoint") > 0
          && network(TWO, "dropped: too short") > 0
          && network(TWO, "dropped: unexpected reply") > 0,
          "what was dropped is counted by its kind");
}

int main(int     argc,
         char ** argv)
{
    static struct datagram request;
    static struct datagram captured;
    struct timeval         limit = { 0, 200000 };
    struct worker          one;
    struct worker          two;
    struct worker          own;
    long                   datagrams;
    uint32_t               endpoint;
    uint64_t               seed;

    hosts_begin(argc, argv);
    datagrams = argc > 1 ? atol(argv[1]) : 200000;
    seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t) time(NULL);
    note("seed %llu", (unsigned long long) seed);
    random_seed(seed);
    alarm((unsigned) (WATCHDOG + datagrams / 2000));

    one = server_at(ONE, "one.echo");
    two = server_at(TWO, "two.echo");
    own = server_at(TWO, "two.strange");
    stranger = socket_at(STRANGER);
    forger = socket_at(FORGER);

    check_captured(&captured);
    setsockopt(stranger, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(forger, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    check_requests();
    check_lines();
    endpoint = flow_of(0xABCD, "two.strange", &request);
    CHECK(comes_back(endpoint, 0xABCD, LONGEST, 3),
          "a host made by hand has a flow");
    check_forgery(endpoint, 0xABCD);
    check_goodbyes(endpoint, 0xABCD);
    check_replay(&request, endpoint);
    check_guesses(endpoint, 0xABCD);
    check_crowd();
    check_flood(datagrams, endpoint, 0xABCD, &request, &captured);
    check_goodbye(endpoint, 0xABCD);

    close(stranger);
    close(forger);
    CHECK_RESULT(worker_end(&one), 0, "the server of host one ends");
    CHECK_RESULT(worker_end(&two), 0, "and that of host two");
    CHECK_RESULT(worker_end(&own), 0, "and that of the stranger");
    return conformance_end();
}
