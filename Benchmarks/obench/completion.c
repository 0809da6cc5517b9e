// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// "--complete", for the files in completions/: "words WORD..." with the words up to the cursor, or "bash LINE". The
// answer are texts that end with NUL: "words" or "file", and behind "words" each proposal, for others than bash with its
// description. All are plain words, which need no quotes.

#include "options.h"

#include <stdio.h>
#include <string.h>

static bool for_bash;
// Where readline begins to replace, and what a proposal has to begin with.
static char start[256];

static void propose(const char *word, const char *text) {
    if (strncmp(word, start, strlen(start)) != 0)
        return;
    fwrite(word, 1, strlen(word) + 1, stdout);
    if (!for_bash)
        fwrite(text, 1, strlen(text) + 1, stdout);
}

// In a list the word behind the last comma is completed; what is before it stays.
static void propose_in_list(const char *word) {
    char whole[sizeof start];
    const char *comma = strrchr(start, ',');
    int head = comma ? (int)(comma + 1 - start) : 0;
    snprintf(whole, sizeof whole, "%.*s%s", head, start, word);
    propose(whole, "");
}

static void propose_values(const char *option) {
    if (strcmp(option, "--transports") == 0)
        for (int i = 0; i < transport_count; i++)
            propose_in_list(transports[i].name);
    if (strcmp(option, "--place") == 0)
        for (enum place place = TWO; place < PLACES; place++)
            propose_in_list(place_names[place]);
}

static void answer(const char *before, const char *last) {
    bool is_file = strcmp(before, "--json") == 0 || strcmp(before, "--plot") == 0;
    snprintf(start, sizeof start, "%s", last);
    fwrite(is_file ? "file" : "words", 1, is_file ? 5 : 6, stdout);
    if (option_has_value(before)) {
        propose_values(before);
        return;
    }
    propose("all", "everything");
    for (int i = 0; i < MEASURES; i++)
        propose(measure_names[i], "");
    for (int i = 0; option_at(i); i++) {
        char word[40];
        snprintf(word, sizeof word, "--%s", option_at(i));
        propose(word, option_text(i));
    }
}

void complete(int argc, char **argv) {
    for_bash = argc > 0 && strcmp(argv[0], "bash") == 0;
    if (!for_bash) {
        answer(argc > 2 ? argv[argc - 2] : "", argc > 1 ? argv[argc - 1] : "");
        return;
    }
    char line[4096], *rest = line, *word, *before = "", *last = "";
    snprintf(line, sizeof line, "%s", argc > 1 ? argv[1] : "");
    while ((word = strsep(&rest, " \t\n")))
        if (*word || !rest) {
            before = last;
            last = word;
        }
    answer(before, last);
}
