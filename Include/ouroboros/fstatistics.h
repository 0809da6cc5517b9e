/*
 * Ouroboros: statistics of a flow
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef OUROBOROS_FSTATISTICS_H
#define OUROBOROS_FSTATISTICS_H

#include <ouroboros/cdefs.h>

#include <stddef.h>
#include <stdint.h>

/*
 * Extension: the prototype 0.23 does not have statistics of a flow.
 */

/* What carries the messages of a flow. */
enum flow_kind {
    FLOWSTAT_UNKNOWN = 0, /* the number is of a later version                */
    FLOWSTAT_INSIDE  = 1, /* both ends are on this host                      */
    FLOWSTAT_RAW     = 2, /* the flow leaves this host, without FRCP         */
    FLOWSTAT_FRCP0   = 3, /* FRCP, profile 0: that of 0.23                   */
    FLOWSTAT_FRCP1   = 4  /* FRCP, profile 1                                 */
};

/* Why nothing more comes, or can be written. */
enum flow_ending {
    FLOWSTAT_OPEN        = 0, /* the flow has not ended                      */
    FLOWSTAT_CLOSED      = 1, /* the other end let go of it, or died         */
    FLOWSTAT_DOWN        = 2, /* irmd, the layer or its IPCP ended it        */
    FLOWSTAT_SILENT      = 3, /* the other end was silent for too long       */
    FLOWSTAT_ABORTED     = 4, /* the other end aborted it                    */
    FLOWSTAT_VIOLATED    = 5, /* the other end broke the rules               */
    FLOWSTAT_VAIN        = 6, /* a packet was repeated in vain               */
    FLOWSTAT_UNDELIVERED = 7  /* not all arrived after flow_dealloc          */
};

/*
 * What this end of a flow has counted since the flow began, and what it knows
 * of the path. A later version adds fields at the end; each has 8 bytes. Times
 * are in nanoseconds. The cost of a packet is its payload and 64 bytes.
 *
 * A flow that is not in order has no FRCP (FLOWSTAT_INSIDE, FLOWSTAT_RAW).
 * Then only the fields up to packets_unacknowledged, and payload, have a
 * meaning; bytes_unread and all other fields are 0. A write of 0 bytes counts
 * as a message, and so does a keepalive.
 */
struct flow_statistics {
    uint64_t kind;   /* enum flow_kind                                       */
    uint64_t ending; /* enum flow_ending                                     */
    uint64_t time;   /* of the look, by CLOCK_MONOTONIC                      */

    /* Messages of the program. */
    uint64_t messages_written;
    uint64_t bytes_written;
    uint64_t messages_read; /* with those that did not fit a buffer          */
    uint64_t bytes_read;
    uint64_t messages_unread; /* that can be read now                        */
    uint64_t bytes_unread;
    /* Packets, and bytes of messages, that wait for an acknowledgement.
       Without FRCP: messages that the other end (FLOWSTAT_INSIDE) or the
       IPCP (FLOWSTAT_RAW) has not taken; bytes are not known. */
    uint64_t packets_unacknowledged;
    uint64_t bytes_unacknowledged;

    /* The path. A round trip of 0 is not known. */
    uint64_t rtt; /* smoothed                                                */
    uint64_t rtt_deviation;
    uint64_t rtt_least; /* of the last 10 s                                  */
    uint64_t rto;       /* with the doubling that is in force                */
    uint64_t window;    /* cost that may be in flight; 0: no limit           */
    uint64_t in_flight; /* cost                                              */
    /* Cost a second at which packets are paced: 1.25 windows in a round trip.
       0: packets are not paced, because the layer limits the rate itself or
       because the round trip is not known. */
    uint64_t rate;
    /* What the other end allows beyond what was sent: packets, and cost. */
    uint64_t credit_packets;
    uint64_t credit_bytes;
    uint64_t payload;        /* bytes of the longest packet                  */

    /* Packets with data, or with the end of the flow. */
    uint64_t packets_sent;     /* with repetitions                           */
    uint64_t packets_received; /* without duplicates                         */
    uint64_t control_sent;     /* packets that only acknowledge or ask       */
    uint64_t lost;             /* packets that counted as lost               */
    uint64_t repeated;
    uint64_t spurious;   /* that the other end has received twice            */
    uint64_t reductions; /* of the window                                    */
    uint64_t undone;     /* reductions that were taken back                  */
    uint64_t timeouts;   /* expirations of the RTO                           */
    uint64_t reordered;  /* acknowledged after a later packet                */
    uint64_t duplicates; /* received                                         */
    uint64_t damaged;    /* received with a wrong CRC, or too short          */
    uint64_t refused;    /* received, and not allowed or without room        */
    uint64_t missing;    /* that a lossy flow awaited in vain                */
};

__BEGIN_DECLS

/*
 * Tell what this end of the flow has counted. The call does not wait, and does
 * not change anything. It also works after the flow has ended, until
 * flow_dealloc.
 *
 * st:   where the fields go.
 * size: the size of *st, in bytes. A program passes sizeof(*st). A library
 *       that knows fewer fields sets the others to 0; one that knows more
 *       leaves them out.
 *
 * Returns 0;
 *   -EBADF      fd cannot be a flow: it is not in 0...65,535;
 *   -ENOTALLOC  fd is not an open flow;
 *   -EINVAL     st is NULL, or size is not a multiple of 8 from 8 to 4,096.
 */
int flow_statistics(int                      fd,
                    struct flow_statistics * st,
                    size_t                   size);

__END_DECLS

#endif /* OUROBOROS_FSTATISTICS_H */
