/*
 * Ouroboros: quality of service of a flow
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef OUROBOROS_QOS_H
#define OUROBOROS_QOS_H

#include <ouroboros/cdefs.h>

#include <stdbool.h>
#include <stdint.h>

/* The peer timeout of all presets below, in milliseconds. */
#define DEFAULT_PEER_TIMEOUT 120000

/*
 * What a flow shall be like. The client asks, the server is told; there is
 * no negotiation: both ends run the flow with exactly these values.
 *
 * Three members decide how the ends treat packets:
 *   in_order != 0           packets arrive in order, under flow control;
 *   loss 0                  and none is lost: flow_alloc sets in_order to 1 in
 *                           the structure that it is given;
 *   ber 0                   each packet carries a checksum. In default builds
 *                           this is off: flow_alloc and flow_accept set the
 *                           member to 1 in the structure they are given.
 */
typedef struct qos_spec {
    uint32_t delay;        /* Highest delay in ms, UINT32_MAX: any.         */
    uint64_t bandwidth;    /* Bits per second.                              */
    uint8_t  availability; /* Number of nines: 3 means 99.9 %.              */
    uint32_t loss;         /* 0: nothing may be lost.                       */
    uint32_t ber;          /* Bit errors per 10^9 bits, 0: none.            */
    uint8_t  in_order;     /* 0 or 1.                                       */
    uint32_t max_gap;      /* Longest interruption in ms, UINT32_MAX: any.  */
    uint32_t timeout;      /* Peer timeout in ms: the flow is down when the
                              other end was silent so long. 0: never.       */
} qosspec_t;

/* Packets as the layer delivers them. This is also what NULL means. */
static const qosspec_t qos_raw OUROBOROS_MAYBE_UNUSED = {
    UINT32_MAX, 0, 0, 1, 1, 0, UINT32_MAX, DEFAULT_PEER_TIMEOUT
};

/* The same with a checksum. */
static const qosspec_t qos_raw_no_errors OUROBOROS_MAYBE_UNUSED = {
    UINT32_MAX, 0, 0, 1, 0, 0, UINT32_MAX, DEFAULT_PEER_TIMEOUT
};

/* In order, lossy. */
static const qosspec_t qos_best_effort OUROBOROS_MAYBE_UNUSED = {
    UINT32_MAX, 0, 0, 1, 0, 1, UINT32_MAX, DEFAULT_PEER_TIMEOUT
};

/* In order, lossy, low delay, much bandwidth. */
static const qosspec_t qos_video OUROBOROS_MAYBE_UNUSED = {
    100, UINT64_MAX, 3, 1, 0, 1, 100, DEFAULT_PEER_TIMEOUT
};

/* In order, lossy, lowest delay, little bandwidth. */
static const qosspec_t qos_voice OUROBOROS_MAYBE_UNUSED = {
    50, 100000, 5, 1, 0, 1, 50, DEFAULT_PEER_TIMEOUT
};

/* In order, lossless. */
static const qosspec_t qos_data OUROBOROS_MAYBE_UNUSED = {
    1000, 0, 0, 0, 0, 1, 2000, DEFAULT_PEER_TIMEOUT
};

#endif /* OUROBOROS_QOS_H */
