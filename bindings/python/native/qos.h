/*
 * What cffi is told of the quality of flows, for both libraries.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

typedef struct qos_spec {
    uint32_t delay;
    uint64_t bandwidth;
    uint8_t  availability;
    uint32_t loss;
    uint32_t ber;
    uint8_t  in_order;
    uint32_t max_gap;
    uint32_t timeout;
} qosspec_t;
