// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

/// The version of everything that is shared inside a host: these messages, and the layout of flow memory.
/// A different major version is refused; a minor version adds messages that only who said its feature bit gets.
package struct ProtocolVersion: Hashable, Sendable, CustomStringConvertible, FieldCodable {
    package let major: UInt16
    package let minor: UInt16

    package init(major: UInt16, minor: UInt16) {
        self.major = major
        self.minor = minor
    }

    package init<Coder: FieldCoder<Self>>(_ field: Coder, _ bytes: inout Coder.Bytes) throws(MalformedMessage) {
        self.init(major: try field(\.major, &bytes), minor: try field(\.minor, &bytes))
    }

    package static let current = ProtocolVersion(major: 9, minor: 0)
    package var description: String { "\(major).\(minor)" }
}

/// What a side can do, one bit each; unknown bits are ignored.
package struct Features: OptionSet, Hashable, Sendable, LocalCodable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The process is registered for global expedited memory barriers, so who sleeps can pay for the fence of who
    /// writes. design: flow-memory §3
    package static let expeditedBarrier = Features(rawValue: 1)
    /// A process with it answers `ManagerMessage.describeFlow`. An irmd with it answers `ManagementRequest.showFlow`.
    package static let flowStatistics = Features(rawValue: 2)
}

/// What a connection is for.
package enum ConnectionRole: UInt8, Sendable, LocalCodable {
    /// The one connection of a process that irmd sends notifications on. Its end is the end of the process's flows.
    case session = 0
    /// One of a process's connections for blocking calls; one request at a time.
    case call = 1
    /// Management: needs irmd's user, root, or group `ouroboros`.
    case management = 2
}

/// The first message on every connection.
package struct Hello: Hashable, Sendable, FieldCodable {
    /// "Ouro", so that a stranger's bytes are not taken for a greeting.
    package static let magic: UInt32 = 0x6f72_754f

    package var version: ProtocolVersion
    package var features: Features
    package var role: ConnectionRole
    /// The program as its first argument says; irmd asks the kernel instead unless it is a script. May be empty.
    package var program: [UInt8]

    package init(role: ConnectionRole, features: Features = [], program: [UInt8] = []) {
        version = .current
        self.role = role
        self.features = features
        self.program = program
    }

    package init<Coder: FieldCoder<Self>>(_ field: Coder, _ bytes: inout Coder.Bytes) throws(MalformedMessage) {
        guard try field({ _ in Hello.magic }, &bytes) == Hello.magic else { throw .unknownValue }
        version = try field(\.version, &bytes)
        features = try field(\.features, &bytes)
        role = try field(\.role, &bytes)
        program = try field(\.program, &bytes)
    }

    /// The version that a greeting says whose rest may be laid out in a way that only that version knows. Nil if the
    /// bytes are no greeting. The message's number, the magic and the version stand where they are for ever.
    package static func version(in bytes: [UInt8]) -> ProtocolVersion? {
        var reader = ByteReader(bytes)
        guard (try? reader.read(UInt8.self)) == 0, (try? reader.read(UInt32.self)) == magic,
            let major = try? reader.read(UInt16.self), let minor = try? reader.read(UInt16.self)
        else { return nil }
        return ProtocolVersion(major: major, minor: minor)
    }
}

/// irmd's answer to a greeting that it accepts.
package struct Welcome: Hashable, Sendable, FieldCodable {
    package var version: ProtocolVersion
    package var features: Features
    /// irmd's own pid.
    package var manager: ProcessID
    /// Differs each time irmd starts: flow ids mean something only within one incarnation.
    package var incarnation: UInt64

    package init(features: Features, manager: ProcessID, incarnation: UInt64) {
        version = .current
        self.features = features
        self.manager = manager
        self.incarnation = incarnation
    }

    package init<Coder: FieldCoder<Self>>(_ field: Coder, _ bytes: inout Coder.Bytes) throws(MalformedMessage) {
        version = try field(\.version, &bytes)
        features = try field(\.features, &bytes)
        manager = try field(\.manager, &bytes)
        incarnation = try field(\.incarnation, &bytes)
    }
}
