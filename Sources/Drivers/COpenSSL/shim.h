// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef OUROBOROS_COPENSSL_H
#define OUROBOROS_COPENSSL_H
#include <openssl/evp.h>
#endif
