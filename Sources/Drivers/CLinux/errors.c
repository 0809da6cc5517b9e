// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Error numbers as text, and why the last call of a thread failed.

#include "CLinux.h"

// The numbers of ouroboros/errno.h, from the first one on.
static const char *const own[] = {
    "The flow is not open",
    "Unknown type of IPCP",
    "irmd does not answer",
    "No IPCP leads to the name, or the IPCP failed",
    "The target is in the wrong state",
    "The flow is down",
    "The flow is down: its other end is silent",
    "The name is unknown or not acceptable",
    "Key exchange or encryption failed",
    "The other end could not prove its identity",
};
enum { first_own = 1000 };

const char *cl_error_text(int error) {
    // The most negative number has no positive one.
    unsigned number = error < 0 ? 0u - (unsigned)error : (unsigned)error;
    if (number >= first_own && number - first_own < sizeof(own) / sizeof(own[0]))
        return own[number - first_own];
    // These texts are constants in English: no lock, no locale, and no buffer that another thread could change.
    const char *text = number <= INT_MAX ? strerrordesc_np((int)number) : NULL;
    if (text != NULL)
        return text;
    static _Thread_local char unknown[sizeof("Unknown error ") + 3 * sizeof(number)];
    (void)snprintf(unknown, sizeof(unknown), "Unknown error %u", number);
    return unknown;
}

// Of ouroboros/errno.h. Here and not in Swift, because both C libraries have it, and a program can be made of both.
const char *ouroboros_strerror(int error);
const char *ouroboros_strerror(int error) { return cl_error_text(error); }

bool cl_is_refusal(int error) { return error == ENOSYS || error == EPERM || error == EACCES || error == EINVAL; }

static _Thread_local const char *refused_call;
static _Thread_local int refused_error;

int cl_refused_with(const char *call, int error) {
    // Others have their meaning without a filter, too.
    if (error == EPERM || error == ENOSYS) {
        refused_call = call;
        refused_error = error;
    }
    return -error;
}

int cl_refused(const char *call) { return cl_refused_with(call, errno); }

const char *cl_take_refused(int *error) {
    const char *call = refused_call;
    *error = refused_error;
    refused_call = NULL;
    return call;
}

static _Thread_local char last_reason[CL_REASON_BYTES + 1];

const char *cl_last_reason(void) { return last_reason; }

void cl_set_last_reason(const char *reason) {
    size_t count = strnlen(reason, CL_REASON_BYTES);
    // A character of several bytes is kept whole or left out.
    if (count == CL_REASON_BYTES)
        while (count > 0 && ((unsigned char)reason[count] & 0xc0) == 0x80)
            count--;
    memcpy(last_reason, reason, count);
    last_reason[count] = 0;
}
