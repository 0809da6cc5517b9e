# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs every program in every way in which it writes something; see run."""

import errno
import json
import os
import pty
import signal
import subprocess
import sys

from checks import check, finish

work = sys.argv[1]
PROGRAMS = ["irm", "irmd", "oping", "oecho", "obench"]
ANSWERS = [[program, option] for program in PROGRAMS for option in ("--help", "-h", "--version")]
HOSTILE = [b"pay\xe2\x80\xaeyas", b"a\x1b[2J\nb", b"\xe2\x80\xa8", b"m\xff", b"\\x41", "\u65e5\u672c".encode()]


def run(words, patience=60, **options):
    return subprocess.run(words, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=patience, **options)


def answers():
    for words in ANSWERS:
        done = run(words, stdout=subprocess.PIPE)
        check(f"status of {words}", 0, done.returncode)
        check(f"errors of {words}", b"", done.stderr)
        wanted = b"Ouroboros version 0.23.0 (commit " if words[1] == "--version" else b"Usage: " + words[0].encode()
        check(f"output of {words}", True, done.stdout.startswith(wanted))
    check("one version", 1, len({run([p, "--version"], stdout=subprocess.PIPE).stdout for p in PROGRAMS}))


def mistakes():
    """One line on standard error, with the program and what to do; nothing on standard output."""
    for words in [
        ["irm", "ipcp", "creat", "x"], ["irm", "nonsense"], ["irm", "ipcp", "create", "name"],
        ["irm", "ipcp", "bootstrap", "name", "x", "layer", "y", "type", "udp4", "ip", "1.2.3.4", "dns", "[::1]:53"],
        ["irm", "name", "destroy", "there-is-none"], ["irm", "bind", "program", "/nonexistent", "name", "x"],
        ["irmd", "--nonsense"], ["irmd", "word"], ["irmd", "--log-level", "\x1b[2J"], ["irmd", "--color", "x"],
        ["oping"], ["oping", "--lisen"], ["oping", "-n", "x", "-c", "\u202e"], ["oecho", "x"], ["oecho", "-x"],
        ["obench", "--frob"], ["obench", "frob"], ["obench", "\x1b[2J\n\u202e"], ["obench", "--place", "\n\u202e"],
        ["obench", "--transports", "\x1b[2J"], ["obench", "--json", "/nonexistent\x1b\u202e/x", "limits", "--quick"],
    ]:
        done = run(words, stdout=subprocess.PIPE)
        check(f"status of {words}", 1, done.returncode)
        check(f"output of {words}", b"", done.stdout)
        check(f"lines of {words}", 1, done.stderr.count(b"\n"))
        check(f"program in {words}", True, done.stderr.startswith(words[0].encode() + b": "))
        check(f"escapes in {words}", False, b"\x1b" in done.stderr or b"\xe2\x80\xae" in done.stderr)
    near = run(["irm", "ipcp", "bootstap"], stdout=subprocess.PIPE).stderr
    check("the nearest word", True, b'did you mean "bootstrap"?' in near)
    check("irm alone", 255, run(["irm"], stdout=subprocess.PIPE).returncode)
    check("irm ipcp alone", True, run(["irm", "ipcp"], stdout=subprocess.PIPE).stdout.startswith(b"Usage: irm ipcp"))


def without_reader():
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def close_output():
    os.close(1)


def ignore_pipes():
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def unwritten():
    """What could not be written was not done."""
    lists = [["irm", kind, "list", *form] for kind in ("ipcp", "name", "flow") for form in ([], ["--json"])]
    pings = [["oping", "-n", "served", "-c", "2", "-i", "20ms"], ["oping", "-n", "served", "-c", "2", "-i", "20ms", "--json"]]
    endless = [["oping", "-n", "served", "-i", "20ms"], ["oping", "-l"], ["oecho", "-l"]]
    helps = [["irm", "ipcp", "create", "--help"], ["irm", "ipcp"], ["irm", "--complete", "words", ""]]
    for words in ANSWERS + lists + pings + endless + helps + [["irm", "status"], ["irm", "status", "--json"],
                                                            ["obench", "limits", "--quick", "--transports", "pipe"],
                                                            ["obench", "limits", "--quick", "--json", "-"]]:
        with open("/dev/full", "wb") as full:
            gone = without_reader()
            for title, options in [
                ("full", {"stdout": full}), ("closed", {"preexec_fn": close_output}),
                ("no reader", {"stdout": gone, "preexec_fn": ignore_pipes, "restore_signals": False}),
            ]:
                done = run(words, **options)
                check(f"status of {words}, {title}", 1, done.returncode)
                check(f"a word of {words}, {title}", True, words[0].encode() + b": " in done.stderr)
            os.close(gone)
        done = run(words, stdout=(gone := without_reader()))
        os.close(gone)
        check(f"{words} ends by SIGPIPE, or says so", True, done.returncode in (-signal.SIGPIPE, 1))


def slowly():
    """A pipe that somebody else made non-blocking, and that is full for a while, loses nothing."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    filling = 0
    while True:
        try:
            filling += os.write(writing, bytes(4096))
        except BlockingIOError:
            break
    program = subprocess.Popen(["irm", "--help"], stdout=writing)
    os.close(writing)
    output = b""
    while piece := os.read(reading, 65536):
        output += piece
    os.close(reading)
    check("status with a slow reader", 0, program.wait())
    check("output with a slow reader", run(["irm", "--help"], stdout=subprocess.PIPE).stdout, output[filling:])


def on_a_terminal(words, **environment):
    """What a program writes to a terminal in a second of its life."""
    pid, terminal = pty.fork()
    if pid == 0:
        for name in ("NO_COLOR", "TERM"):
            os.environ.pop(name, None)
        os.environ.update(environment, OUROBOROS_RUNTIME_DIR=work + "/second")
        os.execvp(words[0], words)
    output = b""
    while b"started" not in output:
        try:
            output += os.read(terminal, 4096)
        except OSError as error:
            assert error.errno == errno.EIO
            break
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)
    os.close(terminal)
    return output


def colours():
    irmd = ["irmd", "--stdout"]
    for coloured, words, environment in [
        (True, irmd, {"TERM": "xterm"}), (False, irmd, {"TERM": "xterm", "NO_COLOR": "1"}),
        (True, irmd, {"TERM": "xterm", "NO_COLOR": ""}), (False, irmd, {"TERM": "dumb"}), (False, irmd, {}),
        (True, [*irmd, "--color=always"], {"TERM": "dumb", "NO_COLOR": "1"}),
        (False, [*irmd, "--color", "never"], {"TERM": "xterm"}), (True, [*irmd, "--color=auto"], {"TERM": "xterm"}),
    ]:
        check(f"{words} with {environment}", coloured, b"\x1b[" in on_a_terminal(words, **environment))


def escapes():
    """The text of others is one line in one direction, and says what it is."""
    shown = [b"pay\\u202eyas", b"a\\x1b[2J\\x0ab", b"\\u2028", b"m\\xff", b"\\\\x41", "\u65e5\u672c".encode()]
    for name in HOSTILE:
        run(["irm", "name", "create", name], check=True)
        run(["irm", "name", "create", name, "lb", "spillover"], check=True)
    for words in [["irm", "name", "list"], ["irm", "status"]]:
        output = run(words, stdout=subprocess.PIPE).stdout
        for text in shown:
            check(f"{text} in {words}", True, text in output)
        for bad in (b"\x1b", b"\xe2\x80\xae", b"\xe2\x80\xa8", b"\xff"):
            check(f"{bad} in {words}", False, bad in output)
    text = run(["irm", "name", "list", "--json"], stdout=subprocess.PIPE).stdout
    check("JSON is in ASCII but for what is seen", False, b"\xe2\x80" in text or b"\x1b" in text)
    names = {entry["name"] for entry in json.loads(text)}
    check("JSON has the names", set(), {name.decode("utf-8", "replace") for name in HOSTILE} - names)
    widths = {len(line) for line in run(["irm", "name", "list"], stdout=subprocess.PIPE).stdout.decode().splitlines()
              if "\u65e5" in line}
    frame = {len(line) for line in run(["irm", "name", "list"], stdout=subprocess.PIPE).stdout.decode().splitlines()
             if line.startswith("+")}
    check("a wide name keeps its column", {width - 2 for width in frame}, widths)
    for name in HOSTILE:
        done = run(["oping", "-n", name, "-c", "1"], stdout=subprocess.PIPE)
        check(f"the error of oping for {name!r}", False, b"\x1b" in done.stderr or b"\xe2\x80" in done.stderr)
    with open(work + "/irmd.log", "rb") as log:
        lines = log.read()
    check("the log", False, b"\x1b" in lines or b"\xe2\x80" in lines)
    check("the log has the names", True, b"pay\\u202eyas" in lines)


def unchanged():
    """Commands that change nothing say so; a mistake of a user is no error in the log; nor is a success a refusal."""
    again = run(["irm", "name", "create", "served", "lb", "round-robin"], stdout=subprocess.PIPE)
    check("a name that exists", 0, again.returncode)
    check("a name that exists, said", True, b"spillover" in again.stderr and b"left as it is" in again.stderr)
    idle = run(["irm", "bind", "program", "sh", "name", "other", "--", "-c"], stdout=subprocess.PIPE)
    check("arguments without auto", True, b'"auto"' in idle.stderr)
    with open(work + "/irmd.log", "rb") as log:
        before = log.read()
    check("unbound", 0, run(["irm", "unbind", "program", "sh", "name", "other"], stdout=subprocess.PIPE).returncode)
    run(["irm", "unbind", "program", "sh"], stdout=subprocess.PIPE)
    run(["irm", "name", "destroy", "there-is-none"], stdout=subprocess.PIPE)
    with open(work + "/irmd.log", "rb") as log:
        after = log.read()[len(before):]
    check("one refusal for each mistake", 2, after.count(b"Request refused"))
    check("no error in the log", False, b"(EE)" in after)


server = subprocess.Popen(["oping", "-l", "-Q"], stdout=subprocess.DEVNULL)
try:
    run(["irm", "bind", "process", str(server.pid), "name", "served"], check=True)
    answers()
    mistakes()
    unchanged()
    escapes()
    colours()
    unwritten()
    slowly()
finally:
    server.terminate()
    server.wait()
finish()
