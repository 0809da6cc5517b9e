/*
 * Ouroboros: what the header tests are written with
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef HEADER_TESTS_CHECKS_H
#define HEADER_TESTS_CHECKS_H

#include <stddef.h>
#include <stdio.h>

#ifdef __cplusplus
#define STATIC_CHECK(condition) static_assert(condition, #condition)
#else
#define STATIC_CHECK(condition) \
    __extension__ _Static_assert(condition, #condition)
#endif

#ifdef __cplusplus
#define ALIGNMENT(type) alignof(type)
#else
#define ALIGNMENT(type) __extension__ _Alignof(type)
#endif

#define SIZE(type, bytes) STATIC_CHECK(sizeof(type) == (bytes))

#define ALIGN(type, bytes) STATIC_CHECK(ALIGNMENT(type) == (bytes))

/* A member's place and size. */
#define MEMBER(type, member, place, bytes)             \
    STATIC_CHECK(offsetof(type, member) == (place));   \
    STATIC_CHECK(sizeof(((type *) 0)->member) == (bytes))

#define VALUE(constant, value) STATIC_CHECK((constant) == (value))

/* Checks of objects happen when the program runs. */
static int checks;
static int failures;

static inline void check(int          holds,
                         const char * text)
{
    checks++;
    if (holds)
        return;

    failures++;
    printf("not ok - %s\n", text);
}

#define CHECK(condition) check((condition), #condition)

#endif /* HEADER_TESTS_CHECKS_H */
