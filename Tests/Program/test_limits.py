"""Too many, too slow, too much, too odd: a definite answer, and the next client is served as if nothing had been."""

import os
import random
import socket
import threading

import pytest

import letters
import talk
from letters import letter, numbered, original
from office import address
from waiting import until


@pytest.fixture
def served(make_office):
    """An open office; at the end of the test a sender and a reader must be served as ever, with no socket left."""
    office = make_office({"SMTP": {"MaximumConnectionsPerAddress": "100"}}).start()
    with office.pop3("anna") as reader:
        reader.quit()
    until(lambda: office.sockets() <= 3, "the greeted sockets to be closed")
    before = office.sockets()
    yield office
    as_ever(office)
    until(lambda: office.sockets() <= before, f"sockets to be closed: {office.sockets()} for {before}")


def as_ever(office):
    content = letters.AWKWARD["dots at line starts"]
    office.deliver(content, "carl")
    with office.pop3("carl") as reader:
        count = reader.stat()[0]
        letters.same(original(reader.retr(count)), content)
        reader.dele(*range(1, count + 1))
        reader.quit()


# Too many


def test_SMTP_connections_over_the_limit_are_told_421(make_office):
    office = make_office({"SMTP": {"MaximumConnections": "5", "MaximumConnectionsPerAddress": "100"}}).start()
    held = [office.smtp() for _ in range(5)]
    words = talk.refused(office.smtp_port)
    assert words.startswith(b"421 4.") and words.endswith(b"\r\n"), words
    # Readers are not senders.
    office.pop3("anna").close()
    for sender in held:
        sender.ask(b"NOOP", b"250")
    held.pop().quit()
    until(lambda: can_send(office), "a place to be free again")
    for sender in held:
        sender.close()
    until(lambda: can_send(office), "places to be free again")


def can_send(office, **options):
    try:
        with office.smtp(**options) as sender:
            sender.quit()
            return True
    except (AssertionError, talk.Closed, ConnectionError):
        return False


def test_SMTP_connections_from_one_address_over_the_limit_are_told_421_and_others_are_served(make_office):
    office = make_office({"SMTP": {"MaximumConnectionsPerAddress": "3"}}).start()
    held = [office.smtp(source="127.0.0.2") for _ in range(3)]
    words = talk.refused(office.smtp_port, source="127.0.0.2")
    assert words.startswith(b"421 4."), words
    office.deliver(letter(b"from another address\r\n"))
    held.pop().close()
    until(lambda: can_send(office, source="127.0.0.2"), "a place to be free again")
    assert len(held) == 2


def test_POP3_connections_over_the_limit_are_told_SYS_TEMP(make_office):
    office = make_office({"POP3": {"MaximumConnections": "5"}}).start()
    held = [office.pop3("anna") for _ in range(5)]
    words = talk.refused(office.pop3_port)
    assert words.startswith(b"-ERR [SYS/TEMP]") and words.endswith(b"\r\n"), words
    office.deliver(letter(b"senders are not readers\r\n"))
    held.pop().quit()

    def can_read():
        try:
            office.pop3("anna").close()
            return True
        except (AssertionError, talk.Closed, ConnectionError):
            return False

    until(can_read, "a place to be free again")
    assert held[0].stat() == (0, 0)


def test_a_flood_of_connections_that_say_nothing_leaves_the_rest_served(served):
    flood = [socket.create_connection(("127.0.0.1", port)) for port in [served.smtp_port, served.pop3_port] * 40]
    as_ever(served)
    for connection in flood:
        connection.close()


def test_connections_opened_and_reset_at_once_by_hundreds(served):
    for n in range(600):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.connect(("127.0.0.1", (served.smtp_port, served.pop3_port)[n % 2]))
        connection.close()


# Too slow


def test_a_sender_of_one_octet_a_second_holds_nobody_up(served):
    stop = threading.Event()
    content = talk.stuffed(letter(b"slowly\r\n")) + b".\r\n"
    slow = [served.smtp() for _ in range(10)]
    for sender in slow:
        sender.mail(b"a@b.example", address("anna"))
        sender.ask(b"DATA", b"354")
    threads = [threading.Thread(target=talk.drip, args=(sender, content, stop)) for sender in slow]
    for thread in threads:
        thread.start()
    for _ in range(20):
        as_ever(served)
    stop.set()
    for thread in threads:
        thread.join()
    for sender in slow:
        sender.close()
    assert served.fetch("anna") == {}


@pytest.mark.parametrize("service", ["SMTP", "POP3"])
def test_a_dialogue_octet_by_octet_is_answered_as_at_once(served, service):
    served.deliver(letter(b"here\r\n"), "bert")
    dialogue = {"SMTP": b"EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<anna@office.example>\r\nDATA\r\n",
                "POP3": b"CAPA\r\nUSER bert\r\nPASS bert-secret\r\nSTAT\r\nLIST\r\nUIDL\r\nRETR 1\r\nQUIT\r\n"}[service]
    port = served.smtp_port if service == "SMTP" else served.pop3_port
    whole, bits = talk.Connection(port), talk.Connection(port)
    bits.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    whole.send(dialogue)
    for octet in dialogue:
        bits.send(bytes([octet]))
    if service == "SMTP":
        content = letters.AWKWARD["dots at line starts"]
        whole.send(talk.stuffed(content) + b".\r\nQUIT\r\n")
        for octet in talk.stuffed(content) + b".\r\nQUIT\r\n":
            bits.send(bytes([octet]))
    assert without_digits(whole.until_end()) == without_digits(bits.until_end())


def without_digits(answer):
    return bytes(octet for octet in answer if not 48 <= octet <= 57)


@pytest.mark.parametrize("service", ["SMTP", "POP3"])
def test_a_client_that_never_reads_is_held_back_and_costs_no_memory(served, service):
    """Backpressure: its commands are not read on while its answers are not taken."""
    if service == "POP3":
        for n in range(3):
            served.deliver(numbered(b"n%d" % n, 1_000_000))
        stalled = [served.pop3("anna", receive_buffer=4096) for _ in range(10)]
        flood = b"RETR 1\r\nLIST\r\nCAPA\r\nTOP 2 10000\r\n" * 500
    else:
        stalled = [served.smtp(receive_buffer=4096) for _ in range(10)]
        flood = b"NOOP\r\nEHLO a.example\r\nRSET\r\n" * 1000
    before = served.private_dirty()
    stuck = 0
    for client in stalled:
        client.socket.settimeout(0.3)
        try:
            for _ in range(400):
                client.socket.sendall(flood)
        except TimeoutError:
            stuck += 1
        except ConnectionError:
            # It may also be sent away.
            pass
    assert stuck == len(stalled) or service == "SMTP", "the server read on and on"
    grown = served.private_dirty() - before
    assert grown < 10 * 128 * 1024, f"{grown} octets for ten clients that do not read"
    as_ever(served)
    for client in stalled:
        client.close()


def test_a_reader_that_stops_in_the_middle_of_a_message_gets_the_rest_when_it_goes_on(served):
    content = numbered(b"n", 3_000_000)
    served.deliver(content)
    with served.pop3("anna", receive_buffer=4096) as reader:
        reader.send(b"RETR 1\r\nNOOP\r\n")
        reader.ok()
        for _ in range(3):
            as_ever(served)
        letters.same(original(reader.block()), content)
        reader.ok()


# Half-closed


def test_a_half_closed_sender_is_answered_to_its_last_command(served):
    with served.smtp(greet=False) as sender:
        sender.send(b"EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<anna@office.example>\r\nDATA\r\n")
        sender.expect(b"220")
        for code in (b"250", b"250", b"250", b"354"):
            sender.expect(code)
        sender.send(letter(b"last words\r\n") + b".\r\nQUIT\r\n")
        sender.socket.shutdown(socket.SHUT_WR)
        sender.expect(b"250")
        sender.expect(b"221")
        assert sender.at_end()
    assert len(served.fetch("anna")) == 1


def test_a_half_closed_reader_gets_all_it_asked_for(served):
    content = numbered(b"n", 500_000)
    served.deliver(content)
    with served.pop3() as reader:
        reader.send(b"USER anna\r\nPASS anna-secret\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n")
        reader.socket.shutdown(socket.SHUT_WR)
        reader.ok()
        reader.ok()
        reader.ok()
        letters.same(original(reader.block()), content)
        reader.ok()
        reader.ok()
        assert reader.at_end()
    assert served.fetch("anna") == {}


def test_a_half_closed_sender_in_the_middle_of_its_data_delivers_nothing(served):
    with served.smtp() as sender:
        sender.mail(b"a@b.example", address("anna"))
        sender.ask(b"DATA", b"354")
        sender.send(letter(b"half a let"))
        sender.socket.shutdown(socket.SHUT_WR)
        sender.until_end()
    assert served.fetch("anna") == {}


# Odd


ODD = {
    "nothing but NUL": b"\0" * 4000 + b"\r\n",
    "a line without end": b"A" * 3_000_000,
    "8-bit": bytes(range(128, 256)) * 10 + b"\r\n",
    "bare LF": b"NOOP\nNOOP\n\n\n",
    "bare CR": b"NOOP\rNOOP\r\r\r",
    "a TLS hello": bytes.fromhex("16030100c8010000c40303") + os.urandom(190),
    "HTTP": b"GET / HTTP/1.1\r\nHost: office.example\r\n\r\n",
    "a proxy's header": b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
    "format directives": b"%s%n%x%p\r\n" * 10,
    "empty lines": b"\r\n" * 3000,
    "unknown verbs": b"XYZZY\r\n" * 100,
    "an address without end": b"MAIL FROM:<" + b"a" * 5000 + b"@" + b"b." * 3000 + b">\r\n",
    "numbers out of range": b"RETR 99999999999999999999\r\nLIST -1\r\nTOP 1 99999999999999999999999\r\nDELE 0\r\n"
                            b"BDAT 99999999999999999999 LAST\r\nMAIL FROM:<> SIZE=99999999999999999999999\r\n",
}


@pytest.mark.parametrize("service", ["SMTP", "POP3", "POP3 after login"])
@pytest.mark.parametrize("kind", ODD)
def test_odd_input_gets_definite_answers(served, service, kind):
    if service == "SMTP":
        client = served.smtp()
    elif service == "POP3":
        client = served.pop3()
    else:
        client = served.pop3("anna")
    with client:
        try:
            client.send(ODD[kind])
            client.send(b"\r\nQUIT\r\n")
            client.socket.shutdown(socket.SHUT_WR)
        except (talk.Closed, OSError):
            pass
        answers = client.until_end()
        for line in answers.split(b"\r\n"):
            if service == "SMTP":
                assert line == b"" or line[:1] in b"2345" and line[:3].isdigit(), line
            else:
                assert line == b"" or line.startswith((b"+OK", b"-ERR")), line


def test_noise_of_every_kind(served):
    """Random octets, random cuts of good dialogues, on many connections."""
    chance = random.Random(20)
    good = [b"EHLO c.example\r\nMAIL FROM:<a@b.example> SIZE=100 BODY=8BITMIME\r\nRCPT TO:<bert@office.example>\r\n"
            b"DATA\r\nSubject: x\r\n\r\nbody\r\n.\r\nBDAT 10\r\n0123456789BDAT 0 LAST\r\nVRFY anna\r\nHELP\r\nQUIT\r\n",
            b"CAPA\r\nUSER bert\r\nPASS bert-secret\r\nUTF8\r\nLANG\r\nSTAT\r\nLIST 1\r\nUIDL\r\nTOP 1 0\r\nRETR 1\r\n"
            b"RSET\r\nNOOP\r\nQUIT\r\n"]
    for n in range(300):
        port = (served.smtp_port, served.pop3_port)[n % 2]
        text = bytearray(good[n % 2] if n % 3 else chance.randbytes(chance.randrange(3000)))
        for _ in range(chance.randrange(6)):
            at = chance.randrange(len(text) + 1)
            if chance.random() < 0.5:
                text[at:at + chance.randrange(8)] = chance.randbytes(chance.randrange(8))
            else:
                text[at:at] = text[chance.randrange(len(text) + 1):][:chance.randrange(60)]
        with talk.Connection(port) as connection:
            try:
                for start in range(0, len(text), max(1, chance.choice((1, 7, 100, 5000)))):
                    if chance.random() < 0.9:
                        connection.send(text[start:start + 100])
                    if start > 400:
                        break
                connection.socket.shutdown(socket.SHUT_WR)
            except (talk.Closed, OSError):
                pass
            connection.until_end()


@pytest.mark.parametrize("ending", [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r.\r\n", b"\n\n.\r\n"],
                         ids=repr)
def test_no_message_is_smuggled_in_another(served, ending):
    """Only CRLF . CRLF ends a message; bare newlines are refused after the real end."""
    smuggled = (b"MAIL FROM:<x@evil.example>\r\nRCPT TO:<bert@office.example>\r\nDATA\r\n"
                b"Subject: smuggled\r\n\r\nx\r\n.\r\n")
    with served.smtp() as sender:
        sender.mail(b"a@b.example", address("anna"))
        sender.ask(b"DATA", b"354")
        sender.send(letter(b"text") + ending + smuggled)
        code, _ = sender.reply()
        assert code.startswith(b"5"), code
        sender.send(b"QUIT\r\n")
        sender.expect(b"221")
        assert sender.at_end(), "there were more answers than commands"
    assert served.fetch("anna") == {} and served.fetch("bert") == {}


def test_bare_newlines_of_old_devices_are_mended_where_that_is_configured(make_office):
    office = make_office({"SMTP": {"NormalizeFrom": "127.0.0.2/32"}}).start()
    content = letter(b"one\ntwo\r\nthree\n.four\r\n")
    with office.smtp(source="127.0.0.2") as sender:
        sender.deliver(content, address("anna"))
    with office.smtp() as sender:
        sender.mail(b"a@b.example", address("anna"))
        code, _ = sender.data(content, None)
        assert code.startswith(b"5")
    (message,) = office.fetch("anna").values()
    letters.same(original(message), content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


def test_a_message_that_goes_in_circles_is_cut(served):
    content = b"Received: from a by b; now\r\n" * 101 + letter(b"round\r\n")
    with served.smtp() as sender:
        sender.mail(b"a@b.example", address("anna"))
        code, texts = sender.data(content, None)
        assert code == b"554" and texts[0].startswith(b"5.4.6"), (code, texts)
        sender.deliver(b"Received: from a by b; now\r\n" * 90 + letter(b"round\r\n"), address("anna"))
        sender.quit()


def test_a_sender_of_nothing_but_errors_is_sent_away(served):
    with served.smtp() as sender:
        sender.send(b"XYZZY\r\n" * 1000)
        codes = [line[:3] for line in sender.until_end().split(b"\r\n") if line]
        assert codes[-1] == b"421" and len(codes) < 100, codes[-3:]


def test_a_guesser_of_passwords_is_sent_away(served):
    with served.pop3() as reader:
        try:
            for n in range(100):
                # One and the same, which only waits a second each time.
                reader.send(b"USER anna\r\nPASS guess\r\n")
                assert reader.line().startswith((b"+OK", b"-ERR"))
                assert reader.line().startswith(b"-ERR")
        except talk.Closed:
            assert 3 <= n <= 20, n
        else:
            raise AssertionError("a hundred guesses were answered")
