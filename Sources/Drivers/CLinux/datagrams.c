// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// UDP sockets.

#include "CLinux.h"

#include <linux/errqueue.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/udp.h>

_Static_assert(sizeof(struct cl_datagram_message) == sizeof(struct mmsghdr), "they are the same");
_Static_assert(offsetof(struct cl_datagram_message, length) == offsetof(struct mmsghdr, msg_len), "they are the same");
_Static_assert(sizeof(struct cl_datagram_control) >= CMSG_SPACE(sizeof(int)), "the longest that we ask for");

_Static_assert(RTN_LOCAL == 2 && RTN_BROADCAST == 3, "as the header says");

static int set(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof value) == 0 ? 0 : -errno;
}

int cl_datagram_socket(const cl_address *address, socklen_t length) {
    bool six = address->sin6_family == AF_INET6;
    int fd = socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int result = six ? set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) : 0;
    if (result == 0)
        result = six ? set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1) : set(fd, IPPROTO_IP, IP_RECVERR, 1);
    if (result == 0 && bind(fd, (const struct sockaddr *)address, length) < 0)
        result = -errno;
    if (result == 0)
        return fd;
    close(fd);
    return result;
}

int cl_datagram_name(int fd, cl_address *address) {
    socklen_t length = sizeof *address;
    memset(address, 0, sizeof *address);
    return getsockname(fd, (struct sockaddr *)address, &length) == 0 ? 0 : -errno;
}

void cl_datagram_buffers(int fd, int arriving, int departing) {
    // Beyond the limit of the system only for those who may.
    if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, arriving) < 0)
        (void)set(fd, SOL_SOCKET, SO_RCVBUF, arriving);
    if (set(fd, SOL_SOCKET, SO_SNDBUFFORCE, departing) < 0)
        (void)set(fd, SOL_SOCKET, SO_SNDBUF, departing);
}

bool cl_datagram_can_split(int fd) {
    int size;
    socklen_t length = sizeof size;
    return getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, &length) == 0;
}

bool cl_datagram_join(int fd) { return set(fd, IPPROTO_UDP, UDP_GRO, 1) == 0; }

uint32_t cl_datagram_drops(int fd) {
    uint32_t facts[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof facts;
    return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, facts, &length) == 0 ? facts[SK_MEMINFO_DROPS] : 0;
}

void cl_datagram_split(struct cl_datagram_message *message, struct cl_datagram_control *control, uint16_t size) {
    struct cmsghdr *entry = (struct cmsghdr *)control->space;
    entry->cmsg_level = IPPROTO_UDP;
    entry->cmsg_type = UDP_SEGMENT;
    entry->cmsg_len = CMSG_LEN(sizeof size);
    memcpy(CMSG_DATA(entry), &size, sizeof size);
    message->header.msg_control = control->space;
    message->header.msg_controllen = CMSG_SPACE(sizeof size);
}

uint32_t cl_datagram_joined(const struct cl_datagram_message *message) {
    // CMSG_NXTHDR wants what it does not change as a variable.
    struct msghdr *header = (struct msghdr *)&message->header;
    for (struct cmsghdr *entry = CMSG_FIRSTHDR(header); entry != NULL; entry = CMSG_NXTHDR(header, entry)) {
        int size;
        if (entry->cmsg_level != IPPROTO_UDP || entry->cmsg_type != UDP_GRO || entry->cmsg_len < CMSG_LEN(sizeof size))
            continue;
        memcpy(&size, CMSG_DATA(entry), sizeof size);
        return size > 0 ? (uint32_t)size : 0;
    }
    return 0;
}

// What one call does with many messages, by a call for each: where a filter of system calls refuses the former. If it is not
// the call that was refused, the answer is the same.
static int one_by_one(ssize_t (*transfer)(int, struct msghdr *, int), int fd, struct cl_datagram_message *messages,
                      unsigned count, int flags) {
    for (unsigned i = 0; i < count; i++) {
        ssize_t result;
        do
            result = transfer(fd, &messages[i].header, flags);
        while (result < 0 && errno == EINTR);
        if (result < 0)
            return i > 0 ? (int)i : -errno;
        messages[i].length = (unsigned)result;
    }
    return (int)count;
}

static ssize_t send_one(int fd, struct msghdr *message, int flags) { return sendmsg(fd, message, flags); }

int cl_datagram_send(int fd, struct cl_datagram_message *messages, unsigned count) {
    enum { flags = MSG_DONTWAIT | MSG_NOSIGNAL };
    int result;
    do
        result = sendmmsg(fd, (struct mmsghdr *)messages, count, flags);
    while (result < 0 && errno == EINTR);
    if (result < 0 && cl_is_refusal(errno))
        return one_by_one(send_one, fd, messages, count, flags);
    return result < 0 ? -errno : result;
}

int cl_datagram_receive(int fd, struct cl_datagram_message *messages, unsigned count) {
    int result;
    do
        result = recvmmsg(fd, (struct mmsghdr *)messages, count, MSG_DONTWAIT, NULL);
    while (result < 0 && errno == EINTR);
    if (result < 0 && cl_is_refusal(errno))
        return one_by_one(recvmsg, fd, messages, count, MSG_DONTWAIT);
    return result < 0 ? -errno : result;
}

int cl_datagram_error(int fd, bool *is_ours) {
    union {
        struct cmsghdr header;
        char space[512];
    } control;
    // Without room for what was sent: only the reason matters.
    struct msghdr message = {.msg_control = control.space, .msg_controllen = sizeof control.space};
    ssize_t result;
    *is_ours = false;
    do
        result = recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
    while (result < 0 && errno == EINTR);
    if (result < 0)
        return errno == EAGAIN ? 0 : -errno;
    for (struct cmsghdr *entry = CMSG_FIRSTHDR(&message); entry != NULL; entry = CMSG_NXTHDR(&message, entry)) {
        struct sock_extended_err reason;
        bool is_error = (entry->cmsg_level == IPPROTO_IP && entry->cmsg_type == IP_RECVERR)
                        || (entry->cmsg_level == IPPROTO_IPV6 && entry->cmsg_type == IPV6_RECVERR);
        if (!is_error || entry->cmsg_len < CMSG_LEN(sizeof reason))
            continue;
        memcpy(&reason, CMSG_DATA(entry), sizeof reason);
        *is_ours = reason.ee_origin == SO_EE_ORIGIN_LOCAL;
        return reason.ee_errno > 0 && reason.ee_errno < 4096 ? (int)reason.ee_errno : EIO;
    }
    return EIO;
}

int cl_route_type(const cl_address *address) {
    bool six = address->sin6_family == AF_INET6;
    size_t count = six ? 16 : 4;
    struct {
        struct nlmsghdr header;
        struct rtmsg route;
        struct rtattr destination;
        uint8_t address[16];
        struct rtattr link;
        uint32_t interface;
    } question = {
        .header = {.nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST},
        .route = {.rtm_family = address->sin6_family, .rtm_dst_len = (uint8_t)(count * 8)},
        .destination = {.rta_type = RTA_DST, .rta_len = (unsigned short)RTA_LENGTH(count)},
    };
    size_t length = offsetof(__typeof__(question), address) + count;
    if (six) {
        memcpy(question.address, &address->sin6_addr, count);
        if (address->sin6_scope_id) {
            question.link = (struct rtattr){.rta_type = RTA_OIF, .rta_len = RTA_LENGTH(sizeof question.interface)};
            question.interface = address->sin6_scope_id;
            length = sizeof question;
        }
    } else {
        memcpy(question.address, &((const struct sockaddr_in *)address)->sin_addr, count);
    }
    question.header.nlmsg_len = (uint32_t)length;
    union {
        struct nlmsghdr header;
        uint8_t bytes[4096];
    } answer;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return -errno;
    // The kernel answers before the call that asks returns.
    ssize_t got = send(fd, &question, length, MSG_DONTWAIT);
    if (got >= 0)
        got = recv(fd, &answer, sizeof answer, MSG_DONTWAIT);
    int result = got < 0 ? -errno : -EPROTO;
    close(fd);
    if (got < 0 || !NLMSG_OK(&answer.header, (size_t)got))
        return result;
    if (answer.header.nlmsg_type == NLMSG_ERROR && (size_t)got >= NLMSG_LENGTH(sizeof(struct nlmsgerr)))
        return ((const struct nlmsgerr *)NLMSG_DATA(&answer.header))->error;
    if (answer.header.nlmsg_type == RTM_NEWROUTE && (size_t)got >= NLMSG_LENGTH(sizeof(struct rtmsg)))
        return ((const struct rtmsg *)NLMSG_DATA(&answer.header))->rtm_type;
    return result;
}
