// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Whose rights a thread has, and what a file is.

#include "CLinux.h"

#include <linux/capability.h>
#include <linux/magic.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

// glibc's setgroups() changes all threads; the call of the kernel changes one. Its ids of files are used for files alone:
// with the others changed, the user could send signals to this thread, and so to the process.
int cl_thread_rights(uint32_t user, uint32_t group, const uint32_t *groups, size_t count) {
    if (syscall(SYS_setgroups, count, groups) < 0)
        return -errno;
    (void)setfsgid(group);
    (void)setfsuid(user);
    // They say what was before, whatever came of it.
    if ((uint32_t)setfsgid((gid_t)-1) != group || (uint32_t)setfsuid((uid_t)-1) != user)
        return -EPERM;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

bool cl_is_made_up(int fd) {
    struct statfs status;
    if (fstatfs(fd, &status) < 0)
        return false;
    switch ((uint32_t)status.f_type) {
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case DEBUGFS_MAGIC:
    case TRACEFS_MAGIC:
    case SECURITYFS_MAGIC:
    case CGROUP_SUPER_MAGIC:
    case CGROUP2_SUPER_MAGIC:
    case BPF_FS_MAGIC:
    case SELINUX_MAGIC:
    case EFIVARFS_MAGIC:
        return true;
    default:
        return false;
    }
}
