// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Ouroboros

// Makes a local layer with a name in it, shows what irmd knows, and takes everything down again.

try await IRM.run { irm in
    let ipcp = try irm.createIPCP(named: "example-ipcp", type: .local)
    try irm.bootstrap(ipcp, as: LayerConfiguration(layer: "example-layer", parameters: .local))
    try irm.createName("example", balancing: .roundRobin)
    try irm.register("example", with: ipcp)
    try irm.bind(.current, to: "example")

    for entry in try irm.ipcps() { print("\(entry.name) is a \(entry.type) IPCP in \(entry.layer ?? "no layer").") }
    for entry in try irm.names() {
        print("\(entry.name) is in \(entry.layers) and has \(entry.processes) process.")
    }

    // A flow of this process to itself, carried by the layer.
    let listener = FlowListener()
    let client = Task { try await Flow.open(to: "example") }
    let server = try listener.accept(deadline: .after(.seconds(20)))
    for flow in try irm.flows() { print("A flow to \(flow.name) is in \(flow.layer ?? "no layer").") }
    server.close()
    client.cancel()

    try irm.unbind(.current, from: nil)
    try irm.unregister("example", from: ipcp)
    try irm.destroyName("example")
    try irm.destroyIPCP(ipcp)
    let status = try irm.status()
    print("irmd has \(status.names) names, and allocated \(status.flowsAllocated) flow.")
}

do {
    _ = try Flow.open(to: "example")
} catch {
    print("After that: \(error.reason)")
}
