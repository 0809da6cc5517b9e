// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Flows through the Swift interface, by a library of functions that call it (Benchmarks/obench-swift). It is loaded by
// the two processes that measure it, and by nobody else.

#include "message.h"
#include "transport.h"
#include "trial.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>

// NULL and negative: it failed.
static struct {
    bool is_loaded;
    void *(*accept)(void);
    void *(*open)(const char *name);
    void (*close)(void *flow);
    // Whether a write waits for room.
    void (*wait)(void *flow, bool waits);
    // 0: there was no room.
    ssize_t (*write)(void *flow, const void *message, size_t size);
    ssize_t (*read)(void *flow, void *buffer, size_t size);
    void *(*watch)(void *const *flows, size_t count);
    int (*next)(void *watch);
} swift;

static void *function(void *library, const char *name) {
    void *function = dlsym(library, name);
    if (!function)
        fail("%s is not in the library of flow-swift", name);
    return function;
}

static void load(void) {
    if (swift.is_loaded)
        return;
    // Where it is installed, this program's run path says.
    void *library = dlopen("libobench-swift.so", RTLD_NOW);
    if (!library)
        fail("flow-swift: %s", dlerror());
    swift.accept = function(library, "obench_swift_accept");
    swift.open = function(library, "obench_swift_open");
    swift.close = function(library, "obench_swift_close");
    swift.wait = function(library, "obench_swift_wait");
    swift.write = function(library, "obench_swift_write");
    swift.read = function(library, "obench_swift_read");
    swift.watch = function(library, "obench_swift_watch");
    swift.next = function(library, "obench_swift_next");
    swift.is_loaded = true;
}

int swift_open(struct end *end, enum side side) {
    load();
    end->flow = side == SERVER ? swift.accept() : swift.open(flow_service_name);
    return end->flow ? 0 : -ECONNREFUSED;
}

void swift_close(struct end *end) {
    if (end->flow)
        swift.close(end->flow);
}

void swift_unblock(struct end *end) { swift.wait(end->flow, false); }

ssize_t swift_send(struct end *end, const void *message, size_t size, enum patience patience) {
    ssize_t count = swift.write(end->flow, message, size);
    if (count != 0 || patience == TRY)
        return count;
    swift.wait(end->flow, true);
    count = swift.write(end->flow, message, size);
    swift.wait(end->flow, false);
    return count;
}

ssize_t swift_receive(struct end *end, void *buffer, size_t size) { return swift.read(end->flow, buffer, size + SLACK); }

struct watch *swift_watch(struct end *ends, int count) {
    void *flows[MAX_CHANNELS];
    for (int i = 0; i < count; i++)
        flows[i] = ends[i].flow;
    return swift.watch(flows, (size_t)count);
}

int swift_next(struct watch *watch) { return swift.next(watch); }
