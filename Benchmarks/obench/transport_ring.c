// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The physical limit that flows are compared with: rings in shared memory that do as little as possible. They have the
// size, the queue and the record format of a flow (64-byte aligned records with 8 bytes of header, and a word that says
// where the ring was left early), and start again at their beginning when they are empty, so that they are as warm in
// the caches. They are called through the same pointers as everything else.

#include "clock.h"
#include "message.h"
#include "transport.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define RING_BYTES ((uint64_t)4 << 20)
#define QUEUE_BYTES ((uint64_t)1 << 20)
enum { HEADER_BYTES = 8, ALIGNMENT = 64, PAGE_SHIFT = 12, BLOCK = 128 };

// Words of different writers stand in different blocks, because processors fetch cache lines in pairs.
struct direction {
    _Atomic uint64_t tail __attribute__((aligned(BLOCK)));
    _Atomic uint64_t wrap;
    _Atomic uint64_t head __attribute__((aligned(BLOCK)));
    // Whether a side sleeps. Nobody does: what it costs to look is what counts.
    _Atomic uint32_t reader_sleeps __attribute__((aligned(BLOCK)));
    _Atomic uint32_t writer_sleeps __attribute__((aligned(BLOCK)));
    pthread_mutex_t write_lock __attribute__((aligned(BLOCK)));
    pthread_mutex_t read_lock __attribute__((aligned(BLOCK)));
    unsigned char bytes[RING_BYTES] __attribute__((aligned(4096)));
};

// How much of what a flow guarantees a ring does.
enum guarantees { BARE, EXPEDITED, GUARDED };

static struct direction *directions;

// Both directions of a new channel. Their memory is used again and again, and so is warm.
const char *ring_join(struct end *client, struct end *server, size_t size) {
    static int channels;
    int number = channels++ % MAX_CHANNELS;
    (void)size;
    if (!directions) {
        void *memory = mmap(NULL, 2 * MAX_CHANNELS * sizeof *directions, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED)
            return "there is no memory for the rings";
        directions = memory;
    }
    struct direction *there = &directions[2 * number], *back = &directions[2 * number + 1];
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    for (struct direction *direction = there; direction <= back; direction++) {
        memset(direction, 0, offsetof(struct direction, bytes));
        pthread_mutex_init(&direction->write_lock, &attributes);
        pthread_mutex_init(&direction->read_lock, &attributes);
    }
    pthread_mutexattr_destroy(&attributes);
    *client = (struct end){.reading = -1, .writing = -1, .arriving = back, .departing = there};
    *server = (struct end){.reading = -1, .writing = -1, .arriving = there, .departing = back};
    return NULL;
}

static inline uint64_t offset_of(uint64_t position) { return position & (RING_BYTES - 1); }

static inline uint64_t lap_after(uint64_t position) { return (position + RING_BYTES - 1) & ~(RING_BYTES - 1); }

static inline uint64_t record_bytes(size_t size) { return (size + HEADER_BYTES + ALIGNMENT - 1) & ~(ALIGNMENT - 1ull); }

static inline void look_for_room(struct end *end) {
    end->producer.head = atomic_load_explicit(&end->departing->head, memory_order_acquire);
}

static inline bool fits(const struct end *end, uint64_t start, uint64_t need) {
    uint64_t head = end->producer.head, tail = end->producer.tail;
    if (head == tail)
        return true;
    uint64_t from = head == end->producer.wrap ? lap_after(head) : head;
    return start + need - from <= RING_BYTES && tail - from + need <= QUEUE_BYTES;
}

// Where the record goes; UINT64_MAX: there is no room.
static inline uint64_t place(struct end *end, uint64_t need) {
    uint64_t tail = end->producer.tail, offset = offset_of(tail);
    if ((offset ^ (offset + need)) >> PAGE_SHIFT) {
        look_for_room(end);
        if (end->producer.head == tail)
            return lap_after(tail);
    }
    uint64_t start = offset + need > RING_BYTES ? lap_after(tail) : tail;
    if (fits(end, start, need))
        return start;
    look_for_room(end);
    return fits(end, start, need) ? start : UINT64_MAX;
}

// A compiler barrier and a look at the other side's word are what an expedited pairing costs who wakes.
static inline void look_for_sleeper(_Atomic uint32_t *word) {
    atomic_signal_fence(memory_order_seq_cst);
    if (atomic_load_explicit(word, memory_order_relaxed) != 0)
        __builtin_trap();
}

// A writer that waits goes on when half of the queue is free, as that of a flow does: at every free record it would
// take the consumer's word from it for each message.
static inline void await_room(const struct end *end, uint64_t need) {
    for (unsigned rounds = 0;; spin(&rounds)) {
        uint64_t head = atomic_load_explicit(&end->departing->head, memory_order_acquire);
        uint64_t unread = end->producer.tail - head;
        if (unread == 0 || (unread <= QUEUE_BYTES / 2 && unread + need <= QUEUE_BYTES))
            return;
    }
}

static inline bool write_record(struct end *end, const void *message, size_t size) {
    struct direction *ring = end->departing;
    uint64_t need = record_bytes(size), start = place(end, need), header = size;
    if (start == UINT64_MAX)
        return false;
    unsigned char *record = ring->bytes + offset_of(start);
    memcpy(record, &header, sizeof header);
    memcpy(record + HEADER_BYTES, message, size);
    if (start != end->producer.tail) {
        end->producer.wrap = end->producer.tail;
        atomic_store_explicit(&ring->wrap, end->producer.wrap, memory_order_relaxed);
    }
    end->producer.tail = start + need;
    atomic_store_explicit(&ring->tail, end->producer.tail, memory_order_release);
    return true;
}

// The size of the message that was read; -1: there was none.
static inline ssize_t read_record(struct end *end, void *buffer, size_t room) {
    struct direction *ring = end->arriving;
    if (end->consumer.head == end->consumer.tail) {
        end->consumer.tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
        end->consumer.wrap = atomic_load_explicit(&ring->wrap, memory_order_relaxed);
        if (end->consumer.head == end->consumer.tail)
            return -1;
    }
    if (end->consumer.head == end->consumer.wrap)
        end->consumer.head = lap_after(end->consumer.head);
    const unsigned char *record = ring->bytes + offset_of(end->consumer.head);
    uint64_t size;
    memcpy(&size, record, sizeof size);
    memcpy(buffer, record + HEADER_BYTES, size < room ? size : room);
    end->consumer.head += record_bytes(size);
    atomic_store_explicit(&ring->head, end->consumer.head, memory_order_release);
    return (ssize_t)size;
}

static inline __attribute__((always_inline)) ssize_t send_with(struct end *end, const void *message, size_t size,
                                                               enum patience patience, enum guarantees guarantees) {
    for (;;) {
        if (guarantees == GUARDED)
            pthread_mutex_lock(&end->departing->write_lock);
        bool written = write_record(end, message, size);
        if (guarantees != BARE && written)
            look_for_sleeper(&end->departing->reader_sleeps);
        if (guarantees == GUARDED)
            pthread_mutex_unlock(&end->departing->write_lock);
        if (written || patience == TRY)
            return written ? (ssize_t)size : 0;
        await_room(end, record_bytes(size));
    }
}

static inline __attribute__((always_inline)) ssize_t receive_with(struct end *end, void *buffer, size_t size,
                                                                  enum guarantees guarantees) {
    for (unsigned rounds = 0;; spin(&rounds)) {
        if (guarantees == GUARDED)
            pthread_mutex_lock(&end->arriving->read_lock);
        ssize_t count = read_record(end, buffer, size + SLACK);
        if (guarantees != BARE && count >= 0)
            look_for_sleeper(&end->arriving->writer_sleeps);
        if (guarantees == GUARDED)
            pthread_mutex_unlock(&end->arriving->read_lock);
        if (count >= 0)
            return count;
    }
}

ssize_t ring_bare_send(struct end *end, const void *message, size_t size, enum patience patience) {
    return send_with(end, message, size, patience, BARE);
}

ssize_t ring_bare_receive(struct end *end, void *buffer, size_t size) { return receive_with(end, buffer, size, BARE); }

ssize_t ring_expedited_send(struct end *end, const void *message, size_t size, enum patience patience) {
    return send_with(end, message, size, patience, EXPEDITED);
}

ssize_t ring_expedited_receive(struct end *end, void *buffer, size_t size) {
    return receive_with(end, buffer, size, EXPEDITED);
}

ssize_t ring_guarded_send(struct end *end, const void *message, size_t size, enum patience patience) {
    return send_with(end, message, size, patience, GUARDED);
}

ssize_t ring_guarded_receive(struct end *end, void *buffer, size_t size) {
    return receive_with(end, buffer, size, GUARDED);
}
