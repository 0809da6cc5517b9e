// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Foundation
import Testing

@testable import Ouroboros

/// The program closes descriptors behind which tasks wait: in a process of its own, because all tests share one reactor.
@Suite struct ReactorTests {
    /// The epolls of this process, with the descriptors that are in each.
    private static func polls() throws -> [Int32: Set<Int32>] {
        var polls: [Int32: Set<Int32>] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            guard let number = Int32(name),
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)"))
                    == "anon_inode:[eventpoll]",
                let text = try? String(contentsOfFile: "/proc/self/fdinfo/\(name)", encoding: .utf8)
            else { continue }
            polls[number] = Set(text.matches(of: /tfd:\s*(\d+)/).compactMap { Int32($0.output.1) })
        }
        return polls
    }

    private static func echo() async throws {
        let (client, server) = try makeFlow()
        let echo = Task { try await server.send(try await server.receive(deadline: .after(.seconds(20)))) }
        try await client.send([1])
        #expect(try await client.receive(deadline: .after(.seconds(20))) == [1])
        try await echo.value
    }

    @Test("of the reactor's epoll and the set's in it, the program closes one or both")
    func closedPolls() async {
        await #expect(processExitsWith: .success) {
            for round in 0..<9 {
                try await ReactorTests.echo()
                let polls = try ReactorTests.polls()
                let outer = try #require(polls.first { poll in poll.value.contains { polls[$0] != nil } })
                let inner = try #require(outer.value.first { polls[$0] != nil })
                if round % 3 != 0 { close(inner) }
                if round % 3 != 1 { close(outer.key) }
                try await ReactorTests.echo()
            }
        }
    }
}
