// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which argument of an interpreter is the script: the first that is neither an option nor the value of one.

#include "CLinux.h"

#include <ctype.h>

struct interpreter {
    const char *name;
    // Letters of options whose value is the rest of the word, or the next one.
    const char *values;
    // Letters of options whose value is never another word than theirs.
    const char *attached;
    // Letters of options that bring the program themselves: there is no script.
    const char *inline_program;
    // Long options, blank between them, whose value is the next word unless it stands behind '='.
    const char *long_values;
};

static const struct interpreter interpreters[] = {
    {"python", "WX", "", "cm", "--check-hash-based-pycs"},
    {"pypy", "WX", "", "cm", "--check-hash-based-pycs --jit"},
    {"perl", "I", "0CDdFimMxV", "eE", ""},
    {"ruby", "CEIrX", "0FKWixT", "e",
     "--encoding --external-encoding --internal-encoding --enable --disable --parser --backtrace-limit"},
    {"node", "rC", "", "ep",
     "--require --import --loader --experimental-loader --conditions --title --inspect-port --icu-data-dir --input-type "
     "--openssl-config --redirect-warnings --diagnostic-dir --report-dir --report-directory --dns-result-order "
     "--stack-trace-limit --unhandled-rejections --watch-path --env-file --trace-event-categories --cpu-prof-dir"},
    {"nodejs", "rC", "", "ep", "--require --import --loader --conditions --title --inspect-port"},
    {"lua", "elj", "O", "", ""},
    {"luajit", "elj", "O", "", ""},
    {"php", "dczg", "", "rBRE", "--define --php-ini --zend-extension"},
    {"tclsh", "", "", "", "-encoding"},
    {"wish", "", "", "", "-encoding -name -display -geometry"},
    {"guile", "Llxe", "", "c", ""},
    {"bash", "oO", "", "cs", "--rcfile --init-file"},
    {"rbash", "oO", "", "cs", "--rcfile --init-file"},
    {"sh", "oO", "", "cs", "--rcfile --init-file"},
    {"dash", "o", "", "cs", ""},
    {"ash", "o", "", "cs", ""},
    {"zsh", "o", "", "cs", ""},
    {"ksh", "o", "", "cs", ""},
    {"mksh", "o", "", "cs", ""},
    {"fish", "dCDf", "", "c", "--init-command --debug --features --profile --profile-startup"},
    {"busybox", "o", "", "cs", ""},
};

// Programs that stand between the kernel and a program whose arguments begin with its own name.
static const char *const wrappers[] = {"ld-linux", "ld-musl", "ld.so", "ld64.so", "qemu-", "memcheck-", "helgrind-",
                                       "drd-", "callgrind-", "cachegrind-", "massif-", "dhat-", "none-"};

static bool begins(const char *text, size_t length, const char *prefix) {
    size_t count = strlen(prefix);
    return length >= count && memcmp(text, prefix, count) == 0;
}

// Behind the name of an interpreter: 3, 3.12, 3.13t, 3.12-dbg, 5.36-x86_64-linux-gnu.
static bool is_version(const char *text, size_t length) {
    size_t at = 0;
    while (at < length && (isdigit((unsigned char)text[at]) || text[at] == '.'))
        at++;
    if (at > 0)
        while (at < length && strchr("dtmu", text[at]))
            at++;
    if (at == length)
        return true;
    if (text[at] != '-')
        return false;
    const char *rest = text + at + 1;
    size_t count = length - at - 1;
    if ((count == 3 && memcmp(rest, "dbg", 3) == 0) || (count == 5 && memcmp(rest, "debug", 5) == 0))
        return true;
    for (size_t i = 0; i < count; i++)
        if (isdigit((unsigned char)rest[i]))
            return true;
    return false;
}

static const struct interpreter *interpreter_named(const char *name, size_t length) {
    for (size_t i = 0; i < sizeof interpreters / sizeof interpreters[0]; i++) {
        const struct interpreter *one = &interpreters[i];
        if (begins(name, length, one->name)
            && is_version(name + strlen(one->name), length - strlen(one->name)))
            return one;
    }
    return NULL;
}

static bool is_wrapper(const char *name, size_t length) {
    for (size_t i = 0; i < sizeof wrappers / sizeof wrappers[0]; i++)
        if (begins(name, length, wrappers[i]))
            return true;
    return false;
}

bool cl_is_interpreter(const char *name, size_t length) {
    return interpreter_named(name, length) || is_wrapper(name, length);
}

static bool is_among(const char *words, const char *word) {
    size_t count = strcspn(word, "=");
    for (const char *at = words; *at; at += strspn(at, " ")) {
        size_t here = strcspn(at, " ");
        if (here == count && memcmp(at, word, count) == 0)
            return true;
        at += here;
    }
    return false;
}

// How many words the option takes; 0: with it there is no script.
static int words_of_option(const struct interpreter *one, const char *word) {
    if (is_among(one->long_values, word))
        return strchr(word, '=') ? 1 : 2;
    if (word[1] == '-')
        return strcmp(word, "--eval") == 0 || strcmp(word, "--print") == 0 ? 0 : 1;
    for (const char *letter = word + 1; *letter; letter++) {
        if (strchr(one->inline_program, *letter))
            return 0;
        if (strchr(one->values, *letter))
            return letter[1] ? 1 : 2;
        if (strchr(one->attached, *letter))
            return 1;
    }
    return 1;
}

int cl_script_argument(const char *interpreter, size_t length, int argc, char *const *argv) {
    const struct interpreter *one = interpreter_named(interpreter, length);
    if (!one)
        return 0;
    int at = 1;
    // busybox sh SCRIPT
    if (strcmp(one->name, "busybox") == 0 && argc > 1 && interpreter_named(argv[1], strlen(argv[1])))
        at = 2;
    while (at < argc && argv[at]) {
        const char *word = argv[at];
        if (strcmp(word, "--") == 0)
            return at + 1 < argc ? at + 1 : 0;
        if (strcmp(word, "-") == 0)
            return 0;
        if (word[0] != '-' && !(word[0] == '+' && strchr(one->values, 'o')))
            return at;
        int count = words_of_option(one, word);
        if (count == 0)
            return 0;
        at += count;
    }
    return 0;
}

static const char *last_component(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_file(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static size_t store(const char *text, char *path, size_t capacity) {
    size_t count = strnlen(text, capacity);
    memcpy(path, text, count);
    return count;
}

// Without links, as bindings are; or as it is, if it cannot be found from here.
static size_t store_resolved(const char *file, char *path, size_t capacity) {
    char found[PATH_MAX];
    return store(realpath(file, found) ? found : file, path, capacity);
}

size_t cl_own_program(int argc, char *const *argv, char *path, size_t capacity) {
    char executable[PATH_MAX];
    if (argc < 1 || !argv || !argv[0])
        return 0;
    ssize_t count = cl_read_link("/proc/self/exe", executable, sizeof executable - 1);
    executable[count > 0 ? count : 0] = 0;
    // Where nothing is to be seen of /proc, the first argument must do.
    const char *name = last_component(count > 0 ? executable : argv[0]);
    if (is_wrapper(name, strlen(name)) && !interpreter_named(last_component(argv[0]), strlen(last_component(argv[0]))))
        return strchr(argv[0], '/') ? store_resolved(argv[0], path, capacity) : store(argv[0], path, capacity);
    if (!interpreter_named(name, strlen(name)))
        name = last_component(argv[0]);
    int script = cl_script_argument(name, strlen(name), argc, argv);
    if (script == 0)
        return store(argv[0], path, capacity);
    // An option that nobody has told us of may have a value, too. What runs is a file.
    for (int at = script; at < argc && argv[at]; at++)
        if (argv[at][0] != '-' && is_file(argv[at]))
            return store_resolved(argv[at], path, capacity);
    return store(argv[script], path, capacity);
}
