// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Starting programs as children, with what they shall have and nothing else.

#include "CLinux.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

enum { most_variables = 32, account_bytes = 16384 };

// Everything here runs in a child of fork() in a program with threads. The other threads of a daemon write its log or ask
// for names; glibc makes its memory whole for the child, so the look-up of the account may allocate.

// What a child reports: the call that failed, or is about to. Its parent has the same text at the same place.
struct spawn_report {
    const char *call;
    int error;
};
static const char *failing_call;

static void default_signals(void) {
    sigset_t none;
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int signal = 1; signal < NSIG; signal++)
        if (signal != SIGKILL && signal != SIGSTOP)
            (void)sigaction(signal, &action, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

// Numbers above everything that the child shall have are closed, before anything that may take long: a descriptor of a
// connection that stays open here would hide its end from the other side.
static int arrange_descriptors(const struct cl_child *child, int report) {
    failing_call = "fcntl";
    int kept = fcntl(report, F_DUPFD_CLOEXEC, 10);
    if (kept < 0)
        return -1;
    // Above the places that are filled, so that nothing is overwritten before it was copied.
    int input = child->input > 0 ? fcntl(child->input, F_DUPFD_CLOEXEC, 10) : -1;
    int output = child->output > 0 ? fcntl(child->output, F_DUPFD_CLOEXEC, 10) : -1;
    int channel = child->channel >= 0 ? fcntl(child->channel, F_DUPFD_CLOEXEC, 10) : -1;
    failing_call = "dup2";
    if ((child->input > 0 && (input < 0 || dup2(input, 0) < 0))
        || (child->output > 0 && (output < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0))
        || (child->channel >= 0 && (channel < 0 || dup2(channel, 3) < 0)))
        return -1;
    int first = child->channel >= 0 ? 4 : 3;
    failing_call = "dup3";
    report = dup3(kept, first, O_CLOEXEC);
    if (report < 0)
        return -1;
    cl_close_from(first + 1);
    return report;
}

// What irmd is worth to the system, its programs of users are not.
static void give_up_privileges_of_daemon(void) {
    int score = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    if (score >= 0) {
        char first = 0;
        if (read(score, &first, 1) == 1 && first == '-' && lseek(score, 0, SEEK_SET) == 0)
            (void)!write(score, "0", 1);
        close(score);
    }
    struct sched_param none = {0};
    int policy = sched_getscheduler(0);
    if (policy != SCHED_OTHER && policy != SCHED_BATCH && policy != SCHED_IDLE)
        (void)sched_setscheduler(0, SCHED_OTHER, &none);
    errno = 0;
    if (getpriority(PRIO_PROCESS, 0) < 0 && errno == 0)
        (void)setpriority(PRIO_PROCESS, 0, 0);
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    (void)prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
}

// With the secure bits of an unusual parent, a change of user id leaves capabilities.
static void drop_capabilities(bool all) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct sets[2];
    if (syscall(SYS_capget, &header, sets) < 0)
        return;
    for (int i = 0; i < 2; i++) {
        sets[i].inheritable = 0;
        if (all)
            sets[i].permitted = sets[i].effective = 0;
    }
    (void)syscall(SYS_capset, &header, sets);
}

static int change_identity(const struct cl_child *child) {
    if (!child->change_identity)
        return 0;
    failing_call = "setgroups";
    if (syscall(SYS_setgroups, (size_t)child->group_count, child->groups) < 0)
        return -1;
    failing_call = "setresgid";
    if (syscall(SYS_setresgid, child->gid, child->gid, child->gid) < 0)
        return -1;
    failing_call = "setresuid";
    return syscall(SYS_setresuid, child->uid, child->uid, child->uid) < 0 ? -1 : 0;
}

static void execute_with_account(const struct cl_child *child) {
    static char strings[account_bytes], home[PATH_MAX + 8], shell[PATH_MAX + 8], user[512], login[512];
    char *variables[most_variables + 5], number[16];
    struct passwd entry, *found = NULL;
    int count = 0;
    while (child->envp[count] && count < most_variables) {
        variables[count] = child->envp[count];
        count++;
    }
    (void)snprintf(number, sizeof number, "%u", (unsigned)child->uid);
    if (getpwuid_r((uid_t)child->uid, &entry, strings, sizeof strings, &found) != 0)
        found = NULL;
    (void)snprintf(home, sizeof home, "HOME=%s", found && entry.pw_dir ? entry.pw_dir : "/");
    (void)snprintf(shell, sizeof shell, "SHELL=%s", found && entry.pw_shell && *entry.pw_shell ? entry.pw_shell : "/bin/sh");
    (void)snprintf(user, sizeof user, "USER=%s", found ? entry.pw_name : number);
    (void)snprintf(login, sizeof login, "LOGNAME=%s", found ? entry.pw_name : number);
    variables[count++] = home;
    variables[count++] = shell;
    variables[count++] = user;
    variables[count++] = login;
    variables[count] = NULL;
    execve(child->path, child->argv, variables);
}

static void become(const struct cl_child *child, int report, pid_t parent) {
    default_signals();
    umask(022);
    int arranged = arrange_descriptors(child, report);
    if (arranged < 0)
        goto failed;
    report = arranged;
    failing_call = "setsid";
    if (setsid() < 0)
        goto failed;
    cl_restore_limits();
    if (child->is_foreign) {
        give_up_privileges_of_daemon();
        drop_capabilities(false);
    }
    if (change_identity(child) < 0)
        goto failed;
    if (child->is_foreign && geteuid() != 0)
        drop_capabilities(true);
    // After the change of identity, which clears it.
    if (child->death_signal) {
        // Where it is refused, an IPCP still ends with its channel.
        (void)prctl(PR_SET_PDEATHSIG, child->death_signal);
        if (getppid() != parent)
            _exit(127);
    }
    failing_call = "chdir";
    if (child->directory && chdir(child->directory) < 0 && chdir("/") < 0)
        goto failed;
    failing_call = "execve";
    if (child->has_account)
        execute_with_account(child);
    else
        execve(child->path, child->argv, child->envp);
failed:;
    struct spawn_report text = {failing_call, errno};
    (void)!write(report, &text, sizeof text);
    _exit(127);
}

int32_t cl_spawn(const struct cl_child *child, int *report, const char **call) {
    int ends[2];
    *call = "pipe2";
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    pid_t parent = getpid();
    *call = "fork";
    pid_t pid = fork();
    if (pid < 0) {
        int error = -errno;
        close(ends[0]);
        close(ends[1]);
        return error;
    }
    if (pid == 0)
        become(child, ends[1], parent);
    close(ends[1]);
    *report = ends[0];
    return pid;
}

int cl_spawn_outcome(int report, const char **call) {
    struct spawn_report text = {NULL, 0};
    ssize_t got;
    do
        got = read(report, &text, sizeof text);
    while (got < 0 && errno == EINTR);
    if (got == (ssize_t)sizeof text) {
        *call = text.call;
        return -text.error;
    }
    return got < 0 && errno == EAGAIN ? 1 : 0;
}
