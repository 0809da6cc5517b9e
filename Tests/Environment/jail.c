/* jail CALL[,CALL...] ERRNO PROGRAM [ARGUMENT...]
 *
 * Runs a program in which these system calls fail with this error, as filters of containers make them.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALL(name) {#name, SYS_##name}
static const struct {
    const char *name;
    int number;
} calls[] = {
    CALL(membarrier), CALL(memfd_create), CALL(madvise), CALL(mremap), CALL(pidfd_open), CALL(pidfd_send_signal),
    CALL(close_range), CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_pwait2), CALL(eventfd2), CALL(signalfd4),
    CALL(getrandom), CALL(prctl), CALL(inotify_init1), CALL(inotify_add_watch), CALL(flock), CALL(setrlimit),
    CALL(prlimit64), CALL(sched_yield), CALL(sched_getaffinity), CALL(fchmodat), CALL(fchmod), CALL(umask), CALL(setsid),
    CALL(capset), CALL(socketpair), CALL(sysinfo), CALL(getrusage), CALL(clone3), CALL(futex), CALL(rseq),
    CALL(fallocate), CALL(ftruncate), CALL(mlock), CALL(setpriority), CALL(getsockopt), CALL(setsockopt), CALL(fsync),
    CALL(pipe2), CALL(readlink), CALL(readlinkat), CALL(syslog), CALL(statx), CALL(uname), CALL(getgroups), CALL(ppoll),
    CALL(sendmmsg), CALL(recvmmsg), CALL(sendmsg), CALL(recvmsg), CALL(sendto), CALL(recvfrom), CALL(accept4),
    CALL(bind), CALL(listen), CALL(socket), CALL(kill), CALL(wait4), CALL(rt_sigprocmask), CALL(clone), CALL(dup3),
    CALL(clock_nanosleep), CALL(epoll_pwait), CALL(waitid), CALL(shutdown), CALL(fstatfs), CALL(ioctl),
#ifdef SYS_epoll_wait
    CALL(epoll_wait), CALL(poll), CALL(readlink), CALL(access), CALL(dup2),
#endif
#ifdef SYS_futex_waitv
    CALL(futex_waitv),
#endif
};

static const struct {
    const char *name;
    int number;
} errors[] = {{"EPERM", EPERM}, {"ENOSYS", ENOSYS}, {"EACCES", EACCES}, {"EINVAL", EINVAL}, {"ENOMEM", ENOMEM}};

enum { most = 32 };

int main(int argc, char **argv) {
    struct sock_filter filter[most + 3] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    struct sock_fprog program = {0, filter};
    int numbers[most], count = 0, error = 0;
    if (argc < 4)
        return 2;
    for (char *name = strtok(argv[1], ","); name && count < most; name = strtok(NULL, ",")) {
        size_t i = 0;
        while (i < sizeof calls / sizeof *calls && strcmp(calls[i].name, name))
            i++;
        if (i == sizeof calls / sizeof *calls)
            return fprintf(stderr, "jail: unknown call %s\n", name), 2;
        numbers[count++] = calls[i].number;
    }
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (!strcmp(errors[i].name, argv[2]))
            error = errors[i].number;
    if (!error)
        return fprintf(stderr, "jail: unknown error %s\n", argv[2]), 2;
    for (int i = 0; i < count; i++)
        filter[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)numbers[i],
                                                     (unsigned char)(count - i), 0);
    filter[count + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[count + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error);
    program.len = (unsigned short)(count + 3);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        return perror("jail"), 77;
    execvp(argv[3], argv + 3);
    perror(argv[3]);
    return 2;
}
