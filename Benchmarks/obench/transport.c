// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "transport.h"
#include "message.h"

#include <string.h>

#define FLOWS .listen = flows_listen, .unlisten = flows_unlisten, .open = flows_open, .close = flows_close, \
    .unblock = flows_unblock, .sleeps = true
#define FILES .close = files_close, .unblock = files_unblock, .send = files_send, .watch = files_watch, \
    .next = files_next, .sleeps = true
#define RINGS .greatest_message = GREATEST_MESSAGE, .join = ring_join

const struct transport transports[] = {
    {.name = "flow", .title = "a flow", .greatest_message = GREATEST_MESSAGE, FLOWS, .send = flows_send,
     .receive = flows_receive, .watch = flows_watch, .next = flows_next},
    {.name = "flow-in-place", .title = "a flow, written and read in place in one-way runs",
     .greatest_message = GREATEST_MESSAGE, FLOWS, .send = flows_send, .receive = flows_receive,
     .reserve = flows_reserve, .commit = flows_commit, .look = flows_look, .release = flows_release,
     .watch = flows_watch, .next = flows_next},
    {.name = "flow-swift", .title = "a flow, by the Swift interface", .greatest_message = GREATEST_MESSAGE,
     .listen = flows_listen, .unlisten = flows_unlisten, .open = swift_open, .close = swift_close,
     .unblock = swift_unblock, .sleeps = true, .send = swift_send, .receive = swift_receive, .watch = swift_watch,
     .next = swift_next},

    {.name = "seqpacket", .title = "a Unix socket pair, SOCK_SEQPACKET", .greatest_message = GREATEST_MESSAGE, FILES,
     .join = seqpacket_join, .receive = files_receive_message},
    {.name = "stream", .title = "a Unix socket pair, SOCK_STREAM", .greatest_message = GREATEST_MESSAGE, FILES,
     .join = stream_join, .receive = files_receive_exactly},
    {.name = "pipe", .title = "two pipes", .greatest_message = GREATEST_MESSAGE, FILES, .join = pipe_join,
     .receive = files_receive_exactly},
    {.name = "udp", .title = "UDP over loopback", .greatest_message = 65507,
     .limit = "a datagram carries at most 65,507 bytes", .loses_messages = true, FILES, .join = udp_join,
     .receive = files_receive_message},
    {.name = "tcp", .title = "TCP over loopback, TCP_NODELAY", .greatest_message = GREATEST_MESSAGE, FILES,
     .join = tcp_join, .receive = files_receive_exactly},

    {.name = "ring-bare", .title = "a ring in shared memory, without barrier and lock", RINGS,
     .send = ring_bare_send, .receive = ring_bare_receive},
    {.name = "ring-expedited", .title = "the same, and each side looks whether the other sleeps", RINGS,
     .send = ring_expedited_send, .receive = ring_expedited_receive},
    {.name = "ring-guarded", .title = "the same, and takes a robust mutex for each call", RINGS,
     .send = ring_guarded_send, .receive = ring_guarded_receive},
    {.name = "line", .title = "one cache line that goes back and forth", .greatest_message = 64,
     .trips_for_each_look = 100, .join = line_join, .send = line_send, .receive = line_receive},
};

const int transport_count = sizeof transports / sizeof *transports;

const struct transport *transport_named(const char *name) {
    for (int i = 0; i < transport_count; i++)
        if (strcmp(transports[i].name, name) == 0)
            return &transports[i];
    return NULL;
}
