"""The device on its network: found by its name, and never lost by a wrong setting."""

import contextlib
import json
import struct

import pytest

from waiting import until
from wire import Wire

PENDING = "/var/lib/restante-device/network.pending"
PTR, AAAA, SRV = 12, 28, 33


@pytest.fixture(scope="module")
def box(make_shared_box, office_card):
    with contextlib.closing(Wire()) as wire:
        box = make_shared_box(office_card, wire=wire.ports)
        box.other_end = wire
        yield box.start().serving()


def test_it_is_found_by_its_name_and_so_are_its_ports(box):
    """By whoever asks on the wire."""
    wire = box.other_end
    name = box.shell("cat /proc/sys/kernel/hostname").split(".")[0].lower()
    # Nobody tells these unasked.
    found = until(lambda: wire.ask("_services._dns-sd._udp.local", PTR), "an answer", 60)
    ports = {"_smtp._tcp.local": 25, "_submissions._tcp.local": 465, "_pop3._tcp.local": 110, "_pop3s._tcp.local": 995}
    assert set(found[("_services._dns-sd._udp.local", PTR)]) == set(ports)
    for service, port in ports.items():
        found = until(lambda: wire.ask(service, PTR), f"an answer for {service}", 30)
        assert found[(service, PTR)] == [f"{name}.{service}"]
        assert [struct.unpack("!HHH", data[:6])[2] for data in found[(f"{name}.{service}", SRV)]] == [port]
    addresses = until(lambda: wire.ask(f"{name}.local", AAAA), "an address", 30)[(f"{name}.local", AAAA)]
    assert all(address.startswith(b"\xfe\x80") for address in addresses) and addresses
    assert wire.ask("somebody-else.local", AAAA, 1) is None


def test_a_change_of_the_network_that_nobody_confirmed_is_gone_after_a_power_cut(box):
    interface = box.shell("ip -o -4 addr | grep 10.0.2.15").split()[1]
    box.shell(f"restante network static --interface {interface} --address 192.0.2.10/24 --gateway 192.0.2.1")
    until(lambda: "192.0.2.10/24" in box.shell("restante network"), "the new address")
    box.shell(f"test -s {PENDING}")
    box.cut()
    box.start().serving()
    assert "10.0.2.15/24" in box.shell("restante network")
    box.shell(f"test ! -e {PENDING} && ! ls /etc/systemd/network/10-restante-* 2>/dev/null")
    assert "the power was cut" in json.loads(box.shell("restante status --json", code=None))["device"]["last_restart"]
    assert box.shell("systemctl --failed --no-legend --plain") == ""
