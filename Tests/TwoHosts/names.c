/*
 * Ouroboros: names that lead nowhere, and flows that a layer does not offer
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "hosts.h"
#include "../Conformance/management.h"

#include <arpa/inet.h>
#include <sys/socket.h>

/* Milliseconds: enough for a request and its first repetition. */
#define LIMIT 1500

/* Of a call without a limit. */
#define DEFAULT_LIMIT 20000

static void check_unknown(void)
{
    struct agent         agent = agent_at(TWO);
    struct agent_command alloc = agent_naming(AGENT_ALLOC, "nobody.knows");
    long long            result = flow_alloc("nobody.knows", NULL, NULL);

    CHECK(result == -ENAME || result == -EIPCP,
          "a name that nobody knows is refused, not waited for (%lld)", result);
    result = agent_call(&agent, alloc).result;
    CHECK(result == -ENAME || result == -EIPCP, "also on the other host");
    agent_end(&agent);
}

/* The hosts file knows it, the host of it does not serve it. */
static void check_not_served(void)
{
    CHECK_RESULT(flow_alloc("two.not.served", NULL, NULL), -ENAME,
                 "a name that its host does not serve is refused");
    CHECK_RESULT(network(ONE, "flows"), 0, "nothing is left of it here");
    CHECK_RESULT(network(TWO, "flows"), 0, "nor there");
}

/* The name and the host of a flow from two, as the server here is told. */
static void check_peer(void)
{
    struct agent     agent = agent_at(TWO);
    char             name[FLOW_NAME_SIZE];
    char             host[FLOW_HOST_SIZE];
    char             address[INET6_ADDRSTRLEN];
    struct flow_peer peer;
    address_t        two = address_of(2);
    int              fd;

    irm_bind_process(getpid(), "one.self"); /* Others have done so, too. */
    agent_begin(&agent, agent_naming(AGENT_ALLOC, "one.self"));
    fd = flow_accept(NULL, NULL);
    CHECK(fd >= 0 && agent_finish(&agent).result >= 0, "a flow from two");
    CHECK_RESULT(fccntl(fd, FLOWGNAME, name), 0, "it has a name");
    CHECK(strcmp(name, "one.self") == 0, "that of this process");
    CHECK_RESULT(fccntl(fd, FLOWGPEER, &peer), 0, "it has a peer");
    CHECK(peer.is_remote == 1 && peer.pid == -1 && peer.uid == (uid_t) -1
          && peer.gid == (gid_t) -1, "of which no process is known here");
    CHECK(peer.layer[0] != '\0', "but the layer");
    inet_ntop(FAMILY, ADDRESS_OF(&two), address, sizeof(address));
    snprintf(host, sizeof(host), FAMILY == AF_INET6 ? "[%s]:%d" : "%s:%d",
             address, (int) ntohs(PORT_OF(&two)));
    CHECK(strcmp(peer.host, host) == 0, "and the host (%s)", peer.host);
    flow_dealloc(fd);
    agent_end(&agent);
}

/* A name here that waits for its server: two asks first. */
static void check_waiting(void)
{
    const struct timespec brief = { 0, 300000000 };
    const struct timespec none = { 0, 0 };
    struct agent          agent = agent_at(TWO);
    struct agent          server = agent_at(ONE);
    struct agent_command  alloc = agent_naming(AGENT_ALLOC, "one.waits");
    struct agent_answer   answer;

    REQUIRE(name_create("one.waits") == 0, "a name that two finds");
    CHECK_RESULT(agent_call(&agent, alloc).result, -ENAME,
                 "is refused, because nobody serves it");
    CHECK_RESULT(irm_set_name_wait("one.waits", &brief), 0, "it waits");
    answer = agent_call(&agent, alloc);
    CHECK(answer.result == -EIPCP, "nobody comes (%lld)", answer.result);
    CHECK(answer.lasted >= 300, "which two is told when it is sure");
    CHECK_RESULT(irm_set_name_wait("one.waits", NULL), 0, "it waits longer");
    agent_begin(&agent, alloc);
    agent_sleep(&agent);
    CHECK(agent_bind(&server, "one.waits") == 0, "a server comes");
    CHECK(agent_accept(&server) >= 0, "and gets the flow");
    CHECK(agent_finish(&agent).result >= 0, "of two, which was first");
    CHECK_RESULT(irm_set_name_wait("one.waits", &none), 0, "it waits no more");
    agent_end(&agent);
    agent_end(&server);
    irm_destroy_name("one.waits");
}

/* Milliseconds; a host of which nothing is known is asked again after 3 s. */
#define SILENT_LIMIT 3500

/* A host with an ear and no mouth. */
static void check_silent(void)
{
    int             fd = socket_at(9);
    uint8_t         first[2048];
    uint8_t         second[2048];
    struct timespec limit;
    ssize_t         count;
    ssize_t         again;
    int64_t         begun = now_ms();
    int64_t         lasted;

    CHECK_RESULT(flow_alloc("silent", NULL, interval(&limit, SILENT_LIMIT)),
                 -ETIMEDOUT, "a host that does not answer is waited for");
    lasted = now_ms() - begun;
    CHECK(lasted >= SILENT_LIMIT, "not shorter than the caller wants");
    CHECK(lasted < DEFAULT_LIMIT / 2, "and not longer (%d ms)", (int) lasted);

    count = recv(fd, first, sizeof(first), 0);
    again = recv(fd, second, sizeof(second), 0);
    CHECK(count >= 47 + 16 + 36, "it got a request");
    CHECK(again == count && memcmp(first + 47, second + 47, 16) == 0,
          "and another for the same name");
    CHECK(memcmp(first + 4, second + 4, 4) != 0, "with another endpoint");
    CHECK(memcmp(first + 63, second + 63, 16) != 0,
          "and another id of the authentication");
    CHECK_RESULT(recv(fd, second, sizeof(second), MSG_DONTWAIT), -1,
                 "and no third one");
    close(fd);
}

/* Not even a socket: ICMP says so, and may be mistaken. */
static void check_nobody(void)
{
    struct timespec limit;
    int64_t         begun = now_ms();

    CHECK_RESULT(flow_alloc("nobody.home", NULL, interval(&limit, LIMIT)),
                 -ETIMEDOUT, "a host that is not there is waited for");
    CHECK(now_ms() - begun >= LIMIT, "as long as the caller wants");
    CHECK(network(ONE, "lost: unreachable") > 0, "what ICMP says is counted");
    CHECK_RESULT(network(ONE, "flows"), 0, "nothing is left");
}

/* Its structure has no room for the interface. */
static void check_link_local(void)
{
    struct ipcp_config conf = udp6_default_conf;
    pid_t              pid = ipcp_start("link.local", IPCP_UDP6);

    CHECK(pid > 0, "an IPCP of a layer over IPv6");
    strcpy(conf.layer_info.name, "link.local");
    inet_pton(AF_INET6, "fe80::1", &conf.udp6.ip_addr);
    CHECK_RESULT(irm_bootstrap_ipcp(pid, &conf), -EINVAL,
                 "a link-local address is refused, without its interface");
    inet_pton(AF_INET6, "::1", &conf.udp6.ip_addr);
    inet_pton(AF_INET6, "fe80::1", &conf.udp6.dns_addr);
    CHECK_RESULT(irm_bootstrap_ipcp(pid, &conf), -EINVAL,
                 "also that of a DNS server");
    CHECK_RESULT(ipcp_end(pid), 0, "the IPCP ends");
}

int main(int     argc,
         char ** argv)
{
    hosts_begin(argc, argv);

    check_unknown();
    check_not_served();
    check_peer();
    check_waiting();
    check_silent();
    check_nobody();
    check_link_local();

    return conformance_end();
}
