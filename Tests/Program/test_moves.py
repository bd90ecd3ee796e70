"""What moves mail and names about: mail move and discard, aliases, settings sheets, proposed passwords; sticks."""

import os
import re
import shutil
import subprocess

import pytest

import disks
import letters
from letters import letter, original
from office import DATA, NO_INPUT, NO_USER, USAGE
from waiting import until


@pytest.fixture(params=["daemon", "no daemon"])
def either(request, make_office):
    """An office with three messages for anna and one, large, for bert; the daemon runs, or does not."""
    office = make_office().start()
    for word in (b"one", b"two", b"three"):
        office.deliver(letter(b"number " + word + b"\r\n.dot\r\n", subject=b"subject " + word))
    office.deliver(letters.numbered(b"large", 700_000), "bert")
    if request.param == "no daemon":
        office.stop()
    office.opened = lambda: None if office.process else office.start()
    return office


def bodies(office, name):
    return [original(message) for message in office.fetch(name).values()]


def waiting(office, name, *more):
    return [int(line.split()[0]) for line in office.run("mail", "list", name, *more).stdout.splitlines()
            if line.split()[0].isdigit()]


def test_a_moved_message_is_in_the_other_maildrop_alone_and_octet_for_octet(either):
    done = either.run("mail", "move", "anna", "carl", "1,3")
    assert b"moved 2 messages of anna to carl" in done.stdout
    either.run("mail", "move", "bert", "carl", "4")
    assert waiting(either, "anna") == [2] and waiting(either, "bert") == [] and len(waiting(either, "carl")) == 3
    either.opened()
    assert bodies(either, "carl") == [
        letter(b"number one\r\n.dot\r\n", subject=b"subject one"),
        letter(b"number three\r\n.dot\r\n", subject=b"subject three"), letters.numbered(b"large", 700_000)]
    # What was moved by mistake is still where it was, to be restored.
    either.run("mail", "restore", "anna", "--all")
    assert waiting(either, "anna") == [1, 2, 3]


def test_a_move_to_nobody_or_of_nothing_changes_nothing(either):
    either.run("mail", "move", "anna", "nobody", "1", code=NO_USER)
    either.run("mail", "move", "anna", "anna", "1", code=USAGE)
    either.run("mail", "move", "anna", "bert", "77", code=DATA)
    assert waiting(either, "anna") == [1, 2, 3] and waiting(either, "bert") == [4]


def test_what_was_discarded_is_not_restored_even_after_the_indexes_are_rebuilt(either):
    either.run("mail", "delete", "anna", "1")
    either.run("mail", "discard", "anna", "1,2")
    assert waiting(either, "anna", "--all") == [3]
    either.run("mail", "restore", "anna", "--all")
    assert waiting(either, "anna", "--all") == [3]
    if either.process:
        either.kill()
    shutil.rmtree(either.state / "spool" / "index")
    (either.state / "spool" / "checkpoint").unlink(missing_ok=True)
    either.start()
    either.run("mail", "restore", "anna", "--all")
    assert waiting(either, "anna", "--all") == [3]


def test_a_group_that_is_set_is_reached_at_once_and_one_that_is_removed_is_not(make_office):
    office = make_office().start()
    assert b"sales: anna, bert" in office.run("alias", "set", "sales", "anna,", "bert").stdout
    office.deliver(letter(b"to all\r\n"), "sales")
    assert len(office.fetch("anna")) == len(office.fetch("bert")) == 1
    office.run("alias", "set", "sales", "carl")
    until(lambda: office.deliver(letter(b"again\r\n"), "sales") or office.fetch("carl"), "the new target")
    assert office.run("alias", "list").stdout == b"sales: carl\n"
    office.run("alias", "remove", "sales")

    def refused():
        with office.smtp() as sender:
            sender.ask(b"MAIL FROM:<a@elsewhere.example>", b"250")
            return sender.ask(b"RCPT TO:<sales@office.example>")[0] == b"550"

    until(refused, "mail to the group to be refused")
    assert b"nobody" in office.run("alias", "set", "sales", "nobody", code=DATA).stderr
    office.run("alias", "remove", "sales", code=DATA)


def test_a_proposed_password_opens_the_maildrop_and_stands_on_the_sheet(make_office):
    office = make_office().start()
    sheet = office.run("account", "add", "dora", "--propose").stdout.decode()
    password = re.search(r"^Password +((?:[a-z]{4}-){4}[a-z]{4})$", sheet, re.M)[1]
    office.deliver(letter(b"hello\r\n"), "dora")
    assert len(office.fetch("dora", password.encode())) == 1
    sheet = office.run("account", "sheet", "dora").stdout.decode()
    assert "Password" not in sheet and "dora@office.example" in sheet and f"port {office.pop3_port}" in sheet
    fingerprint = office.fingerprint()
    assert fingerprint[:47] in sheet and fingerprint[48:] in sheet
    office.run("account", "sheet", "nobody", code=NO_USER)
    assert max(map(len, sheet.splitlines())) <= 80
    assert re.fullmatch(rb"(?:[a-z]{4}-){4}[a-z]{4}\n", office.run("account", "propose").stdout)


def test_without_a_stick_it_is_said_that_there_is_none(make_office):
    if os.geteuid() != 0:
        pytest.skip("NOT TESTED: needs root")
    office = make_office()
    if "sd" in os.listdir("/sys/block"):
        pytest.skip("NOT TESTED: this machine may have a stick of its own")
    said = office.run("backup", "create", "stick:", code=NO_INPUT).stderr
    assert b"Put one in" in said
    office.run("stick", "eject", config=False)


def test_what_goes_onto_a_stick_is_there_when_it_is_ejected(make_office, tmp_path):
    """A file system that is mounted where sticks are: what a command is given as stick:FILE is a file on it."""
    directory = "/run/restante-stick"
    if os.geteuid() != 0 or os.path.ismount(directory):
        pytest.skip("NOT TESTED: needs root, and no stick")
    office = make_office().start()
    office.deliver(letter(b"hello\r\n"))
    os.makedirs(directory, exist_ok=True)
    with disks.Disk(tmp_path / "stick", megabytes=8) as stick:
        subprocess.run(["mount", "--bind", stick.path, directory], check=True)
        try:
            office.run("backup", "create", "stick:here.tar")
            office.run("mail", "export", "anna", "--mbox", "stick:anna.mbox")
            assert b"here.tar" in office.run("backup", "verify", "stick:").stdout
        finally:
            office.run("stick", "eject", config=False)
        assert not os.path.ismount(directory)
        assert {"here.tar", "anna.mbox"} <= set(os.listdir(stick.path))
