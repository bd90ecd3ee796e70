"""Backups: what is in them, that they are whole, and that what is restored is what was there."""

import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import tarfile
import time

import pytest

import disks
import letters
import load
from letters import letter
from office import CANNOT_CREATE, DATA, NO_INPUT, PROGRAM, UNAVAILABLE, USAGE, environment
from waiting import until

TOP = "restante-backup-1/"


def filled(office):
    """Some mail: small, large, for several, deleted, and discarded."""
    for number in range(8):
        office.deliver(letter(b"number %d\r\n" % number, subject=b"s%d" % number), "anna", *["bert"] * (number % 2))
    office.deliver(letters.numbered(b"large", 200_000), "anna", "carl")
    with office.pop3("anna") as reader:
        reader.dele(2, 4)
        reader.quit()
    office.run("mail", "discard", "bert", "2")
    office.run("alias", "set", "sales", "anna", "bert")
    return office


def everything(office):
    """What can be fetched and what can be restored."""
    fetched = {name: office.fetch(name) for name in ("anna", "bert", "carl")}
    deleted = {name: [line.split()[0] for line in office.run("mail", "list", name, "--deleted").stdout.splitlines()[1:-1]]
               for name in fetched}
    return fetched, deleted


def to_a_new_board(office, backup):
    """Stops the office, takes all it has away, and restores the backup."""
    if office.process:
        office.stop()
    shutil.rmtree(office.state)
    office.aliases.unlink(missing_ok=True)
    return office.run("backup", "restore", backup)


def test_a_restored_device_has_every_message_with_its_unique_id(make_office, tmp_path):
    office = filled(make_office().start())
    before = everything(office)
    certificate = (office.state / "certificate.pem").read_bytes()
    office.run("backup", "create", tmp_path / "b.tar")
    assert os.stat(tmp_path / "b.tar").st_mode & 0o777 == 0o600
    done = to_a_new_board(office, tmp_path / "b.tar")
    assert b"restored: 11 messages" in done.stdout
    office.start()
    assert everything(office) == before
    assert (office.state / "certificate.pem").read_bytes() == certificate
    office.deliver(letter(b"to a group\r\n"), "sales")
    after = office.fetch("bert")
    assert len(after) == len(before[0]["bert"]) + 1, "the alias was restored, too"
    assert b"\n    12 " in office.run("mail", "list", "bert").stdout, "a number is not used again"
    office.run("check")


def test_a_backup_without_a_daemon_is_the_same(make_office, tmp_path):
    office = filled(make_office().start())
    before = everything(office)
    office.kill()
    office.run("backup", "create", tmp_path / "b.tar")
    to_a_new_board(office, tmp_path / "b.tar")
    office.start()
    assert everything(office) == before


def test_check_and_backup_say_what_is_wrong_while_the_server_has_no_spool(make_office, tmp_path):
    office = filled(make_office().start())
    office.stop()
    for file in (office.state / "spool" / "id", office.state / "spool" / "log" / "id"):
        file.unlink()
    office.spawn()
    until(lambda: b"mail is not served" in office.log(), "the server to say that it has no spool")
    assert b"Neither id nor log/id" in office.run("check", code=DATA).stdout
    assert b"damaged" in office.run("backup", "create", tmp_path / "b.tar", code=DATA).stderr
    assert not list(tmp_path.glob("b.tar*"))


def test_a_backup_is_an_archive_that_other_tools_can_read_and_check(make_office, tmp_path):
    office = filled(make_office().start())
    office.run("backup", "create", tmp_path / "b.tar")
    subprocess.run(["tar", "xf", tmp_path / "b.tar", "-C", tmp_path], check=True)
    subprocess.run(["sha256sum", "--quiet", "--strict", "-c", "SHA256SUMS"], check=True, cwd=tmp_path / TOP)
    names = set(tarfile.open(tmp_path / "b.tar").getnames())
    assert {TOP + name for name in ("README", "etc/restante.conf", "etc/aliases", "state/accounts",
                                    "state/certificate.pem", "spool/id")} <= names
    assert b"anna-secret" not in (tmp_path / "b.tar").read_bytes()


def test_the_numbers_of_messages_that_are_gone_are_not_used_again(make_office, tmp_path):
    office = make_office().start()
    office.deliver(letter(b"one\r\n"))
    (first,) = office.fetch("anna")
    office.run("mail", "discard", "anna", "--all")
    office.run("backup", "create", tmp_path / "b.tar")
    to_a_new_board(office, tmp_path / "b.tar")
    office.start()
    office.deliver(letter(b"two\r\n"))
    (second,) = office.fetch("anna")
    assert first != second


@pytest.mark.long
def test_a_backup_under_load_has_what_was_promised_before_and_nothing_twice(make_office, tmp_path):
    office = make_office({"Spool": {"KeepDeleted": "1s"}}).start()
    books = load.Books()
    taken = []
    for round in range(3):
        work = load.Load(office, books, f"b{round}", deleters=2).start()
        promised = len(books.promised)
        until(lambda: len(books.promised) > promised + 50, "some mail", 60)
        # The sweeper is to be at work, too.
        office.run("mail", "discard", "carl", "--all")
        with books.lock:
            books.deleted |= {("carl".encode(), identity) for identity in books.promised}
        with books.lock:
            promised, deleted = set(books.promised), set(books.deleted)
        backup = tmp_path / f"{round}.tar"
        office.run("backup", "create", backup)
        with books.lock:
            maybe = set(books.deleted) | set(books.deleting)
        taken.append((backup, promised, deleted, maybe))
        work.stop()
        office.run("mail", "list", "anna")
    for backup, promised, deleted, maybe in taken:
        to_a_new_board(office, backup)
        office.start()
        present = set()
        for name in load.NAMES:
            fetched = office.fetch(name.decode())
            identities = [letters.identity_of(letters.original(content)) for content in fetched.values()]
            assert len(set(identities)) == len(identities), "doubled"
            present |= {(name, identity) for identity in identities}
            for uid, identity in zip(fetched, identities):
                assert books.uids.get((name, identity), uid) == uid, "another unique-id"
        assert not present & (deleted - {pair for pair in deleted if pair[0] == b"carl"}), "deleted before, and there again"
        missing = {(name, identity) for identity in promised for name in books.attempted[identity]} - present - maybe
        assert not missing, f"promised before, and not in the backup: {sorted(missing)[:5]}"
        assert not {identity for _, identity in present} & books.refused
        # The sweeper may just be giving something back.
        until(lambda: office.run("check", code=None).returncode == 0, "the spool to be sound", 10)


def test_a_damaged_or_cut_backup_is_refused_and_changes_nothing(make_office, tmp_path):
    office = filled(make_office().start())
    office.run("backup", "create", tmp_path / "b.tar")
    office.stop()
    whole = (tmp_path / "b.tar").read_bytes()
    bad = tmp_path / "bad.tar"
    chance = random.Random(7)
    before = {path: path.read_bytes() for path in office.state.rglob("*") if path.is_file()}
    end = whole.index(b"SHA256SUMS") + 512
    for _ in range(15):
        at = chance.randrange(len(TOP), end)
        # The padding between members means nothing.
        if whole[at] == 0:
            continue
        bad.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1:])
        office.run("backup", "verify", bad, code=DATA)
        assert b"damaged" in office.run("backup", "restore", "--force", bad, code=DATA).stderr or True
    for _ in range(10):
        bad.write_bytes(whole[:chance.randrange(end)])
        office.run("backup", "restore", "--force", bad, code=DATA)
    bad.write_bytes(b"\x7fELF" + bytes(5000))
    assert b"no backup" in office.run("backup", "verify", bad, code=DATA).stderr
    office.run("backup", "verify", tmp_path / "none.tar", code=NO_INPUT)
    assert {path: path.read_bytes() for path in office.state.rglob("*") if path.is_file()} == before


def test_mail_that_is_there_does_not_give_way_unless_it_is_said(make_office, tmp_path):
    office = filled(make_office().start())
    office.run("backup", "create", tmp_path / "b.tar")
    office.deliver(letter(b"later\r\n"))
    office.stop()
    refusal = office.run("backup", "restore", tmp_path / "b.tar", code=CANNOT_CREATE).stderr
    assert b"--force" in refusal and b"3 accounts" in refusal
    office.run("backup", "restore", "--force", tmp_path / "b.tar")
    office.start()
    assert len(office.fetch("anna")) == 7


def test_a_server_that_systemd_does_not_know_is_left_alone(make_office, tmp_path):
    office = filled(make_office().start())
    office.run("backup", "create", tmp_path / "b.tar")
    before = everything(office)
    assert b"stop it first" in office.run("backup", "restore", "--force", tmp_path / "b.tar", code=UNAVAILABLE).stderr
    office.run("reset", "--wipe-mail", "--yes", code=UNAVAILABLE)
    assert everything(office) == before


def test_a_backup_takes_no_other_ones_place_unless_it_is_said(make_office, tmp_path):
    office = make_office()
    office.run("backup", "create", tmp_path / "b.tar")
    before = (tmp_path / "b.tar").read_bytes()
    assert b"there already" in office.run("backup", "create", tmp_path / "b.tar", code=CANNOT_CREATE).stderr
    assert (tmp_path / "b.tar").read_bytes() == before
    office.run("account", "remove", "carl")
    office.run("backup", "create", "--force", tmp_path / "b.tar")
    assert (tmp_path / "b.tar").read_bytes() != before
    # A directory: a name of its own, and the latest when it is read.
    (tmp_path / "d").mkdir()
    office.run("backup", "create", tmp_path / "d")
    (made,) = (tmp_path / "d").iterdir()
    assert re.fullmatch(r"restante-mail\.office\.example-\d{12}\.tar", made.name)
    assert made.name.encode() in office.run("backup", "verify", tmp_path / "d").stdout


def test_a_full_disk_or_one_that_goes_away_leaves_no_half_backup(make_office, tmp_path):
    office = filled(make_office().start())
    office.deliver(letters.numbered(b"larger", 8_000_000))
    with disks.Disk(tmp_path / "stick", megabytes=8) as stick:
        refusal = office.run("backup", "create", stick.path / "b.tar", code=None)
        assert refusal.returncode != 0 and b"make room" in refusal.stderr
        assert not [path for path in stick.path.iterdir() if path.name != "lost+found"]
        subprocess.run(["mount", "-o", "remount,ro", stick.path], check=True)
        assert b"write-protected" in office.run("backup", "create", stick.path / "b.tar", code=CANNOT_CREATE).stderr


def test_a_restore_that_is_cut_off_leaves_all_or_nothing(make_office, tmp_path):
    office = filled(make_office().start())
    old = everything(office)
    office.run("backup", "create", tmp_path / "old.tar")
    office.run("mail", "delete", "anna", "--all")
    for number in range(30):
        office.deliver(letter(b"new %d\r\n" % number), "bert")
    office.run("account", "passwd", "carl", "--password-stdin", input="changed-secret\n")
    office.add("dora")
    office.run("backup", "create", tmp_path / "new.tar")
    new_bert = len(office.fetch("bert"))
    office.stop()
    chance = random.Random()
    seen = {"old": 0, "new": 0}
    wanted, other = "old.tar", "new.tar"
    for _ in range(24):
        process = subprocess.Popen([PROGRAM, "backup", "restore", "--force", str(tmp_path / wanted), "--config",
                                    str(office.config)], env=environment(), stdout=subprocess.DEVNULL)
        # Not waiting for the clock: the instant of the crash is the thing under test.
        time.sleep(0.06 * chance.random())
        process.send_signal(signal.SIGKILL)
        process.wait()
        office.start()
        berts = len(office.fetch("bert"))
        names = office.run("account", "list").stdout
        if berts == new_bert:
            assert b"dora" in names
            assert not office.fetch("anna")
            office.fetch("carl", b"changed-secret")
            seen["new"] += 1
        else:
            assert b"dora" not in names
            assert everything(office) == old
            seen["old"] += 1
        assert not list(office.state.glob("replacement*"))
        office.stop()
        wanted, other = ("new.tar", "old.tar") if berts != new_bert else ("old.tar", "new.tar")
    office.run("check")
    print(seen)


def test_a_reset_keeps_the_mail_or_wipes_it(make_office, tmp_path):
    office = filled(make_office().start())
    before = office.fetch("anna")
    identity = (office.state / "spool" / "id").read_bytes()
    office.stop()
    office.run("reset", code=USAGE)
    assert office.config.exists()
    text = office.config.read_text()
    aliases = office.aliases.read_bytes()
    office.run("certificate", "renew")
    office.run("reset", "--yes")
    assert not office.config.exists() and not list(office.state.glob("certificate.pem*"))
    assert office.aliases.read_bytes() == aliases, "who reaches whom belongs to the mail"
    office.config.write_text(text)
    office.start()
    assert office.fetch("anna") == before
    office.stop()
    office.run("reset", "--wipe-mail", "--yes")
    assert [path.name for path in office.state.iterdir()] == [] and not office.aliases.exists()
    office.config.write_text(text)
    office.add("anna")
    office.start()
    office.deliver(letter(b"after\r\n"))
    assert not set(office.fetch("anna")) & set(before)
    assert (office.state / "spool" / "id").read_bytes() != identity


def test_the_sums_are_of_what_is_in_the_archive(make_office, tmp_path):
    office = filled(make_office().start())
    office.run("backup", "create", tmp_path / "b.tar")
    with tarfile.open(tmp_path / "b.tar") as archive:
        sums = dict(line.split("  ")[::-1] for line in
                    archive.extractfile(TOP + "SHA256SUMS").read().decode().splitlines())
        for member in archive.getmembers()[:-1]:
            content = archive.extractfile(member).read()
            assert sums[member.name[len(TOP):]] == hashlib.sha256(content).hexdigest()
