# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Types into shells on a terminal of its own; see run."""

import os
import pty
import select
import subprocess
import sys
import time

from checks import check, finish

prefix, work = sys.argv[1:]

# Each begins with two characters of its own, which are typed.
NAMES = [
    b"a1 b  c", b"b1$(touch executed)", b"c1`touch executed`", b"d1*", b"e1$HOME", b"f1'q", b'g1"q', b"h1\\b\\",
    b"i1\nn", b"j1;touch executed", "k1\u202ex".encode(), "l1\u65e5\u672c\u00e9".encode(), b"m1\xff\xfe", b"-o1 x",
    b"n1{a,b}", b"p1!!!x", b"q1:r:s", b"r1=s", b"s1@t", b"t1&u|v>w<x", b"u1(v)", b"v1[w]?", b"w1\x1b[2J", b"x1#y",
    b"y1%z^~", b"z1,;", b"A1\\n", b"B1'$(touch executed)'", b"C1 -- x", b"D1\r", b"E1\x7f", "F1\u2028x".encode(),
]
TAB = b"G1\tx"  # fish divides proposals from their descriptions there


# Alike up to the middle of an escape, which Tab types; and what is typed then.
ALIKE = {b"M1\x1bA": b"b", b"M1\x1cB": b"c", b"N1\xf0C": b"0", b"N1\xffD": b"f", b"O1 E": b" ", b"O1$F": b"$"}


def names_are_created():
    for name in [*NAMES, TAB, *ALIKE]:
        subprocess.run([b"irm", b"name", b"create", name], check=True)


# The shell runs this as irm: it answers completion, and notes what else it is called with.
RECORDER = f"""#!/bin/sh
[ "$1" = --complete ] && exec {prefix}/bin/irm "$@"
printf '%s\\0' "$@" >{work}/args.new
mv {work}/args.new {work}/args
"""


class Shell:
    """One interactive shell. Nothing is waited for by time alone, but for the end of everything."""

    def __init__(self, kind, argv, setup):
        self.kind = kind
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.chdir(work + "/files")
            os.environ.update(TERM="xterm", PATH=f"{work}/bin:{os.environ['PATH']}", HISTFILE="/dev/null", PS1="ready> ")
            os.execvp(argv[0], argv)
        self.pid = pid
        self.output = b""
        for line in setup:
            self.type(line.encode() + b"\n")
        self.type(b"printf 'be%s\\n' gun\n")
        self.wait(lambda: b"begun" in self.output)

    def type(self, text):
        os.write(self.terminal, text)

    def wait(self, condition):
        while not condition():
            if select.select([self.terminal], [], [], 0.02)[0]:
                self.output += os.read(self.terminal, 65536)

    def arguments(self, line):
        """What irm is called with after Tab and Return."""
        path = work + "/args"
        if os.path.exists(path):
            os.unlink(path)
        self.type(line + b"\t")
        # Behind the Tab the shell is busy; what is typed then may count as part of a paste.
        deadline = time.monotonic() + 0.3
        self.wait(lambda: time.monotonic() > deadline)
        self.type(b"\n")
        self.wait(lambda: os.path.exists(path))
        with open(path, "rb") as file:
            return file.read().split(b"\0")[:-1]

    def end(self):
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def shells():
    yield Shell(
        "bash", ["bash", "--norc", "--noprofile", "-i"],
        [f"source {prefix}/share/bash-completion/completions/{p}" for p in ("irm", "oping")])
    yield Shell(
        "zsh", ["zsh", "-f", "-i"],
        [f"fpath=({prefix}/share/zsh/site-functions $fpath)", "autoload -U compinit", f"compinit -u -d {work}/dump"])
    yield Shell(
        "fish", ["fish", "--no-config", "-i"],
        [f"source {prefix}/share/fish/vendor_completions.d/irm.fish", "bind \\t complete"])


def nasty_names():
    os.makedirs(work + "/bin")
    os.makedirs(work + "/files")
    with open(work + "/bin/irm", "w") as file:
        file.write(RECORDER)
    os.chmod(work + "/bin/irm", 0o755)
    for name in ("afile", "b1file", "d1file"):
        open(f"{work}/files/{name}", "w").close()
    for shell in shells():
        for name in NAMES + [TAB] * (shell.kind != "fish"):
            check(f"{shell.kind}, {name!r}", [b"name", b"destroy", name], shell.arguments(b"irm name destroy " + name[:2]))
        if shell.kind != "fish":
            for quote in b"'", b'"':
                for name in NAMES[:9]:
                    line = b"irm name destroy " + quote + name[:2]
                    check(f"{shell.kind}, {name!r} in {quote!r}", name, shell.arguments(line)[2])
        if shell.kind == "bash":
            for name, rest in ALIKE.items():
                # As far as they are alike, and then on.
                line = b"irm name destroy " + name[:2] + b"\t" + rest
                check(f"{shell.kind}, {name!r} beside what is like it", name, shell.arguments(line)[2])
        check(f"{shell.kind}, executed", False, os.path.exists(work + "/files/executed"))
        check(f"{shell.kind}, a verb", [b"ipcp", b"bootstrap"], shell.arguments(b"irm ipcp boot"))
        check(f"{shell.kind}, a file", b"afile", shell.arguments(b"irm ipcp bootstrap type udp4 hosts afi")[-1])
        shell.end()


def proposals(*words):
    answer = subprocess.run(
        [words[0], "--complete", "words", *words[1:]], check=True, stdout=subprocess.PIPE).stdout.decode().split("\0")
    return answer[0], answer[1:-1:2]


def grammar():
    for words, kind, some in [
        (("irm", ""), "words", {"ipcp", "name", "bind", "unbind", "flow", "status", "help"}),
        (("irm", "ipcp", ""), "words", {"create", "destroy", "bootstrap", "enroll", "connect", "disconnect", "list"}),
        (("irm", "name", "create", "x", ""), "words", {"lb", "sencpath"}),
        (("irm", "i", "b", "type", "udp4", ""), "words", {"name", "layer", "ip", "port", "dns", "hosts", "key"}),
        (("irm", "ipcp", "create", "type", ""), "words", {"local", "udp4", "udp6", "unicast", "broadcast"}),
        (("irm", "ipcp", "bootstrap", "type", "unicast", "routing", ""), "words", {"link_state", "lfa", "ecmp"}),
        (("irm", "ipcp", "connect", "qos", ""), "words", {"raw", "best", "video", "voice", "data"}),
        (("irm", "bind", "program", ""), "command", set()),
        (("irm", "bind", "program", "sh", "name", "x", "auto", "--", ""), "file", set()),
        (("irm", "bind", "process", ""), "words", {"1"}),
        (("irm", "ipcp", "bootstrap", "dev", ""), "words", {"lo"}),
        (("irm", "status", ""), "words", {"--json"}),
        (("irmd", ""), "words", {"--stdout", "--log-level", "--color", "--help", "--version"}),
        (("irmd", "--log-level", ""), "words", {"error", "debug"}), (("irmd", "--runtime-dir", ""), "directory", set()),
        (("oping", "--qos", ""), "words", {"raw", "data"}), (("oping", "-n", "d1"), "words", {"d1*"}),
        (("oecho", ""), "words", {"-l", "--listen", "--help", "-h", "--version"}),
        (("obench", ""), "words", {"latency", "all", "--json", "--help"}), (("obench", "--json", ""), "file", set()),
        (("obench", "--transports", "flow,pi"), "words", {"flow,pipe"}), (("obench", "--place", ""), "words", {"two"}),
    ]:
        found = proposals(*words)
        check(f"kind of {words}", kind, found[0])
        check(f"proposals of {words}", set(), some - set(found[1]))
    check("no options of other types", False, "ttl" in proposals("irm", "ipcp", "bootstrap", "type", "udp4", "")[1])
    check("no keyword twice", False, "type" in proposals("irm", "ipcp", "bootstrap", "type", "udp4", "")[1])
    # Whatever stands there, the answer is one.
    for words in [["irm", "nonsense", ""], ["irm", "ipcp", "nonsense", ""], ["oping", "-c", ""], ["irm"], ["obench"]]:
        check(f"nothing for {words}", 0, subprocess.run(
            [words[0], "--complete", "words", *words[1:]], stdout=subprocess.DEVNULL).returncode)


names_are_created()
grammar()
nasty_names()
finish()
