// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What command line programs need.

#include "CLinux.h"
#include <locale.h>
#include <wchar.h>

static pthread_mutex_t options_lock = PTHREAD_MUTEX_INITIALIZER;

void cl_begin_options(void) { (void)pthread_mutex_lock(&options_lock); }
void cl_end_options(void) { (void)pthread_mutex_unlock(&options_lock); }

int cl_next_option(int argc, char **argv, const char *shorts, const struct option *longs, const char **argument,
                   int *word) {
    opterr = 0;
    if (*word == 0)
        optind = 0;  // glibc: begin anew, also with another command line
    int before = optind > 0 ? optind : 1;
    int result = getopt_long(argc, argv, shorts, longs, NULL);
    // A missing argument or an unknown long option has moved on; one in a group of short ones has not.
    *word = optind > before ? optind - 1 : before;
    *argument = optarg;
    if (result == -1)
        *word = optind;
    return result;
}

static volatile sig_atomic_t stop_signal;

static void stop(int signal) { stop_signal = signal; }

void cl_catch_stop_signals(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    // Without SA_RESTART, so that whatever waits returns; once, so that a second signal ends what does not.
    struct sigaction action = {.sa_handler = stop, .sa_flags = (int)SA_RESETHAND}, before;
    sigset_t caught;
    sigemptyset(&action.sa_mask);
    sigemptyset(&caught);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        // nohup(1) ignores for us what shall not end us. Shells without job control ignore SIGINT for whatever runs in the
        // background; whoever sends that to a tool all the same wants its last lines.
        if (signals[i] == SIGHUP && sigaction(signals[i], NULL, &before) == 0 && before.sa_handler == SIG_IGN)
            continue;
        (void)sigaction(signals[i], &action, NULL);
        sigaddset(&caught, signals[i]);
    }
    // Whoever started us may have blocked them, and forgotten it.
    (void)pthread_sigmask(SIG_UNBLOCK, &caught, NULL);
}

int cl_stop_signal(void) { return stop_signal; }

int cl_write_output(int fd, const void *bytes, size_t count) {
    const char *next = bytes;
    while (count > 0) {
        ssize_t written = write(fd, next, count);
        if (written >= 0) {
            next += written;
            count -= (size_t)written;
        } else if (errno == EAGAIN) {
            // Somebody who shares the pipe has made it so.
            (void)poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

static pthread_once_t width_once = PTHREAD_ONCE_INIT;
static locale_t width_locale;

static void open_width_locale(void) { width_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0); }

int cl_character_width(uint32_t scalar) {
    (void)pthread_once(&width_once, open_width_locale);
    if (width_locale == (locale_t)0)
        return 1;
    locale_t before = uselocale(width_locale);
    int width = wcwidth((wchar_t)scalar);
    (void)uselocale(before);
    return width < 0 ? 1 : width;
}
