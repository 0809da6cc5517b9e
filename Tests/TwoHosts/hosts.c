/*
 * Ouroboros: two hosts on one machine, as the programs here see them
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "hosts.h"
#include "workers.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

static const char * directory_of(enum host host)
{
    const char * path = getenv(host == ONE ? "TWOHOSTS_ONE" : "TWOHOSTS_TWO");

    MUST(path != NULL, "the hosts have runtime directories");
    return path;
}

void hosts_begin(int     argc,
                 char ** argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc == 3 && strcmp(argv[1], "--server") == 0)
        exit(serve(argv[2]));
    if (argc == 8 && strcmp(argv[1], "--client") == 0)
        exit(be_client(argv + 2));

    conformance_begin(argc, argv);
}

struct agent agent_at(enum host host)
{
    struct agent agent;

    setenv("OUROBOROS_RUNTIME_DIR", directory_of(host), 1);
    agent = agent_start();
    setenv("OUROBOROS_RUNTIME_DIR", directory_of(ONE), 1);
    return agent;
}

struct flow_pair pair_to_two(const char *      name,
                             const qosspec_t * qos)
{
    struct flow_pair pair;

    pair.agent = agent_at(TWO);
    MUST(agent_bind(&pair.agent, name) == 0, "an agent is bound to a name");
    flow_pair_more(&pair.agent, name, qos, &pair.fd, &pair.peer);
    return pair;
}

struct flow_pair pair_from_two(const qosspec_t * qos)
{
    struct flow_pair     pair;
    struct agent_command alloc = agent_naming(AGENT_ALLOC, "one.self");
    int                  bound = irm_bind_process(getpid(), "one.self");

    MUST(bound == 0 || bound == -EPERM, "the program is bound to a name");
    alloc.has_qos = qos != NULL;
    if (qos != NULL)
        alloc.qos = *qos;

    pair.agent = agent_at(TWO);
    agent_begin(&pair.agent, alloc);
    pair.fd = flow_accept(NULL, NULL);
    MUST(pair.fd >= 0, "the program accepts a flow");
    pair.peer = (int) agent_finish(&pair.agent).result;
    MUST(pair.peer >= 0, "an agent allocates a flow");
    return pair;
}

qosspec_t raw_with_timeout(uint32_t milliseconds)
{
    qosspec_t qos = qos_raw;

    qos.timeout = milliseconds;
    return qos;
}

/* What is given begins with "--server" or "--client", and ends with NULL. */
static struct worker worker_start(enum host host,
                                  char **   arguments)
{
    struct worker worker;
    int           down[2];
    int           up[2];
    char          byte;

    MUST(pipe(down) == 0 && pipe(up) == 0, "there are pipes to a worker");
    fcntl(down[1], F_SETFD, FD_CLOEXEC);
    fcntl(up[0], F_SETFD, FD_CLOEXEC);
    fflush(stdout);

    worker.pid = fork();
    if (worker.pid == 0) {
        setenv("OUROBOROS_RUNTIME_DIR", directory_of(host), 1);
        dup2(down[0], STDIN_FILENO);
        dup2(up[1], WORKER_READY);
        if (down[0] != STDIN_FILENO && down[0] != WORKER_READY)
            close(down[0]);
        if (up[1] != WORKER_READY)
            close(up[1]);
        execv("/proc/self/exe", arguments);
        _exit(127);
    }
    MUST(worker.pid > 0, "a worker starts");

    close(down[0]);
    close(up[1]);
    worker.input = down[1];
    worker.output = up[0];
    MUST(read(worker.output, &byte, 1) == 1, "a worker is ready");
    return worker;
}

struct worker server_at(enum host    host,
                        const char * name)
{
    char * arguments[4] = { (char *) "server", (char *) "--server", NULL, NULL };

    arguments[2] = (char *) name;
    return worker_start(host, arguments);
}

struct worker client_at(enum host           host,
                        const char *        name,
                        const struct work * work)
{
    const int numbers[5] = { work->threads, work->flows, work->messages,
                             work->rounds, work->longest };
    char      texts[5][16];
    char *    arguments[9] = { (char *) "client", (char *) "--client" };
    int       i;

    arguments[2] = (char *) name;
    for (i = 0; i < 5; i++) {
        snprintf(texts[i], sizeof(texts[i]), "%d", numbers[i]);
        arguments[3 + i] = texts[i];
    }
    arguments[8] = NULL;
    return worker_start(host, arguments);
}

int worker_result(struct worker * worker)
{
    int result = child_result(worker->pid);

    close(worker->input);
    close(worker->output);
    return result;
}

int worker_end(struct worker * worker)
{
    close(worker->input);
    worker->input = -1;
    return worker_result(worker);
}

/* What irm says on a host. */
static void ask(enum host    host,
                const char * words,
                char *       answer,
                size_t       size)
{
    char   command[1024];
    FILE * output;
    size_t count;

    snprintf(command, sizeof(command), "OUROBOROS_RUNTIME_DIR='%s' irm %s",
             directory_of(host), words);
    output = popen(command, "r");
    MUST(output != NULL, "irm is asked");
    count = fread(answer, 1, size - 1, output);
    answer[count] = '\0';
    pclose(output);
}

static long long member_of(const char * text,
                           const char * member)
{
    char         quoted[128];
    const char * place;

    snprintf(quoted, sizeof(quoted), "\"%s\":", member);
    place = text != NULL ? strstr(text, quoted) : NULL;
    return place != NULL ? atoll(place + strlen(quoted)) : -1;
}

static char answer[1 << 20];

long long network(enum host    host,
                  const char * member)
{
    ask(host, "ipcp list --json", answer, sizeof(answer));
    if (strstr(answer, "\"network\":") == NULL)
        ask(host, "status --json", answer, sizeof(answer));

    return member_of(strstr(answer, "\"network\":"), member);
}

struct goal {
    enum host    host;
    const char * member;
    long long    number;
};

static bool is_reached(void * argument)
{
    const struct goal * goal = argument;

    return network(goal->host, goal->member) > goal->number;
}

void wait_for_more(enum host    host,
                   const char * member,
                   long long    number)
{
    struct goal goal = { host, member, number };

    wait_for(is_reached, &goal);
}

pid_t ipcp_of(enum host host)
{
    long long pid;

    ask(host, "ipcp list --json", answer, sizeof(answer));
    pid = member_of(answer, "pid");
    return pid > 0 ? (pid_t) pid : 0;
}

pid_t irmd_of(enum host host)
{
    const char * text = getenv(host == ONE ? "TWOHOSTS_IRMD_ONE"
                                           : "TWOHOSTS_IRMD_TWO");

    return text != NULL ? (pid_t) atoi(text) : 0;
}

long memory_of(pid_t pid)
{
    char   path[64];
    char   line[256];
    long   kib = -1;
    FILE * status;

    snprintf(path, sizeof(path), "/proc/%d/status", (int) pid);
    status = fopen(path, "r");
    while (status != NULL && fgets(line, sizeof(line), status) != NULL)
        if (strncmp(line, "RssAnon:", 8) == 0)
            kib = atol(line + 8);
    if (status != NULL)
        fclose(status);
    return kib;
}

address_t address_of(int number)
{
    union {
        struct sockaddr any;
        address_t       one;
    }    address;
    char text[64];

    MUST(getenv("TWOHOSTS_NETWORK") != NULL && getenv("TWOHOSTS_PORT") != NULL,
         "the hosts have a network");
    memset(&address, 0, sizeof(address));
    address.any.sa_family = FAMILY;
    PORT_OF(&address.one) = htons((uint16_t) atoi(getenv("TWOHOSTS_PORT")));
    snprintf(text, sizeof(text), "%s%d", getenv("TWOHOSTS_NETWORK"), number);
    MUST(inet_pton(FAMILY, text, ADDRESS_OF(&address.one)) == 1,
         "%s is an address", text);
    return address.one;
}

int socket_at(int number)
{
    address_t      address = address_of(number);
    struct timeval limit = { 5, 0 };
    int            fd = socket(FAMILY, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    MUST(bind(fd, (struct sockaddr *) &address, sizeof(address)) == 0,
         "a socket is bound to address %d", number);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return fd;
}
