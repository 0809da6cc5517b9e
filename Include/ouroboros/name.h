/*
 * Ouroboros: names and how they are served
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef OUROBOROS_NAME_H
#define OUROBOROS_NAME_H

/* Longest name and longest path of a security file, in bytes, without NUL. */
#define NAME_SIZE 255
#define NAME_PATH_SIZE 511

/* Option of irm_bind_program: irmd starts the program when it is needed. */
#define BIND_AUTO 1

/* Which of several acceptors of a name gets the next flow. */
enum pol_balance {
    LB_RR = 0,     /* Round robin: the acceptor that waited longest.      */
    LB_SPILL,      /* Spillover: the latest, until it accepts no more.    */
    LB_INVALID     /* Bound of the valid values.                          */
};

/*
 * Files of one role of a name, each an absolute path or empty. Empty means
 * the file of the name in irmd's own security directory.
 */
struct name_sec_paths {
    char enc[NAME_PATH_SIZE + 1]; /* Encryption settings. */
    char key[NAME_PATH_SIZE + 1]; /* Private key.         */
    char crt[NAME_PATH_SIZE + 1]; /* Certificate.         */
};

struct name_info {
    char                  name[NAME_SIZE + 1];
    enum pol_balance      pol_lb;
    struct name_sec_paths s; /* Of servers, which accept flows for the name. */
    struct name_sec_paths c; /* Of clients, which allocate flows to it.      */
};

#endif /* OUROBOROS_NAME_H */
