"""The line between a technician and the console: noise, cables, terminals that stop, and more than one of them."""

import contextlib
import fcntl
import os
import random
import select
import signal
import subprocess
import termios

import pexpect
import pytest

from office import PROGRAM
from terminals import BACK, LOCK, MAIN, PIN, Console
from test_console import sit  # noqa: F401
from waiting import until

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="NOT TESTED: the console asks only root for its PIN")


def pour(console, octets):
    """Sends octets as fast as the console takes them, and reads what it shows."""
    line = console.child.child_fd
    at = 0
    os.set_blocking(line, False)
    while at < len(octets):
        readable, writable, _ = select.select([line], [line], [], 20)
        assert readable or writable, f"nothing moves after {at} octets"
        if readable:
            console.seen += os.read(line, 65536)
        if writable:
            with contextlib.suppress(BlockingIOError):
                at += os.write(line, octets[at:at + 200])
    os.set_blocking(line, True)


@pytest.mark.parametrize("where", ["locked", "menu", "confirm"])
def test_noise_does_nothing_and_the_console_answers_after_it(office, sit, where):  # noqa: F811
    before = office.run("account", "list").stdout
    console = sit(office)
    if where == "locked":
        console.until(LOCK)
    else:
        console.unlock()
    if where == "confirm":
        console.choose(3, 6)
        console.answer("Account", "anna")
        console.answer("[k]: ", "d")
        console.until("Enter to go back: ")
    generator = random.Random(1)
    # Line ends come seldom in noise, so that it makes long lines; a guess of four characters may be among it.
    noise = bytes(generator.choice(range(256)) for _ in range(20_000)).replace(b"\x03", b"").replace(b"\x04", b"")
    if where == "locked":
        noise = noise.replace(b"\r", b"").replace(b"\n", b"")
    pour(console, noise)
    # Any key undoes an XOFF that was among it.
    console.type("\x11\x15\x03", end="")
    console.until(LOCK if where == "locked" else MAIN)
    if where == "locked":
        console.type(PIN)
        console.until(MAIN)
    assert office.run("account", "list").stdout == before
    console.choose(3, 1)
    console.until("anna", BACK)


def test_a_huge_line_is_no_answer(office, sit):  # noqa: F811
    console = sit(office).unlock()
    console.choose(3, 4)
    console.until("Account (Enter goes back): ")
    pour(console, b"a" * 200_000 + b"\r")
    console.until("That line was too long; nothing was done with it.")
    console.until("Account (Enter goes back): ")
    console.type("")
    console.until(BACK)


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\0"])
def test_whatever_ends_a_line_ends_one(office, sit, end):  # noqa: F811
    console = sit(office)
    console.until(LOCK)
    console.type(PIN, end)
    console.until(MAIN)
    console.type("3", end)
    console.until(BACK)
    console.type("1", end)
    console.until("anna", BACK)
    shown = bytes(console.seen)
    console.type("q", end)
    console.until(MAIN)
    assert shown.count(b"Accounts: 1 to ") == 2, "CRLF is one Enter"


def test_typing_is_mended_with_backspace_and_del(office, sit):  # noqa: F811
    console = sit(office).unlock()
    console.choose(4, 2)
    console.answer("Maildrop", "xx\x7f\x08anne\x08a")
    console.until(BACK)
    assert b"no account" not in console.seen


def locked_accounts(office):
    """Holds the accounts' lock, so that a command that changes them waits."""
    lock = os.open(office.state, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


@pytest.mark.parametrize("how", ["hang-up", "SIGHUP", "SIGTERM", "Ctrl-C"])
def test_a_pulled_cable_ends_the_session_and_not_the_action(office, sit, how):  # noqa: F811
    console = sit(office).unlock()
    held = locked_accounts(office)
    console.choose(3, 6)
    console.answer("Account", "carl")
    console.answer("[k]: ", "k")
    console.answer("Enter to go back: ", "remove")

    def children():
        found = subprocess.run(["pgrep", "-f", "account remove carl"], capture_output=True).stdout.split()
        return [int(one) for one in found]

    until(children, "the command to run", 10)
    working = children()
    if how == "hang-up":
        console.hang_up()
    elif how == "Ctrl-C":
        console.type("\x03", end="")
        console.until("What was begun goes on", MAIN)
    else:
        os.kill(console.child.pid, getattr(signal, how))
        console.child.expect(pexpect.EOF)
        console.ended()
    assert children() == working, "the command goes on"
    assert b"carl" in office.run("account", "list").stdout
    os.close(held)
    until(lambda: b"carl" not in office.run("account", "list").stdout, "the account to be removed", 30)
    until(lambda: not children(), "the command to end", 30)


def test_a_terminal_that_reads_nothing_holds_nothing_up(make_office, sit):  # noqa: F811
    """XOFF: the console still notices its end, and its child has long done what it should."""
    office = make_office(accounts=[f"user{number:02}" for number in range(50)])
    console = sit(office).unlock()
    console.choose(3)
    console.until(BACK)
    console.type("1\r\x13", end="")
    with pytest.raises(pexpect.TIMEOUT):
        console.child.expect_exact("user00", timeout=1)
    # Any key undoes an XOFF that was only noise.
    console.type("\x0c", end="")
    console.until("user00", "q to stop: ")
    console.type("\r\x13", end="")
    os.kill(console.child.pid, signal.SIGTERM)
    console.child.expect(pexpect.EOF)
    assert console.ended() == 0


def test_the_terminal_is_as_it_was_before(office, sit):  # noqa: F811
    ours, its = os.openpty()
    before = termios.tcgetattr(its)
    console = Console(office)
    child = subprocess.Popen([PROGRAM, "console", "--config", str(office.config)], stdin=its, stdout=its, stderr=its,
                             env=console.variables, start_new_session=True)
    shown = b""
    while LOCK.encode() not in shown:
        shown += os.read(ours, 4096)
    assert termios.tcgetattr(its) != before
    child.send_signal(signal.SIGTERM)
    assert child.wait(20) == 0
    assert termios.tcgetattr(its) == before
    os.close(ours)
    os.close(its)


def test_two_consoles_work_at_once(office, sit):  # noqa: F811
    one, other = sit(office).unlock(), sit(office).unlock()
    one.choose(3, 2)
    other.choose(3, 2)
    one.answer("Name, such as anna", "dora")
    other.answer("Name, such as anna", "emil")
    for console in (one, other):
        console.until("Password")
        console.type("open sesame")
        console.answer("Quota", "")
    for console in (one, other):
        console.until("made the account", BACK)
    listed = office.run("account", "list").stdout
    assert b"dora" in listed and b"emil" in listed


def test_a_device_is_asked_again_after_a_hang_up(office, sit):  # noqa: F811
    """--device: the next one who connects finds the console, locked."""
    console = Console(office)
    ours, its = os.openpty()
    name = os.ttyname(its)
    child = subprocess.Popen([PROGRAM, "console", "--device", name, "--config", str(office.config)],
                             env=console.variables, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, start_new_session=True)

    def expect(text):
        shown = b""
        while text.encode() not in shown:
            shown += os.read(ours, 4096)

    expect(LOCK)
    os.write(ours, PIN.encode() + b"\r")
    expect(MAIN)
    child.send_signal(signal.SIGHUP)
    expect(LOCK)
    child.send_signal(signal.SIGTERM)
    assert child.wait(20) == 0
    os.close(ours)
    os.close(its)
