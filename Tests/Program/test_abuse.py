"""Strangers who hold places, guess passwords, try names or only shout: the office goes on, and memory with it."""

import base64
import concurrent.futures
import re
import socket
import time

import pytest

import letters
import office as offices
import talk
from letters import letter, numbered, original
from office import DATA, UNAVAILABLE, USAGE, address
from waiting import until

GRACE = 2
BAN = 600


def strangers(count, net=1):
    """So many addresses, none of them one that this machine's own programs use."""
    return [f"127.{net}.{number // 250}.{number % 250 + 1}" for number in range(count)]


def held(port, sources, say=b""):
    """Connections from all of these that say so much and then nothing."""
    connections = []
    for source in sources:
        connection = talk.Connection(port, source=source)
        connection.send(say)
        connections.append(connection)
    return connections


def reads_and_sends(office):
    """What the office wants: mail in, mail out."""
    content = letter(b"in spite of all\r\n")
    office.deliver(content, "carl")
    with office.pop3("carl") as reader:
        count = reader.stat()[0]
        letters.same(original(reader.retr(count)), content)
        reader.dele(*range(1, count + 1))
        reader.quit()


@pytest.fixture
def closing():
    """Connections to be closed at the end of the test."""
    connections = []
    yield connections
    for connection in connections:
        connection.close()


# Places


def test_a_thousand_idle_senders_leave_the_readers_as_they_were(make_office, closing):
    office = make_office({"SMTP": {"MaximumConnections": "1000"}}).start()
    office.deliver(numbered(b"n", 100_000))
    reads_and_sends(office)
    before = office.private_dirty()
    closing += held(office.smtp_port, strangers(1000))
    until(lambda: office.status()["connections"]["smtp"] == 1000, "all places to be taken")
    for _ in range(20):
        with office.pop3("anna") as reader:
            letters.same(original(reader.retr(1)), numbered(b"n", 100_000))
            reader.quit()
    grown = office.private_dirty() - before
    assert grown < 1 << 20, f"{grown} octets for a thousand who say nothing"


def test_where_strangers_hold_every_place_a_sender_gets_that_of_whoever_was_idle_longest(make_office, closing):
    office = make_office({"SMTP": {"MaximumConnections": "50"}}).start()
    busy = office.smtp(source="127.3.0.1")
    busy.mail(b"someone@elsewhere.example", address("anna"))
    busy.ask(b"DATA", b"354")
    content = numbered(b"n", 50_000)
    busy.send(content[:20_000])
    waiting = office.smtp(source="127.3.0.2")
    waiting.mail(b"someone@elsewhere.example", address("anna"))
    closing += held(office.smtp_port, strangers(48), b"EHLO stranger.example\r\nNOO")
    until(lambda: office.status()["connections"]["smtp"] == 50, "all places to be taken")

    def sends():
        try:
            office.deliver(letter(b"let me in\r\n"), "bert")
            return True
        except (AssertionError, talk.Closed, ConnectionError):
            return False

    for _ in range(10):
        until(sends, "a place for a sender")
    first = closing[0].until_end()
    assert b"\r\n421 4.7.0 " in first, first
    # Who has a message under way keeps its place.
    busy.send(content[20_000:] + b".\r\n")
    busy.expect(b"250")
    waiting.data(letter(b"slow but sure\r\n"))
    assert len(office.fetch("anna")) == 2 and len(office.fetch("bert")) == 10


def test_where_strangers_hold_every_place_a_reader_gets_one_and_who_has_logged_in_keeps_it(make_office, closing):
    office = make_office({"POP3": {"MaximumConnections": "30"}}).start()
    there = office.pop3("anna")
    closing += held(office.pop3_port, strangers(29), b"USER anna\r\nPAS")
    until(lambda: office.status()["connections"]["pop3"] == 30, "all places to be taken")

    def reads():
        try:
            with office.pop3("bert") as reader:
                reader.quit()
                return True
        except (AssertionError, talk.Closed, ConnectionError):
            return False

    for _ in range(10):
        until(reads, "a place for a reader")
    assert there.stat() == (0, 0)


def test_an_address_over_its_share_costs_nobody_a_place(make_office, closing):
    office = make_office({"SMTP": {"MaximumConnections": "10", "MaximumConnectionsPerAddress": "5"}}).start()
    closing += held(office.smtp_port, ["127.3.0.1"] * 5 + strangers(5))
    until(lambda: office.status()["connections"]["smtp"] == 10, "all places to be taken")
    for _ in range(50):
        assert talk.refused(office.smtp_port, source="127.3.0.1").startswith(b"421 ")
    assert office.status()["connections"]["smtp"] == 10


def test_senders_never_take_the_descriptors_that_readers_need(make_office, closing, tmp_path, monkeypatch):
    """Each is in the middle of a message, so none is sent away for another."""
    few = tmp_path / "few"
    few.write_text(f'#!/bin/sh\nulimit -n 400\nexec {offices.PROGRAM} "$@"\n')
    few.chmod(0o755)
    monkeypatch.setattr(offices, "PROGRAM", str(few))
    office = make_office({"SMTP": {"MaximumConnections": "1000"}, "POP3": {"MaximumConnections": "100"}}).start()
    commands = b"EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<anna@office.example>\r\nDATA\r\nhalf a"
    for source in strangers(400):
        try:
            closing += held(office.smtp_port, [source], commands)
        except (OSError, talk.Closed):
            pass
    readers = [office.pop3("anna") for _ in range(80)]
    assert office.status()["connections"]["smtp"] > 100
    for reader in readers:
        assert reader.stat() == (0, 0)
        reader.quit()


def test_who_connects_all_the_time_is_refused_and_others_are_not(make_office):
    office = make_office({"SMTP": {"MaximumConnectionsPerAddress": "1000"}}).start()
    # Twice as many as may come in a minute, since a new one may begin on the way.
    assert any(talk.refused_at_once(office.smtp_port, "127.3.0.1") for _ in range(1300))
    office.deliver(letter(b"from another address\r\n"))
    assert b"one address may make in a minute" in office.log()


# Slow, and deaf


@pytest.mark.parametrize("service", ["SMTP", "POP3"])
def test_a_slow_loris_on_every_place_is_no_matter(make_office, closing, service):
    """Commands that are never complete."""
    office = make_office({"SMTP": {"MaximumConnections": "300"}, "POP3": {"MaximumConnections": "300"}}).start()
    reads_and_sends(office)
    before = office.private_dirty()
    port, half = {"SMTP": (office.smtp_port, b"EHLO c\r\nMAIL FROM:<" + b"a" * 200),
                  "POP3": (office.pop3_port, b"CAPA\r\nUSER " + b"a" * 200)}[service]
    closing += held(port, strangers(300), half)
    for _ in range(10):
        for connection in closing:
            try:
                connection.send(b"b")
            except talk.Closed:
                pass
        until(lambda: serves(office), "the office to be served")
    grown = office.private_dirty() - before
    assert grown < 2 << 20, f"{grown} octets for 300 who dawdle"


def serves(office):
    try:
        reads_and_sends(office)
        return True
    except (AssertionError, talk.Closed, ConnectionError):
        return False


@pytest.mark.parametrize("service", ["SMTP", "POP3"])
def test_who_takes_no_answers_holds_no_memory(make_office, closing, service):
    """A zero window: 100 of them, each asking for all it can."""
    office = make_office({"SMTP": {"MaximumConnections": "200"}}).start()
    office.deliver(numbered(b"n", 2_000_000))
    reads_and_sends(office)
    before = office.private_dirty()
    for source in strangers(100):
        if service == "SMTP":
            deaf = office.smtp(source=source, receive_buffer=2048)
            deaf.mail(b"a@b.example", address("anna"))
            flood = b"RCPT TO:<anna@office.example>\r\n" * 2000
        else:
            deaf = office.pop3("anna", source=source, receive_buffer=2048)
            flood = b"RETR 1\r\nUIDL\r\n" * 2000
        closing.append(deaf)
        deaf.socket.setblocking(False)
        try:
            while deaf.socket.send(flood):
                pass
        except (BlockingIOError, ConnectionError):
            pass
    for _ in range(5):
        reads_and_sends(office)
    grown = office.private_dirty() - before
    assert grown < 4 << 20, f"{grown} octets for 100 who do not listen"


def test_a_flood_of_commands_that_bring_no_message_ends(office):
    for command in (b"NOOP", b"RSET", b"HELP", b"VRFY x", b"EHLO c"):
        with office.smtp() as sender:
            sender.send((command + b"\r\n") * 200)
            codes = [line[:3] for line in sender.until_end().split(b"\r\n") if line]
            assert codes[-1] == b"421", (command, codes[-1])


# Guessing


def guess(office, source, *passwords, name=b"anna"):
    """Tries these, each in a session of its own and all at once; returns the answers."""

    def one(password):
        try:
            with office.pop3(source=source, timeout=60) as reader:
                reader.ask(b"USER " + name)
                return reader.answer(b"PASS " + password)
        except (AssertionError, talk.Closed, ConnectionError):
            return b""

    with concurrent.futures.ThreadPoolExecutor(len(passwords)) as pool:
        return list(pool.map(one, passwords))


def banned(office, source):
    """Guesses until the address is banned."""
    guess(office, source, *(b"guess%d" % number for number in range(30)))
    assert office.status()["banned"] == 1
    return office


def test_many_wrong_guesses_ban_the_address_and_nobody_else(office):
    banned(office, "127.0.0.2")
    words = talk.refused(office.pop3_port, source="127.0.0.2")
    assert re.fullmatch(rb"-ERR \[AUTH\] Too many wrong passwords [^\r\n]* 10 minutes\.\r\n", words), words
    # The account is not locked: its password is right, elsewhere and here.
    for source in ("127.0.0.3", "127.0.0.1"):
        with office.pop3("anna", source=source, timeout=60) as reader:
            reader.quit()
    # Who sends mail is no guesser.
    with office.smtp(source="127.0.0.2") as sender:
        sender.deliver(letter(b"mail all the same\r\n"), address("anna"))
        sender.quit()
    log = office.log()
    assert len(re.findall(rb"login refused: anna: [^\n]* peer=127\.0\.0\.2\b", log)) >= 20
    assert len(re.findall(rb"banned for 600 seconds[^\n]* peer=127\.0\.0\.2\b", log)) == 1


def plain(name, password):
    return base64.b64encode(b"\0" + name + b"\0" + password)


def test_guesses_over_SMTP_count_as_those_over_POP3_and_a_banned_address_cannot_log_in_there(office):
    def one(number):
        with office.smtp(source="127.0.0.2", timeout=60) as sender:
            return sender.ask(b"AUTH PLAIN " + plain(b"anna", b"guess%d" % number))[0]

    guess(office, "127.0.0.2", *(b"other%d" % number for number in range(15)))
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        assert set(pool.map(one, range(10))) <= {b"535", b"454"}
    until(lambda: office.status()["banned"] == 1, "the ban")
    with office.smtp(source="127.0.0.2") as sender:
        code, texts = sender.ask(b"AUTH PLAIN " + plain(b"anna", b"anna-secret"))
        assert code == b"454" and b"wrong passwords" in texts[0], (code, texts)
        sender.deliver(letter(b"mail all the same\r\n"), address("anna"))
        sender.quit()


def test_bans_are_listed_and_lifted(office):
    assert office.run("bans").stdout == b""
    banned(office, "127.0.0.2")
    assert re.fullmatch(rb"127\.0\.0\.2: for another (10|9) ?min[^\n]*\n", office.run("bans").stdout)
    assert b"addresses banned: 1" in office.run("status").stdout
    office.run("bans", "lift", "127.0.0.3", code=DATA)
    office.run("bans", "lift", code=USAGE)
    office.run("bans", "raise", "127.0.0.2", code=USAGE)
    office.run("bans", "lift", "127.0.0.2")
    assert office.run("bans").stdout == b"" and office.status()["banned"] == 0
    with office.pop3("bert", source="127.0.0.2", timeout=60) as reader:
        reader.quit()
    office.stop()
    office.run("bans", code=UNAVAILABLE)


def test_one_wrong_password_tried_again_and_again_bans_nobody(office):
    answers = guess(office, "127.0.0.2", *[b"the old password"] * 40)
    assert all(answer.startswith(b"-ERR [AUTH]") for answer in answers), answers
    assert office.status()["banned"] == 0


def test_this_machines_own_programs_are_not_banned(office):
    guess(office, "127.0.0.1", *(b"guess%d" % number for number in range(40)))
    assert office.status()["banned"] == 0
    with office.pop3("anna", timeout=60) as reader:
        reader.quit()


def test_each_wrong_guess_makes_the_next_wait_longer_whether_there_is_such_an_account_or_not(make_office):
    """At least so long, that is; how long it is at most depends on the machine."""
    office = make_office(accounts=("anna",)).start()
    answers = {}
    for name, source in ((b"anna", "127.0.0.2"), (b"nobody", "127.0.0.3")):
        with office.pop3(source=source) as reader:
            for number, wait in enumerate((0, 1, 2, 4)):
                reader.ask(b"USER " + name)
                start = time.monotonic()
                answers.setdefault(name, []).append(reader.answer(b"PASS guess%d" % number))
                assert time.monotonic() - start > wait - 0.01, (name, number)
    assert answers[b"anna"] == answers[b"nobody"]
    assert all(answer.startswith(b"-ERR [AUTH]") for answer in answers[b"anna"])


def test_who_logs_in_each_day_is_not_slowed_by_a_strangers_guesses(office):
    with office.pop3("anna", source="127.0.0.3") as reader:
        reader.quit()
    guess(office, "127.0.0.2", *(b"guess%d" % number for number in range(10)))
    # Ten seconds for a stranger; its own timeout shows that it is none.
    with office.pop3("anna", source="127.0.0.3", timeout=5) as reader:
        reader.quit()


def test_a_flood_of_guesses_from_many_addresses_leaves_the_office_its_mail(make_office):
    office = make_office({"POP3": {"MaximumConnections": "60"}}).start()
    reads_and_sends(office)
    before = office.private_dirty()
    sources = strangers(400)

    def one(number):
        try:
            with talk.POP3(office.pop3_port, source=sources[number], timeout=60) as guesser:
                guesser.ask(b"USER nobody%d" % number)
                guesser.answer(b"PASS x")
        except (AssertionError, talk.Closed, ConnectionError):
            pass

    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        flood = [pool.submit(one, number) for number in range(400)]
        for _ in range(5):
            until(lambda: serves(office), "the office to be served")
        concurrent.futures.wait(flood)
    reads_and_sends(office)
    grown = office.private_dirty() - before
    assert grown < 2 << 20, f"{grown} octets for 400 guessers"


# Names, and those who only shout


def test_who_tries_names_is_given_pauses(office):
    tried = 0
    pause = 0
    while pause < 0.99:
        with office.smtp(source="127.0.0.2") as sender:
            sender.ask(b"MAIL FROM:<a@b.example>", b"250")
            for _ in range(10):
                sender.ask(b"RCPT TO:<name%d@office.example>" % tried, b"550")
                tried += 1
                start = time.monotonic()
                sender.ask(b"NOOP", b"250")
                pause = time.monotonic() - start
                if pause > 0.99:
                    break
        assert tried < 100
    assert tried > 30
    office.deliver(letter(b"others are not\r\n"))
    # A name that was tried before is no new one.
    with office.smtp(source="127.0.0.3") as sender:
        for _ in range(4):
            sender.ask(b"MAIL FROM:<a@b.example>", b"250")
            for _ in range(10):
                sender.ask(b"RCPT TO:<stale@office.example>", b"550")
                sender.ask(b"RCPT TO:<anna@office.example>", b"250")
            sender.data(letter(b"to a list with a stale name\r\n"))
        sender.quit()


def test_who_speaks_before_it_is_greeted_is_sent_away_where_that_is_asked_for(make_office):
    office = make_office({"SMTP": {"GreetingDelay": "1s", "NormalizeFrom": "127.0.0.4"}}).start()
    with talk.Connection(office.smtp_port, source="127.0.0.2") as early:
        early.send(b"EHLO shouting.example\r\nMAIL FROM:<a@b.example>\r\n")
        words = early.until_end()
        assert re.fullmatch(rb"554 5\.5\.1 mail\.office\.example [^\r\n]+\r\n", words), words
    start = time.monotonic()
    with office.smtp(source="127.0.0.3") as patient:
        assert time.monotonic() - start > 0.99
        patient.deliver(letter(b"patient\r\n"), address("anna"))
        patient.quit()
    for source in ("127.0.0.1", "127.0.0.4"):
        with talk.Connection(office.smtp_port, source=source) as excepted:
            excepted.send(b"EHLO scanner\r\nQUIT\r\n")
            words = excepted.until_end()
            assert words.startswith(b"220 ") and words.splitlines()[-1].startswith(b"221 "), words


def test_names_that_devices_give_are_taken(office):
    """What HELO says is nobody's proof, and scanners say strange things."""
    for name in (b"localhost", b"192.168.1.5", b"[192.168.1.5]", b"KMBT_C224", b"scanner", b"mail.office.example",
                 b"office.example", b"x" * 200, b"fe80::1"):
        for verb in (b"HELO ", b"EHLO "):
            with office.smtp(hello=None) as device:
                device.ask(verb + name, b"250")
                device.deliver(letter(b"scanned\r\n"), address("anna"))
                device.quit()


def test_a_web_page_that_posts_to_the_mail_ports_gets_nowhere(office):
    """Cross-protocol: the browser's first line ends it."""
    for port in (office.smtp_port, office.pop3_port):
        with socket.create_connection(("127.0.0.1", port)) as browser:
            browser.sendall(b"POST / HTTP/1.1\r\nHost: office\r\n\r\nMAIL FROM:<a@b.example>\r\n"
                            b"RCPT TO:<anna@office.example>\r\nDATA\r\nx\r\n.\r\nUSER anna\r\nPASS anna-secret\r\n")
            words = b""
            while data := browser.recv(65536):
                words += data
        assert words.count(b"\r\n") == 2 and b"+OK" not in words.split(b"\r\n", 1)[1], words
    assert office.fetch("anna") == {}
