"""A card whose damage shows only while it is in use: the device restarts to have it repaired, says so until somebody has seen
it, and does not do that for ever."""

import json
import re
import time

import pytest

import letters
from conftest import CONFIGURATION
from waiting import until

# One device for all, in this order.
DIRECTORY = "/lib/restante"


@pytest.fixture(scope="module")
def box(make_shared_box, office_card):
    box = make_shared_box(office_card)
    box.card.etc("restante/restante.conf.d/10-test.conf", CONFIGURATION + "[POP3]\nRequireTLS=no\n[Spool]\nKeepFree=0%\n")
    box.start().serving()
    for n in range(4):
        box.deliver(letters.numbered(b"n%d" % n, 3000), "anna")
    box.before = mail(box)
    box.off()
    return box


def mail(box):
    with box.pop3("anna", timeout=60) as reader:
        return reader.uidl()


def status(box):
    return json.loads(box.shell("restante status --json", code=None))


def disk_line(box):
    return re.search(r"^(ok|FAIL) +disk: .*$", box.shell("restante self-test", code=None), re.M)[0]


def test_damage_that_shows_only_in_use_is_mended_and_told_until_somebody_has_seen_it(box, took):
    """Noise where the inodes of the mail are: nothing looks at them before the daemon does."""
    inode = int(re.search(r"Inode: (\d+)", box.card.debugfs(f"stat {DIRECTORY}"))[1])
    size = box.card.block_size()
    table = int(re.search(r"inode table at (\d+)", box.card.debugfs("stats"))[1])
    box.card.write("restante-data", bytes(range(256)) * (size // 256), (table + (inode - 1) * 256 // size) * size)
    # As if this happened for the third time.
    box.card.write("restante-data", b"restante faults=3 start=0\n")
    box.start()
    before, began = box.qmp.count(), time.monotonic()
    box.resets(before)
    box.serving()
    took("damage of the file system, to serving", time.monotonic() - began)
    assert mail(box) == box.before, "the mail did not come back to its place"
    found = status(box)
    assert "Errors showed on the card while it was in use" in found["damage"] and not found["well"]
    assert "errors had shown on its card" in found["device"]["last_restart"]
    assert "DAMAGED" in box.shell("restante status --brief")
    assert disk_line(box).startswith("FAIL")
    assert "restante check" in box.shell("journalctl -q -b -p err --no-pager"), "the journal does not say what to do"
    box.shell("restante status --seen", code=None)
    assert status(box)["damage"] == "" and "DAMAGED" not in box.shell("restante status --brief")
    assert disk_line(box).startswith("ok")
    box.deliver(letters.numbered(b"more", 100), "anna")


def test_a_card_that_fails_again_and_again_is_left_up_with_what_can_be_read(box):
    before = box.qmp.count()
    box.shell("echo 1 >/sys/fs/ext4/$(basename $(/usr/lib/restante/slot device restante-data))/trigger_fs_error")
    assert len(mail(box)) == len(box.before) + 1, "what can be read is read"
    with box.smtp(timeout=60) as sender:
        sender.mail(b"a@b.example", b"anna@office.example")
        sender.ask(b"DATA", b"354")
        sender.send(letters.letter(b"not now\r\n") + b".\r\n")
        assert sender.reply()[0] == b"451"
    assert "ERRORS SHOWED ON THE CARD" in status(box)["damage"]
    box.shell("systemctl restart restante.service", code=None)
    until(lambda: (box.greeting("smtp") or b"").startswith(b"421 4.3.2 "), "senders to be told to come again", 60)
    assert box.greeting("pop3").startswith(b"-ERR [SYS/TEMP] ")
    assert "put in another card" in box.journal("-b -u restante.service")
    assert not box.qmp.seen("RESET", before), "it restarted once more"
    box.cut()


def test_after_accounts_are_lost_nobody_is_told_that_there_is_no_such_user(box):
    """Until somebody has seen to it: mail that is refused for good does not come again."""
    box.card.mend()
    box.card.debugfs(f"rm {DIRECTORY}/accounts", "rm /lib/restante-device/faults-forgiven", write=True)
    box.card.write("restante-data", b"\xa5" * 1024, 1024)
    box.start()
    until(lambda: box.running() and (box.greeting("smtp") or b"").startswith(b"421 4.3.2 "), "SMTP to say 421", 180)
    assert box.greeting("pop3").startswith(b"-ERR [SYS/TEMP] ")
    assert "ACCOUNTS ARE LOST" in status(box)["damage"]
    box.add("anna")
    box.shell("restante status --seen; systemctl reload restante.service", code=None)
    box.serving(60)
    assert len(mail(box)) == len(box.before) + 1
