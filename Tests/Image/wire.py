"""A second network card's other end: Ethernet frames, each in a datagram, and multicast DNS in them."""

import socket
import struct

GROUP = socket.inet_pton(socket.AF_INET6, "ff02::fb")
WE = socket.inet_pton(socket.AF_INET6, "fe80::1")
PORT = 5353


def checksum(octets):
    total = sum(struct.unpack(f"!{(len(octets) + 1) // 2}H", octets + b"\0" * (len(octets) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(message):
    """To everybody who speaks multicast DNS, over IPv6."""
    length = 8 + len(message)
    sum_ = checksum(WE + GROUP + struct.pack("!IIHHHH", length, 17, PORT, PORT, length, 0) + message)
    return (bytes.fromhex("3333000000fb 020000000001 86dd") + struct.pack("!IHBB", 6 << 28, length, 17, 255) + WE + GROUP
            + struct.pack("!HHHH", PORT, PORT, length, sum_) + message)


def name_of(labels):
    return b"".join(bytes([len(label)]) + label.encode() for label in labels.split(".")) + b"\0"


def read_name(octets, at):
    """A name, and what comes behind it."""
    labels, behind = [], None
    while octets[at]:
        if octets[at] >= 0xC0:
            behind = behind or at + 2
            at = struct.unpack_from("!H", octets, at)[0] & 0x3FFF
        else:
            labels.append(octets[at + 1:at + 1 + octets[at]].decode())
            at += 1 + octets[at]
    return ".".join(labels), behind or at + 1


class Wire:
    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            self.device = other.getsockname()
        self.ports = self.device[1], self.socket.getsockname()[1]

    def ask(self, name, kind, seconds=3):
        """Asks as neighbours ask. The records of the first reply that has the name: {(name, type): [data]}; None when none
        comes in time."""
        self.socket.settimeout(seconds)
        self.socket.sendto(frame(struct.pack("!6H", 0, 0, 1, 0, 0, 0) + name_of(name) + struct.pack("!HH", kind, 1)),
                           self.device)
        for _ in range(100):
            try:
                octets = self.socket.recv(9000)
            except TimeoutError:
                return None
            if octets[12:14] != b"\x86\xdd" or octets[20] != 17 or octets[54:56] != struct.pack("!H", PORT):
                continue
            records = self.records(octets[62:])
            if (name, kind) in records:
                return records
        return None

    @staticmethod
    def records(message):
        _, flags, questions, answers = struct.unpack_from("!4H", message)
        at, found = 12, {}
        if not flags & 0x8000 or questions:
            return found
        for _ in range(answers):
            name, at = read_name(message, at)
            kind, size = struct.unpack_from("!H6xH", message, at)
            data = message[at + 10:at + 10 + size]
            found.setdefault((name, kind), []).append(read_name(message, at + 10)[0] if kind == 12 else data)
            at += 10 + size
        return found

    def close(self):
        self.socket.close()
