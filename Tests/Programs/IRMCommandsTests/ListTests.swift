// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Testing
import Vocabulary

@testable import IRMCommands

@Suite struct ListTests {
    private let manager = FakeManager()

    private func populate() throws {
        manager.add("local-ipcp", .local, layer: "local-layer")
        manager.add("uni.1", .unicast)
        manager.addName(try #require(ServiceName("oping")), layers: [try #require(LayerName("local-layer"))])
        manager.running = [
            FlowSummary(
                flow: FlowID(7), state: .allocated, name: try #require(ServiceName("oping")),
                client: FlowParty(
                    process: ProcessID(20), program: Array("oping".utf8),
                    sent: FlowTraffic(packets: 5, bytes: 320, unreadPackets: 1, unreadBytes: 64)),
                server: FlowParty(process: ProcessID(10), program: [], sent: FlowTraffic(packets: 4, bytes: 256)),
                layer: LayerName("local-layer"), quality: .raw, age: TimeSpan(seconds: 65))
        ]
        let name = try #require(ServiceName("oping"))
        manager.bound = [
            BindingEntry(
                name: name,
                bound: .program(
                    Array("/usr/bin/oping".utf8), UserID(0), arguments: [Array("-l".utf8), Array("a b".utf8)])),
            BindingEntry(name: name, bound: .program(Array("/bin/x".utf8), UserID(500), arguments: nil)),
            BindingEntry(name: name, bound: .process(ProcessID(10), program: Array("sh".utf8))),
            BindingEntry(name: name, bound: .process(ProcessID(11), program: [])),
            BindingEntry(name: name, bound: .ipcp(ProcessID(1_002), try #require(IPCPName("uni.1")))),
        ]
    }

    @Test("empty lists say so, as the prototype does")
    func empty() {
        #expect(manager.irm("ipcp list").output == "No IPCPs in system.\n\n")
        #expect(manager.irm("name list").output == "No names in system.\n\n")
        #expect(manager.irm("flow list").output == "No flows in system.\n\n")
        for list in ["ipcp", "name", "flow"] { #expect(manager.irm("\(list) list --json").output == "[]\n") }
    }

    @Test("the lists are those of the prototype's tutorial")
    func prototype() throws {
        try populate()
        #expect(
            manager.irm("ipcp list").output == """
                +---------+----------------------+------------+----------------------+
                |     pid |                 name |       type |                layer |
                +---------+----------------------+------------+----------------------+
                |    1001 |           local-ipcp |      local |          local-layer |
                |    1002 |                uni.1 |    unicast |        Not enrolled. |
                +---------+----------------------+------------+----------------------+


                """)
        #expect(
            manager.irm("name list").output == """
                +----------------------------------------------------+----------------------+
                |                                               name |  load-balance policy |
                +----------------------------------------------------+----------------------+
                |                                              oping |            spillover |
                +----------------------------------------------------+----------------------+

                """)
    }

    @Test(
        "filters choose",
        arguments: [
            ("name uni.1", "uni.1"), ("name u*", "uni.1"), ("type local", "local-ipcp"), ("type uni", "uni.1"),
            ("layer local*", "local-ipcp"), ("layer * type local", "local-ipcp"),
        ])
    func filters(_ filter: String, _ name: String) throws {
        try populate()
        let output = manager.irm("ipcp list \(filter)").output
        #expect(output.contains(" \(name) "))
        #expect(output.split(separator: "\n").count == 5)
    }

    @Test("a filter that nothing fits is no error")
    func nothing() throws {
        try populate()
        #expect(manager.irm("ipcp list name x").output == "No IPCPs match.\n\n")
        #expect(manager.irm("ipcp list layer x type unicast").exitStatus == 0)
        #expect(manager.irm("name list name x").output == "No names match.\n\n")
        #expect(manager.irm("flow list name x").output == "No flows match.\n\n")
    }

    @Test("flows have owners and counters")
    func flows() throws {
        try populate()
        #expect(
            manager.irm("flow list").output == """
                FLOW  NAME   CLIENT      SERVER  LAYER        STATE      AGE        SENT  RECEIVED
                   7  oping  20 (oping)  10      local-layer  allocated  1 min 5 s     5         4

                """)
    }

    @Test("a long list of flows has bytes and what is unread, and the addresses of other hosts")
    func longFlows() throws {
        try populate()
        manager.running[0].server.host = Array("10.0.0.2:3435\u{1b}".utf8)
        for option in ["--long", "-l", "-l name op*"] {
            #expect(
                manager.irm("flow list \(option)").output == """
                    FLOW  NAME   CLIENT      SERVER                  LAYER        STATE      AGE        SENT  BYTES  UNREAD  \
                    BYTES  RECEIVED  BYTES  UNREAD  BYTES
                       7  oping  20 (oping)  host 10.0.0.2:3435\\x1b  local-layer  allocated  1 min 5 s     5    320       1  \
                       64         4    256       0      0

                    """)
        }
        manager.running[0].server.host = []
        #expect(manager.irm("flow list").output.contains("  another host  "))
        #expect(manager.irm("flow list -l --json").output == manager.irm("flow list --json").output)
    }

    @Test("what is bound is listed, and with names and IPCPs if they are asked for in full")
    func bindings() throws {
        #expect(manager.irm("bind list").output == "Nothing is bound.\n\n")
        #expect(manager.irm("bind list --json").output == "[]\n")
        try populate()
        #expect(
            manager.irm("bind list").output == """
                NAME   TYPE     BOUND           UID  AUTO  ARGUMENTS
                oping  program  /usr/bin/oping  0    auto  -l a b
                oping  program  /bin/x          500  -     -
                oping  process  10 (sh)         -    -     -
                oping  process  11              -    -     -
                oping  ipcp     1002 (uni.1)    -    -     -

                """)
        #expect(manager.irm("bind list name x").output == "No names match.\n\n")
        let json = manager.irm("b l --json").output
        for member in ["\"type\": \"program\"", "\"auto\": true", "\"a b\"", "\"ipcp\": \"uni.1\"", "\"pid\": 11"] {
            #expect(json.contains(member))
        }
        manager.known[0].settings.wait = TimeSpan(milliseconds: 1_500)
        #expect(
            manager.irm("name list --long").output == """
                NAME   POLICY     WAIT     ACCEPTORS  BOUND                                           \
                                        LAYERS
                oping  spillover  1500 ms          1  /usr/bin/oping (auto), /bin/x, process 10 (sh), process 11, IPCP uni.1  \
                local-layer

                """)
        #expect(manager.irm("name list --json").output.contains("\"wait_ms\": 1500"))
        manager.known[0].settings.wait = .unlimited
        #expect(manager.irm("name list -l").output.contains("  client  "))
        #expect(manager.irm("name list --json").output.contains("\"wait_ms\": null"))
        #expect(
            manager.irm("ipcp list --long").output == """
                 PID  NAME        TYPE     LAYER          BOUND TO
                1001  local-ipcp  local    local-layer    -
                1002  uni.1       unicast  Not enrolled.  oping

                """)
    }

    @Test("JSON has everything")
    func json() throws {
        try populate()
        #expect(
            manager.irm("ipcp list --json name u*").output == """
                [
                  {
                    "pid": 1002,
                    "name": "uni.1",
                    "type": "unicast",
                    "layer": null,
                    "bound_to": [
                      "oping"
                    ]
                  }
                ]

                """)
        let names = manager.irm("name list --json").output
        for member in ["\"load_balancing\": \"spillover\"", "\"acceptors\": 1", "\"certificate\": null"] {
            #expect(names.contains(member))
        }
        let flows = manager.irm("flow list --json").output
        for member in [
            "\"flow\": 7", "\"packets\": 5", "\"layer\": \"local-layer\"", "\"delay_ms\": null",
            "\"age_s\": 65", "\"bytes\": 320", "\"unread_packets\": 1", "\"unread_bytes\": 64", "\"host\": null",
        ] {
            #expect(flows.contains(member))
        }
        let status = manager.irm("status --json").output
        for member in ["\"irmd\": {", "\"uptime_s\": 130", "\"layers\": [", "\"flows\": ["] {
            #expect(status.contains(member))
        }
    }

    @Test("the status is one screen")
    func status() throws {
        try populate()
        #expect(
            manager.irm("status").output == """
                irmd 77 of user 0, up 2 min 10 s, in /run/ouroboros
                2 processes, 2 IPCPs, 1 name, 1 flow; 12 flows allocated since start, 1 failed

                LAYERS
                  NAME         TYPE   IPCPS  NAMES
                  local-layer  local      1      1

                IPCPS
                   PID  NAME        TYPE     LAYER          BOUND TO
                  1001  local-ipcp  local    local-layer    -
                  1002  uni.1       unicast  Not enrolled.  oping

                NAMES
                  NAME   ACCEPTORS  PROCESSES  PROGRAMS  POLICY     LAYERS
                  oping          1          1         1  spillover  local-layer

                FLOWS
                  FLOW  NAME   CLIENT      SERVER  LAYER        STATE      AGE        SENT  RECEIVED
                     7  oping  20 (oping)  10      local-layer  allocated  1 min 5 s     5         4

                """)
        for index in 0..<30 { manager.add("i.\(index)", .local) }
        #expect(manager.irm("status").output.contains("  … and 22 more: \"irm ipcp list\"\n"))
    }

    @Test("names cannot forge lines or escape sequences")
    func controlCharacters() {
        manager.add("a\u{1b}[2J\nb", .local)
        #expect(manager.irm("ipcp list").output.contains("a\\x1b[2J\\x0ab"))
    }
}
