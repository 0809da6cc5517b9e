// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Flows, as any C program uses them.

#include "message.h"
#include "transport.h"

#include <ouroboros/dev.h>
#include <ouroboros/errno.h>
#include <ouroboros/fccntl.h>
#include <ouroboros/fqueue.h>
#include <ouroboros/irm.h>

#include <stdlib.h>
#include <unistd.h>

const char *flow_service_name;

int flows_listen(void) { return irm_bind_process(getpid(), flow_service_name); }

int flows_unlisten(void) { return irm_unbind_process(getpid(), flow_service_name); }

int flows_open(struct end *end, enum side side) {
    int flow = side == SERVER ? flow_accept(NULL, NULL) : flow_alloc(flow_service_name, NULL, NULL);
    end->reading = end->writing = flow;
    return flow < 0 ? flow : 0;
}

void flows_close(struct end *end) {
    if (end->reading >= 0)
        flow_dealloc(end->reading);
}

static void set_flags(struct end *end, uint32_t flags) { fccntl(end->writing, FLOWSFLAGS, FLOWFDEFAULT | flags); }

void flows_unblock(struct end *end) { set_flags(end, FLOWFWNOBLOCK); }

ssize_t flows_send(struct end *end, const void *message, size_t size, enum patience patience) {
    ssize_t count = flow_write(end->writing, message, size);
    if (count != -EAGAIN)
        return count;
    if (patience == TRY)
        return 0;
    set_flags(end, 0);
    count = flow_write(end->writing, message, size);
    set_flags(end, FLOWFWNOBLOCK);
    return count;
}

// Less than was asked for ends a message, so there is never a second part to read.
ssize_t flows_receive(struct end *end, void *buffer, size_t size) {
    return flow_read(end->reading, buffer, size + SLACK);
}

struct watch {
    fset_t *set;
    fqueue_t *queue;
    const struct end *ends;
    int count;
};

struct watch *flows_watch(struct end *ends, int count) {
    struct watch *watch = malloc(sizeof *watch);
    *watch = (struct watch){fset_create(), fqueue_create(), ends, count};
    for (int i = 0; i < count; i++)
        if (fset_add(watch->set, ends[i].reading) < 0)
            return NULL;
    return watch;
}

int flows_next(struct watch *watch) {
    for (;;) {
        int flow = fqueue_next(watch->queue);
        if (flow < 0) {
            ssize_t result = fevent(watch->set, watch->queue, NULL);
            if (result < 0)
                return (int)result;
        } else if (fqueue_type(watch->queue) == FLOW_PKT) {
            for (int i = 0; i < watch->count; i++)
                if (watch->ends[i].reading == flow)
                    return i;
        }
    }
}
