/*
 * Ouroboros: C++ linkage and compiler attributes of the public headers
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef OUROBOROS_CDEFS_H
#define OUROBOROS_CDEFS_H

/*
 * The C library may define the first pair in <sys/cdefs.h>, with the same
 * tokens, so that either order of inclusion works.
 */
#ifdef __cplusplus
#ifndef __BEGIN_DECLS
#define __BEGIN_DECLS extern "C" {
#endif
#ifndef __END_DECLS
#define __END_DECLS }
#endif
#else
#ifndef __BEGIN_DECLS
#define __BEGIN_DECLS
#endif
#ifndef __END_DECLS
#define __END_DECLS
#endif
#endif

/* Constant objects that stand in a header: a program need not use them. */
#if defined(__GNUC__)
#define OUROBOROS_MAYBE_UNUSED __attribute__((unused))
#else
#define OUROBOROS_MAYBE_UNUSED
#endif

/*
 * Unnamed members are C11 and GNU C, designated initialisers C99 and C++20:
 * the word tells a pedantic compiler of another standard that this is
 * intended.
 */
#if defined(__GNUC__)
#define OUROBOROS_EXTENSION __extension__
#else
#define OUROBOROS_EXTENSION
#endif

#endif /* OUROBOROS_CDEFS_H */
