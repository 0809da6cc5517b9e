// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import ManagementClient
import ToolSupport
import Vocabulary

/// `irm flow show`: what irmd knows of a flow, and what the processes at its ends have counted. spec: irm-cli §6
extension Execution {
    mutating func show(_ flow: FlowID, json: Bool) throws(ManagementError) {
        guard case .flow(let summary, let client, let server) = try service.perform(.showFlow(flow)) else {
            throw .unexpectedAnswer
        }
        let shown = ShownFlow(summary: summary, client: client, server: server)
        report.output += json ? shown.json.text + "\n" : shown.text
        for (party, answer) in [(summary.client, client), (summary.server, server)] where answer == .silent {
            report.fail("Process \(party.text) did not answer in time.")
        }
    }
}

struct ShownFlow {
    let summary: FlowSummary
    let client: FlowEndReport
    let server: FlowEndReport

    var text: String {
        var lines = [
            ("flow", "\(summary.flow)"), ("name", "\(summary.name)"),
            ("state", "\(summary.state.name), \(readable(summary.age)) old"),
            ("layer", summary.layer?.description ?? "direct"), ("client", summary.client.line(client)),
            ("server", summary.server.line(server)),
        ].map { left($0.0, width: 8) + $0.1 + "\n" }.joined()
        let known = [("CLIENT", client), ("SERVER", server)].compactMap { title, answer in
            if case .statistics(let statistics) = answer { (title: title, statistics: statistics) } else { nil }
        }
        guard !known.isEmpty else { return lines }
        var table = PlainTable([("", .left)] + known.map { ($0.title, .left) })
        let columns = known.map { $0.statistics.rows }
        for (index, row) in (columns.first ?? []).enumerated() {
            let values = columns.map { $0[index].value }
            // What means nothing for these kinds of flows has no line.
            if values.contains(where: { $0 != nil }) { table.append([row.label] + values.map { $0 ?? "-" }) }
        }
        lines += "\n" + table.text()
        return lines
    }

    var json: JSON {
        guard case .object(let members) = summary.json else { return summary.json }
        return .object(
            members.map { member in
                switch member.name {
                case "client": JSON.Member(name: member.name, value: member.value.with(client))
                case "server": JSON.Member(name: member.name, value: member.value.with(server))
                default: member
                }
            })
    }
}

extension JSON {
    /// A side of a flow, and what its process has answered.
    fileprivate func with(_ answer: FlowEndReport) -> JSON {
        guard case .object(let members) = self else { return self }
        var statistics = JSON.null
        if case .statistics(let numbers) = answer { statistics = numbers.json }
        return .object(
            members + [
                Member(name: "answer", value: .text(answer.word)), Member(name: "statistics", value: statistics),
            ])
    }
}

extension FlowParty {
    fileprivate func line(_ answer: FlowEndReport) -> String {
        let remark =
            switch answer {
            case .statistics, .provider: ""
            case .silent: "; did not answer in time"
            case .unable: "; its library is older, and cannot answer"
            case .notHeld: "; does not have the flow"
            }
        return "\(text): \(sent.packets) packets written, \(sent.unreadPackets) of them unread\(remark)"
    }
}

extension FlowEndReport {
    /// For programs.
    fileprivate var word: String {
        switch self {
        case .statistics: "answered"
        case .silent: "silent"
        case .unable: "unable"
        case .provider: "provider"
        case .notHeld: "not held"
        }
    }
}

extension FlowStatistics {
    fileprivate struct Row {
        let label: String
        /// Nil: it means nothing for this kind of flow.
        let value: String?
    }

    private var hasProtocol: Bool { kind == .profile0 || kind == .profile1 }

    /// In the same order for all kinds.
    fileprivate var rows: [Row] {
        func both(_ label: String, _ value: String) -> Row { Row(label: label, value: value) }
        func only(_ label: String, _ value: String) -> Row { Row(label: label, value: hasProtocol ? value : nil) }
        let common = [
            both("kind", kind.text), Row(label: "ended", value: ending == .none ? nil : ending.text),
            both("messages written", "\(messagesWritten)"), both("bytes written", "\(bytesWritten)"),
            both("messages read", "\(messagesRead)"), both("bytes read", "\(bytesRead)"),
            both("messages unread", "\(unreadMessages)"), only("bytes unread", "\(unreadBytes)"),
            Row(label: "messages not taken", value: hasProtocol ? nil : "\(unacknowledgedPackets)"),
            both("longest payload", "\(payload) bytes"),
        ]
        let path = [
            only("round trip", roundTrip.asTime), only("its deviation", roundTripDeviation.asTime),
            only("least of the last 10 s", leastRoundTrip.asTime), only("RTO", timeout.asTime),
            only("window", window == 0 ? "none" : "\(window) bytes"), only("in flight", "\(flight) bytes"),
            only("rate", rate == 0 ? "-" : "\(rate) bytes/s"),
            only("credit", "\(creditPackets) packets, \(creditBytes) bytes"),
            only("unacknowledged", "\(unacknowledgedPackets) packets, \(unacknowledgedBytes) bytes"),
        ]
        let packets = [
            only("packets sent", "\(packetsSent)"), only("packets received", "\(packetsReceived)"),
            only("control packets sent", "\(controlPacketsSent)"), only("lost", "\(lost)"),
            only("repeated", "\(repeated)"), only("repeated for nothing", "\(spurious)"),
            only("timeouts", "\(timeouts)"), only("window reduced", "\(reductions)"),
            only("reductions undone", "\(undone)"),
            only("reordered", "\(reordered)"), only("duplicates received", "\(duplicates)"),
            only("damaged", "\(damaged)"), only("refused", "\(refused)"), only("missing", "\(missing)"),
        ]
        return common + path + packets
    }

    fileprivate var json: JSON {
        .members([
            "kind": .text(kind.word), "ending": ending == .none ? .null : .text(ending.word), "time_ns": .natural(time),
            "messages_written": .natural(messagesWritten), "bytes_written": .natural(bytesWritten),
            "messages_read": .natural(messagesRead), "bytes_read": .natural(bytesRead),
            "messages_unread": .natural(unreadMessages), "bytes_unread": .natural(unreadBytes),
            "packets_unacknowledged": .natural(unacknowledgedPackets),
            "bytes_unacknowledged": .natural(unacknowledgedBytes), "rtt_ns": .natural(roundTrip),
            "rtt_deviation_ns": .natural(roundTripDeviation), "rtt_least_ns": .natural(leastRoundTrip),
            "rto_ns": .natural(timeout), "window": .natural(window), "in_flight": .natural(flight),
            "rate": .natural(rate), "credit_packets": .natural(creditPackets), "credit_bytes": .natural(creditBytes),
            "payload": .natural(payload), "packets_sent": .natural(packetsSent),
            "packets_received": .natural(packetsReceived), "control_sent": .natural(controlPacketsSent),
            "lost": .natural(lost), "repeated": .natural(repeated), "spurious": .natural(spurious),
            "reductions": .natural(reductions), "undone": .natural(undone), "timeouts": .natural(timeouts),
            "reordered": .natural(reordered), "duplicates": .natural(duplicates), "damaged": .natural(damaged),
            "refused": .natural(refused), "missing": .natural(missing),
        ])
    }
}

extension FlowStatistics.Kind {
    fileprivate var text: String {
        switch self {
        case .inside: "inside this host"
        case .raw: "raw"
        case .profile0: "FRCP profile 0"
        case .profile1: "FRCP profile 1"
        default: "unknown (\(rawValue))"
        }
    }

    fileprivate var word: String {
        switch self {
        case .inside: "inside"
        case .raw: "raw"
        case .profile0: "frcp-0"
        case .profile1: "frcp-1"
        default: "unknown"
        }
    }
}

extension FlowStatistics.Ending {
    fileprivate var text: String {
        switch self {
        case .closed: "the other end let go"
        case .down: "the flow is down"
        case .silent: "the other end was silent"
        case .aborted: "the other end aborted it"
        case .violated: "the other end broke the rules"
        case .vain: "a packet was repeated in vain"
        case .undelivered: "not all was delivered"
        default: "unknown (\(rawValue))"
        }
    }

    fileprivate var word: String {
        switch self {
        case .closed: "closed"
        case .down: "down"
        case .silent: "silent"
        case .aborted: "aborted"
        case .violated: "violated"
        case .vain: "vain"
        case .undelivered: "undelivered"
        default: "unknown"
        }
    }
}

extension UInt64 {
    /// Nanoseconds for people.
    fileprivate var asTime: String {
        if self == 0 { return "-" }
        return self < 1_000_000
            ? fixed(Double(self) / 1e3, decimals: 1) + " us" : fixed(Double(self) / 1e6, decimals: 3) + " ms"
    }
}
