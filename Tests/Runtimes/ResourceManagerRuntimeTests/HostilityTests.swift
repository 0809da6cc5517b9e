// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import LocalProtocol
import Platform
import Testing
import Vocabulary

@testable import ResourceManagerRuntime

@Suite struct HostilityTests {
    private func isSound(_ manager: RunningManager) throws {
        guard case .status = try manager.manage(.status) else {
            Issue.record("irmd does not answer")
            return
        }
    }

    @Test("a greeting of another version is refused with ours, however it goes on")
    func version() throws {
        let manager = try RunningManager()
        for tail in [[], [1, 2, 3]] as [[UInt8]] {
            let client = try Client(raw: manager.socketPath)
            try client.send(bytes: [0, 0x4f, 0x75, 0x72, 0x6f, 99, 0, 7, 0] + tail)
            #expect(try client.receive() == .versionRefused(.current))
            #expect(try client.receive() == nil)
        }
        try manager.waitForLog("speaks version 99.7 of the local protocol, irmd \(ProtocolVersion.current).")
        try isSound(manager)
    }

    @Test("random bytes, truncated and unexpected messages end their connection and nothing else", arguments: 1...3)
    func bytes(seed: Int) throws {
        let manager = try RunningManager()
        var numbers = SystemRandomNumberGenerator()
        let messages: [ProcessMessage] = [
            .hello(Hello(role: .call)), .accept(RequestID(1), timeout: nil), .deallocate(FlowID(3)),
            .manage(RequestID(1), .status), .taken(FlowID(1)), .refused(FlowID(1), .invalid),
        ]
        for _ in 0..<300 {
            let client = try Client(raw: manager.socketPath)
            if Bool.random() {
                try client.send(.hello(Hello(role: ConnectionRole(rawValue: .random(in: 0...2)) ?? .call)))
            }
            var bytes = messages.randomElement(using: &numbers)?.encoded() ?? []
            switch Int.random(in: 0..<3) {
            case 0: bytes = (0..<Int.random(in: 1...2_000)).map { _ in .random(in: .min ... .max) }
            case 1: bytes = Array(bytes.prefix(Int.random(in: 1...bytes.count)))
            default: bytes[Int.random(in: 0..<bytes.count)] = .random(in: .min ... .max)
            }
            // It may be closed already.
            try? client.send(bytes: bytes)
        }
        let long = try Client(raw: manager.socketPath)
        try long.send(bytes: [UInt8](repeating: 7, count: Limits.localMessageBytes + 1))
        #expect(try long.receive() == nil)
        try isSound(manager)
    }

    @Test("descriptors are refused by the kernel, or end their connection, and irmd keeps none")
    func descriptors() throws {
        let manager = try RunningManager()
        for _ in 0..<500 {
            let session = try manager.connect(.session)
            let number = dup(0)
            do {
                try MessageSocket.send(
                    ProcessMessage.deallocate(FlowID(1)).encoded(), descriptors: [number, number],
                    on: session.socket.number)
                #expect(try session.receive() == nil)
            } catch {
                #expect(error as? Failure == .notPermitted)
            }
            cl_close(number)
        }
        try isSound(manager)
        #expect(openDescriptors(of: manager.process) < 40)
    }

    /// Those below 4,000, which are the ones that there can be here.
    private func openDescriptors(of process: ProcessID) -> Int {
        (0..<4_000).count { number in
            var target: CChar = 0
            return readlink("/proc/\(process)/fd/\(number)", &target, 1) == 1
        }
    }

    @Test("a flood of connections and requests leaves irmd answering, and nothing when it is over")
    func flood() throws {
        let manager = try RunningManager()
        let before = openDescriptors(of: manager.process)
        do {
            var crowd: [Client] = []
            for _ in 0..<1_500 {
                let client = try manager.connect(.call)
                try client.send(.accept(RequestID(1), timeout: nil))
                crowd.append(client)
            }
            try isSound(manager)
            let management = try manager.connect(.management)
            // Nobody reads the answers, so at some time nobody reads the requests.
            for _ in 0..<100_000 {
                let request = ProcessMessage.manage(RequestID(1), .listNames(from: 0)).encoded()
                guard (try? MessageSocket.send(request, on: management.socket.number, nonBlocking: true)) != nil else {
                    break
                }
            }
            try isSound(manager)
        }
        try waitUntil("the connections are gone") { openDescriptors(of: manager.process) <= before }
        try isSound(manager)
    }

    @Test("200 processes attach and leave, killed or not: nothing is left of them")
    func crowd() throws {
        let manager = try RunningManager()
        let before = openDescriptors(of: manager.process)
        for _ in 0..<10 {
            let processes = try (0..<20).map { _ in
                try RunningManager.spawn("attached-process", ["hold"], runtimeDirectory: manager.directory)
            }
            for process in processes { try manager.waitForLog("New instance (\(process)) of attached-process added.") }
            for process in processes { kill(process.rawValue, [SIGKILL, SIGTERM].randomElement() ?? SIGKILL) }
            for process in processes { _ = try RunningManager.status(of: process) }
        }
        try waitUntil("irmd knows that all are gone") {
            guard case .status(let status)? = try? manager.manage(.status) else { return false }
            return status.processes == 0
        }
        try waitUntil("their descriptors are closed") { openDescriptors(of: manager.process) <= before }
    }

    @Test("what the kernel says of a process is read to its end, however many groups it has")
    func longStatus() throws {
        let path = "/tmp/ouroboros-status-\(getpid())"
        defer { unlink(path) }
        for (length, isRead) in [(4_095, true), (4_096, true), (100_000, true), (2 << 20, false)] {
            let text = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
            let file = cl_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            defer { cl_close(file) }
            try #require(file >= 0 && cl_write_all(file, text, text.count) == 0)
            #expect(ProcessFacts.readFile(path) == (isRead ? text : nil))
        }
    }
}
