"""The device as it comes out of its box: plugged in, it serves; nothing in it complains; what it is made of stays."""

import hashlib
import re
import ssl
import subprocess
import time

import pytest

import letters
import pins
import secure_readers
from box import FIRMWARE
from conftest import ACCOUNTS, ARCH
from office import environment
from orange_pi import OrangePi
from waiting import until

pytestmark = pytest.mark.board

OURS = {25, 465, 110, 995}
MULTICAST_DNS, DHCP, DHCP6 = 5353, 68, 546

IDENTITY = {
    "machine-id": "cat /etc/machine-id",
    "spool's half of unique-ids": "cat /var/lib/restante/spool/id",
    "certificate": "sha256sum </var/lib/restante/certificate.pem",
    "random seed": "sha256sum </var/lib/systemd/random-seed",
}


@pytest.fixture(scope="module")
def fresh(make_shared_box):
    """A device at its first boot, with nobody at the console; and how long it took from power on to serving."""
    box = make_shared_box()
    box.shipped = {name: box.card.digest(name) for name in box.card.partitions() if "root" in name or "boot-" in name}
    before = time.monotonic()
    box.start().serving()
    box.first_boot = time.monotonic() - before
    return box


def sockets(box, protocol):
    """{(address in hexadecimal, port)} that something listens on, or for UDP and raw is open on."""
    found = set()
    for line in box.shell(f"cat /proc/net/{protocol} /proc/net/{protocol}6 2>/dev/null || true").splitlines():
        fields = line.split()
        if fields and fields[0].endswith(":") and (protocol != "tcp" or fields[3] == "0A"):
            address, port = fields[1].split(":")
            found.add((address, int(port, 16)))
    return found


def test_first_boot_serves_with_nobody_at_the_console(fresh, took):
    took("power on to serving, first boot", fresh.first_boot)
    assert fresh.greeting("smtp").startswith(b"220 ")


@pytest.fixture(scope="module")
def other(make_shared_box):
    """Another device at its first boot, which is started by the other firmware that its kind of board may have."""
    firmware, = list(FIRMWARE[ARCH])[1:]
    return make_shared_box(firmware=firmware, memory=512).start().serving()


def test_the_other_firmware_of_its_boards_starts_it_too(other):
    """Which serial line is the console is said by the firmware, too."""
    until(lambda: other.running() and b"Press Enter: " in other.said(), "the console to ask", 60)
    assert other.troubles() == ""


@pytest.mark.board("armhf")
@pytest.mark.xdist_group("orange_pi")
def test_an_orange_pi_with_its_U_Boot_on_the_card_serves_on_its_network_and_has_the_console_on_its_serial_line(took):
    with OrangePi() as box:
        before = time.monotonic()
        box.start().serving()
        took("power on to serving, an Orange Pi", time.monotonic() - before)
        until(lambda: box.running() and b"Press Enter: " in box.said(), "the console to ask", 60)
        assert b"serves mail" in box.said() and b"10.0.2.15" in box.said()


def test_first_boot_has_no_failed_unit_and_no_error_in_the_journal(fresh):
    assert fresh.troubles() == ""


def test_nothing_listens_but_mail(fresh):
    assert {port for _, port in sockets(fresh, "tcp")} == OURS
    assert {port for _, port in sockets(fresh, "udp")} <= {MULTICAST_DNS, DHCP, DHCP6}
    # DHCP and neighbour discovery are heard by sockets of their own kind, which take ICMPv6 alone.
    assert {port for _, port in sockets(fresh, "raw")} <= {58}
    assert sockets(fresh, "udplite") == set()


def test_there_is_no_way_in(fresh):
    """No login, no password, no other program that serves."""
    running = fresh.shell("for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; echo; done")
    assert not re.search(r"getty|login|sshd|cron|dbus-daemon|avahi|rpcbind|telnet", running), running
    passwords = fresh.shell("cat /etc/shadow 2>/dev/null || true; cat /etc/passwd")
    for line in passwords.splitlines():
        assert line.split(":")[1] in ("*", "!", "!*", "x", "!!"), line


def test_the_root_cannot_be_written(fresh):
    kind, options = fresh.shell("grep -m1 ' / ' /proc/mounts").split()[2:4]
    assert "ro" in options.split(",") and kind in ("squashfs", "erofs")
    fresh.shell("touch /usr/x", code=1)
    fresh.shell("mount -o remount,rw / && touch /usr/x", code=None)
    assert not fresh.shell("ls /usr/x 2>/dev/null || true")


def test_the_data_partition_takes_the_whole_card(fresh):
    size, used = map(int, fresh.shell("df -P -k /var | tail -1 | while read a b c d; do echo $b $c; done").split())
    assert size * 1024 > 0.8 * (1 << 30), f"{size} kB"
    assert used * 1024 < 64 << 20


def test_identity_is_made_at_first_boot_and_never_shipped(fresh, other):
    for what, command in IDENTITY.items():
        mine, theirs = fresh.shell(command), other.shell(command)
        assert len(mine) >= 16 and mine != theirs, f"{what}: {mine}, {theirs}"
    assert re.fullmatch("[0-9a-f]{32}", fresh.shell("cat /etc/machine-id"))


@pytest.fixture(scope="module")
def used(fresh):
    """The same device with a domain, and accounts."""
    fresh.shell("restante setup --host-name mail.office.example --domain office.example")
    fresh.serving()
    for name in ACCOUNTS:
        fresh.add(name)
    return fresh


def swaks(box, recipient, body):
    done = subprocess.run(["swaks", "--server", "127.0.0.1", "--port", str(box.ports["smtp"]), "--tls", "--helo",
                           "client.example", "--from", "someone@elsewhere.example", "--to", recipient, "--data", "-"],
                          # swaks ends the last line itself.
                          input=body.removesuffix(b"\r\n"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120,
                          env=environment())
    assert done.returncode == 0, done.stdout.decode(errors="replace")


def pin(box, where):
    """The device's certificate, checked against the fingerprint that its journal shows."""
    file = where / "trusted.pem"
    pem = re.search("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n",
                    box.shell("cat /var/lib/restante/certificate.pem") + "\n", re.DOTALL)[0]
    file.write_text(pem)
    shown = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()
    shown = ":".join(shown[at:at + 2] for at in range(0, 64, 2))
    assert shown in box.journal("-u restante.service"), "the journal does not show the certificate's fingerprint"
    return pins.Pin(file, shown)


def test_mail_in_by_swaks_and_out_by_fetchmail_over_TLS(used, tmp_path):
    swaks(used, "anna@office.example", letters.letter(b"the parcel is here\r\n"))
    reader = secure_readers.Fetchmail(tmp_path / "reader", used, True, pin(used, tmp_path))
    got, _ = reader.fetch()
    assert [letters.original(message) for message in got] == [letters.letter(b"the parcel is here\r\n")]


def test_the_second_boot_keeps_all_and_complains_of_nothing(used, took):
    """Mail, its unique-ids, accounts and identity are there; the clock has not gone back."""
    used.deliver(letters.letter(b"kept\r\n"), "bert")
    before = {what: used.shell(command) for what, command in IDENTITY.items() if what != "random seed"}
    uidl = used.shell("cat /var/lib/restante/spool/id")
    clock = int(used.shell("date +%s"))
    used.off()
    assert {name: used.card.digest(name) for name in used.shipped} == used.shipped, "root or kernel were written"
    began = time.monotonic()
    used.start().serving()
    took("power on to serving, second boot", time.monotonic() - began)
    assert used.troubles() == ""
    assert {what: used.shell(command) for what, command in IDENTITY.items() if what != "random seed"} == before
    assert used.shell("cat /var/lib/restante/spool/id") == uidl
    assert int(used.shell("date +%s")) >= clock
    assert "1 message" in used.shell("restante mail list bert")
    assert int(used.shell("grep -c . /var/lib/restante/accounts")) >= 3
