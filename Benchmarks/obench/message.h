// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What stands in a message: its number in the first word, and a seal in the last, made of the number and the channel.
// A whole message has words in between that follow from the seal. Messages need not be multiples of a word.

#ifndef OBENCH_MESSAGE_H
#define OBENCH_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    LEAST_MESSAGE = 16,
    GREATEST_MESSAGE = 1 << 20,
    // Room behind each receive buffer, so that a message that is too long is seen to be.
    SLACK = 64
};

// The number of the message after which nothing follows.
#define LAST_MESSAGE UINT64_MAX

static inline uint64_t message_word(const void *message, size_t offset) {
    uint64_t word;
    memcpy(&word, (const char *)message + offset, sizeof word);
    return word;
}

static inline void message_put(void *message, size_t offset, uint64_t word) {
    memcpy((char *)message + offset, &word, sizeof word);
}

static inline uint64_t message_seal(uint64_t number, int channel) {
    return (number + (uint64_t)channel + 1) * 0x9e3779b97f4a7c15u;
}

static inline void message_stamp(void *message, size_t size, uint64_t number, int channel) {
    message_put(message, 0, number);
    message_put(message, size - 8, message_seal(number, channel));
}

static inline bool message_is_sealed(const void *message, size_t size, int channel) {
    return message_word(message, size - 8) == message_seal(message_word(message, 0), channel);
}

static inline uint64_t message_filling(uint64_t seal, size_t offset) {
    return (seal ^ offset) * 0xd6e8feb86659fd93u;
}

// All bytes between the number and the seal, which overwrites what reaches into it.
static inline void message_fill(void *message, size_t size, uint64_t number, int channel) {
    uint64_t seal = message_seal(number, channel);
    for (size_t offset = 8; offset + 8 < size; offset += 8)
        message_put(message, offset, message_filling(seal, offset));
    message_stamp(message, size, number, channel);
}

static inline bool message_is_whole(const void *message, size_t size, int channel) {
    uint64_t seal = message_seal(message_word(message, 0), channel);
    for (size_t offset = 8; offset + 8 < size; offset += 8) {
        uint64_t expected = message_filling(seal, offset);
        size_t count = offset + 16 <= size ? 8 : size - 8 - offset;
        if (memcmp((const char *)message + offset, &expected, count) != 0)
            return false;
    }
    return message_is_sealed(message, size, channel);
}

#endif
