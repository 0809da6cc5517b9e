// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Ping
import Testing
import Vocabulary

@Suite struct PingOptionsTests {
    private func parse(_ words: String...) -> PingOptions.Outcome {
        PingOptions.parse((["oping"] + words).map { Array($0.utf8) })
    }

    private func options(_ words: String...) throws -> PingOptions {
        let outcome = PingOptions.parse((["oping"] + words).map { Array($0.utf8) })
        guard case .run(let options) = outcome else {
            Issue.record("\(outcome)")
            throw Failure.invalid
        }
        return options
    }

    @Test("the defaults are those of the prototype")
    func defaults() throws {
        let client = try options("-n", "srv")
        #expect(client.role == .client(server: Array("srv".utf8)))
        #expect(client.count == 2_147_483_647)
        #expect(client.intervalMilliseconds == 1_000)
        #expect(client.size == 64)
        #expect(client.quality == .raw)
        #expect(client.patience == TimeSpan(seconds: 3))
        #expect(try options("--listen").role == .server)
    }

    @Test("every option has its effect")
    func all() throws {
        let client = try options(
            "--server-name", "srv", "--count", "7", "--interval", "2s", "--size", "100", "--qos", "data", "-Q", "-D",
            "--json", "-f")
        #expect(client.count == 7)
        #expect(client.intervalMilliseconds == 2_000)
        #expect(client.patience == TimeSpan(seconds: 4))
        #expect(client.size == 100)
        #expect(client.quality == .data)
        #expect(client.isQuiet && client.hasTimeOfDay && client.isJSON)
        #expect(client.pace == .flood)
        #expect(try options("-n", "srv", "-F").pace == .floodBusy)
        #expect(try options("-l", "--poll").waiting == .polling)
        #expect(try options("-l", "--busy").waiting == .busy)
    }

    @Test("a duration is a number of intervals")
    func duration() throws {
        #expect(try options("-n", "s", "-d", "10s", "-i", "100ms").count == 100)
        #expect(try options("-n", "s", "-i", "100ms", "-d", "10s").count == 100)
        #expect(try options("-n", "s", "-d", "10s", "-i", "0").count == 100_000)
        #expect(try options("-n", "s", "-d", "1", "-i", "1s").count == 1)
        #expect(try options("-n", "s", "-d", "999999999999d", "-i", "0").count == 2_147_483_647)
    }

    @Test("what goes too far is brought back, with a notice")
    func bounds() throws {
        let options = try options("-n", "s", "-i", "11s", "-s", "2000", "-q", "gold")
        #expect(options.intervalMilliseconds == 10_000)
        #expect(options.size == 1_500)
        #expect(options.quality == .raw)
        #expect(
            options.notices == [
                "Unknown QoS cube, defaulting to raw.", "Ping interval truncated to 10s.",
                "Packet size truncated to 1500 bytes.",
            ])
        #expect(try self.options("-n", "s", "-s", "1").notices == ["Packet size set to 64 bytes."])
    }

    @Test(
        "mistakes are one line, which says what is wrong and where to look",
        arguments: [
            ("", "No server specified."), ("-n s -i 5x", "Unknown time unit: x."),
            ("-n s -d x", "\"x\" is not a time: use a whole number with ms, s, m, h or d, as in 500ms."),
            ("-n s -c 0", "\"0\" is not a number of packets from 1 to 2147483647."),
            ("-n s -s big", "\"big\" is not a number of bytes: use a whole number from 64 to 1500."),
            ("-n", "Option -n needs an argument."), ("-n s x", "Unknown argument: x."),
            ("--bogus", "Unknown option: --bogus."),
            ("--lisen", "Unknown option: --lisen, did you mean --listen?"),
        ])
    func mistakes(_ line: String, _ message: String) {
        let outcome = PingOptions.parse((["oping"] + line.split(separator: " ")).map { Array($0.utf8) })
        #expect(outcome == .mistake("oping: \(message) Try \"oping --help\".\n"))
    }

    @Test("help and version are answers, whatever else is there")
    func help() {
        for words in [["--help"], ["-h"], ["-l", "--help", "x"]] {
            guard case .answer(let text) = PingOptions.parse((["oping"] + words).map({ Array($0.utf8) })) else {
                Issue.record("\(words) is no help")
                continue
            }
            #expect(String(decoding: text, as: UTF8.self).hasPrefix("Usage: oping --listen [OPTION]...\n"))
        }
        guard case .answer(let version) = parse("--version") else {
            Issue.record("no version")
            return
        }
        #expect(String(decoding: version, as: UTF8.self).hasPrefix("Ouroboros version 0.23.0 (commit "))
    }

    @Test("names are proposed behind the option for them, and only then asked for")
    func completion() {
        let words = ["oping", "--complete", "words", "--server-name", ""].map { Array($0.utf8) }
        let answer = PingOptions.parse(words) { [Array("b c".utf8), Array("a".utf8)] }
        #expect(answer == .answer(Array("words\0a\0\0b c\0\0".utf8)))
        let options = PingOptions.parse(["oping", "--complete", "words", "--js"].map { Array($0.utf8) }) {
            Issue.record("asked for")
            return []
        }
        #expect(options == .answer(Array("words\0--json\0Print the statistics as JSON, with percentiles\0".utf8)))
    }
}
