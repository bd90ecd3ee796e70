"""SIGHUP takes what changed, SIGTERM drains."""

import signal
import subprocess
import time

import pytest

import letters
import talk
from letters import letter, numbered, original
from office import PROGRAM, address, environment
from waiting import until


def test_SIGHUP_takes_a_changed_configuration_and_drops_nobody(office):
    sender, reader = office.smtp(), office.pop3("anna")
    sender.mail(b"a@b.example", address("anna"))
    office.configure(Device={"Domains": "office.example new.example"}, SMTP={"MaximumMessageSize": "1M"})
    office.process.send_signal(signal.SIGHUP)

    def changed():
        with office.smtp() as other:
            return b"SIZE %d" % (1 << 20) in other.extensions

    until(changed, "the new size limit to be told")
    office.deliver(letter(b"x\r\n"), "anna@new.example")
    sender.data(letter(b"begun before\r\n"))
    sender.quit()
    assert reader.stat() == (0, 0)
    reader.quit()
    assert len(office.fetch("anna")) == 2


def test_SIGHUP_with_a_wrong_configuration_keeps_the_old_one_and_says_so(office):
    office.config.write_text(office.config.read_text() + "[SMTP]\nColour=blue\n")
    office.hang_up()
    until(lambda: b"Colour" in office.log(), "the bad key to be named")
    office.deliver(letter(b"as before\r\n"))
    assert len(office.fetch("anna")) == 1


def test_SIGHUP_takes_changed_accounts(office):
    other = office.state / "accounts"
    office.add("dora")
    text = other.read_bytes()
    other.write_bytes(b"".join(line for line in text.splitlines(True) if b"bert" not in line))
    office.process.send_signal(signal.SIGHUP)

    def forgotten():
        with office.pop3() as reader:
            reader.ask(b"USER bert")
            return reader.answer(b"PASS bert-secret").startswith(b"-ERR")

    until(forgotten, "bert to be forgotten")
    office.deliver(letter(b"x\r\n"), "dora")


def test_a_hundred_SIGHUPs_under_load_lose_nothing(office):
    with office.smtp() as sender:
        for n in range(100):
            office.process.send_signal(signal.SIGHUP)
            sender.deliver(numbered(b"n%d" % n, 100), address("anna"))
        sender.quit()
    assert len(office.fetch("anna")) == 100


def test_SIGTERM_lets_a_message_under_way_finish_and_tells_the_idle(office):
    """The transaction that had begun is answered 250; an idle sender gets 421, an idle reader a word and the end."""
    content = numbered(b"n", 200_000)
    busy, idle, reader = office.smtp(), office.smtp(), office.pop3("anna")
    busy.mail(b"a@b.example", address("anna"))
    busy.ask(b"DATA", b"354")
    stuffed = talk.stuffed(content) + b".\r\n"
    busy.send(stuffed[:1000])
    office.process.send_signal(signal.SIGTERM)
    assert idle.until_end().startswith(b"421 4.3.2")
    reader.until_end()
    # No new client is taken meanwhile: refused, or told 421.
    words = talk.refused(office.smtp_port)
    assert words == b"" or words.startswith(b"421"), words
    busy.send(stuffed[1000:])
    assert busy.reply()[0] == b"250"
    until(lambda: office.process.poll() is not None, "the daemon to end", 30)
    assert office.process.returncode == 0
    office.start()
    (message,) = office.fetch("anna").values()
    letters.same(original(message), content)


def test_SIGTERM_lets_a_download_under_way_finish(office):
    content = numbered(b"n", 2_000_000)
    office.deliver(content)
    reader = office.pop3("anna", receive_buffer=4096)
    reader.send(b"RETR 1\r\n")
    reader.ok()
    office.process.send_signal(signal.SIGTERM)
    letters.same(original(reader.block()), content)
    until(lambda: office.process.poll() is not None, "the daemon to end", 30)
    office.start()


def test_SIGTERM_is_not_held_up_by_a_client_that_does_nothing(office):
    stuck = office.smtp()
    stuck.mail(b"a@b.example", address("anna"))
    stuck.ask(b"DATA", b"354")
    stuck.send(b"Subject: never ended\r\n")
    office.stop(seconds=90)
    stuck.close()
    office.start()
    assert office.fetch("anna") == {}


def test_SIGINT_ends_it_as_SIGTERM_does(office):
    office.deliver(letter(b"x\r\n"))
    office.process.send_signal(signal.SIGINT)
    until(lambda: office.process.poll() is not None, "the daemon to end")
    assert office.process.returncode == 0
    office.start()
    assert len(office.fetch("anna")) == 1


def test_SIGTERM_while_starting_is_heeded(make_office):
    office = make_office()
    for delay in (0, 0.001, 0.003, 0.01, 0.03):
        process = office.spawn()
        time.sleep(delay)
        process.send_signal(signal.SIGTERM)
        until(lambda: process.poll() is not None, "the daemon to end", 20)
        assert process.returncode in (0, -signal.SIGTERM), process.returncode
    office.process = None
    office.start()


def test_ready_is_told_to_systemd(make_office, tmp_path):
    """Type=notify, when NOTIFY_SOCKET is there. Its seam may not be built yet."""
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(tmp_path / "notify"))
        notify.settimeout(2)
        office = make_office(variables={"NOTIFY_SOCKET": str(tmp_path / "notify")}).start()
        try:
            said = notify.recv(1000)
        except TimeoutError:
            pytest.skip("NOT TESTED: the program does not speak to systemd yet")
        assert b"READY=1" in said
        office.stop()


def test_the_log_is_one_line_for_each_event_and_has_no_secrets(office):
    office.deliver(letter(b"x\r\n"))
    office.fetch("anna")
    with office.pop3() as reader:
        reader.ask(b"USER anna")
        reader.answer(b"PASS not-the-password\x1b[31m")
    with office.smtp() as sender:
        sender.ask(b"MAIL FROM:<\xff\x1b[31m@b.example>")
    office.stop()
    log = office.log()
    assert b"anna-secret" not in log and b"not-the-password" not in log
    assert all(octet == 10 or 32 <= octet < 127 or octet >= 128 for octet in log), log
    assert log.endswith(b"\n")


def test_a_daemon_whose_log_is_not_read_goes_on(make_office, quick_state):
    """Standard error is a pipe that is full: mail comes first."""
    office = make_office(state=quick_state)
    process = subprocess.Popen([PROGRAM, "serve", "--config", str(office.config)], stdin=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, env=environment())
    office.process = process
    try:
        until(office.greets, "both ports to greet")
        for n in range(1500):
            with office.smtp() as sender:
                sender.deliver(letter(b"x\r\n"), address("anna"))
        assert office.pop3("anna").stat()[0] == 1500
    finally:
        process.kill()
        process.communicate()
        office.process = None
