// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "trial.h"

#include <stdlib.h>
#include <string.h>

const char *connection_join(struct connection *connection) {
    const struct transport *transport = connection->transport;
    if (connection->size > transport->greatest_message)
        return transport->limit;
    for (int i = 0; i < connection->count; i++)
        for (int side = CLIENT; side <= SERVER; side++)
            connection->ends[side][i] = (struct end){.reading = -1, .writing = -1};
    for (int i = 0; transport->join && i < connection->count; i++) {
        const char *reason = transport->join(&connection->ends[CLIENT][i], &connection->ends[SERVER][i],
                                             connection->size);
        if (reason) {
            connection_forget(connection);
            return reason;
        }
    }
    return NULL;
}

static void close_side(const struct transport *transport, struct end *ends, int count) {
    for (int i = 0; transport->close && i < count; i++)
        transport->close(&ends[i]);
}

struct end *connection_open(struct connection *connection, enum side side) {
    const struct transport *transport = connection->transport;
    size_t bytes = sizeof(struct end) * (size_t)connection->count;
    struct end *ends = aligned_alloc(_Alignof(struct end), bytes);
    if (!ends)
        fail("no memory");
    memcpy(ends, connection->ends[side], bytes);
    close_side(transport, connection->ends[side == CLIENT ? SERVER : CLIENT], connection->count);
    if (side == SERVER) {
        if (transport->listen)
            expect("irm_bind_process", transport->listen());
        say_ready();
    }
    for (int i = 0; transport->open && i < connection->count; i++)
        expect(side == SERVER ? "flow_accept" : "flow_alloc", transport->open(&ends[i], side));
    if (side == SERVER && transport->unlisten)
        expect("irm_unbind_process", transport->unlisten());
    await_start();
    return ends;
}

void connection_close(struct connection *connection, struct end *ends) {
    close_side(connection->transport, ends, connection->count);
    free(ends);
}

void connection_forget(struct connection *connection) {
    for (int side = CLIENT; side <= SERVER; side++)
        close_side(connection->transport, connection->ends[side], connection->count);
}
