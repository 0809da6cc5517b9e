// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "report.h"

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

// The first line `name : value` of /proc/cpuinfo; the kernel's name for the machine if there is none.
static void read_processor_name(char *name, size_t size) {
    struct utsname system;
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");
    uname(&system);
    snprintf(name, size, "%s", system.machine);
    while (file && fgets(line, sizeof line, file)) {
        char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !value)
            continue;
        value[strcspn(value, "\n")] = 0;
        snprintf(name, size, "%s", value + 1 + strspn(value + 1, " "));
        break;
    }
    if (file)
        fclose(file);
}

static const char *relation(void) {
    return processor_of(SERVER) < 0 ? "the only one" : processors_are_siblings() ? "threads of one core" : "two cores";
}

void host_print(FILE *out) {
    struct utsname system;
    char name[128];
    uname(&system);
    read_processor_name(name, sizeof name);
    fprintf(out, "%s, Linux %s, %ld processors; two: %d and %d (%s); %d round%s of %g s\n", name, system.release,
            sysconf(_SC_NPROCESSORS_ONLN), processor_of(CLIENT), processor_of(SERVER), relation(), settings.rounds,
            settings.rounds == 1 ? "" : "s", settings.seconds);
}

void host_write_json(FILE *out) {
    struct utsname system;
    char name[128];
    uname(&system);
    read_processor_name(name, sizeof name);
    for (char *byte = name; *byte; byte++)
        if (*byte == '"' || *byte == '\\' || *byte < ' ')
            *byte = ' ';
    fprintf(out, "{\"processor\": \"%s\", \"kernel\": \"%s\", \"processors\": %ld, \"pinned_to\": [%d, %d], "
                 "\"relation\": \"%s\"}",
            name, system.release, sysconf(_SC_NPROCESSORS_ONLN), processor_of(CLIENT), processor_of(SERVER),
            relation());
}
