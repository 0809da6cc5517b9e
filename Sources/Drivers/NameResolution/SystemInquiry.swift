// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Shims
import Vocabulary

/// A question to whatever this host is configured to ask: /etc/hosts, the search domains, or else. It takes the time
/// that the configuration allows.
enum SystemInquiry {
    /// The first address counts. spec: udp-layer §5
    static func answer(to inquiry: Inquiry) -> Resolution {
        var hints = addrinfo()
        hints.ai_family = inquiry.family == .ipv4 ? AF_INET : AF_INET6
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(inquiry.label.map(CChar.init(bitPattern:)) + [0], nil, &hints, &list)
        guard result == 0 else { return resolution(result) }
        defer { freeaddrinfo(list) }
        var next = list
        while let entry = next?.pointee {
            if let bytes = address(entry), bytes != inquiry.own.bytes { return .address(bytes, validity: nil) }
            next = entry.ai_next
        }
        return .unknown
    }

    private static func address(_ entry: addrinfo) -> [UInt8]? {
        guard let pointer = UnsafeRawPointer(entry.ai_addr) else { return nil }
        switch entry.ai_family {
        case AF_INET:
            let address = pointer.loadUnaligned(as: sockaddr_in.self).sin_addr
            return withUnsafeBytes(of: address) { Array($0) }
        case AF_INET6:
            let address = pointer.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            return withUnsafeBytes(of: address) { Array($0) }
        default: return nil
        }
    }

    /// EAI_NODATA and EAI_ADDRFAMILY, which glibc shows to its friends only.
    private static let noAddress: Int32 = -5
    private static let noAddressOfFamily: Int32 = -9

    private static func resolution(_ result: Int32) -> Resolution {
        switch result {
        case EAI_NONAME, noAddress, noAddressOfFamily: .unknown
        // Nobody has answered.
        case EAI_AGAIN: .failed(.timedOut)
        case EAI_MEMORY: .failed(.outOfMemory)
        case EAI_SYSTEM: .failed(Failure(errno: cl_errno()))
        default: .failed(.inputOutput)
        }
    }
}
