/*
 * Ouroboros: what the conformance programs are written with
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "conformance.h"
#include "agent.h"

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static int   checks;
static int   failures;
static pid_t program;
static char  program_name[64];
static char  scratch[256];
static bool  has_scratch;

static void watchdog(int signal_number)
{
    static const char text[] = "not ok - the watchdog ended the program\n";

    (void) signal_number;
    if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
        _exit(3);
    _exit(2);
}

static void set_watchdog(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_handler = watchdog;
    sigaction(SIGALRM, &action, NULL);
    alarm(WATCHDOG);
}

static int remove_entry(const char *        path,
                        const struct stat * status,
                        int                 type,
                        struct FTW *        position)
{
    (void) status;
    (void) type;
    (void) position;
    return remove(path);
}

static void clean_up(void)
{
    /* Forked children pass here too, and must leave the parent's alone. */
    if (has_scratch && getpid() == program)
        nftw(scratch, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

void conformance_begin(int     argc,
                       char ** argv)
{
    const char * slash = strrchr(argv[0], '/');

    set_watchdog();
    setvbuf(stdout, NULL, _IOLBF, 0);

    program = getpid();
    snprintf(program_name, sizeof(program_name), "%s",
             slash != NULL ? slash + 1 : argv[0]);

    if (argc == 4 && strcmp(argv[1], "--agent") == 0)
        exit(agent_main(atoi(argv[2]), atoi(argv[3])));

    atexit(clean_up);
}

int conformance_end(void)
{
    note("%d checks, %d failed", checks, failures);
    return failures == 0 ? 0 : 1;
}

void give_up(void)
{
    note("cannot go on");
    exit(1);
}

void note(const char * text,
          ...)
{
    va_list arguments;

    va_start(arguments, text);
    printf("# ");
    vprintf(text, arguments);
    printf("\n");
    va_end(arguments);
}

static void print_check(bool         holds,
                        const char * sentence,
                        va_list      arguments)
{
    checks++;
    if (!holds)
        failures++;

    printf("%s %d - ", holds ? "ok" : "not ok", checks);
    vprintf(sentence, arguments);
    printf("\n");
}

bool report(bool         condition_holds,
            const char * condition,
            const char * file,
            int          line,
            const char * sentence,
            ...)
{
    va_list arguments;

    va_start(arguments, sentence);
    print_check(condition_holds, sentence, arguments);
    va_end(arguments);

    if (!condition_holds)
        note("%s:%d: %s", file, line, condition);

    return condition_holds;
}

bool report_result(long long    result,
                   long long    wanted,
                   const char * call,
                   const char * file,
                   int          line,
                   const char * sentence,
                   ...)
{
    va_list arguments;

    va_start(arguments, sentence);
    print_check(result == wanted, sentence, arguments);
    va_end(arguments);

    if (result != wanted)
        note("%s:%d: %s is %lld, not %lld", file, line, call, result, wanted);

    return result == wanted;
}

int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const struct timespec * interval(struct timespec * buffer,
                                 int64_t           milliseconds)
{
    if (milliseconds < 0)
        return NULL;

    buffer->tv_sec = (time_t) (milliseconds / 1000);
    buffer->tv_nsec = (long) (milliseconds % 1000) * 1000000;
    return buffer;
}

static uint8_t byte_at(size_t   place,
                       unsigned seed)
{
    return (uint8_t) (seed * 37u + place * 7u + (place >> 8) * 13u);
}

void fill(void *   buffer,
          size_t   count,
          unsigned seed)
{
    uint8_t * bytes = buffer;
    size_t    place;

    for (place = 0; place < count; place++)
        bytes[place] = byte_at(place, seed);
}

bool holds(const void * buffer,
           size_t       count,
           size_t       first,
           unsigned     seed)
{
    const uint8_t * bytes = buffer;
    size_t          place;

    for (place = 0; place < count; place++)
        if (bytes[place] != byte_at(first + place, seed))
            return false;

    return true;
}

/* One for each direction; only the first thread uses them. */
static uint8_t departing[LARGEST];
static uint8_t arriving[LARGEST];

ssize_t write_message(int      fd,
                      size_t   count,
                      unsigned seed)
{
    fill(departing, count <= LARGEST ? count : 0, seed);
    return flow_write(fd, departing, count);
}

ssize_t read_message(int      fd,
                     size_t   count,
                     unsigned seed)
{
    ssize_t result = flow_read(fd, arriving, count);

    if (result > 0 && !holds(arriving, (size_t) result, 0, seed))
        return WRONG_BYTES;

    return result;
}

bool same_qos(const qosspec_t * one,
              const qosspec_t * other)
{
    return one->delay == other->delay && one->bandwidth == other->bandwidth
        && one->availability == other->availability
        && one->loss == other->loss && one->ber == other->ber
        && one->in_order == other->in_order
        && one->max_gap == other->max_gap && one->timeout == other->timeout;
}

const char * own_name(const char * tag)
{
    static char names[16][NAME_SIZE + 1];
    static int  next;
    char *      name = names[next++ % 16];

    snprintf(name, NAME_SIZE + 1, "%s.%d.%s", program_name, (int) program, tag);
    return name;
}

static void pause_shortly(void)
{
    poll(NULL, 0, 1);
}

void wait_for(bool (*condition)(void *),
              void * argument)
{
    while (!condition(argument))
        pause_shortly();
}

static bool is_asleep(void * argument)
{
    char         path[64];
    char         text[512];
    const char * state;
    FILE *       file;
    size_t       count;

    snprintf(path, sizeof(path), "/proc/%d/stat", *(const int *) argument);
    file = fopen(path, "r");
    if (file == NULL)
        return true; /* It is gone, and what follows will say so. */

    count = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[count] = '\0';

    /* The name in parentheses may contain anything. */
    state = strrchr(text, ')');
    return state != NULL && (state[2] == 'S' || state[2] == 'Z');
}

void wait_asleep(pid_t pid)
{
    int number = (int) pid;

    wait_for(is_asleep, &number);
}

int child_result(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;

    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int in_child(int (*body)(void *),
             void * argument)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        alarm(WATCHDOG);
        _exit(body(argument));
    }

    return pid < 0 ? -1 : child_result(pid);
}

const char * scratch_directory(void)
{
    const char * parent = getenv("TMPDIR");

    if (!has_scratch) {
        snprintf(scratch, sizeof(scratch), "%s/conformance-XXXXXX",
                 parent != NULL ? parent : "/tmp");
        MUST(mkdtemp(scratch) != NULL, "there is a directory for files");
        has_scratch = true;
    }

    return scratch;
}

void wait_for_irmd(void)
{
    struct name_info * names = NULL;

    MUST(irm_list_names(&names) >= 0, "irmd answers");
    free(names);
}

/* Whether irmd's socket is there and somebody listens. */
static bool irmd_listens(void * argument)
{
    struct sockaddr_un address;
    int                fd;
    bool               listens;

    (void) argument;
    memset(&address, 0, sizeof(address));
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/irm.sock",
             getenv("OUROBOROS_RUNTIME_DIR"));

    fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    listens = connect(fd, (struct sockaddr *) &address, sizeof(address)) == 0;
    close(fd);
    return listens;
}

pid_t private_irmd_start(void)
{
    const char * irmd = getenv("CONFORMANCE_IRMD");
    pid_t        parent = getpid();
    pid_t        pid;

    MUST(irmd != NULL, "CONFORMANCE_IRMD is the path of irmd");
    setenv("OUROBOROS_RUNTIME_DIR", scratch_directory(), 1);
    fflush(stdout);

    pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);

        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent)
            _exit(127);
        dup2(null, STDOUT_FILENO);
        execl(irmd, irmd, "--stdout", "--runtime-dir", scratch, (char *) NULL);
        _exit(127);
    }
    MUST(pid > 0, "an irmd of the program's own starts");

    wait_for(irmd_listens, NULL);
    return pid;
}
