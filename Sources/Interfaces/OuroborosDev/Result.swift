// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import COuroboros
import Vocabulary

/// The only place where failures become the negative numbers of the C API.
@inline(__always)
func negative(_ failure: Failure) -> Int32 { -failure.errno }

/// `nil` for no timeout. Negative and impossible times are EINVAL.
func timeSpan(_ time: UnsafePointer<timespec>?) throws(Failure) -> TimeSpan? {
    guard let time else { return nil }
    let (seconds, nanoseconds) = (time.pointee.tv_sec, time.pointee.tv_nsec)
    guard seconds >= 0, (0..<1_000_000_000).contains(nanoseconds) else { throw .invalid }
    let (scaled, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
    // Longer than five centuries is for ever, but for the flag of no timeout.
    return TimeSpan(nanoseconds: overflow ? UInt64.max - 1_000_000_000 : scaled &+ UInt64(nanoseconds))
}

/// A name from a C string. `.name` for what cannot be one, because nothing is called so.
func name<Kind>(_ text: UnsafePointer<CChar>) throws(Failure) -> Name<Kind> {
    let count = strnlen(text, Limits.nameBytes + 1)
    let bytes = UnsafeRawBufferPointer(start: text, count: count)
    guard let name = Name<Kind>(bytes) else { throw .name }
    return name
}

extension QualityOfService {
    init(_ c: qosspec_t) {
        self.init(
            delayMilliseconds: c.delay, bandwidth: c.bandwidth, availability: c.availability, loss: c.loss,
            bitErrorRate: c.ber, inOrder: c.in_order != 0, maximumGapMilliseconds: c.max_gap,
            timeoutMilliseconds: c.timeout)
    }

    var c: qosspec_t {
        qosspec_t(
            delay: delayMilliseconds, bandwidth: bandwidth, availability: availability, loss: loss, ber: bitErrorRate,
            in_order: inOrder ? 1 : 0, max_gap: maximumGapMilliseconds, timeout: timeoutMilliseconds)
    }
}
