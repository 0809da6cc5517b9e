// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import ToolSupport
import Vocabulary

/// The command line of oping, understood. spec: tools §1
package struct PingOptions: Hashable, Sendable {
    package enum Role: Hashable, Sendable {
        case client(server: [UInt8])
        case server
    }

    package enum Pace: Hashable, Sendable {
        /// One packet each interval.
        case interval
        /// The next packet when the reply to the last is here.
        case flood
        /// The same, without ever sleeping.
        case floodBusy
    }

    package enum Waiting: Hashable, Sendable {
        case asleep
        /// Asks for events without sleeping.
        case polling
        /// One flow, read without sleeping.
        case busy
    }

    package var role = Role.server
    package var waiting = Waiting.asleep
    package var pace = Pace.interval
    package var count = UInt64(Int32.max)
    package var intervalMilliseconds: UInt64 = 1_000
    package var size = 64
    package var quality = QualityOfService.raw
    package var isQuiet = false
    package var hasTimeOfDay = false
    package var isJSON = false
    /// What was changed in the user's wishes, a line each.
    package var notices: [String] = []

    package init() {}

    /// How long the client waits for a reply before it gives up. spec: tools §1
    package var patience: TimeSpan { TimeSpan(seconds: intervalMilliseconds / 1_000 + 2) }

    package enum Outcome: Hashable, Sendable {
        case run(PingOptions)
        /// To be written to standard output.
        case answer([UInt8])
        /// A line for standard error.
        case mistake(String)
    }

    /// - Parameter names: Those that there are, for completion.
    package static func parse(_ words: [[UInt8]], names: () -> [[UInt8]] = { [] }) -> Outcome {
        do throws(OptionTable<Key>.Mistake) {
            switch try table.read(words, running: { _ in names() }) {
            case .answer(let bytes): return .answer(bytes)
            case .given(let given, let operands):
                if let extra = operands.first {
                    throw OptionTable<Key>.Mistake(message: "Unknown argument: \(printable(extra)).")
                }
                return .run(try options(given))
            }
        } catch {
            return .mistake(table.line(error.message))
        }
    }

    private enum Key: Sendable {
        case listen, poll, busy, count, duration, flood, floodBusy, interval, serverName, quality, size, quiet
        case timeOfDay, json
    }

    private static let table = OptionTable<Key>(
        "oping",
        synopsis: """
            Usage: oping --listen [OPTION]...
                   oping --server-name NAME [OPTION]...
            Find out whether a name can be reached, and how fast. Start the server first.
            """,
        [
            CommandOption(.listen, "l", "listen", "Be the server"),
            CommandOption(.poll, nil, "poll", "Server: look for events without sleeping"),
            CommandOption(.busy, nil, "busy", "Server: serve one flow at a time, without sleeping"),
            CommandOption(
                .serverName, "n", "server-name", "Ping the server of this name", argument: "NAME", value: .name),
            CommandOption(.count, "c", "count", "Number of packets; until stopped if not given", argument: "NUMBER"),
            CommandOption(
                .duration, "d", "duration", "Send packets for this time", argument: "DURATION"),
            CommandOption(.interval, "i", "interval", "Time between two packets: 1000 ms", argument: "DURATION"),
            CommandOption(.flood, "f", "flood", "Send the next packet when the reply has come"),
            CommandOption(.floodBusy, "F", "flood-busy", "The same, without sleeping"),
            CommandOption(
                .quality, "q", "qos", "Quality of the flow: raw (default), best, video, voice or data", argument: "QOS",
                value: .words(["raw", "best", "video", "voice", "data"])),
            CommandOption(.size, "s", "size", "Size of a packet: 64 (64 to 1500)", argument: "BYTES"),
            CommandOption(.quiet, "Q", "quiet", "Print only the statistics"),
            CommandOption(.timeOfDay, "D", "timeofday", "Print the time of day in front of each line"),
            CommandOption(.json, nil, "json", "Print the statistics as JSON, with percentiles"),
        ])

    private static func options(_ given: [OptionTable<Key>.Given]) throws(OptionTable<Key>.Mistake) -> PingOptions {
        var options = PingOptions()
        var listens = false
        var server: [UInt8]?
        var duration: UInt64?
        for option in given {
            switch option.key {
            case .listen: listens = true
            case .serverName: server = option.value
            case .duration: duration = try milliseconds(option.text)
            case .interval: options.intervalMilliseconds = try milliseconds(option.text)
            default: try options.set(option)
            }
        }
        options.settle(duration)
        if listens { return options }
        guard let server else { throw OptionTable<Key>.Mistake(message: "No server specified.") }
        options.role = .client(server: server)
        return options
    }

    private static func milliseconds(_ text: String) throws(OptionTable<Key>.Mistake) -> UInt64 {
        do throws(WrittenDuration.Mistake) {
            return try WrittenDuration.milliseconds(text)
        } catch {
            switch error {
            case .noNumber:
                throw OptionTable<Key>.Mistake(
                    message: "\"\(text)\" is not a time: use a whole number with ms, s, m, h or d, as in 500ms.")
            case .unknownUnit(let unit): throw OptionTable<Key>.Mistake(message: "Unknown time unit: \(unit).")
            }
        }
    }

    /// Options that stand for themselves.
    private mutating func set(_ option: OptionTable<Key>.Given) throws(OptionTable<Key>.Mistake) {
        switch option.key {
        case .poll: waiting = .polling
        case .busy: waiting = .busy
        case .flood: pace = .flood
        case .floodBusy: pace = .floodBusy
        case .quiet: isQuiet = true
        case .timeOfDay: hasTimeOfDay = true
        case .json: isJSON = true
        case .count:
            guard let number = UInt64(option.text), number > 0, number <= UInt64(Int32.max) else {
                throw OptionTable<Key>.Mistake(
                    message: "\"\(option.text)\" is not a number of packets from 1 to \(Int32.max).")
            }
            count = number
        case .size:
            guard let number = Int(option.text) else {
                throw OptionTable<Key>.Mistake(
                    message: "\"\(option.text)\" is not a number of bytes: use a whole number from 64 to 1500.")
            }
            size = number
        case .quality:
            if let known = QualityOfService(named: option.text) {
                quality = known
            } else {
                quality = .raw
                notices.append("Unknown QoS cube, defaulting to raw.")
            }
        case .listen, .serverName, .duration, .interval: break  // not of this kind
        }
    }

    /// Brings the values within their bounds.
    private mutating func settle(_ duration: UInt64?) {
        if intervalMilliseconds > 10_000 {
            notices.append("Ping interval truncated to 10s.")
            intervalMilliseconds = 10_000
        }
        if size > EchoPacket.sizes.upperBound {
            notices.append("Packet size truncated to \(EchoPacket.sizes.upperBound) bytes.")
            size = EchoPacket.sizes.upperBound
        }
        if size < EchoPacket.sizes.lowerBound {
            notices.append("Packet size set to \(EchoPacket.sizes.lowerBound) bytes.")
            size = EchoPacket.sizes.lowerBound
        }
        if let duration {
            let (tenfold, overflow) = duration.multipliedReportingOverflow(by: 10)
            let packets =
                intervalMilliseconds > 0 ? duration / intervalMilliseconds : overflow ? .max : tenfold
            count = min(max(1, packets), UInt64(Int32.max))
        }
    }
}
