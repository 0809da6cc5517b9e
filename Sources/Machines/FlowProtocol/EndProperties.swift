// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

/// What one end of a flow with FRCP says of itself when the flow is allocated: the value of the item of type 1.
/// spec: frcp-profile-1 §1
package struct EndProperties: Hashable, Sendable {
    /// Bytes of the value. More is skipped.
    package static let bytes = 24
    /// The profile that this system has.
    package static let profile: UInt8 = 1

    /// In a request the highest profile that is offered, in a response the chosen one: at least 1.
    package var profile: UInt8
    /// D: this end acknowledges a packet at most so many milliseconds after it came, 1 to 100.
    package var acknowledgementDelayMilliseconds: UInt8
    /// The number of the first packet that this end sends; random.
    package var firstSequence: SequenceNumber
    /// C: this end allows so many sequence numbers from the one that it wants next, 64 to 32,768.
    package var credit: UInt32
    /// The cost that the peer may send before this end has told more, 65,536 to 2^30 bytes. spec: frcp-profile-1 §3
    package var firstRoomBytes: UInt32
    /// The longest message that this end accepts, at least 1 byte.
    package var longestMessageBytes: UInt32
    /// The largest packet that this end can receive, with FRCP header, seal and CRC; at least 64 bytes.
    package var largestPacketBytes: UInt32

    package init(
        profile: UInt8 = EndProperties.profile, acknowledgementDelayMilliseconds: UInt8, firstSequence: SequenceNumber,
        credit: UInt32, firstRoomBytes: UInt32, longestMessageBytes: UInt32, largestPacketBytes: UInt32
    ) {
        self.profile = profile
        self.acknowledgementDelayMilliseconds = acknowledgementDelayMilliseconds
        self.firstSequence = firstSequence
        self.credit = credit
        self.firstRoomBytes = firstRoomBytes
        self.longestMessageBytes = longestMessageBytes
        self.largestPacketBytes = largestPacketBytes
    }

    /// What an end of this system says.
    /// - Parameters:
    ///   - firstSequence: A random number, which nobody else can guess.
    ///   - packetBytes: The longest packet of the layer, in bytes.
    /// - Returns: Nil if the layer carries so little that it has no room for profile 1.
    package static func ours(firstSequence: UInt32, packetBytes: UInt32) -> EndProperties? {
        let properties = EndProperties(
            acknowledgementDelayMilliseconds: 5, firstSequence: SequenceNumber(firstSequence), credit: 32_768,
            firstRoomBytes: 1 << 20, longestMessageBytes: UInt32(Limits.messageBytes), largestPacketBytes: packetBytes)
        return properties.isValid ? properties : nil
    }

    /// Each field is in its range.
    package var isValid: Bool {
        profile >= 1 && (1...100).contains(acknowledgementDelayMilliseconds) && (64...32_768).contains(credit)
            && (65_536...1 << 30).contains(firstRoomBytes) && longestMessageBytes >= 1 && largestPacketBytes >= 64
    }

    /// - Returns: Nil if there are fewer than 24 bytes, or a field is out of its range.
    package init?(reading value: [UInt8]) {
        var reader = ByteReader(value)
        do throws(MalformedMessage) {
            profile = try reader.read()
            acknowledgementDelayMilliseconds = try reader.read()
            _ = try reader.read(UInt16.self)
            firstSequence = SequenceNumber(try reader.readNetworkOrder())
            credit = try reader.readNetworkOrder()
            firstRoomBytes = try reader.readNetworkOrder()
            longestMessageBytes = try reader.readNetworkOrder()
            largestPacketBytes = try reader.readNetworkOrder()
        } catch {
            return nil
        }
        guard isValid else { return nil }
    }

    /// The 24 bytes.
    package var value: [UInt8] {
        var writer = ByteWriter()
        writer.write(profile)
        writer.write(acknowledgementDelayMilliseconds)
        writer.write(UInt16(0))
        writer.write(networkOrder: firstSequence.rawValue)
        writer.write(networkOrder: credit)
        writer.write(networkOrder: firstRoomBytes)
        writer.write(networkOrder: longestMessageBytes)
        writer.write(networkOrder: largestPacketBytes)
        return writer.bytes
    }
}
