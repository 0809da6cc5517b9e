// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "measures.h"
#include "progress.h"

static void run_once(const struct subject *subject, int round, run_function *run) {
    char text[128];
    subject_describe(subject, text, sizeof text);
    progress_show(text, round, settings.rounds);
    run(subject, text, row_about(subject));
}

void interleave(struct subject subject, bool (*applies)(const struct transport *, const struct subject *),
                run_function *run) {
    for (int round = 0; round < settings.rounds; round++)
        for (int i = 0; i < settings.transport_count; i++) {
            subject.transport = settings.transports[i];
            // What is beyond a limit without a reason has nothing to say.
            bool is_sayable = subject.bytes <= subject.transport->greatest_message || subject.transport->limit;
            if (is_sayable && (!applies || applies(subject.transport, &subject)))
                run_once(&subject, round, run);
        }
}

void repeat(const struct subject *subject, run_function *run) {
    for (int round = 0; round < settings.rounds; round++)
        run_once(subject, round, run);
}
