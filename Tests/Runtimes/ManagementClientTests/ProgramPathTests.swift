// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import ManagementClient
import Testing
import Vocabulary

/// Two directories with a program, a text and a link, gone with the value.
private struct Place: ~Copyable {
    let root: String
    private static let files = ["a/tool", "a/text", "b/tool", "b/link", "b/text"]

    init() {
        var template = Array("/tmp/ouroboros-test-XXXXXX".utf8CString)
        mkdtemp(&template)
        root = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        mkdir(root + "/a", 0o700)
        mkdir(root + "/b", 0o700)
        for (file, mode) in [("a/tool", 0o755), ("a/text", 0o644), ("b/tool", 0o755), ("b/text", 0o755)] {
            cl_close(open_file("\(root)/\(file)", mode_t(mode)))
        }
        symlink(root + "/a/tool", root + "/b/link")
    }

    deinit {
        for file in Place.files { unlink("\(root)/\(file)") }
        for directory in ["/a", "/b", ""] { rmdir(root + directory) }
    }
}

private func open_file(_ path: String, _ mode: mode_t) -> Int32 { creat(path, mode) }

@Suite struct ProgramPathTests {
    private func resolve(
        _ program: String, path: String? = nil, relative: ProgramPath.RelativeEntries = .followed
    ) throws(ManagementError) -> String {
        String(
            decoding: try ProgramPath.resolve(Array(program.utf8), path: path, relative: relative), as: UTF8.self)
    }

    @Test("a name with a slash is a path, and links are followed")
    func paths() throws {
        let place = Place()
        #expect(try resolve("\(place.root)/a/tool") == "\(place.root)/a/tool")
        #expect(try resolve("\(place.root)/b/../b/link") == "\(place.root)/a/tool")
    }

    @Test("a name without a slash is looked for along PATH")
    func search() throws {
        let place = Place()
        let path = "/nonexistent:\(place.root)/a:\(place.root)/b"
        #expect(try resolve("tool", path: path) == "\(place.root)/a/tool")
        // The first that can be executed, as shells do.
        #expect(try resolve("text", path: path) == "\(place.root)/b/text")
        #expect(try resolve("link", path: path) == "\(place.root)/a/tool")
    }

    @Test("what is not there is ENOENT", arguments: ["nothing", "/nonexistent/tool", ""])
    func missing(_ program: String) {
        for path in [nil, "", "/tmp"] {
            let error = #expect(throws: ManagementError.self) { try resolve(program, path: path) }
            #expect(error?.failure == .noEntry)
            #expect(error?.reason == "\(program) does not exist.")
        }
    }

    @Test("what cannot be executed is EPERM")
    func notExecutable() {
        let place = Place()
        for (program, path) in [
            ("\(place.root)/a/text", ""), ("text", "\(place.root)/a"), ("/tmp", ""), ("a", place.root),
        ] {
            let error = #expect(throws: ManagementError.self) { try resolve(program, path: path) }
            #expect(error?.failure == .notPermitted)
            #expect(error?.reason == "Cannot execute \(program), please check permissions.")
        }
    }

    @Test("an entry of PATH that is not absolute is followed or refused, as the caller wishes")
    func relative() throws {
        let place = Place()
        let error = #expect(throws: ManagementError.self) {
            try resolve("tool", path: "bin:\(place.root)/a", relative: .refused)
        }
        #expect(error?.failure == .invalid)
        // Not if the search ends before it. spec: c-api §9
        #expect(try resolve("tool", path: "\(place.root)/a:bin", relative: .refused) == "\(place.root)/a/tool")
        #expect(try resolve("tool", path: "no-such-directory:\(place.root)/a") == "\(place.root)/a/tool")
    }
}
