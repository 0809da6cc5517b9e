// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Testing
import Vocabulary

@testable import IRMCommands

@Suite struct FlowShowTests {
    private let manager = FakeManager()

    private func populate() throws {
        manager.running = [
            FlowSummary(
                flow: FlowID(7), state: .allocated, name: try #require(ServiceName("echo")),
                client: FlowParty(
                    process: ProcessID(20), program: Array("oping".utf8),
                    sent: FlowTraffic(packets: 5, bytes: 320, unreadPackets: 1, unreadBytes: 64)),
                server: FlowParty(
                    process: ProcessID(10), program: [], host: Array("10.0.0.2:3435".utf8),
                    sent: FlowTraffic(packets: 4, bytes: 256)),
                layer: LayerName("net"), quality: .data, age: TimeSpan(seconds: 65))
        ]
    }

    private var reliable: FlowStatistics {
        var statistics = FlowStatistics(numbers: [4, 0, 1_000, 12, 12_000, 11, 11_000, 1, 900, 3, 2_700])
        statistics.roundTrip = 12_345_678
        statistics.roundTripDeviation = 999_949
        statistics.timeout = 50_000_000
        statistics.window = 14_720
        statistics.flight = 2_892
        statistics.rate = 1_490_000
        statistics.creditPackets = 32_765
        statistics.creditBytes = 1_045_684
        statistics.payload = 1_436
        statistics.packetsSent = 15
        statistics.lost = 2
        statistics.repeated = 3
        statistics.spurious = 1
        return statistics
    }

    @Test("a reliable flow to another host has its path, its losses and its credit")
    func reliableFlow() throws {
        try populate()
        manager.answers = (.statistics(reliable), .provider)
        let shown = manager.irm("flow show 7")
        #expect(shown.errors == "" && shown.exitStatus == 0)
        #expect(
            shown.output == """
                flow    7
                name    echo
                state   allocated, 1 min 5 s old
                layer   net
                client  20 (oping): 5 packets written, 1 of them unread
                server  host 10.0.0.2:3435: 4 packets written, 0 of them unread

                                        CLIENT
                kind                    FRCP profile 1
                messages written        12
                bytes written           12000
                messages read           11
                bytes read              11000
                messages unread         1
                bytes unread            900
                longest payload         1436 bytes
                round trip              12.346 ms
                its deviation           999.9 us
                least of the last 10 s  -
                RTO                     50.000 ms
                window                  14720 bytes
                in flight               2892 bytes
                rate                    1490000 bytes/s
                credit                  32765 packets, 1045684 bytes
                unacknowledged          3 packets, 2700 bytes
                packets sent            15
                packets received        0
                control packets sent    0
                lost                    2
                repeated                3
                repeated for nothing    1
                timeouts                0
                window reduced          0
                reductions undone       0
                reordered               0
                duplicates received     0
                damaged                 0
                refused                 0
                missing                 0

                """)
    }

    @Test("both ends of a flow inside the host are side by side, without what means nothing there")
    func insideFlow() throws {
        try populate()
        manager.running[0].server = FlowParty(process: ProcessID(10), program: Array("oecho".utf8))
        var ended = FlowStatistics(numbers: [1, 1, 9, 5, 320, 4, 256, 0, 0, 1])
        ended.payload = 16_777_216
        manager.answers = (.statistics(ended), .statistics(FlowStatistics(numbers: [1])))
        let output = manager.irm("flow show 7").output
        let lines = output.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines.contains("CLIENT SERVER"))
        #expect(lines.contains("kind inside this host inside this host"))
        #expect(lines.contains("ended the other end let go -"))
        #expect(lines.contains("messages not taken 1 0"))
        #expect(!lines.contains { $0.hasPrefix("RTO") || $0.hasPrefix("lost") || $0.hasPrefix("window") })
    }

    @Test("a process that does not answer is named, and the status says that something is missing")
    func silent() throws {
        try populate()
        manager.answers = (.silent, .provider)
        for options in ["", " --json"] {
            let shown = manager.irm("flow show 7" + options)
            #expect(shown.errors == "irm: Process 20 (oping) did not answer in time.\n" && shown.exitStatus == 1)
            #expect(shown.output.contains(options.isEmpty ? "client  20 (oping): 5 packets written" : "\"silent\""))
        }
        manager.answers = (.unable, .notHeld)
        let shown = manager.irm("flow show 7")
        #expect(shown.exitStatus == 0 && shown.output.contains("; its library is older, and cannot answer"))
        #expect(shown.output.contains("; does not have the flow"))
    }

    @Test("a flow that does not exist is no flow")
    func unknown() throws {
        try populate()
        let shown = manager.irm("flow show 8")
        #expect(shown.errors == "irm: there is no flow 8.\n" && shown.exitStatus == 1 && shown.output == "")
    }

    @Test("JSON has all numbers under the names of the C interface")
    func json() throws {
        try populate()
        manager.answers = (.statistics(reliable), .provider)
        let output = manager.irm("flow show 7 --json").output
        for member in [
            "\"flow\": 7", "\"answer\": \"answered\"", "\"answer\": \"provider\"", "\"statistics\": null",
            "\"kind\": \"frcp-1\"", "\"ending\": null", "\"time_ns\": 1000", "\"rtt_ns\": 12345678",
            "\"rto_ns\": 50000000",
            "\"window\": 14720", "\"in_flight\": 2892", "\"lost\": 2", "\"repeated\": 3", "\"spurious\": 1",
            "\"packets\": 5", "\"host\": \"10.0.0.2:3435\"",
        ] {
            #expect(output.contains(member), "\(member)")
        }
        // Another version may know more kinds and reasons.
        manager.answers = (.statistics(FlowStatistics(numbers: [99, 98])), .notHeld)
        let strange = manager.irm("flow show 7 --json").output
        #expect(strange.contains("\"kind\": \"unknown\"") && strange.contains("\"ending\": \"unknown\""))
        #expect(manager.irm("flow show 7").output.contains("unknown (99)"))
    }
}
