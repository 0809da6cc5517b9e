/*
 * Ouroboros: a UDP layer moves packets without asking for memory
 *
 *   traffic serve             echoes what comes, on all flows
 *   traffic ask FILE FILE     checks; the files show what the IPCPs count
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "../Conformance/conformance.h"
#include "../CountedMemory/include/CountedMemory.h"

#include <fcntl.h>
#include <sys/mman.h>

#define NAME "memory.echo"
#define FLOWS 8

/*
 * Runs of a pattern, of which one needs no more memory than it may: timers of
 * allocations, and buffers that grow to their size, are not for packets.
 */
#define TRIES 5

static char message[8976];

static void serve(void)
{
    fset_t *   set = fset_create();
    fqueue_t * queue = fqueue_create();
    int        fd;
    int        i;
    ssize_t    count;

    MUST(set != NULL && queue != NULL, "a set");
    for (i = 0; i < FLOWS; i++) {
        MUST((fd = flow_accept(NULL, NULL)) >= 0, "a flow");
        fccntl(fd, FLOWSFLAGS, (uint32_t) (FLOWFRDWR | FLOWFRNOBLOCK));
        MUST(fset_add(set, fd) == 0, "in the set");
    }
    while (fevent(set, queue, NULL) >= 0)
        while ((fd = fqueue_next(queue)) >= 0)
            while ((count = flow_read(fd, message, sizeof(message))) >= 0)
                flow_write(fd, message, (size_t) count);
}

static const struct counted_memory * counter(const char * path)
{
    int    file = open(path, O_RDONLY);
    void * memory = mmap(NULL, sizeof(struct counted_memory), PROT_READ,
                         MAP_SHARED, file, 0);

    MUST(file >= 0 && memory != MAP_FAILED, "the counter %s", path);
    close(file);
    return memory;
}

/* Who asked last: for addr2line. */
static void tell(const struct counted_memory * memory,
                 uint64_t                      before)
{
    uint64_t call;
    int      i;

    for (call = memory->calls; call > before && call + 8 > memory->calls; call--) {
        char     line[COUNTED_FRAMES * 20] = "";
        uint64_t place = (call - 1) % COUNTED_TRACES;

        for (i = 0; i < COUNTED_FRAMES; i++)
            sprintf(line + strlen(line), " 0x%llx",
                    (unsigned long long) memory->traces[place][i]);
        note("trace%s", line);
    }
}

/* So many messages go to each of the flows before any is read. */
static int pass(int *  fds,
                int    flows,
                int    burst,
                size_t size)
{
    int back = 0;
    int i;

    for (i = 0; i < flows * burst; i++)
        MUST(flow_write(fds[i % flows], message, size) == (ssize_t) size,
             "a message goes");
    for (i = 0; i < flows * burst; i++)
        back += flow_read(fds[i % flows], message, sizeof(message)) >= 0;

    return back;
}

struct pattern {
    const char * name;
    int          flows;
    int          burst;
    size_t       size;
    int          rounds;
};

static void check(int *                         fds,
                  const struct counted_memory * counters[2],
                  struct pattern                pattern)
{
    uint64_t before[2];
    uint64_t calls[2];
    uint64_t least[2] = { UINT64_MAX, UINT64_MAX };
    int      all = pattern.rounds * pattern.flows * pattern.burst;
    int      back = 0;
    int      try;
    int      i;

    for (try = 0; try < TRIES; try++) {
        back = 0;
        for (i = 0; i < 2; i++)
            before[i] = counters[i]->calls;
        for (i = 0; i < pattern.rounds; i++)
            back += pass(fds, pattern.flows, pattern.burst, pattern.size);
        for (i = 0; i < 2; i++) {
            calls[i] = counters[i]->calls - before[i];
            if (calls[i] < least[i])
                least[i] = calls[i];
        }
    }
    CHECK(back > all / 2, "%s: %d of %d messages came back", pattern.name,
          back, all);
    for (i = 0; i < 2; i++) {
        note("%s: host %s asked for memory %llu times", pattern.name,
             i == 0 ? "one" : "two", (unsigned long long) least[i]);
        if (!CHECK(least[i] == 0, "%s: the IPCP of host %s asks for no memory",
                   pattern.name, i == 0 ? "one" : "two"))
            tell(counters[i], before[i]);
    }
}

int main(int     argc,
         char ** argv)
{
    const struct pattern patterns[] = {
        { "one by one", 1, 1, 64, 4000 },
        { "bursts", 1, 64, 1000, 200 },
        { "long messages", 1, 8, 8976, 400 },
        { "flows in turn", FLOWS, 1, 64, 1000 },
        { "bursts of all flows", FLOWS, 32, 500, 60 },
    };
    const struct counted_memory * counters[2];
    int                           fds[FLOWS];
    struct timespec               limit;
    size_t                        i;

    conformance_begin(argc, argv);
    if (argc == 2 && strcmp(argv[1], "serve") == 0) {
        alarm(0);
        serve();
        return 0;
    }
    MUST(argc == 4 && strcmp(argv[1], "ask") == 0, "ask with two files");
    counters[0] = counter(argv[2]);
    counters[1] = counter(argv[3]);
    for (i = 0; i < FLOWS; i++) {
        fds[i] = flow_alloc(NAME, NULL, NULL);
        REQUIRE(fds[i] >= 0, "flow %d", (int) i + 1);
        /* A message may be lost, and then is not waited for. */
        fccntl(fds[i], FLOWSRCVTIMEO, interval(&limit, 1000));
    }
    for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
        check(fds, counters, patterns[i]);

    return conformance_end();
}
