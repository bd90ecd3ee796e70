"""The console on a real pty: first boot, menus, and what each of them does."""

import os
import signal
import subprocess

import pytest

from letters import letter
from office import PROGRAM, USAGE, environment
from terminals import BACK, LOCK, MAIN, PIN, Console
from waiting import until

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="NOT TESTED: the console asks only root for its PIN")


@pytest.fixture
def sit(request):
    """Sits down at an office's console; at the end nothing odd may have been shown."""
    consoles = []

    def down(office, **options):
        console = Console(office, **options).start()
        consoles.append(console)
        return console

    yield down
    for console in consoles:
        print(f"--- the console showed:\n{bytes(console.seen).decode(errors='replace')[-4000:]}")
        console.close()


def test_first_boot_is_enter_all_the_way_but_for_the_pin(make_office, sit):
    office = make_office(accounts=())
    console = sit(office, pin=None, first_boot=True)
    console.answer("Press Enter: ", "")
    console.answer("[begin]: ", "")
    console.answer("as the MX record has it [mail.office.example]: ", "")
    console.answer("is taken here [office.example]: ", "")
    console.answer("f fixed addresses [k]: ", "")
    console.answer("YYYY-MM-DD HH:MM: ", "")
    console.answer("New PIN of the console", "1234")
    console.until("that is the first PIN that anybody would try")
    console.answer("New PIN of the console", PIN)
    console.answer("Once more: ", "2469")
    console.until("not the same")
    console.answer("New PIN of the console", PIN)
    console.answer("Once more: ", PIN)
    console.answer("Enter for none [office]: ", "")
    console.until("Its password")
    console.type("open sesame")
    console.until("Done.", MAIN)
    shown = bytes(console.seen).decode()
    assert PIN not in shown and "****" in shown
    assert "open sesame" in shown, "the sheet has the password"
    assert (office.where / "restante.conf.d" / "10-device.conf").read_text().count("Domains=office.example") == 1
    assert os.stat(office.where / "console.pin").st_mode & 0o777 == 0o600
    office.start()
    office.deliver(letter(b"hello\r\n"), "office")
    assert len(office.fetch("office", b"open sesame")) == 1
    # It is not asked again, but can be begun again, and keeps what is not answered anew.
    console.type("q")
    console.unlock()
    console.choose(1)
    console.answer("as the MX record has it [mail.office.example]: ", "mx.office.example")
    console.answer("is taken here [office.example]: ", "office.example, old.example")
    console.answer("f fixed addresses [k]: ", ".")
    console.until("Nothing more was done.", MAIN)
    assert b"takes mail for office.example old.example" in office.run("setup").stdout


def test_nothing_but_the_head_is_shown_before_the_pin(office, sit):
    console = sit(office)
    head = console.until(LOCK)
    assert "mail.office.example" in head and "serves mail" in head
    for wrong in ["1", "10", "q", "2469", "\x03", "\x04"]:
        console.type(wrong)
        console.until(LOCK)
    assert b"Main menu" not in console.seen
    console.type(PIN)
    console.until(MAIN)


def test_wrong_guesses_wait_and_another_session_or_console_does_not_help(office, sit):
    console = sit(office)
    for seconds in (1, 2):
        console.answer(LOCK, "9999")
        console.until(f"taken in {seconds} s")
    console.until(LOCK)
    console.type("9999")
    console.until("taken in 4 s")
    assert console.hang_up() == 69
    other = sit(office)
    other.until("Wrong. The next PIN is taken in ")
    # What is typed meanwhile is no guess, and the right one counts afterwards.
    other.type("9999")
    other.unlock()


def test_the_console_locks_on_q_and_asks_again(office, sit):
    console = sit(office).unlock()
    console.type("q")
    console.until(LOCK)
    console.type("")
    console.until("serves mail", LOCK)


def test_accounts_are_made_changed_and_removed(office, sit):
    console = sit(office).unlock()
    console.choose(3, 2)
    console.answer("Name, such as anna", "dora")
    console.until("Password")
    console.type("first sesame")
    console.answer("Quota", "500M")
    console.until("made the account dora", BACK)
    console.type("3")
    console.answer("Account", "dora")
    console.until("Password")
    console.type("second sesame")
    console.until("is now: second sesame", BACK)
    assert office.fetch("dora", b"second sesame") == {}
    console.type("6")
    console.answer("Account", "dora")
    console.answer("[k]: ", "d")
    console.until("Type remove to go on, Enter to go back: ")
    console.type("")
    console.until("Nothing more was done.", BACK)
    assert b"dora" in office.run("account", "list").stdout
    console.type("6")
    console.answer("Account", "dora")
    console.answer("[k]: ", "")
    console.answer("Enter to go back: ", "remove")
    console.until("removed the account dora", BACK)
    assert b"dora" not in office.run("account", "list").stdout


def test_what_waits_is_shown_and_content_only_after_a_word(office, sit):
    office.deliver(b"Subject: Riddle \x1b[2J\r\nFrom: s@sphinx.example\r\n\r\nthe secret of the sphinx\x1b]0;x\x07\r\n")
    console = sit(office).unlock()
    console.choose(4, 2)
    console.answer("Maildrop", "anna")
    assert "Riddle" in console.until(BACK)
    console.type("3")
    console.answer("Maildrop", "anna")
    console.answer("Number of the message", "1")
    console.until("Type show to go on")
    console.type("")
    console.until(BACK)
    assert b"sphinx\r" not in console.seen and b"the secret" not in console.seen
    console.type("3")
    console.answer("Maildrop", "anna")
    console.answer("Number of the message", "1")
    console.answer("Type show to go on, Enter to go back: ", "show")
    console.until("the secret of the sphinx", BACK)


def test_long_output_is_shown_in_pages(make_office, sit):
    office = make_office(accounts=[f"user{number:02}" for number in range(50)])
    console = sit(office).unlock()
    console.choose(3, 1)
    page = console.until("-- Enter for more, q to stop: ")
    assert page.count("\n") == 1 + 22 + 2, "the choice, a blank line, the title, and a page"
    console.type("")
    console.until("-- Enter for more, q to stop: ")
    console.type("q")
    console.until(BACK)
    assert b"user49" not in console.seen
    console.type("1")
    for _ in range(2):
        console.answer("-- Enter for more, q to stop: ", "")
    console.until("user49", BACK)


def test_ctrl_c_leads_back_from_every_entry_and_nothing_was_done_then(office, sit):
    before = office.run("account", "list").stdout
    console = sit(office).unlock()
    for entry, count in {2: 0, 3: 9, 4: 7, 5: 10, 6: 0, 7: 4, 8: 5, 9: 7, 10: 3}.items():
        for number in range(1, count + 1) or [None]:
            console.type(str(entry))
            if number:
                console.until(BACK)
                console.type(str(number))
            console.type("\x03", end="")
            console.until("^C", MAIN)
    assert office.run("account", "list").stdout == before
    assert not (office.where / "shell.pin").exists()


def test_the_shell_is_off_until_it_has_a_pin_of_its_own(office, sit):
    console = sit(office).unlock()
    console.choose(10, 1)
    console.until("There is no shell: set a PIN for it first.", BACK)
    console.type("2")
    console.answer("New PIN of the shell", "1357")
    console.answer("Once more: ", "1357")
    console.until("set the PIN of the shell", BACK)
    console.type("1")
    console.answer("PIN of the shell", PIN)
    console.until("That is not the PIN.", BACK)
    console.type("1")
    console.answer("PIN of the shell", "1357")
    console.until("`exit` comes back here.", "# ")
    console.type("echo $((6 * 7)); test -t 0 && tty")
    console.until("\r\n42\r\n/dev/pts/")
    console.until("# ")
    # Ctrl-C is for what runs in the shell, and not for the console.
    console.type("sleep 1000")
    until(lambda: subprocess.run(["pgrep", "-P", str(shell_of(console)), "sleep"], capture_output=True).stdout, "sleep", 10)
    console.type("\x03", end="")
    console.until("# ")
    console.type("exit")
    console.until(BACK)
    console.type("3")
    console.answer("PIN of the shell", "1357")
    console.until("removed the PIN of the shell", BACK)
    console.type("1")
    console.until("There is no shell")


def test_a_menu_and_a_shell_that_nobody_uses_are_locked_but_not_what_runs_in_the_shell(office, sit, compiled):
    """Five minutes without a key, which here are ten seconds."""
    office.run("pin", "shell", "--password-stdin", input="1357\n")
    console = sit(office, LD_PRELOAD=compiled("hasty.c", "-shared", "-fPIC")).unlock()
    console.choose(3)
    console.until(BACK, "Nothing was typed for a while: the console is locked.")
    console.unlock()
    console.choose(10, 1)
    console.answer("PIN of the shell", "1357")
    console.until("# ")
    # Longer than the console may be idle.
    console.type("sleep 15; echo it ran $((6 * 7))")
    console.until("it ran 42\r\n", "# ")
    shell = shell_of(console)
    console.until("Nothing was typed for a while: the console is locked.", LOCK)
    assert not os.path.exists(f"/proc/{shell}")


def shell_of(console):
    return int(subprocess.run(["pgrep", "-P", str(console.child.pid), "sh"], capture_output=True, check=True).stdout.split()[0])


def test_without_the_daemon_and_with_one_that_hangs_the_console_says_so_and_works(office, sit):
    console = sit(office)
    os.kill(office.process.pid, signal.SIGSTOP)
    try:
        console.type("")
        console.until("the server does not answer", LOCK)
        console.type(PIN)
        console.until("the server does not answer", MAIN)
        console.type("2")
        console.until("Ctrl-C goes back to the menu")
        console.type("\x03", end="")
        console.until(MAIN)
    finally:
        os.kill(office.process.pid, signal.SIGCONT)
    office.stop()
    console.type("")
    console.until("MAIL IS NOT SERVED", MAIN)
    console.choose(3, 1)
    console.until("anna", BACK)


def test_a_wrong_configuration_does_not_keep_anybody_from_the_console(office, sit):
    console = sit(office)
    console.until(LOCK)
    office.config.write_text(office.config.read_text() + "\n[Device]\nDomain=typo\n")
    console.type(PIN)
    console.until(MAIN)
    console.choose(3, 1)
    console.until("the configuration is wrong", BACK)


def test_setup_names_the_device_for_the_server_and_its_certificate(office):
    said = office.run("setup", "--host-name", "MX.Office.Example", "--domain", "office.example new.example").stdout
    assert b"mx.office.example" in said and b"new certificate" in said
    assert b"mx.office.example" in office.run("certificate", "show").stdout
    office.deliver(letter(b"hello\r\n"), "anna@new.example")
    assert len(office.fetch("anna")) == 1
    for bad in (["--host-name", "a b"], ["--host-name", "-x"], ["--domain", "office.example, @"], ["--domain", ","]):
        assert office.run("setup", *bad, code=None).returncode in (64, 65)
    assert b"takes mail for office.example new.example" in office.run("setup").stdout


def test_no_terminal_is_no_console(office):
    said = subprocess.run([PROGRAM, "console", "--config", str(office.config)], stdin=subprocess.DEVNULL,
                          capture_output=True, env=environment(), timeout=20)
    assert said.returncode == USAGE and b"--device" in said.stderr


@pytest.mark.parametrize("enter", ["\r", "\n", "\r\n"])
def test_any_key_ends_a_journal_that_is_followed_even_one_that_comes_at_once(office, sit, enter):
    """Whatever the terminal sends for Enter."""
    console = sit(office).unlock()
    console.choose(7)
    console.until(BACK)
    for key in (enter, "x"):
        console.type("3", end=enter)
        console.until("Any key ends it.")
        console.type(key, end="")
        console.until(BACK)
