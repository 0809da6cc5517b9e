/*
 * Ouroboros: description of a protocol's concrete syntax
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef OUROBOROS_PROTO_H
#define OUROBOROS_PROTO_H

#include <stddef.h>
#include <sys/types.h>

/* Special lengths of a field. */
#define PROTO_FIELD_ABSENT -1
#define PROTO_FIELD_VARIABLE 0

/* Most fields a fixed syntax has. */
#define PROTO_MAX_FIELDS 128

enum proto_concrete_syntax {
    PROTO_GPB = 0, /* Google Protocol Buffers.     */
    PROTO_ASN_1,   /* ASN.1.                       */
    PROTO_FIXED    /* Fields of agreed lengths.    */
};

struct proto_field {
    size_t  fid; /* Number of the field.                           */
    ssize_t len; /* Length in bytes, or one of the special ones.   */
};

#endif /* OUROBOROS_PROTO_H */
