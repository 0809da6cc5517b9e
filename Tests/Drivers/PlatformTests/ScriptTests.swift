// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Testing

/// Which program a process runs, by its interpreter and its arguments.
@Suite struct ScriptTests {
    private func isInterpreter(_ name: String) -> Bool {
        name.withCString { cl_is_interpreter($0, strlen($0)) }
    }

    @Test(
        "interpreters of any version and build",
        arguments: [
            "python", "python3", "python3.12", "python3.13t", "python3.12-dbg", "python3.13td", "python3-dbg",
            "pypy3.11",
            "pypy", "perl", "perl5.36.0", "perl5.36-x86_64-linux-gnu", "ruby3.1", "node", "nodejs", "lua5.4",
            "luajit-2.1.0-beta3", "bash", "sh", "dash", "php8.2", "tclsh8.6", "busybox", "ld-linux-x86-64.so.2",
            "qemu-aarch64-static", "memcheck-amd64-linux",
        ])
    func interpreters(name: String) { #expect(isInterpreter(name)) }

    @Test(
        "programs whose names only look alike",
        arguments: [
            "", "pythonic", "python-server", "sha256sum", "shell", "nodes", "node-red", "perldoc", "oping", "bashful",
            "luac.out", "ldd",
        ])
    func others(name: String) { #expect(!isInterpreter(name)) }

    private func script(_ interpreter: String, _ words: [String]) -> String? {
        let all = [interpreter] + words
        var arguments = all.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        let index = interpreter.withCString {
            cl_script_argument($0, strlen($0), Int32(all.count), &arguments)
        }
        return index == 0 ? nil : all[Int(index)]
    }

    @Test(
        "the script is the first word that is neither an option nor the value of one",
        arguments: [
            ("python3", ["s.py"]), ("python3", ["-u", "s.py"]), ("python3", ["-X", "dev", "s.py"]),
            ("python3", ["-Xdev", "s.py"]), ("python3", ["-uX", "dev", "s.py"]), ("python3", ["-W", "error", "s.py"]),
            ("python3", ["-Werror", "-bb", "s.py"]), ("python3", ["--check-hash-based-pycs", "always", "s.py"]),
            ("python3", ["-IsE", "--", "s.py", "-c"]), ("python3.12-dbg", ["-OO", "s.py", "-m", "x"]),
            ("perl", ["-w", "-I", "lib", "-Mstrict", "s.py"]), ("perl", ["-0777", "-i.bak", "-F:", "s.py"]),
            ("ruby", ["-r", "json", "-Eutf-8", "--encoding", "x", "s.py"]),
            ("node", ["--require", "x.js", "--inspect=1", "s.py"]),
            ("bash", ["-o", "errexit", "+O", "extglob", "s.py"]),
            ("bash", ["-eu", "--rcfile", "x", "s.py"]), ("sh", ["-euo", "pipefail", "s.py"]),
            ("busybox", ["sh", "-e", "s.py"]), ("php", ["-d", "a=b", "s.py"]), ("lua", ["-l", "m", "s.py"]),
        ])
    func scripts(interpreter: String, words: [String]) { #expect(script(interpreter, words) == "s.py") }

    @Test(
        "there is no script",
        arguments: [
            ("python3", []), ("python3", ["-c", "pass"]), ("python3", ["-Bc", "pass", "s.py"]),
            ("python3", ["-m", "http.server"]), ("python3", ["-"]), ("python3", ["-X"]),
            ("perl", ["-ne", "x", "s.py"]),
            ("node", ["--eval", "1"]), ("bash", ["-c", "x"]), ("bash", ["-s", "s.py"]), ("cat", ["s.py"]),
        ])
    func none(interpreter: String, words: [String]) { #expect(script(interpreter, words) == nil) }
}
