"""Backups on a USB stick and back onto a new board, a stick that is pulled out, a restore whose power is cut, resets."""

import random
import re
import ssl
import subprocess
import time

import pytest

import letters
import talk
from conftest import CONFIGURATION
from waiting import until

PLAIN = CONFIGURATION + "[POP3]\nRequireTLS=no\n[SMTP]\nMaximumMessageSize=50M\n"
NAMES = ("anna", "bert", "carl")


@pytest.fixture
def stick(tmp_path):
    """A USB stick, FAT, empty."""
    file = tmp_path / "stick"
    subprocess.run(["truncate", "-s", "200M", file], check=True)
    subprocess.run(["mformat", "-F", "-i", file, "::"], check=True)
    return file


def on_stick(stick):
    return subprocess.run(["mdir", "-b", "-i", stick, "::"], stdout=subprocess.PIPE, text=True).stdout


def in_use(box):
    """A device in use, whose readers need no TLS."""
    box.card.etc("restante/restante.conf.d/10-test.conf", PLAIN)
    box.start().serving()
    for number in range(6):
        box.deliver(letters.numbered(b"n%d" % number, 3000 * number + 100), *NAMES[:1 + number % 3])
    box.deliver(letters.numbered(b"large", 300_000), "anna")
    with box.pop3("anna", timeout=60) as reader:
        reader.dele(2)
        reader.quit()
    return box


def fetch(box):
    """{name: {unique-id: message}}"""
    found = {}
    for name in NAMES:
        with box.pop3(name, timeout=60) as reader:
            uids = reader.uidl()
            found[name] = {uids[number]: content for number, content in reader.retr_all(uids)}
            reader.quit()
    return found


def test_a_backup_on_a_stick_makes_a_new_board_the_old_one(office_card, make_box, stick, took):
    old = in_use(make_box(office_card, stick=stick))
    assert re.search(r"^sd[a-z]\d? .* vfat ", old.shell("restante stick list"), re.M)
    before = fetch(old)
    shown = old.shell("restante certificate show")
    # As `restante network` writes it, for an interface that is not there.
    settings = "/etc/systemd/network/10-restante-gone0.network"
    old.shell(f"mkdir -p /etc/systemd/network; printf '[Match]\\nName=gone0\\n' >{settings}")
    said = old.shell("restante backup create stick:")
    assert "whole and on the disk" in said and "the stick can be pulled out" in said
    assert old.shell("grep restante-stick /proc/mounts || echo free") == "free"
    name = re.search(r"restante-\S+\.tar", on_stick(stick))[0]
    assert fetch(old) == before
    old.off()

    new = make_box(stick=stick).start().serving()
    assert "it is whole" in new.shell(f"restante backup verify stick:{name}")
    said = new.shell("restante backup restore stick:", seconds=300)
    assert "restored: 12 messages" in said and "the network's settings" in said
    assert "Name=gone0" in new.shell(f"cat {settings}")
    new.serving()
    assert fetch(new) == before
    fingerprint = re.search(r"SHA-256 +(\S+)", shown)[1]
    assert fingerprint in new.shell("restante certificate show")
    assert "mail.office.example" in new.shell("cat /etc/restante/restante.conf.d/10-test.conf")
    assert new.shell("systemctl --failed --no-legend") == ""
    assert new.shell("stat -c %U /var/lib/restante/spool/id /var/lib/restante/accounts").split() == ["restante"] * 2
    assert "there are 3 accounts" in new.shell("restante backup restore stick:", code=73)
    new.shell("restante check")

    # And from there back to the beginning.
    new.shell("touch /var/lib/restante-device/first-boot-done")
    count = new.qmp.count()
    new.shell("systemd-run -q restante reset --yes")
    new.resets(count)
    new.serving()
    assert b"mail.office.example" not in new.greeting("smtp"), "the configuration is forgotten"
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    stranger.check_hostname, stranger.verify_mode = False, ssl.CERT_NONE
    with talk.POP3(new.pop3_port, timeout=60) as reader:
        reader.stls(stranger)
        reader.login(b"anna")
        assert set(reader.uidl().values()) == set(before["anna"]), "the mail is there"
        reader.quit()


def test_a_stick_that_is_pulled_out_is_said_to_be_and_harms_nothing(office_card, make_box, stick):
    box = in_use(make_box(office_card, stick=stick, stick_pace=200_000))
    box.deliver(letters.numbered(b"more", 1_500_000), "carl")
    box.shell("(restante backup create stick:pulled.tar >/run/said 2>&1; echo $? >/run/code) &")
    until(lambda: box.shell("ls /run/restante-stick 2>/dev/null", code=None).endswith(".unfinished"), "it to begin", 60)
    box.shell("echo 1 >/sys/block/sda/device/delete")
    code = until(lambda: box.shell("cat /run/code", code=None).strip(), "it to end", 300)
    said = box.shell("cat /run/said")
    assert code == "74" and "the stick was pulled out" in said, said
    assert box.shell("grep restante-stick /proc/mounts || echo free") == "free"
    box.serving()
    box.shell("restante check", seconds=300)


def test_a_restore_whose_power_is_cut_has_restored_all_or_nothing(office_card, make_box):
    box = in_use(make_box(office_card, lossy=True))
    old = fetch(box)
    box.shell("restante backup create /var/old.tar")
    for number in range(20):
        box.deliver(letters.numbered(b"later%d" % number, 500), "carl")
    box.shell("restante account remove bert")
    box.deliver(letters.numbered(b"last", 100), "anna")
    count = len(box.shell("restante mail list carl").splitlines())
    chance = random.Random()
    seen = []
    for _ in range(2):
        box.shell("restante backup restore --force /var/old.tar >/run/said 2>&1 &")
        # Not waiting for the clock: the instant of the cut is the thing under test.
        time.sleep(1.5 * chance.random())
        box.cut()
        box.start().serving()
        accounts = box.shell("restante account list")
        if "bert" in accounts:
            assert fetch(box) == old
            seen.append("all")
            break
        assert len(box.shell("restante mail list carl").splitlines()) == count
        seen.append("nothing")
    assert box.shell("ls -d /var/lib/restante/replacement*", code=None).endswith("No such file or directory")
    print(seen)
    box.shell("restante check")
