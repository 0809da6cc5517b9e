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
            FlowEntry(
                flow: FlowID(7), state: .allocated, name: try #require(ServiceName("oping")), client: ProcessID(20),
                clientProgram: Array("oping".utf8), server: ProcessID(10), serverProgram: [],
                layer: LayerName("local-layer"), quality: .raw, packetsFromClient: 5, packetsFromServer: 4)
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
                FLOW  NAME   CLIENT      SERVER  LAYER        STATE      SENT  RECEIVED
                   7  oping  20 (oping)  10      local-layer  allocated     5         4

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
                    "layer": null
                  }
                ]

                """)
        let names = manager.irm("name list --json").output
        for member in ["\"load_balancing\": \"spillover\"", "\"acceptors\": 1", "\"certificate\": null"] {
            #expect(names.contains(member))
        }
        let flows = manager.irm("flow list --json").output
        for member in ["\"flow\": 7", "\"packets\": 5", "\"layer\": \"local-layer\"", "\"delay_ms\": null"] {
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
                   PID  NAME        TYPE     LAYER
                  1001  local-ipcp  local    local-layer
                  1002  uni.1       unicast  Not enrolled.

                NAMES
                  NAME   ACCEPTORS  PROCESSES  PROGRAMS  POLICY     LAYERS
                  oping          1          1         1  spillover  local-layer

                FLOWS
                  FLOW  NAME   CLIENT      SERVER  LAYER        STATE      SENT  RECEIVED
                     7  oping  20 (oping)  10      local-layer  allocated     5         4

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
