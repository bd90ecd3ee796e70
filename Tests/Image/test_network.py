"""The device on its network: found by its name, and never lost by a wrong setting."""

import json
import socket
import struct

import pytest

from waiting import until

PENDING = "/var/lib/restante-device/network.pending"


@pytest.fixture(scope="module")
def box(make_shared_box, office_card):
    return make_shared_box(office_card).start().serving()


def asked(box, name, kind, seconds=10):
    """The data of the records that the device's responder knows; asked by somebody who speaks plain DNS (RFC 6762 §6.7)."""
    question = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0" + struct.pack("!HH", kind, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.settimeout(seconds)
        peer.connect(("127.0.0.1", box.mdns_port))
        peer.send(struct.pack("!6H", 4711, 0, 1, 0, 0, 0) + question)
        try:
            reply = peer.recv(9000)
        except (TimeoutError, ConnectionRefusedError):
            return None
    number, flags, _, answers = struct.unpack_from("!4H", reply)
    assert number == 4711 and flags & 0x8000 and reply[12:12 + len(question)] == question
    found, at = [], 12 + len(question)
    for _ in range(answers):
        # The name: labels, or where it stands already.
        while reply[at] and reply[at] < 0xC0:
            at += 1 + reply[at]
        at += 2 if reply[at] else 1
        record, size = struct.unpack_from("!H6xH", reply, at)
        found.append((record, reply[at + 10:at + 10 + size]))
        at += 10 + size
    return found


def test_it_is_found_by_its_name_and_so_are_its_ports(box):
    name = box.shell("cat /proc/sys/kernel/hostname").split(".")[0] + ".local"
    found = until(lambda: asked(box, name, 1, 3), "the responder to have its name", 60)
    assert (1, socket.inet_aton("10.0.2.15")) in found
    for service, port in (("_pop3s", 995), ("_pop3", 110), ("_submissions", 465), ("_smtp", 25)):
        found = asked(box, f"{service}._tcp.local", 12)
        assert found and found[0][0] == 12, service
        assert port in {struct.unpack("!HHH", data[:6])[2] for kind, data in found if kind == 33}, service
    assert asked(box, "somebody-else.local", 1, 2) is None


def test_a_change_of_the_network_that_nobody_confirmed_is_gone_after_a_power_cut(box):
    box.shell("restante network static --address 192.0.2.10/24 --gateway 192.0.2.1")
    until(lambda: "192.0.2.10/24" in box.shell("restante network"), "the new address")
    box.shell(f"test -s {PENDING}")
    box.cut()
    box.start().serving()
    assert "10.0.2.15/24" in box.shell("restante network")
    box.shell(f"test ! -e {PENDING} && ! ls /etc/systemd/network/10-restante-* 2>/dev/null")
    assert "the power was cut" in json.loads(box.shell("restante status --json", code=None))["device"]["last_restart"]
    assert box.shell("systemctl --failed --no-legend --plain") == ""
