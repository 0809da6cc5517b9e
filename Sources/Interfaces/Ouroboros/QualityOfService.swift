// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// The properties that a flow must have. The client asks, and the server is told; there is no negotiation: both ends run
/// the flow with exactly these values. spec: flow-qos §1
public struct QualityOfService: Hashable, Sendable {
    /// The highest delay in milliseconds; `UInt32.max`: any.
    public var delayMilliseconds: UInt32
    /// Bits per second.
    public var bandwidth: UInt64
    /// Number of nines: 3 means 99.9 %.
    public var availability: UInt8
    /// 0: nothing may be lost, and everything arrives in order, whatever `inOrder` says.
    public var loss: UInt32
    /// Bit errors in 10⁹ bits; 0: none.
    public var bitErrorRate: UInt32
    /// Messages arrive in the order in which they were sent, under flow control.
    public var inOrder: Bool
    /// The longest interruption in milliseconds; `UInt32.max`: any.
    public var maximumGapMilliseconds: UInt32
    /// Milliseconds of silence of the other end after which the flow is down; 0: never.
    public var timeoutMilliseconds: UInt32

    /// Values that are not given are as in `raw`.
    public init(
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

    /// Messages as the layer delivers them.
    public static let raw = QualityOfService()
    /// In order, lossy.
    public static let bestEffort = QualityOfService(.bestEffort)
    /// In order, lossy, low delay, much bandwidth.
    public static let video = QualityOfService(.video)
    /// In order, lossy, lowest delay, little bandwidth.
    public static let voice = QualityOfService(.voice)
    /// In order, lossless.
    public static let data = QualityOfService(.data)

    init(_ quality: Vocabulary.QualityOfService) {
        self.init(
            delayMilliseconds: quality.delayMilliseconds, bandwidth: quality.bandwidth,
            availability: quality.availability, loss: quality.loss, bitErrorRate: quality.bitErrorRate,
            inOrder: quality.inOrder, maximumGapMilliseconds: quality.maximumGapMilliseconds,
            timeoutMilliseconds: quality.timeoutMilliseconds)
    }

    /// As irmd is asked. Bit errors are not checked for in default builds, so nobody may ask for none; and where nothing may be
    /// lost, all is in order. spec: c-api §5.1
    var request: Vocabulary.QualityOfService {
        Vocabulary.QualityOfService(
            delayMilliseconds: delayMilliseconds, bandwidth: bandwidth, availability: availability, loss: loss,
            bitErrorRate: 1, inOrder: inOrder || loss == 0, maximumGapMilliseconds: maximumGapMilliseconds,
            timeoutMilliseconds: timeoutMilliseconds)
    }
}
