"""help, --version, status, check and demo: what they print, and how they end."""

import json
import os
import re
import signal
import subprocess

import pexpect
import pytest

from letters import letter
from office import CONFIGURATION, DATA, OK, PROGRAM, UNAVAILABLE, USAGE, environment
from talk import POP3, SMTP

COMMANDS = ["serve", "demo", "status", "check", "account add", "account passwd", "account remove", "account list",
            "mail list", "mail show", "mail restore", "mail export", "mail import"]


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=20,
                          env=environment())


def test_version():
    done = run("--version")
    assert done.returncode == OK and re.match(rb"(?i)restante \d+\.\d+", done.stdout) and not done.stderr


def test_help_names_every_command():
    for arguments in (["help"], ["--help"]):
        done = run(*arguments)
        assert done.returncode == OK and not done.stderr
        assert all(command.encode() in done.stdout for command in COMMANDS)
        assert all(len(line) <= 80 for line in done.stdout.decode().splitlines())


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(command):
    for arguments in (["help", *command.split()], [*command.split(), "--help"]):
        done = run(*arguments)
        assert done.returncode == OK and command.encode() in done.stdout and len(done.stdout) > 100
        assert all(len(line) <= 80 for line in done.stdout.decode().splitlines())


@pytest.mark.parametrize("arguments", [
    [], ["sevre"], ["account"], ["account", "ad"], ["account", "add"], ["account", "add", "a", "b"], ["serve", "now"],
    ["mail", "show", "anna"], ["status", "--jsno"], ["check", "--repair=yes"], ["account", "add", "a", "--quota"],
    ["serve", "--config"], ["help", "nonsense"], ["mail", "export", "anna"],
    ["mail", "export", "anna", "--mbox", "a", "--maildir", "b"], ["-x"], ["mail", "restore", "anna"]],
    ids=" ".join)
def test_a_wrong_command_line_is_64_and_says_what_is_wrong(arguments):
    done = run(*arguments)
    assert done.returncode == USAGE, done
    assert done.stderr and not done.stdout


def test_a_slip_of_the_fingers_is_answered_with_a_guess():
    assert b"serve" in run("sevre").stderr
    assert b"--json" in run("status", "--jsno").stderr


def test_output_to_a_full_device_is_an_error():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([PROGRAM, "help"], stdout=full, stderr=subprocess.PIPE, timeout=20, env=environment())
    assert done.returncode not in (0,) and done.returncode > 0


def test_output_to_a_reader_that_is_gone_is_no_crash(office):
    for n in range(300):
        if n % 100 == 0:
            office.deliver(letter(b"x\r\n"))
    done = subprocess.run(["sh", "-c", f"{PROGRAM} mail list anna --config {office.config} | true"], timeout=20,
                          stderr=subprocess.PIPE, env=environment())
    assert not done.stderr or b"Segm" not in done.stderr


# status


def test_status_with_the_daemon(office):
    office.deliver(letter(b"one\r\n"), "anna", "bert")
    text = office.run("status").stdout
    assert text and len(text.splitlines()) > 3
    report = office.status()
    assert isinstance(report, dict) and report
    flat = json.dumps(report)
    assert str(office.process.pid) in flat or "running" in flat
    assert all(ord(character) < 127 for character in text.decode())


def test_status_without_the_daemon(make_office):
    office = make_office()
    assert office.run("status", code=UNAVAILABLE).stdout
    assert isinstance(office.status(code=UNAVAILABLE), dict)


def test_status_after_kill_9_does_not_take_the_dead_for_living(office):
    office.status()
    office.kill()
    office.status(code=UNAVAILABLE)
    office.run("account", "list")
    office.start()
    office.status()


def test_the_same_keys_with_and_without_the_daemon(office):
    running = office.status()
    office.stop()
    stopped = office.status(code=UNAVAILABLE)
    assert running.keys() >= stopped.keys() or stopped.keys() >= running.keys(), (running, stopped)


# check


def test_check_names_what_is_wrong_in_the_configuration(make_office):
    office = make_office(accounts=())
    office.config.write_text(office.config.read_text() + "\n[SMTP]\nMaximumConections=5\n[Spool]\nQuota=plenty\n")
    done = office.run("check", code=CONFIGURATION)
    said = done.stdout + done.stderr
    assert b"MaximumConections" in said and b"plenty" in said and b"restante.conf" in said


def test_check_names_a_bad_line_of_the_accounts(make_office):
    office = make_office()
    accounts = office.state / "accounts"
    accounts.write_bytes(accounts.read_bytes() + b"nonsense\n")
    done = office.run("check", code=DATA)
    assert b"accounts" in done.stdout + done.stderr


def test_check_changes_nothing(office):
    for n in range(5):
        office.deliver(letter(b"%d\r\n" % n))
    office.stop()

    def all_files():
        return {file: file.read_bytes() for file in office.state.rglob("*") if file.is_file()}

    before = all_files()
    office.run("check")
    after = all_files()
    assert {file: content for file, content in after.items() if file in before} == before


def test_check_repair_is_refused_while_the_daemon_runs(office):
    done = office.run("check", "--repair", code=None)
    assert done.returncode != OK and done.stderr
    office.deliver(letter(b"still served\r\n"))


# demo


@pytest.fixture
def demo():
    child = pexpect.spawn(PROGRAM, ["demo"], timeout=30, env=environment(TERM="vt100"), dimensions=(200, 160))
    yield child
    if child.isalive():
        child.kill(signal.SIGKILL)
    child.close()


def test_demo_shows_both_dialogues_and_settings_serves_and_ends_with_ctrl_C(demo):
    demo.expect("Ctrl-C")
    # The rest of what it prints comes with, or right after, that line.
    text = demo.before + demo.after
    for wanted in (b"EHLO", b"MAIL FROM:", b"RCPT TO:", b"DATA", b"250", b"USER", b"PASS", b"RETR 1", rb"\+OK", b"QUIT",
                   b"127.0.0.1|localhost"):
        assert re.search(wanted, text), (wanted, text.decode())
    ports = [int(port) for port in set(re.findall(rb"\b(\d{4,5})\b", text))]
    mine = [port for port in ports if port > 1023 and greeting(port)]
    assert any(greeting(port).startswith(b"220") for port in mine), ports
    assert any(greeting(port).startswith(b"+OK") for port in mine), ports
    demo.sendintr()
    demo.expect(pexpect.EOF)
    demo.wait()
    assert demo.exitstatus == 0, (demo.exitstatus, demo.signalstatus, demo.before)
    assert not any(greeting(port) for port in mine)


def greeting(port):
    import socket

    try:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            return connection.recv(100)
    except OSError:
        return b""


def test_demo_takes_mail_with_the_settings_it_prints(demo):
    """A person types the settings into a mail program: server, ports, name, password."""
    demo.expect("Ctrl-C")
    text = re.sub(rb"\x1b\[[0-9;]*m", b"", demo.before).replace(b"\r", b"")
    smtp = next(int(port) for port in re.findall(rb"\b(\d{4,5})\b", text) if greeting(int(port)).startswith(b"220"))
    pop3 = next(int(port) for port in re.findall(rb"\b(\d{4,5})\b", text) if greeting(int(port)).startswith(b"+OK"))
    name = re.search(rb"USER (\S+)", text)[1]
    recipient = re.search(rb"RCPT TO:(<\S+>)", text)[1]
    password = re.search(rb"(?im)^\W*password\W+(\S+)", text)
    assert password, text
    with SMTP(smtp) as sender:
        sender.ask(b"MAIL FROM:<me@elsewhere.example>", b"250")
        sender.ask(b"RCPT TO:" + recipient, b"250")
        sender.data(letter(b"hello, demo\r\n"))
        sender.quit()
    with POP3(pop3, name, password[1]) as reader:
        count = reader.stat()[0]
        assert reader.retr(count).endswith(b"hello, demo\r\n")
        reader.quit()
    demo.sendintr()
    demo.expect(pexpect.EOF)
    demo.wait()
    assert demo.exitstatus == 0


def test_demo_leaves_nothing_behind(tmp_path):
    done = subprocess.run([PROGRAM, "demo", "--once"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                          env=environment(TMPDIR=str(tmp_path)))
    assert done.returncode == OK, done
    assert b"RETR 1" in done.stdout and b"DATA" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_two_demos_at_once_do_not_disturb_each_other(demo):
    demo.expect("Ctrl-C")
    done = run("demo", "--once")
    assert done.returncode == OK, done


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root can become somebody else")
def test_demo_needs_no_root(tmp_path):
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", PROGRAM, "demo", "--once"],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60, cwd="/", env=environment())
    if b"Permission denied" in done.stderr and b"exec" in done.stderr:
        pytest.skip("NOT TESTED: nobody cannot reach the program here")
    assert done.returncode == OK, done
