// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// What a flow is asked to be. spec: flow-qos §1
package struct QualityOfService: Hashable, Sendable {
    /// Milliseconds; `UInt32.max` = any.
    package var delayMilliseconds: UInt32
    /// Bits per second.
    package var bandwidth: UInt64
    /// Number of nines.
    package var availability: UInt8
    /// 0 = none allowed.
    package var loss: UInt32
    /// Bit errors per 10⁹; 0 = none allowed.
    package var bitErrorRate: UInt32
    package var inOrder: Bool
    /// Milliseconds; `UInt32.max` = any.
    package var maximumGapMilliseconds: UInt32
    /// Silence after which the peer counts as gone; 0 = never.
    package var timeoutMilliseconds: UInt32

    package init(
        delayMilliseconds: UInt32 = .max, bandwidth: UInt64 = 0, availability: UInt8 = 0, loss: UInt32 = 1,
        bitErrorRate: UInt32 = 1, inOrder: Bool = false, maximumGapMilliseconds: UInt32 = .max,
        timeoutMilliseconds: UInt32 = 120_000
    ) {
        self.delayMilliseconds = delayMilliseconds
        self.bandwidth = bandwidth
        self.availability = availability
        self.loss = loss
        self.bitErrorRate = bitErrorRate
        self.inOrder = inOrder
        self.maximumGapMilliseconds = maximumGapMilliseconds
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    package static let raw = QualityOfService()
    package static let bestEffort = QualityOfService(inOrder: true)
    package static let video = QualityOfService(
        delayMilliseconds: 100, bandwidth: .max, availability: 3, inOrder: true, maximumGapMilliseconds: 100)
    package static let voice = QualityOfService(
        delayMilliseconds: 50, bandwidth: 100_000, availability: 5, inOrder: true, maximumGapMilliseconds: 50)
    package static let data = QualityOfService(
        delayMilliseconds: 1_000, loss: 0, inOrder: true, maximumGapMilliseconds: 2_000)

    /// By the names that the tools use: raw, best, video, voice, data.
    package init?(named name: String) {
        switch name {
        case "raw": self = .raw
        case "best": self = .bestEffort
        case "video": self = .video
        case "voice": self = .voice
        case "data": self = .data
        default: return nil
        }
    }
}
