# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The local protocol as anybody can speak it: Sources/Contracts/LocalProtocol, in a few lines."""

import array
import os
import select
import socket
import struct

SESSION, CALL, MANAGEMENT = 0, 1, 2
# A feature: the process says what it knows of its flows.
STATISTICS = 2
WATCHDOG = 60


def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<H", len(value)) + value


def hello(role, program=b"", major=9, minor=0, features=0):
    return struct.pack("<BIHHIB", 0, 0x6F72754F, major, minor, features, role) + text(program)


QUALITY = struct.pack("<IQBIIBII", 0xFFFFFFFF, 0, 0, 1, 1, 0, 0xFFFFFFFF, 120000)


def socket_path():
    return os.environ["OUROBOROS_RUNTIME_DIR"] + "/irm.sock"


class Refused(Exception):
    """irmd's word: errno and sentence."""


class Connection:
    def __init__(self, role=None, program=b"", features=0):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.requests = 0
        self.descriptors = []
        self.socket.connect(socket_path())
        if role is not None:
            self.greet(role, program, features)

    def greet(self, role, program=b"", features=0):
        self.send(hello(role, program, features=features))
        reply = self.receive()
        if not reply or reply[0] != 0:
            raise Refused(reply)

    def send(self, message, descriptors=()):
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        self.socket.sendmsg([message], rights)

    def is_readable(self, seconds):
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def receive(self):
        """The next message; b'' at the end of the connection."""
        if not self.is_readable(WATCHDOG):
            raise TimeoutError("irmd says nothing")
        try:
            message, control, _, _ = self.socket.recvmsg(65536, socket.CMSG_SPACE(16))
        except ConnectionResetError:
            return b""
        for _, _, numbers in control:
            numbers = array.array("i", numbers[: len(numbers) // 4 * 4])
            self.descriptors.extend(numbers)
        return message

    def request(self):
        self.requests += 1
        return struct.pack("<Q", self.requests)

    def manage(self, code, payload=b""):
        """Asks on a management connection; the result, or raises Refused(errno, sentence)."""
        self.send(b"\x07" + self.request() + bytes([code]) + payload)
        return self.answer()

    def answer(self):
        reply = self.receive()
        if reply[:1] == b"\x03":
            (errno,) = struct.unpack_from("<i", reply, 9)
            (count,) = struct.unpack_from("<H", reply, 13)
            raise Refused(errno, reply[15 : 15 + count].decode(errors="replace"))
        return reply

    def bind_process(self, pid, name):
        return self.manage(9, struct.pack("<i", pid) + text(name))

    def bind_program(self, program, name, start=False, arguments=(), directory="/"):
        words = struct.pack("<H", len(arguments)) + b"".join(text(word) for word in arguments)
        return self.manage(7, text(program) + text(name) + bytes([start]) + words + text(directory))

    def destroy_name(self, name):
        return self.manage(12, text(name))

    def status(self):
        return self.manage(17)

    def begin_show(self, flow):
        """Asks to show a flow, and does not wait for the answer."""
        self.send(b"\x07" + self.request() + b"\x16" + struct.pack("<I", flow))

    def question(self):
        """What irmd asks of a flow: the number of the question, the flow and the end."""
        message = self.receive()
        if message[:1] != b"\x07":
            raise Refused(message)
        return struct.unpack_from("<QIB", message, 1)

    def describe(self, number, numbers):
        """Answers it."""
        self.send(b"\x08" + struct.pack(f"<QBH{len(numbers)}Q", number, 1, len(numbers), *numbers))

    def take(self):
        """Takes the flow that is offered next; returns its number."""
        offer = self.receive()
        if offer[:1] != b"\x02":
            raise Refused(offer)
        self.send(b"\x04" + offer[9:13])
        return struct.unpack_from("<I", offer, 9)[0]

    def allocate(self, name, milliseconds=None):
        patience = b"\0" if milliseconds is None else b"\1" + struct.pack("<Q", milliseconds * 1_000_000)
        self.send(b"\x01" + self.request() + text(name) + QUALITY + patience)

    def accept(self):
        self.send(b"\x02" + self.request() + b"\0")

    def close(self):
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors = []
        self.socket.close()
