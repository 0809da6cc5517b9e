/*
 * Ouroboros: connection establishment between two components
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef OUROBOROS_CEP_H
#define OUROBOROS_CEP_H

#include <ouroboros/cdefs.h>
#include <ouroboros/proto.h>

#include <stddef.h>
#include <stdint.h>

/* Longest name of a component or protocol, in bytes, without NUL. */
#define OCEP_BUF_STRLEN 128

/* What one end of a new connection tells the other about itself. */
struct conn_info {
    char                       comp_name[OCEP_BUF_STRLEN + 1];
    char                       protocol[OCEP_BUF_STRLEN + 1];
    uint32_t                   pref_version;
    enum proto_concrete_syntax pref_syntax;
    struct proto_field         fixed_conc_syntax[PROTO_MAX_FIELDS];
    size_t                     num_fields;
    uint64_t                   addr;
};

__BEGIN_DECLS

/*
 * Send *in as one message of the flow fd. The fields of a fixed syntax are
 * not transferred.
 *
 * Returns 0;
 *   -EINVAL  in is NULL;
 *   -ENOMEM  there is no memory;
 *   -1       the message could not be sent.
 */
int cep_snd(int                      fd,
            const struct conn_info * in);

/*
 * Receive one message of the flow fd into *out; wait for it as flow_read
 * does. The members that are not transferred are set to 0.
 *
 * Returns 0;
 *   -EINVAL  out is NULL;
 *   -ENOMEM  there is no memory;
 *   -1       no message came, or the message is of another kind.
 */
int cep_rcv(int                fd,
            struct conn_info * out);

__END_DECLS

#endif /* OUROBOROS_CEP_H */
