/*
 * Ouroboros: packets need no memory of the heap
 *
 * The program's own malloc counts what the library asks for. A flow of the
 * process to itself, so that both ends are counted.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "conformance.h"

#include <pthread.h>
#include <sys/uio.h>

#define ROUNDS 20000

extern void * __libc_malloc(size_t);
extern void * __libc_calloc(size_t, size_t);
extern void * __libc_realloc(void *, size_t);
extern void   __libc_free(void *);

/* Of this thread: the library's own is on the path of no packet. */
static __thread long calls;

void * malloc(size_t size)
{
    calls++;
    return __libc_malloc(size);
}

void * calloc(size_t count,
              size_t size)
{
    calls++;
    return __libc_calloc(count, size);
}

void * realloc(void * old,
               size_t size)
{
    calls++;
    return __libc_realloc(old, size);
}

void free(void * memory)
{
    __libc_free(memory);
}

static void * accept_one(void * fd)
{
    *(int *) fd = flow_accept(NULL, NULL);

    return NULL;
}

struct ends {
    int        writer;
    int        reader;
    fset_t *   set;
    fqueue_t * queue;
};

static char bytes[1500];

static void copying(struct ends * ends)
{
    MUST(flow_write(ends->writer, bytes, sizeof(bytes)) > 0, "a message goes");
    MUST(flow_read(ends->reader, bytes, sizeof(bytes)) > 0, "and comes");
}

static void in_pieces(struct ends * ends)
{
    struct iovec parts[2] = { { bytes, 100 }, { bytes + 100, 200 } };

    MUST(flow_writev(ends->writer, parts, 2) == 300, "a message goes");
    MUST(flow_readv(ends->reader, parts, 2) == 300, "and comes");
}

static void in_place(struct ends * ends)
{
    const void * message;
    void *       place;

    MUST(flow_reserve(ends->writer, &place, 700) == 700, "a place");
    MUST(flow_commit(ends->writer, 700) == 700, "a message goes");
    MUST(flow_peek(ends->reader, &message) == 700, "and comes");
    MUST(flow_release(ends->reader) == 0, "and goes");
}

static void by_events(struct ends * ends)
{
    MUST(flow_write(ends->writer, bytes, 64) == 64, "a message goes");
    MUST(fevent(ends->set, ends->queue, NULL) == 1, "its event comes");
    MUST(fqueue_next(ends->queue) == ends->reader, "the event");
    MUST(flow_read(ends->reader, bytes, sizeof(bytes)) == 64, "the message");
}

/* The other end writes later, so that the set sleeps. */
static void * write_late(void * argument)
{
    struct ends *   ends = argument;
    struct timespec moment = { 0, 1000000 };
    int             i;

    for (i = 0; i < 200; i++) {
        nanosleep(&moment, NULL);
        MUST(flow_write(ends->writer, bytes, 64) == 64, "a message goes");
    }

    return NULL;
}

static void check(struct ends * ends,
                  void (*      pass)(struct ends *),
                  const char * how)
{
    long before;
    int  i;

    for (i = 0; i < 1000; i++)
        pass(ends);
    before = calls;
    for (i = 0; i < ROUNDS; i++)
        pass(ends);
    CHECK_RESULT(calls - before, 0, "%s", how);
}

static void check_asleep(struct ends * ends)
{
    pthread_t thread;
    long      before = 0;
    int       i;

    MUST(pthread_create(&thread, NULL, write_late, ends) == 0, "a thread");
    for (i = 0; i < 200; i++) {
        MUST(fevent(ends->set, ends->queue, NULL) == 1, "an event");
        MUST(fqueue_next(ends->queue) == ends->reader, "the event");
        MUST(flow_read(ends->reader, bytes, sizeof(bytes)) == 64, "it");
        if (i == 50)
            before = calls;
    }
    CHECK_RESULT(calls - before, 0,
                 "a set that sleeps for every message");
    pthread_join(thread, NULL);
}

int main(int     argc,
         char ** argv)
{
    struct ends ends;
    pthread_t   thread;

    conformance_begin(argc, argv);

    MUST(irm_bind_process(getpid(), own_name("self")) == 0, "bound");
    pthread_create(&thread, NULL, accept_one, &ends.reader);
    ends.writer = flow_alloc(own_name("self"), NULL, NULL);
    pthread_join(thread, NULL);
    REQUIRE(ends.writer >= 0 && ends.reader >= 0, "a flow to oneself");
    fccntl(ends.reader, FLOWSFLAGS, (uint32_t) (FLOWFRDWR | FLOWFRNOPART));

    check(&ends, copying, "flow_write and flow_read");
    check(&ends, in_pieces, "flow_writev and flow_readv");
    check(&ends, in_place, "flow_reserve and flow_peek");
    ends.set = fset_create();
    ends.queue = fqueue_create();
    MUST(fset_add(ends.set, ends.reader) == 0, "a set");
    check(&ends, by_events, "fevent");
    check_asleep(&ends);
    fset_destroy(ends.set);
    fqueue_destroy(ends.queue);
    flow_dealloc(ends.writer);
    flow_dealloc(ends.reader);

    return conformance_end();
}
