# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How each code block of the documents is tested: for each file one rule a block, in their order.

A block without a rule, and a rule without its block, is a failure. A document of the specification whose blocks are all
only shown has no rules.
"""

from __future__ import annotations

from typing import NamedTuple


class Shown(NamedTuple):
    """A picture, output or a file: nothing that could be executed."""


class By(NamedTuple):
    """Executed by another test, which ./check runs."""

    test: str


class C(NamedTuple):
    """Compiled and linked, with all warnings; a body of a function if it has no main(). What stands before it."""

    before: str = ""
    is_file: bool = False
    flags: tuple[str, ...] = ("-louroboros-dev", "-louroboros-irm")


class Layout(NamedTuple):
    """Structures, which must be those of a header."""

    header: str


class Swift(NamedTuple):
    """Compiled and linked with the library; what stands before it, for one that is not a program."""

    before: str = "import Ouroboros\n"


class SwiftSystem(NamedTuple):
    """Checked with the system's Swift modules, without the library."""

    before: str


class Session(NamedTuple):
    """Executed by a shell, with an irmd if it starts none: commands before all, and before the first oping."""

    before: str = ""
    before_oping: str = ""


class Understood(NamedTuple):
    """Commands of irm for hosts that are not here: it must understand them."""


class Programs(NamedTuple):
    """Commands of developers: the programs are there."""


class Checked(NamedTuple):
    """A file for a program of others, and the command that checks it."""

    command: tuple[str, ...]


class Foreign(NamedTuple):
    """For a program of others, which changes the system."""

    program: str


Rule = "Shown | By | C | Layout | Swift | SwiftSystem | Session | Understood | Programs | Checked | Foreign"

# The other host, with a server.
HOST_TWO = """\
export first=$OUROBOROS_RUNTIME_DIR OUROBOROS_RUNTIME_DIR=$PWD/two
mkdir -m 700 two
irmd --stdout >two/log &
irm ipcp bootstrap type udp4 name udp layer internet ip 192.0.2.2
oping --listen >/dev/null &
irm bind process $! name ping
irm name register ping layer internet
OUROBOROS_RUNTIME_DIR=$first
"""
LOCAL_PING = """\
irm ipcp bootstrap type local name local-ipcp layer local-layer
irm name register ping layer local-layer
"""
IN_A_LOOP = """\
static fset_t *set;
static fqueue_t *fq;
void handle(int fd, int type);
void handle(int fd, int type) { (void) fd; (void) type; }
"""
WITH_ACCEPTOR = """\
enum { ACCEPTOR, SET };
static void handle(int fd, int type) { (void) fd; (void) type; }
"""
READABLE = "static fset_t *set;\nstatic void on_readable(void) {}\n"
UV = READABLE + """\
typedef struct { int fd; } uv_poll_t;
enum { UV_READABLE, UV_RUN_DEFAULT };
static void *uv_default_loop(void) { return 0; }
static int uv_poll_init(void *loop, uv_poll_t *handle, int fd) { handle->fd = fd; return loop != 0; }
static int uv_poll_start(uv_poll_t *handle, int events, void (*call)(uv_poll_t *, int, int))
{ call(handle, 0, events); return 0; }
static int uv_run(void *loop, int mode) { return loop != 0 || mode; }
"""
SNIPPET = "import Ouroboros\nfunc handle(_ bytes: Any) {}\n"
WITH_LISTENER = SNIPPET + 'let listener = try FlowListener(bindingTo: "echo")\n'
WITH_SET = SNIPPET + "let flows: [Flow] = []\n"
WITH_SET_MADE = SNIPPET + "let set = try FlowSet([])\n"
DISPATCH = """\
import Dispatch
struct EventLoop { func execute(_ body: @escaping () -> Void) {} }
let eventLoop = EventLoop(), set = 0
func fset_pollfd(_ set: Int) -> Int32 { 0 }
func onReadable() {}
"""

RULES: dict[str, list[Rule]] = {
    "ARCHITECTURE.md": [Shown(), Shown()],
    "CONTRIBUTING.md": [Programs(), Programs(), Session(), Shown()],
    "Documentation/flows-to-other-hosts.md": [Shown()],
    "Examples/README.md": [By("Tests/Examples/run"), By("Tests/Examples/run")],
    "README.md": [
        Programs(), Shown(), C(), Session("hello"), Swift(), By("Tests/Python/run"), By("Tests/Python/run"),
        By("Tests/Python/run"), Session(), Session(before_oping=HOST_TWO), By("Tests/Installation/run"),
    ],
    "Sources/Interfaces/Ouroboros/Ouroboros.docc/FirstProgram.md": [
        SwiftSystem("package"), Swift(""), Swift(""), Session("echo"), Shown(),
    ],
    "Sources/Interfaces/Ouroboros/Ouroboros.docc/Managing.md": [Swift(), Swift()],
    "Sources/Interfaces/Ouroboros/Ouroboros.docc/ManyFlows.md": [
        Swift(WITH_LISTENER), Swift(""), Swift(WITH_SET), Swift(WITH_SET_MADE),
    ],
    "Sources/Interfaces/Ouroboros/Ouroboros.docc/Ouroboros.md": [Swift("")],
    # The other documents of the specification have no commands, and need no rules: their blocks are only shown.
    "Specification/tutorial-transcripts.md": [
        Session(), Shown(), Shown(), Shown(), Shown(), Shown(), Session(LOCAL_PING), Understood(), Understood(), Shown(), Shown(),
        Session(), Shown(), Shown(), Session(), Shown(),
    ],
    "bindings/python/README.md": [By("Tests/Python/run")] * 6,
    "man/cep.3": [Layout("ouroboros/cep.h")],
    "man/facceptor.3": [C(WITH_ACCEPTOR)],
    "man/fccntl.3": [Layout("ouroboros/fccntl.h"), C("static int fd;\n")],
    "man/fevent.3": [C("static fset_t *set;\nstatic fqueue_t *fq;\n")],
    "man/flow_accept.3": [C()],
    "man/flow_alloc.3": [C()],
    "man/flow_reserve.3": [C("static int fd, file;\nstatic size_t size;\n")],
    "man/flow_statistics.3": [C("static int fd;\n")],
    "man/flow_writev.3": [C("static int fd;\nstatic struct { int a; } header;\nstatic char payload[9];\nstatic size_t length;\n")],
    "man/fset_pollfd.3": [
        C(IN_A_LOOP, is_file=True), C(READABLE), C(UV, is_file=True), By("bindings/python/tests/test_documents.py"),
        SwiftSystem(DISPATCH),
    ],
    "man/fset_want.3": [
        C(
            "enum { SIZE = 9 };\nstatic fset_t *set;\nstatic fqueue_t *fq;\n"
            "static int has_more(int fd) { return fd; }\nstatic const void *next(int fd) { (void) fd; return \"\"; }\n"
            "static void sent(int fd) { (void) fd; }\n",
            is_file=True,
        ),
    ],
    "man/ipcpd-local.8": [Session("oecho --listen & irm bind process $! name echo\n")],
    "man/ipcpd-udp.8": [
        Session(), Shown(), Session(before_oping=HOST_TWO), Session(), Understood(),
        Session("echo '::2 ping' >/etc/ouroboros-hosts\n"), Understood(),
        Foreign("nft"),
    ],
    "man/irm.8": [
        Session(),
        Session("irm ipcp bootstrap type local name lab layer lab-one\nirm name create ping\n"),
        Session("irm ipcp create type local name one\n"),
    ],
    "man/irm_create_ipcp.3": [Layout("ouroboros/irm.h")],
    "man/irm_create_name.3": [Layout("ouroboros/name.h"), Layout("ouroboros/irm.h")],
    "man/irm_list_bindings.3": [Layout("ouroboros/irm.h"), Layout("ouroboros/irm.h")],
    "man/irmd.8": [Shown(), Session(), Foreign("systemctl")],
    "man/obench.1": [Session(), Session(), Session()],
    "man/oecho.1": [Session(), Shown()],
    "man/oping.1": [Shown(), Session()],
    "man/ouroboros-irm.3": [C()],
    "man/ouroboros-python.3": [By("bindings/python/tests/test_documents.py")] * 10,
    # Their lines that begin with $ are executed by Tests/TutorialTests, and so is the log.
    "man/ouroboros-tutorial.7": [Shown()] * 4,
    "man/ouroboros-two-hosts.7": [
        Shown(), Shown(), Shown(), Shown(), Foreign("nft"), Session(), Checked(("named-checkconf",)),
        Checked(("named-checkzone", ".")), Understood(), Foreign("dig"),
    ],
    "man/ouroboros.8": [Shown()],
    "man/ouroboros_strerror.3": [C()],
}  # fmt: skip
