"""TLS records do not come as commands do: several at once, in pieces, with the end of the handshake."""

import pathlib
import select
import signal
import socket
import ssl

import pytest

from letters import letter


class Client:
    """A client's TLS on a socket, its records in our hands."""

    def __init__(self, office, port):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.tls = office.trust().wrap_bio(self.incoming, self.outgoing, server_hostname="mail.office.example")

    def records(self, *texts):
        """What TLS makes of each text, a record each, not sent."""
        for text in texts:
            self.tls.write(text)
        return self.outgoing.read()

    def take(self):
        """Hands on what comes next from the server."""
        octets = self.socket.recv(65536)
        if octets:
            self.incoming.write(octets)
        else:
            self.incoming.write_eof()

    def begin_handshake(self):
        """Everything but our last flight, which is returned unsent."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            self.socket.sendall(self.outgoing.read())
        while True:
            self.take()
            try:
                self.tls.do_handshake()
                return self.outgoing.read()
            except ssl.SSLWantReadError:
                pass

    def shake_hands(self):
        self.socket.sendall(self.begin_handshake())
        return self

    def until(self, end):
        """Everything that comes, until it ends so; or until the server closes, with None."""
        text = b""
        while end is None or not text.endswith(end):
            try:
                more = self.tls.read(65536)
            except ssl.SSLWantReadError:
                self.take()
                continue
            except ssl.SSLError:  # closed without good-bye
                more = b""
            if not more:
                assert end is None, f"closed after {text!r}"
                break
            text += more
        return text

    def close(self):
        self.socket.close()


@pytest.fixture
def office(make_office):
    return make_office(tls=True).start()


@pytest.fixture
def reader(office):
    client = Client(office, office.pop3s_port).shake_hands()
    assert client.until(b"\r\n").startswith(b"+OK")
    client.socket.sendall(client.records(b"USER anna\r\n", b"PASS anna-secret\r\n"))
    assert client.until(b"\r\n").startswith(b"+OK")
    yield client
    client.close()


def test_commands_in_many_records_that_come_at_once_are_all_answered(office, reader):
    """They are more than is received at a time, and no other event follows: the last are with OpenSSL by then."""
    reader.until(b"\r\n")
    records = [b"NOOP\r\n" * 10] * (32 * 1024 // 60 + 40) + [b"QUIT\r\n"]
    octets = reader.records(*records)
    office.process.send_signal(signal.SIGSTOP)
    try:
        reader.socket.sendall(octets)
    finally:
        office.process.send_signal(signal.SIGCONT)
    assert reader.until(None).count(b"+OK") == (len(records) - 1) * 10 + 1


def test_a_record_that_comes_in_pieces_waits_and_costs_nothing(office, reader):
    reader.until(b"\r\n")
    octets = reader.records(b"NOOP\r\n", b"STAT\r\n")
    cut = len(octets) - 3
    reader.socket.sendall(octets[:cut])
    reader.until(b"\r\n")

    def processor():
        stat = pathlib.Path(f"/proc/{office.process.pid}/stat").read_text(encoding="ascii")
        fields = stat.rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    before = processor()
    assert not select.select([reader.socket], [], [], 0.5)[0], "an answer to half a record"
    assert processor() - before <= 10, "the server spins while it waits for the rest of a record"
    reader.socket.sendall(octets[cut:])
    assert reader.until(b"\r\n").startswith(b"+OK 0 0")


def test_commands_that_come_with_the_end_of_the_handshake_are_answered(office):
    client = Client(office, office.pop3s_port)
    last = client.begin_handshake()
    client.socket.sendall(last + client.records(b"CAPA\r\n", b"QUIT\r\n"))
    answers = client.until(None)
    assert answers.count(b"+OK") == 3 and b"\r\nSASL " in answers, answers
    client.close()


def test_messages_fetched_together_come_whole_however_slowly_they_are_read(office, reader):
    reader.until(b"\r\n")
    sizes = [10, 16300, 16384, 20000, 60000, 300000]
    with office.smtp() as sender:
        for size in sizes:
            sender.deliver(letter((b"y" * 62 + b"\r\n") * (size // 64)), b"anna@office.example")
        sender.quit()
    wanted = office.fetch("anna")
    late = Client(office, office.pop3s_port)
    late.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    late.shake_hands().until(b"\r\n")
    commands = [b"USER anna\r\n", b"PASS anna-secret\r\n"]
    commands += [b"RETR %d\r\n" % (i + 1) for i in range(len(sizes))] + [b"QUIT\r\n"]
    late.socket.sendall(late.records(*commands))
    text = late.until(None)
    for content in wanted.values():
        assert content in text
    assert text.endswith(b"\r\n") and text.count(b"\r\n.\r\n") == len(sizes)
    late.close()


def test_SIGTERM_still_greets_whoever_had_begun_TLS(office):
    client = Client(office, office.pop3s_port)
    last = client.begin_handshake()
    office.process.send_signal(signal.SIGTERM)
    with pytest.raises(OSError):
        for _ in range(1000):
            socket.create_connection(("127.0.0.1", office.pop3_port), timeout=5).close()
    client.socket.sendall(last)
    assert client.until(None).startswith(b"+OK")
    office.process.wait(20)
    assert office.process.returncode == 0
    office.process = None
    client.close()


def test_SIGTERM_does_not_wait_long_for_a_peer_that_does_not_go_on_with_TLS(office):
    silent = socket.create_connection(("127.0.0.1", office.pop3s_port))
    begun = Client(office, office.pop3s_port)
    begun.begin_handshake()
    office.process.send_signal(signal.SIGTERM)
    office.process.wait(4.5)
    assert office.process.returncode == 0
    office.process = None
    silent.close()
    begun.close()
