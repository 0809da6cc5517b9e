// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CCares
import CLinux
import Platform
import Shims
import Vocabulary

/// A question to one DNS server, by c-ares: what libc has for it knows neither ports nor servers with IPv6 addresses
/// beside those of the system.
enum ServerInquiry {
    /// Once, whatever the number of threads.
    private static let isPrepared = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS

    /// Before anything is asked.
    static func prepare() throws(Failure) {
        guard isPrepared else { throw .outOfMemory }
    }

    /// Numbers of RFC 1035 and RFC 3596.
    private static let internet: Int32 = 1
    private static let ipv4Record: Int32 = 1
    private static let ipv6Record: Int32 = 28

    /// What the server has said, as the callback leaves it.
    private final class Reply {
        var status: Int32?
        var answer: [UInt8] = []
    }

    /// Two tries within `Limits.serverTimeout`: the second waits twice as long as the first.
    static func answer(to inquiry: Inquiry, by server: DatagramAddress) -> Resolution {
        var options = ares_options()
        // The one server is asked for just this name, and whatever it says is its answer.
        options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP
        options.timeout = Int32(Limits.serverTimeout.nanoseconds / 1_000_000 / 3)
        options.tries = 2
        var channel: ares_channel?
        let begun = ares_init_options(
            &channel, &options, ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES)
        guard begun == ARES_SUCCESS, let channel else { return resolution(begun) }
        defer { ares_destroy(channel) }
        let chosen = choose(server, on: channel)
        guard chosen == ARES_SUCCESS else { return resolution(chosen) }
        let reply = Reply()
        // The reply lives longer than the channel, whose end is the last moment of a callback.
        let question = inquiry.label.map(CChar.init(bitPattern:)) + [0]
        ares_query(
            channel, question, internet, inquiry.family == .ipv4 ? ipv4Record : ipv6Record,
            { argument, status, _, bytes, count in
                guard let argument else { return }
                let reply = Unmanaged<Reply>.fromOpaque(argument).takeUnretainedValue()
                reply.status = status
                reply.answer = Array(UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : Int(count)))
            }, Unmanaged.passUnretained(reply).toOpaque())
        wait(on: channel, until: Clock.now() + Limits.serverTimeout)
        return withExtendedLifetime(reply) {
            let status = reply.status ?? ARES_ETIMEOUT
            return status == ARES_SUCCESS ? address(in: reply.answer, for: inquiry) : resolution(status)
        }
    }

    private static func choose(_ server: DatagramAddress, on channel: ares_channel) -> Int32 {
        var node = ares_addr_port_node()
        node.family = server.family == .ipv4 ? AF_INET : AF_INET6
        withUnsafeMutableBytes(of: &node.addr) { $0.copyBytes(from: server.bytes) }
        node.udp_port = Int32(server.port)
        node.tcp_port = Int32(server.port)
        if server.scope != 0 { cc_set_interface(channel, server.scope) }
        return ares_set_servers_ports(channel, &node)
    }

    /// Until there is a reply, or no time left.
    private static func wait(on channel: ares_channel, until deadline: Instant) {
        var sockets = [ares_socket_t](repeating: -1, count: Int(ARES_GETSOCK_MAXNUM))
        while true {
            let interests = ares_getsock(channel, &sockets, Int32(sockets.count))
            guard interests != 0 else { return }
            let left = deadline.since(Clock.now()).nanoseconds / 1_000_000
            guard left > 0 else { return ares_cancel(channel) }
            var polls: [pollfd] = []
            for index in sockets.indices {
                let events =
                    (cc_wants_to_read(interests, Int32(index)) ? POLLIN : 0)
                    | (cc_wants_to_write(interests, Int32(index)) ? POLLOUT : 0)
                if events != 0 { polls.append(pollfd(fd: sockets[index], events: Int16(events), revents: 0)) }
            }
            var nextTry = timeval(tv_sec: 0, tv_usec: 0)
            let next = ares_timeout(channel, nil, &nextTry)?.pointee
            let milliseconds = next.map { UInt64($0.tv_sec) * 1_000 + UInt64($0.tv_usec) / 1_000 + 1 } ?? left
            _ = poll(&polls, nfds_t(polls.count), Int32(min(left, milliseconds)))
            for entry in polls where entry.revents != 0 {
                let canRead = entry.revents & Int16(POLLIN | POLLERR | POLLHUP) != 0
                let canWrite = entry.revents & Int16(POLLOUT) != 0
                ares_process_fd(channel, canRead ? entry.fd : -1, canWrite ? entry.fd : -1)
            }
            // Tries that have lasted long enough.
            ares_process_fd(channel, -1, -1)
        }
    }

    /// The last address that is not our own. spec: udp-layer §5.2
    private static func address(in answer: [UInt8], for inquiry: Inquiry) -> Resolution {
        var found: [(bytes: [UInt8], seconds: Int32)] = []
        let status: Int32
        var count = Int32(64)
        switch inquiry.family {
        case .ipv4:
            var entries = [ares_addrttl](repeating: ares_addrttl(), count: Int(count))
            status = ares_parse_a_reply(answer, Int32(answer.count), nil, &entries, &count)
            if status == ARES_SUCCESS {
                found = entries.prefix(Int(count)).map { (withUnsafeBytes(of: $0.ipaddr) { Array($0) }, $0.ttl) }
            }
        case .ipv6:
            var entries = [ares_addr6ttl](repeating: ares_addr6ttl(), count: Int(count))
            status = ares_parse_aaaa_reply(answer, Int32(answer.count), nil, &entries, &count)
            if status == ARES_SUCCESS {
                found = entries.prefix(Int(count)).map { (withUnsafeBytes(of: $0.ip6addr) { Array($0) }, $0.ttl) }
            }
        }
        guard status == ARES_SUCCESS else { return resolution(status) }
        guard let last = found.last(where: { $0.bytes != inquiry.own.bytes }) else { return .unknown }
        return .address(last.bytes, validity: TimeSpan(seconds: UInt64(max(0, last.seconds))))
    }

    private static func resolution(_ status: Int32) -> Resolution {
        switch status {
        case ARES_ENOTFOUND, ARES_ENODATA: .unknown
        case ARES_ETIMEOUT, ARES_ECANCELLED: .failed(.timedOut)
        case ARES_ECONNREFUSED: .failed(.connectionRefused)
        case ARES_EREFUSED: .failed(.accessDenied)
        case ARES_ENOMEM: .failed(.outOfMemory)
        // SERVFAIL, or no DNS message at all.
        default: .failed(.inputOutput)
        }
    }
}
