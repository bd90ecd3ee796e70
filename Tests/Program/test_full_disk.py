"""S4 and S9 for the whole program, on a small file system that is really full."""

import pytest

import disks
import letters
from letters import numbered
from office import TRY_AGAIN, address
from waiting import until

SIZE = 200_000


@pytest.fixture
def small(make_office, tmp_path):
    """Makes (office, disk): an open office whose state is on a disk of its own."""
    opened = []

    def make(megabytes=96, **spool):
        disk = disks.Disk(tmp_path / f"disk{len(opened)}", megabytes)
        disk.__enter__()
        opened.append([disk, None])
        office = make_office({"Spool": {"Quota": "10G", **spool}}, state=disk.path / "state").start()
        opened[-1][1] = office
        return office, disk

    yield make
    for disk, office in opened:
        try:
            if office is not None:
                office.stop()
        finally:
            if office is not None and office.process is not None:
                office.kill()
            disk.__exit__()


def fill(office, name="anna", most=1000, declared=True):
    """Sends until the program says that the disk is low. The contents that were accepted."""
    kept = []
    with office.smtp() as sender:
        for n in range(most):
            content = numbered(b"fill%d" % n, SIZE)
            code, texts = sender.ask(b"MAIL FROM:<a@b.example>" + (b" SIZE=%d" % len(content) if declared else b""))
            if code == b"250":
                sender.ask(b"RCPT TO:<" + address(name) + b">", b"250")
                code, texts = sender.data(content, None)
            if code != b"250":
                assert code == b"452" and texts[0].startswith(b"4.3.1"), (code, texts)
                sender.ask(b"NOOP", b"250")
                sender.quit()
                return kept
            kept.append(content)
    raise AssertionError(f"{most} messages of {SIZE} octets fit on a small disk")


def originals(office, name="anna"):
    return sorted(map(letters.original, office.fetch(name).values()))


@pytest.mark.long
def test_S4_a_low_disk_is_452_to_senders_and_nothing_to_readers(small):
    office, disk = small(KeepFree="10%")
    kept = fill(office, declared=False)
    assert len(kept) > 100
    assert disk.free() >= disk.total() * 0.095, "KeepFree was not kept"
    assert originals(office) == sorted(kept)
    assert b"disk" in office.log() or b"space" in office.log() or b"room" in office.log(), office.log()
    # The technician and the programs that watch are told.
    office.run("status", code=TRY_AGAIN)
    office.status(code=TRY_AGAIN)
    office.restart()
    assert originals(office) == sorted(kept)


@pytest.mark.long
@pytest.mark.parametrize("ballast", [False, True], ids=["full of mail", "filled by another"])
def test_S4_deleting_makes_room(small, ballast):
    office, disk = small(KeepFree="1%")
    if ballast:
        for n in range(150):
            office.deliver(numbered(b"fill%d" % n, SIZE))
        kept = [numbered(b"fill%d" % n, SIZE) for n in range(150)]
        file = disk.fill()
        refused_all(office)
    else:
        kept = fill(office)
    assert originals(office) == sorted(kept)
    # Readers may delete on a disk without one free octet: the record of it has its place kept.
    with office.pop3("anna") as reader:
        uids = reader.uidl()
        reader.dele(*list(uids)[:len(uids) - 20])
        reader.quit()
    assert len(originals(office)) == 20
    # What was deleted could be restored for seven days, but mail that comes now goes before (S9).

    def accepted():
        with office.smtp() as sender:
            code, _ = sender.ask(b"MAIL FROM:<a@b.example> SIZE=%d" % SIZE)
            if code == b"250":
                sender.ask(b"RCPT TO:<" + address("bert") + b">", b"250")
                code, _ = sender.data(numbered(b"after", SIZE), None)
            sender.quit()
            return code == b"250"

    until(accepted, "room to be made of deleted messages", 30)
    assert len(originals(office)) == 20 and len(originals(office, "bert")) == 1
    if ballast:
        file.unlink()
    office.kill()
    office.start()
    assert len(originals(office)) == 20 and len(originals(office, "bert")) == 1


def refused_all(office):
    """Messages of every size are 4xx on a disk without one free octet, over and over; the sessions live on."""
    with office.smtp() as sender:
        refused = 0
        for n in range(200):
            code, texts = sender.ask(b"MAIL FROM:<a@b.example>")
            if code == b"250":
                sender.ask(b"RCPT TO:<anna@office.example>", b"250")
                code, texts = sender.data(numbered(b"fill%d" % (150 + n), (300_000, 100, 70_000)[n % 3]), None)
            if code != b"250":
                assert code in (b"451", b"452") and texts[0].startswith(b"4.3."), (code, texts)
                refused += 1
                if refused > 10:
                    break
            else:
                # It fitted into blocks the spool had written ahead.
                raise_room(office)
        assert refused, "a full disk took everything"
        sender.quit()


def raise_room(office):
    """Takes away again what just slipped in, so that the maildrop holds what the test put there."""
    with office.pop3("anna") as reader:
        reader.dele(max(reader.list()))
        reader.quit()


def test_S4_a_message_larger_than_what_is_free_is_refused_before_it_is_sent(small):
    office, disk = small(megabytes=64, KeepFree="10%")
    disk.fill(leave=12 << 20)
    with office.smtp() as sender:
        code, texts = sender.ask(b"MAIL FROM:<a@b.example> SIZE=%d" % (24 << 20))
        assert code == b"452" and texts[0].startswith(b"4.3.1"), (code, texts)
        sender.quit()


@pytest.mark.long
def test_S9_the_oldest_deleted_mail_makes_room_first_and_living_mail_never(small):
    """Messages are delivered and fetched for several times what the disk holds: a sender may have to come again, but
    is always taken in the end."""
    office, disk = small(megabytes=64, KeepFree="10%")
    office.deliver(numbered(b"stays", SIZE), "bert")

    def sent(sender, content):
        code, texts = sender.ask(b"MAIL FROM:<> SIZE=%d" % len(content))
        if code == b"250":
            sender.ask(b"RCPT TO:<anna@office.example>", b"250")
            code, texts = sender.data(content, None)
        assert code == b"250" or code == b"452" and texts[0].startswith(b"4.3.1"), (code, texts)
        return code == b"250"

    for round in range(12):
        with office.smtp() as sender:
            for n in range(50):
                until(lambda: sent(sender, numbered(b"r%d.%d" % (round, n), SIZE)), "a sender to be taken", 20)
            sender.quit()
        with office.pop3("anna") as reader:
            listed = reader.list()
            assert len(listed) == 50
            reader.dele(*listed)
            reader.quit()
    assert originals(office, "bert") == [numbered(b"stays", SIZE)]
    assert originals(office) == []
