/*
 * Ouroboros: what a server and a client of many flows do
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef WORKERS_H
#define WORKERS_H

/* The file descriptor on which a worker says that it is ready. */
#define WORKER_READY 3

/* The exit status: 0 if all went well. */
int serve(const char * name);

/* The name, and the members of struct work. */
int be_client(char ** arguments);

#endif /* WORKERS_H */
