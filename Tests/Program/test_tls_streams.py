"""What goes through TLS comes out octet by octet, however it is cut, stopped or broken off."""

import socket
import ssl
import subprocess

import pytest

import letters
import talk
from letters import letter, numbered, original, same
from office import address
from waiting import until

LARGE = 25 * 1024 * 1024 - 70_000
"""Octets of a message just below MaximumMessageSize."""
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture
def served(make_office):
    """An open office with TLS; at the end of the test a sender and a reader must be served, with no socket left."""
    office = make_office(tls=True).start()
    as_ever(office)
    until(lambda: office.sockets() <= 5, "the greeted sockets to be closed")
    before = office.sockets()
    yield office
    as_ever(office)
    until(lambda: office.sockets() <= before, f"sockets to be closed: {office.sockets()} for {before}")


def as_ever(office):
    content = letters.AWKWARD["dots at line starts"]
    with office.smtps() as sender:
        sender.deliver(content, address("carl"))
        sender.quit()
    with office.pop3s("carl") as reader:
        same(original(reader.retr(1)), content)
        reader.dele(1)
        reader.quit()


def fetched(reader):
    """Everything, pipelined in one go, {number: octets}."""
    listed = reader.list()
    got = dict(reader.retr_all(listed))
    assert {number: len(content) for number, content in got.items()} == listed
    return got


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_every_kind_of_message_up_and_down(served, version):
    tls = served.trust(minimum=version, maximum=version)
    with served.smtps(tls=tls) as sender:
        for content in letters.AWKWARD.values():
            sender.deliver(content, address("anna"))
        sender.quit()
    with served.pop3s("anna", tls=tls) as reader:
        assert reader.socket.version() == version.name.replace("_", ".")
        for (kind, content), got in zip(letters.AWKWARD.items(), fetched(reader).values(), strict=True):
            same(original(got), content, kind)
        reader.quit()


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_25_MB_up_and_down(served, version):
    content = numbered(b"large", LARGE)
    tls = served.trust(minimum=version, maximum=version)
    before = served.private_dirty()
    with served.smtps(tls=tls) as sender:
        sender.deliver(content, address("anna"))
        sender.quit()
    with served.pop3s("anna", tls=tls) as reader:
        same(original(reader.retr(1)), content)
        reader.quit()
    grown = served.private_dirty() - before
    assert grown < 1 << 20, f"25 MB through TLS took {grown} octets of memory"


def test_BDAT_of_25_MB_in_one_chunk(served):
    content = numbered(b"chunk", LARGE)
    with served.smtps() as sender:
        sender.mail(b"a@b.example", address("anna"))
        sender.send(b"BDAT %d LAST\r\n" % len(content))
        sender.send(content)
        sender.expect(b"250")
        sender.quit()
    with served.pop3s("anna") as reader:
        same(original(reader.retr(1)), content)
        reader.quit()


def test_a_message_in_records_of_one_octet(served):
    content = letter(b".\r\n.." * 300 + b"\r\nend\r\n")
    dialogue = (b"MAIL FROM:<a@b.example>\r\nRCPT TO:<anna@office.example>\r\nDATA\r\n" + talk.stuffed(content)
                + b".\r\nQUIT\r\n")
    with served.smtps() as sender:
        for octet in dialogue:
            sender.send(bytes([octet]))
        for code in (b"250", b"250", b"354", b"250", b"221"):
            sender.expect(code)
        assert sender.at_end()
    with served.pop3s() as reader:
        for octet in b"USER anna\r\nPASS anna-secret\r\nRETR 1\r\nQUIT\r\n":
            reader.send(bytes([octet]))
        reader.ok()
        reader.ok()
        reader.ok()
        same(original(reader.block()), content)
        reader.ok()
        assert reader.at_end()


def test_commands_of_many_records_in_one_segment_are_all_answered(served):
    """What TLS has decrypted and the session not taken yet makes no socket readable."""
    tls = served.trust()
    served.deliver(letter(b"here\r\n"))
    for command in (b"NOOP", b"STAT", b"LIST 1", b"LANG"):
        for count in (10, 700, 2600):
            with served.pop3s("anna", tls=tls) as reader:
                reader.send((command + b"\r\n") * count + b"QUIT\r\n")
                answers = reader.until_end().split(b"\r\n")
                assert sum(answer.startswith(b"+OK") for answer in answers) == count + 1, (command, count)


def test_commands_wait_through_a_login_and_a_delivery(served):
    """Both take another thread's time; meanwhile the rest of the record waits."""
    content = letter(b"x" * 70 + b"\r\n")
    with served.smtps() as sender:
        one = (b"MAIL FROM:<a@b.example>\r\nRCPT TO:<anna@office.example>\r\nBDAT %d LAST\r\n" % len(content)) + content
        sender.send(one * 300 + b"QUIT\r\n")
        for _ in range(900):
            sender.expect(b"250")
        sender.expect(b"221")
    with served.pop3s() as reader:
        reader.send(b"USER anna\r\nPASS anna-secret\r\n" + b"".join(b"RETR %d\r\n" % n for n in range(1, 301))
                    + b"DELE 1\r\n" * 1 + b"QUIT\r\n")
        reader.ok()
        reader.ok()
        for _ in range(300):
            reader.ok()
            same(original(reader.block()), content)
        reader.ok()
        reader.ok()
        assert reader.at_end()
    assert len(served.fetch("anna")) == 299


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_pipelined_RETRs_to_a_slow_reader(served, version):
    """Its window closes in the middle of records and of answers, again and again."""
    contents = [numbered(b"n%d" % n, octets) for n, octets in
                enumerate([100, 1_000, 16_000, 16_384, 20_000, 65_000, 70_000, 300_000, 1_000_000, 50, 60_000])]
    with served.smtps() as sender:
        for content in contents:
            sender.deliver(content, address("anna"))
        sender.quit()
    tls = served.trust(minimum=version, maximum=version)
    with served.pop3s("anna", tls=tls, receive_buffer=4096) as reader:
        wanted = b""
        listed = range(1, len(contents) + 1)
        reader.send(b"".join(b"RETR %d\r\nLIST\r\nTOP %d 3\r\n" % (n, n) for n in listed))
        for n in listed:
            reader.ok()
            same(original(slowly(reader).block()), contents[n - 1])
            reader.ok()
            assert len(slowly(reader).lines()) == len(contents)
            reader.ok()
            assert contents[n - 1].startswith(original(reader.block())[:60]), wanted
        reader.quit()


def slowly(reader):
    """Takes what has come in small bites for a while."""
    for _ in range(40):
        if len(reader.buffer) > 30_000:
            break
        try:
            reader.socket.settimeout(0.002)
            reader.buffer += reader.socket.recv(700)
        except TimeoutError:
            pass
    reader.socket.settimeout(20)
    return reader


def test_a_reader_that_stops_in_the_middle_of_25_MB_holds_nobody_up_and_gets_the_rest(served):
    """The zero window: it costs the record that is under way, and no more."""
    content = numbered(b"large", LARGE)
    served.deliver(content)
    tls = served.trust()
    readers = [served.pop3s("anna", tls=tls, receive_buffer=4096) for _ in range(10)]
    before = served.private_dirty()
    for reader in readers:
        reader.send(b"RETR 1\r\nNOOP\r\n")
        reader.ok()
    for _ in range(10):
        as_ever(served)
    grown = served.private_dirty() - before
    assert grown < 10 * 64 * 1024, f"{grown} octets for ten readers that do not read"
    (goes_on, *others) = readers
    goes_on.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    same(original(goes_on.block()), content)
    goes_on.ok()
    goes_on.close()
    for reader in others:
        reader.close()


class Records:
    """A TLS client whose records can be cut: octets go out when the test says so."""

    def __init__(self, port, context):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="mail.office.example")
        self.connection = talk.Connection(port)
        self.all(self.tls.do_handshake)

    def all(self, step):
        """Goes on with `step` as far as it takes, sending and receiving whole."""
        while True:
            try:
                result = step()
                self.connection.send(self.outgoing.read())
                return result
            except ssl.SSLWantReadError:
                self.connection.send(self.outgoing.read())
                self.connection.fill()
                self.incoming.write(bytes(self.connection.buffer))
                self.connection.buffer.clear()

    def ask(self, command, answer):
        """Sends a line, and reads a reply of one or more lines."""
        if command:
            self.all(lambda: self.tls.write(command + b"\r\n"))
        text = b""
        while not (text.endswith(b"\r\n") and text.split(b"\r\n")[-2][3:4] != b"-"):
            text += self.all(lambda: self.tls.read(65536))
        assert text.startswith(answer), text
        return text

    def record(self, data):
        """`data` as it goes over the wire."""
        self.tls.write(data)
        return self.outgoing.read()


def in_DATA(office):
    peer = Records(office.smtps_port, office.trust())
    for command, answer in ((b"", b"220"), (b"EHLO c.example", b"250"), (b"MAIL FROM:<a@b.example>", b"250"),
                            (b"RCPT TO:<anna@office.example>", b"250"), (b"DATA", b"354")):
        peer.ask(command, answer)
    return peer


def test_a_sender_that_vanishes_in_the_middle_of_a_record_delivers_nothing(served):
    peer = in_DATA(served)
    record = peer.record(talk.stuffed(letter(b"whole\r\n")) + b".\r\n")
    peer.connection.send(record[:-1])
    peer.connection.close()
    until(lambda: served.sockets() <= 5, "the socket to be closed")
    assert served.fetch("anna") == {}


@pytest.mark.parametrize("end", ["FIN without close_notify", "close_notify", "reset"])
def test_DATA_that_is_cut_off_delivers_nothing(served, end):
    """The truncation attack: whoever can cut the connection must not be able to make half a message of it, even if what
    came looks whole but for its last octet."""
    peer = in_DATA(served)
    peer.connection.send(peer.record(talk.stuffed(letter(b"half\r\n")) + b".\r"))
    if end == "close_notify":
        try:
            peer.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        peer.connection.send(peer.outgoing.read())
    if end == "reset":
        peer.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.connection.close()
    else:
        peer.connection.socket.shutdown(socket.SHUT_WR)
        peer.connection.until_end()
        peer.connection.close()
    until(lambda: served.sockets() <= 5, "the socket to be closed")
    assert served.fetch("anna") == {}


def test_a_record_that_was_tampered_with_ends_the_session_and_delivers_nothing(served):
    peer = in_DATA(served)
    record = bytearray(peer.record(talk.stuffed(letter(b"whole\r\n")) + b".\r\n"))
    record[30] ^= 1
    peer.connection.send(bytes(record))
    peer.connection.until_end()
    peer.connection.close()
    until(lambda: b"TLS failed" in served.log(), "a line in the journal")
    assert served.fetch("anna") == {}


def test_a_reader_that_vanishes_in_the_middle_of_a_command_deletes_nothing(served):
    served.deliver(letter(b"here\r\n"))
    peer = Records(served.pop3s_port, served.trust())
    for command in (b"", b"USER anna", b"PASS anna-secret", b"DELE 1"):
        peer.ask(command, b"+OK")
    record = peer.record(b"QUIT\r\n")
    peer.connection.send(record[:-1])
    peer.connection.close()
    until(lambda: served.sockets() <= 5, "the socket to be closed")
    assert len(served.fetch("anna")) == 1


def test_a_half_closed_reader_gets_all_it_asked_for(served):
    """It says close_notify after its last command; RFC 8446 §6.1 leaves the other direction open."""
    content = numbered(b"n", 500_000)
    served.deliver(content)
    peer = Records(served.pop3s_port, served.trust())
    peer.ask(b"", b"+OK")
    wire = peer.record(b"USER anna\r\nPASS anna-secret\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n")
    peer.connection.send(wire)
    got = b""
    while not got.endswith(b"\r\n.\r\n+OK Message 1 deleted.\r\n") and got.count(b"+OK") < 5:
        piece = peer.all(lambda: peer.tls.read(1 << 18))
        if not piece:
            break
        got += piece
    assert got.count(b"+OK") == 5, got[-200:]
    peer.connection.close()
    until(lambda: served.sockets() <= 5, "the socket to be closed")
    assert served.fetch("anna") == {}


def test_the_end_of_a_session_is_told_by_close_notify(served):
    """Without it, a mail program cannot tell the end from a cut wire, and some complain."""
    tls = served.trust()
    for session in (served.pop3s("anna", tls=tls), served.smtps(tls=tls)):
        with session:
            session.socket.suppress_ragged_eofs = False
            session.send(b"QUIT\r\n")
            session.line()
            assert session.socket.recv(100) == b""


def test_keys_are_changed_in_the_middle(served):
    """RFC 8446 §4.6.3, in both directions, while a message is read. OpenSSL's client does it
    at a line that begins with K or k, and renegotiates at one with R."""
    content = numbered(b"n", 2_000_000)
    served.deliver(content)
    with subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{served.pop3s_port}", "-CAfile",
                           str(served.certificate()), "-verify_return_error", "-crlf", "-tls1_3"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as client:
        def say(line, answer):
            client.stdin.write(line + b"\n")
            client.stdin.flush()
            return see(answer)

        def see(answer):
            text = b""
            while not text.endswith(answer):
                piece = client.stdout.read1(1 << 16)
                assert piece, text[-500:]
                text += piece
                if answer in text:
                    return text
            return text

        see(b"+OK")
        say(b"USER anna", b"+OK")
        say(b"PASS anna-secret", b"+OK")
        for _ in range(3):
            # K asks the server to change its keys as well.
            say(b"K", b"KEYUPDATE")
            say(b"k", b"KEYUPDATE")
            text = say(b"LIST", b"\r\n.\r\n")
            assert b"1 2000" in text
        say(b"K", b"KEYUPDATE")
        text = say(b"retr 1", b".end\r\n.\r\n")
        assert content.replace(b"\r\n.", b"\r\n..")[:1000] in text and len(text) > len(content)
        say(b"K", b"KEYUPDATE")
        say(b"NOOP", b"+OK")
        client.stdin.write(b"quit\n")
        client.stdin.close()
        client.stdout.read()
    assert b"TLS failed" not in served.log()
