"""The technician's console as it is met: over the serial line, each entry of each menu."""

import re
import subprocess

import pytest

import letters
import secure_readers
from console import LOCK, Console
from test_boot import pin, swaks

PIN = "2468"
SHELL_PIN = "13579"
BAUD = 9600


@pytest.fixture(scope="module")
def stick(tmp_path_factory):
    """A USB stick, FAT, empty."""
    file = tmp_path_factory.mktemp("stick") / "stick"
    file.write_bytes(b"")
    subprocess.run(["truncate", "-s", "64M", file], check=True)
    subprocess.run(["mformat", "-F", "-i", file, "::"], check=True)
    return file


def on_stick(stick):
    return subprocess.run(["mdir", "-b", "-i", stick, "::"], stdout=subprocess.PIPE, text=True).stdout


@pytest.fixture(scope="module")
def box(make_shared_box, stick):
    return make_shared_box(stick=stick, baud=BAUD).start().serving()


@pytest.fixture(scope="module")
def console(box):
    return Console(box, PIN)


@pytest.fixture(scope="module")
def first(console):
    """The first boot, as a script answers it. What it showed, and the password it proposed."""
    # Nothing is typed ahead: an Enter that is typed while the console is being started might answer one question or two.
    console.expect(rb"Press Enter: ")
    console.type()
    console.expect(rb"Enter begins, m shows the menu \[begin\]: ")
    console.type()
    said = ""
    said += console.answer("1/7 Name of this device", "mail.office.example")
    said += console.answer("2/7 Domains", "office.example")
    said += console.answer("3/7 Network", "")
    said += console.answer("4/7 Enter if that is right", "")
    said += console.answer("New PIN", PIN)
    said += console.answer("Once more", PIN)
    said += console.answer("6/7 Name of the first account", "anna")
    said += console.answer("Its password", "")
    said += console.menu(timeout=300)
    password = re.search(r"Password\s+(\S+)", said[said.index("7/7"):])
    assert password, said
    return said, password[1]


@pytest.mark.board
def test_the_first_boot_dialogue_ends_with_settings_for_a_mail_program(box, console, first, tmp_path):
    """With them mail goes in, and comes out over TLS."""
    said, password = first
    assert "mail.office.example" in said and "995" in said
    assert "FAIL" not in said, said
    box.serving()
    swaks(box, "anna@office.example", letters.letter(b"the parcel is here\r\n"))
    reader = secure_readers.Fetchmail(tmp_path / "reader", box, True, pin(box, tmp_path))
    reader.password = password
    got, _ = reader.fetch()
    assert [letters.original(message) for message in got] == [letters.letter(b"the parcel is here\r\n")]


def test_it_can_be_begun_again_and_left(console, first):
    said = console.do(1, None, ("1/7", "."))
    assert "Nothing more was done" in said


@pytest.mark.board
def test_status(console, first):
    said = console.do(2, None)
    for words in ("restante ", "slot a", "SMTP on [::]:25", "POP3S on [::]:995", "10.0.2.15", "days left", "fingerprint",
                  "written", "memory", "load", "clock", "watchdog      armed", "last restart", "refused"):
        assert words in said, f"{words}: {said}"


def test_accounts(console, first):
    assert "anna" in console.do(3, 1)
    said = console.do(3, 2, ("Name", "bert"), ("Password", ""), ("Quota", "200M"))
    assert re.search(r"Password\s+\S{8,}", said), said
    assert "bert" in console.do(3, 1)
    assert "password of bert is now" in console.do(3, 3, ("Account", "bert"), ("Password", "correct-horse-battery"))
    console.do(3, 4, ("Account", "bert"), ("The most", "300M"))
    assert "300" in console.do(3, 1)
    assert "mail.office.example" in console.do(3, 5, ("Account", "bert"))
    console.do(3, 8, ("Name", "sales"), ("Who gets", "anna, bert"))
    assert "sales" in console.do(3, 7)
    console.do(3, 9, ("Name", "sales"), ("Type remove", "remove"))
    assert "sales" not in console.do(3, 7)
    # The word has to be typed.
    console.do(3, 6, ("Account", "bert"), ("Its mail", ""), ("Type remove", "yes"))
    assert "bert" in console.do(3, 1)


def test_mail(box, console, first, stick):
    for n in range(3):
        box.deliver(letters.numbered(b"m%d" % n, 200), "anna")
    assert re.search(r"anna\D+3\b", console.do(4, 1))
    listed = console.do(4, 2, ("Maildrop", "anna"))
    numbers = re.findall(r"(?m)^\s*(\d+)\s", listed)
    assert len(numbers) >= 3, listed
    assert "X-Octets" in console.do(4, 3, ("Maildrop", "anna"), ("Number", numbers[-1]), ("Type show", "show"))
    console.do(4, 5, ("Out of", "anna"), ("Into", "bert"), ("Numbers", numbers[-1]), ("Type move", "move"))
    assert re.search(r"bert\D+1\b", console.do(4, 1))
    console.do(4, 6, ("Maildrop", "anna"), ("Numbers", numbers[-2]), ("Type discard", "discard"))
    assert re.search(r"anna\D+1\b", console.do(4, 1))
    console.do(4, 4, ("Maildrop", "anna"), ("Numbers", "all"))
    console.do(4, 7, ("Maildrop", "anna"), ("Name of the file", ""))
    assert "anna.mbox" in on_stick(stick).lower()


def test_network(console, first):
    assert "10.0.2.15" in console.do(5, 1)
    assert "two minutes" in console.do(5, 2, ("Type dhcp", "dhcp"), ("Type keep", "keep"))
    said = console.do(5, 3, ("IPv4 address", "10.0.2.15/24"), ("IPv4 router", "10.0.2.2"), ("IPv6 address", ""),
                      ("IPv6 router", ""), ("DNS", "10.0.2.3"), ("Type fixed", "fixed"), ("Type keep", ""))
    assert "10.0.2.15" in said
    console.do(5, 10, ("Type keep", "keep"))
    assert "10.0.2.15" in console.do(5, 1)
    console.do(5, 2, ("Type dhcp", "dhcp"), ("Type keep", "keep"))
    assert "10.0.2.2" in console.do(5, 4, ("Name or address", "10.0.2.2"))
    console.do(5, 5, ("Name", "mail.elsewhere.example"), timeout=240)
    console.do(5, 6, timeout=240)
    console.do(5, 7)
    console.do(5, 8)
    console.do(5, 9, ("Address", "192.0.2.7"))


@pytest.mark.board
def test_self_test(console, first):
    said = console.do(6, None, timeout=300)
    assert "FAIL" not in said and re.search(r"(?m)^ok ", said), said


def test_journal(console, first, stick):
    assert console.do(7, 1, ("How many", "20")).count("\n") > 10
    assert "anna" in console.do(7, 2, ("Account or address", "anna"))
    console.type("3")
    console.expect(rb"Any key ends it")
    console.type()
    console.menu()
    console.do(7, 4, ("Name of the file", ""))
    assert "journal.txt" in on_stick(stick).lower()


def test_backup_and_restore(console, first, stick):
    console.do(8, 4)
    console.do(8, 1, ("stick: for a USB stick", "stick:office.backup"), timeout=300)
    assert "office" in on_stick(stick).lower()
    console.do(8, 1, ("stick: for a USB stick", "/var/lib/restante-device/office.backup"), timeout=300)
    console.do(8, 2, ("stick:NAME", "stick:office.backup"), timeout=300)
    console.do(8, 3, ("stick:NAME", "stick:office.backup"), ("Type restore", "restore"), timeout=300)
    assert "anna" in console.do(3, 1)
    assert re.search(r"anna\D+[1-3]\b", console.do(4, 1))
    console.do(8, 5)


def test_update(console, first):
    assert "slot" in console.do(9, 1).lower()
    said = console.do(9, 2, ("stick:NAME", "/nowhere/x.raucb"))
    assert "Type update" not in said
    console.do(9, 3, ("Type back", ""))


def test_shell(console, first):
    """None without its PIN; root's with it."""
    assert "There is no shell" in console.do(10, 1)
    console.do(10, 2, ("New PIN of the shell", SHELL_PIN), ("Once more", SHELL_PIN))
    assert "not the PIN" in console.do(10, 1, ("PIN of the shell", "11111"))
    console.type("1")
    console.answer("PIN of the shell", SHELL_PIN)
    # BusyBox asks the terminal where its cursor is.
    console.expect(rb"# (?:\x1b\[6n)?$")
    console.type("echo user $(id -u)")
    console.expect(rb"user 0\r\n")
    console.type("exit")
    console.menu()
    console.do(10, 3, ("PIN of the shell", SHELL_PIN))


def test_the_lock(console, first):
    """q locks; a wrong PIN costs time; the right one opens."""
    console.main()
    console.type("q")
    console.expect(LOCK)
    console.type("0000")
    console.expect(LOCK)
    console.type(PIN)
    console.menu()


def starts_anew(box, console, entry, word):
    """An entry of the last menu that restarts the device, confirmed by its word; what the console says to who comes then."""
    before = box.qmp.count()
    console.go(9)
    console.type(entry)
    console.answer(f"Type {word}", word)
    box.resets(before)
    box.serving()
    return console.sit_down()


@pytest.mark.board
def test_restart(box, console, first):
    assert "PIN" in starts_anew(box, console, "4", "restart")


def test_factory_reset_that_keeps_the_mail(box, console, first):
    assert "not set up yet" in starts_anew(box, console, "6", "reset")
    assert re.search(r"anna\D+[1-3]\b", console.do(4, 1))


def test_factory_reset_that_wipes_all(box, console, first):
    assert "not set up yet" in starts_anew(box, console, "7", "wipe-mail")
    assert "anna" not in console.do(4, 1)


@pytest.mark.board
def test_power_off_says_when_the_plug_may_be_pulled(box, console, first):
    before = box.qmp.count()
    console.go(9)
    console.type("5")
    console.answer("Type off", "off")
    console.expect(rb"(?i)plug")
    box.ended(before)
