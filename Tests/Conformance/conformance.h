/*
 * Ouroboros: what the conformance programs are written with
 *
 * A program prints "ok N - sentence" or "not ok N - sentence" for each check
 * and ends with 0 if all were ok. The other end of its flows is an agent (see
 * agent.h). Programs wait for conditions, never for a length of time, and say
 * of durations only that they were not too short; a watchdog ends what hangs.
 *
 * Include this first: it chooses what the system headers declare.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE
#endif
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif

#include <ouroboros/cep.h>
#include <ouroboros/dev.h>
#include <ouroboros/errno.h>
#include <ouroboros/fccntl.h>
#include <ouroboros/fqueue.h>
#include <ouroboros/irm.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Seconds after which a program that still runs has failed. */
#define WATCHDOG 60

/* Descriptors of flows, as flow-memory §6 has them. */
#define FIRST_FD 64
#define LAST_FD 65535

/*
 * Begin and end of main. A program started as an agent does not return from
 * the first; the second gives the exit status.
 */
void conformance_begin(int     argc,
                       char ** argv);

int conformance_end(void);

/* CHECK(condition, sentence); the sentence says what should be. */
#define CHECK(condition, ...) \
    report((condition), #condition, __FILE__, __LINE__, __VA_ARGS__)

/* The same for a call with one right result; says what came instead. */
#define CHECK_RESULT(call, wanted, ...) \
    report_result((call), (wanted), #call, __FILE__, __LINE__, __VA_ARGS__)

/* The same for a result without which the program cannot go on. */
#define REQUIRE(condition, ...)                                             \
    do {                                                                    \
        if (!CHECK((condition), __VA_ARGS__))                               \
            give_up();                                                      \
    } while (0)

/* What no program can do without; silent as long as it holds. */
#define MUST(condition, ...)                                                \
    do {                                                                    \
        if (!(condition)) {                                                 \
            CHECK(false, __VA_ARGS__);                                      \
            give_up();                                                      \
        }                                                                   \
    } while (0)

#if defined(__GNUC__)
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#else
#define PRINTF_LIKE(text, first)
#endif

bool report(bool         holds,
            const char * condition,
            const char * file,
            int          line,
            const char * sentence,
            ...) PRINTF_LIKE(5, 6);

bool report_result(long long    result,
                   long long    wanted,
                   const char * call,
                   const char * file,
                   int          line,
                   const char * sentence,
                   ...) PRINTF_LIKE(6, 7);

void give_up(void);

/* A line of commentary in the output. */
void note(const char * text,
          ...) PRINTF_LIKE(1, 2);

/* Monotonic time in milliseconds, rounded down. */
int64_t now_ms(void);

/* An interval; NULL for what is below zero, so that -1 stands for no limit. */
const struct timespec * interval(struct timespec * buffer,
                                 int64_t           milliseconds);

/*
 * A flow's bytes: a message of one seed differs from that of another at
 * most places, and from itself when shifted.
 */
void fill(void *   buffer,
          size_t   count,
          unsigned seed);

/* Whether count bytes, from place first of the message on, are those. */
bool holds(const void * buffer,
           size_t       count,
           size_t       first,
           unsigned     seed);

/* flow_write of a message, flow_read of one; WRONG_BYTES if not the seed's. */
ssize_t write_message(int      fd,
                      size_t   count,
                      unsigned seed);

ssize_t read_message(int      fd,
                     size_t   count,
                     unsigned seed);

#define WRONG_BYTES (-1000001)

/* The largest message these functions are used with. */
#define LARGEST ((size_t) 17 << 20)

bool same_qos(const qosspec_t * one,
              const qosspec_t * other);

/* A name no other program uses; tag is unique within the program. */
const char * own_name(const char * tag);

/*
 * Wait until the first thread of a process sleeps. It must have said, through
 * a pipe, that its next doing is the call in which it will.
 */
void wait_asleep(pid_t pid);

/* Ask condition(argument) over and over, with short pauses, until it holds. */
void wait_for(bool (*condition)(void *),
              void * argument);

/*
 * Run body(argument) in a forked child that ends with _exit. The result is
 * what body returned, or -1 if the child died: 0...127.
 */
int in_child(int (*body)(void *),
             void * argument);

/* The wait status of a child as the result of in_child. */
int child_result(pid_t pid);

/*
 * A request to irmd and its answer: irmd has done what it had begun before,
 * of which it may have told somebody already.
 */
void wait_for_irmd(void);

/*
 * An irmd of the program's own, for those who need one that goes away. Sets
 * OUROBOROS_RUNTIME_DIR for this process and those it starts from now on, so
 * call it first and start agents then; its own libraries must not have looked
 * yet, which a program ensures by running the test in an agent.
 */
pid_t private_irmd_start(void);

/* A new empty directory, removed by conformance_end. */
const char * scratch_directory(void);

#endif /* CONFORMANCE_H */
