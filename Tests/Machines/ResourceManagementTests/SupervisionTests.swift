// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Testing
import Vocabulary

@testable import ResourceManagement

@Suite struct SupervisionTests {
    private func names(_ text: String) throws -> (IPCPName, LayerName) {
        (try #require(IPCPName(text)), try #require(LayerName(text)))
    }

    @Test("an IPCP is created, bootstrapped, knows names, and is destroyed")
    func life() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        let ipcp = try rig.makeLocalLayer(on: management)
        #expect(rig.actions.results == [.created(ipcp), .completed])
        rig.manage(.createName(NameSettings(name: service("n"), balancing: .roundRobin)), on: management)
        rig.clear()
        rig.register("n", with: ipcp, on: management)
        #expect(rig.actions.contains(.report(.naming(.registered(service("n"), ipcp, hash: Array("n".utf8))))))
        #expect(rig.manager.naming[service("n")]?.localLayer?.ipcp == ipcp)
        // Again is no mistake.
        #expect(rig.manage(.registerName(service("n"), ipcp), on: management).results == [.unchanged])

        let destroying = rig.manage(.destroyIPCP(ipcp), on: management)
        #expect(destroying.contains(.signal(ipcp, .terminate)))
        #expect(destroying.results.isEmpty)
        let gone = rig.handle(.childExited(ipcp, .exited(0)))
        #expect(gone.results == [.completed])
        #expect(rig.manager.naming[service("n")]?.registrations.isEmpty == true)
        #expect(rig.manager.children.ipcps.isEmpty)
    }

    @Test("mistakes with IPCPs are said")
    func mistakes() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        let ipcp = try rig.makeLocalLayer(on: management)
        let (name, layer) = try names("local")
        let local = LayerConfiguration(layer: layer, hash: .sha3x256, parameters: .local)
        let broadcast = LayerConfiguration(layer: layer, hash: .sha3x256, parameters: .broadcast)
        #expect(rig.manage(.createIPCP(name, .local), on: management).failures == [.exists])
        #expect(rig.manage(.bootstrapIPCP(ipcp, local), on: management).failures == [.ipcpState])
        #expect(rig.manage(.bootstrapIPCP(ProcessID(999), local), on: management).failures == [.ipcp])
        #expect(rig.manage(.destroyIPCP(ProcessID(999)), on: management).failures == [.ipcp])
        #expect(rig.manage(.enrollIPCP(ipcp, destination: service("x")), on: management).failures == [.ipcp])
        #expect(rig.manage(.registerName(service("nobody"), ipcp), on: management).failures == [.name])

        let (other, _) = try names("other")
        rig.manage(.createIPCP(other, .local), on: management)
        rig.handle(.ipcpSpawned(other, ProcessID(400), program: []))
        #expect(rig.manage(.bootstrapIPCP(ProcessID(400), local), on: management).failures == [.ipcpState])
        rig.handle(.ipcpReplied(ProcessID(400), .initialised(.current, .local)))
        #expect(rig.manage(.bootstrapIPCP(ProcessID(400), broadcast), on: management).failures == [.ipcpType])
        var wrongHash = local
        wrongHash.hash = .md5
        #expect(rig.manage(.bootstrapIPCP(ProcessID(400), wrongHash), on: management).failures == [.invalid])
        let (wide, _) = try names("wide")
        rig.manage(.createIPCP(wide, .unicast), on: management)
        rig.handle(.ipcpSpawned(wide, ProcessID(401), program: []))
        rig.handle(.ipcpReplied(ProcessID(401), .initialised(.current, .unicast)))
        var parameters = UnicastParameters()
        parameters.replicas = 21
        let tooMany = LayerConfiguration(layer: layer, hash: .usual, parameters: .unicast(parameters))
        #expect(rig.manage(.bootstrapIPCP(ProcessID(401), tooMany), on: management).failures == [.invalid])
        rig.manage(.createName(NameSettings(name: service("n"), balancing: .roundRobin)), on: management)
        #expect(rig.manage(.registerName(service("n"), ProcessID(400)), on: management).failures == [.ipcpState])
    }

    @Test("a daemon that is not installed is named to who asked")
    func notInstalled() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        let (name, _) = try names("u")
        rig.manage(.createIPCP(name, .udp4), on: management)
        let done = rig.handle(.ipcpNotSpawned(name, .ipcpType, reason: Array("ipcpd-udp4 is not installed".utf8)))
        #expect(done.failures == [.ipcpType])
        // The name is free again.
        #expect(rig.manage(.createIPCP(name, .local), on: management).contains(.spawnIPCP(name, .local)))
    }

    @Test("an IPCP that does not boot in time, dies, or is of another version has failed")
    func boot() throws {
        for trouble in 0..<3 {
            var rig = Rig()
            let management = rig.connect(.management, pid: 2, uid: 500)
            let (name, _) = try names("l")
            rig.manage(.createIPCP(name, .local), on: management)
            rig.handle(.ipcpSpawned(name, ProcessID(300), program: []))
            rig.clear()
            switch trouble {
            case 0: rig.advance(Limits.bootTimeout)
            case 1: rig.handle(.childExited(ProcessID(300), .exited(1)))
            default:
                let other = ProtocolVersion(major: ProtocolVersion.current.major + 1, minor: 0)
                rig.handle(.ipcpReplied(ProcessID(300), .initialised(other, .local)))
            }
            #expect(rig.actions.failures == [.ipcp])
            #expect(rig.actions.reports.contains(.supervision(.ipcpBootFailed(ProcessID(300)))))
        }
    }

    @Test("an IPCP that dies is reported as an error, and who waits for it is told")
    func death() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        let ipcp = try rig.makeLocalLayer(on: management)
        rig.manage(.createName(NameSettings(name: service("n"), balancing: .roundRobin)), on: management)
        rig.manage(.registerName(service("n"), ipcp), on: management)
        #expect(rig.handle(.ipcpChannelEnded(ipcp)).contains(.signal(ipcp, .kill)))
        let done = rig.handle(.childExited(ipcp, .killed(signal: 9)))
        #expect(done.failures == [.ipcp])
        let report = try #require(
            done.reports.first { if case .supervision(.ipcpDied) = $0 { true } else { false } })
        #expect(report.level == .error)
        #expect(report.text == "IPCP 300 (local) died: killed by signal 9.")
        #expect(rig.manage(.listIPCPs(from: 0), on: management).results == [.ipcps([], total: 0)])
    }

    @Test("an IPCP that does not answer: the request fails at its time, a late answer does nothing")
    func silence() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        let ipcp = try rig.makeLocalLayer(on: management)
        rig.manage(.createName(NameSettings(name: service("n"), balancing: .roundRobin)), on: management)
        rig.manage(.registerName(service("n"), ipcp), on: management)
        let request = try #require(rig.manager.children.transactions.keys.first)
        #expect(rig.advance(Limits.ipcpRequestTimeout).failures == [.timedOut])
        #expect(rig.handle(.ipcpReplied(ipcp, .succeeded(request))) == [])
    }

    @Test("flows to a name in a local layer are in the books of its IPCP")
    func layerFlows() throws {
        var town = Town()
        let ipcp = try town.rig.makeLocalLayer(on: town.management)
        town.rig.register("echo", with: ipcp, on: town.management)
        town.rig.clear()
        let flow = try town.offer()
        #expect(town.rig.actions.contains(.request(.flowRequested(flow, hash: Array("echo".utf8)), ipcp)))
        #expect(town.rig.take(flow, town.client.call).contains(.request(.flowAllocated(flow), ipcp)))
        _ = town.deallocate(flow, town.client)
        #expect(town.deallocate(flow, town.server).contains(.request(.flowEnded(flow), ipcp)))
    }

    @Test("joining a layer: none of that name, or not a broadcast layer")
    func join() throws {
        var town = Town()
        _ = try town.rig.makeLocalLayer(on: town.management)
        let (_, local) = try names("local-layer")
        let (_, nothing) = try names("nothing")
        for (layer, failure) in [(nothing, Failure.ipcp), (local, .notAllocated)] {
            let done = town.rig.handle(
                .received(town.client.call, .join(RequestID(1), layer, timeout: nil), .nothing))
            #expect(done.failures == [failure])
        }
    }

    @Test("irmd ends its children, not its users' processes, and waits for them")
    func shutdown() throws {
        var town = Town()
        let flow = try town.establish()
        let ipcp = try town.rig.makeLocalLayer(on: town.management)
        town.rig.clear()
        let stopping = town.rig.handle(.stop)
        #expect(stopping.contains(.signal(ipcp, .terminate)))
        #expect(!stopping.contains(.exit))
        #expect(town.rig.advance(Limits.shutdownPatience).contains(.signal(ipcp, .kill)))
        let done = town.rig.handle(.childExited(ipcp, .exited(0)))
        #expect(done.contains(.exit))
        #expect(!town.rig.actions.contains(.send(.flowDown(flow), town.server.session)))
        #expect(!town.rig.actions.contains { if case .markGone = $0 { true } else { false } })
    }

    @Test("with no children irmd ends at once")
    func shutdownEmpty() {
        var rig = Rig()
        #expect(rig.handle(.stop) == [.report(.stopping), .report(.stopped), .exit])
    }
}
