"""What may become of the first octets: versions, names of protocols, resumption, and all that is no TLS at all."""

import os
import re
import socket
import ssl
import subprocess
import threading
import warnings

import pytest

import talk
from letters import letter, original, same
from office import address
from waiting import until

OLD = "DEFAULT:@SECLEVEL=0"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """One open office for all that only knocks."""
    import office as offices
    office = offices.Office(tmp_path_factory.mktemp("tls"), tls=True).start()
    office.deliver(letter(b"here\r\n"))
    yield office
    office.close()


def s_client(office, port, *options, say=b"", source=None):
    """What openssl s_client says when it says `say` after the handshake: (whether it was done, its words)."""
    bind = ("-bind", source) if source else ()
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *bind, "-CAfile",
                           str(office.certificate()), "-crlf", *options], input=say, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=30)
    text = done.stdout.decode(errors="replace")
    return re.search(r"^\s*Verify return code: 0|^Verification: OK", text, re.M) is not None \
        and "Cipher is (NONE)" not in text and "Cipher    : 0000" not in text, text


def new_lines(office, before, text):
    """The journal lines since `before` octets of it with `text`, when there are any. This module may make more in a second
    than the journal takes of a kind; it tells how many more there were then. What an honest reader did before may be told
    only now."""
    def look():
        lines = [line for line in office.log()[before:].split(b"\n") if b" anna" not in line]
        return [line for line in lines if text in line] or [line for line in lines if b'kind "TLS failed"' in line]

    return until(look, f"a line with {text!r} in the journal: {office.log()[before:]!r}")


# Versions


@pytest.mark.parametrize("port", ["smtps_port", "pop3s_port"])
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_TLS_1_2_and_1_3_are_spoken(served, port, version):
    good, text = s_client(served, getattr(served, port), version)
    assert good, text
    assert "Peer signature type: ECDSA" in text
    assert "Compression: NONE" in text


@pytest.mark.parametrize("port", ["smtps_port", "pop3s_port"])
@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_older_versions_are_refused_by_default_with_one_line(served, port, version):
    before = len(served.log())
    good, text = s_client(served, getattr(served, port), version, "-cipher", OLD)
    assert not good
    assert "alert protocol version" in text
    assert len(new_lines(served, before, b"TLS failed")) == 1


def test_MinimumProtocol_1_3_refuses_1_2(make_office):
    office = make_office({"TLS": {"MinimumProtocol": "1.3"}}, tls=True).start()
    assert s_client(office, office.pop3s_port, "-tls1_3")[0]
    good, text = s_client(office, office.pop3s_port, "-tls1_2")
    assert not good and "alert protocol version" in text


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_old_devices_of_LegacyTLSFrom_alone_are_served_and_logged_each_time(make_office, version):
    office = make_office({"TLS": {"MinimumProtocol": "1.0", "LegacyTLSFrom": "127.0.0.2 127.0.1.0/24"}},
                         tls=True).start()
    for port in (office.smtps_port, office.pop3s_port):
        for source in ("127.0.0.2", "127.0.1.77", "127.0.0.2"):
            before = len(office.log())
            good, text = s_client(office, port, version, "-cipher", OLD, source=source)
            assert good, text
            (line,) = new_lines(office, before, b"old device")
            assert source.encode() in line and b"TLSv1" in line
        for source in ("127.0.0.3", "127.0.2.1"):
            good, text = s_client(office, port, version, "-cipher", OLD, source=source)
            assert not good and "alert protocol version" in text
    # A device of these networks that can do better does, and is not called old.
    before = len(office.log())
    assert s_client(office, office.smtps_port, "-tls1_2", source="127.0.0.2")[0]
    assert s_client(office, office.smtps_port, "-tls1_3", source="127.0.0.2")[0]
    # What is logged in order is there by now.
    assert not s_client(office, office.smtps_port, version, "-cipher", OLD)[0]
    new_lines(office, before, b"TLS failed")
    assert b"old device" not in office.log()[before:]


def test_an_old_device_delivers_its_message(make_office):
    office = make_office({"TLS": {"MinimumProtocol": "1.0", "LegacyTLSFrom": "127.0.0.2"}}, tls=True).start()
    context = office.trust()
    context.set_ciphers(OLD)
    with warnings.catch_warnings(action="ignore"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    with office.smtps(tls=context, source="127.0.0.2") as sender:
        assert sender.socket.version() == "TLSv1"
        sender.deliver(letter(b"scanned\r\n" * 30_000), address("anna"))
        sender.quit()
    (message,) = office.fetch("anna").values()
    same(original(message), letter(b"scanned\r\n" * 30_000))


def test_a_handshake_that_pretends_the_server_knows_less_is_refused(served):
    """RFC 7507: the client that fell back says so, and we could do better."""
    good, text = s_client(served, served.pop3s_port, "-tls1_2", "-fallback_scsv")
    assert not good and "inappropriate fallback" in text


@pytest.mark.parametrize("cipher", ["NULL", "aNULL", "EXPORT", "RC4", "3DES", "AES128-SHA", "AES128-GCM-SHA256", "CBC",
                                    "ECDHE-ECDSA-AES128-SHA"])
def test_no_cipher_without_forward_secrecy_or_authenticated_encryption(served, cipher):
    context = served.trust(maximum=ssl.TLSVersion.TLSv1_2)
    try:
        context.set_ciphers(f"{cipher}:@SECLEVEL=0")
    except ssl.SSLError:
        # A client of this machine has it no more.
        return
    with pytest.raises((ssl.SSLError, ConnectionError)):
        served.pop3s(tls=context)


def test_renegotiation_is_refused_and_others_are_served(served):
    """s_client renegotiates at a line that begins with R. Whether it stays then is its own affair."""
    with subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{served.pop3s_port}", "-CAfile",
                           str(served.certificate()), "-crlf", "-tls1_2"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as client:
        text = b""
        while b"+OK" not in text:
            piece = client.stdout.read1(1 << 16)
            assert piece, text
            text += piece
        client.stdin.write(b"R\n")
        client.stdin.flush()
        rest, _ = client.communicate(timeout=20)
    assert b"RENEGOTIATING" in rest and b"no renegotiation" in rest, rest
    with served.pop3s("anna", tls=served.trust(maximum=ssl.TLSVersion.TLSv1_2)) as reader:
        assert reader.stat()[0] == 1
        reader.quit()


# ALPN


@pytest.mark.parametrize("port, own, other", [("smtps_port", "smtp", "pop3"), ("pop3s_port", "pop3", "smtp")])
def test_a_client_that_wants_another_protocol_is_refused(served, port, own, other):
    """ALPACA: a browser that was led here must not get answers."""
    def connect(names):
        with talk.Connection(getattr(served, port), tls=served.trust(alpn=names)) as connection:
            chosen = connection.socket.selected_alpn_protocol()
            connection.line()
            return chosen

    assert connect(None) is None
    assert connect([own]) == own
    assert connect(["http/1.1", own]) == own
    for names in (["http/1.1"], ["h2", "http/1.1"], [other], ["imap"], [own + "x"], [own[:-1]]):
        before = len(served.log())
        with pytest.raises(ssl.SSLError, match="no application protocol"):
            connect(names)
        assert len(new_lines(served, before, b"TLS failed")) == 1


# Resumption


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_session_is_resumed(served, tmp_path, version):
    ticket = tmp_path / "session"
    # In TLS 1.3 the ticket comes with the first data; s_client must live to see it.
    with subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{served.pop3s_port}", "-CAfile",
                           str(served.certificate()), version, "-crlf", "-sess_out", str(ticket), "-ign_eof"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as client:
        client.stdin.write(b"quit\n")
        client.stdin.flush()
        text, _ = client.communicate(timeout=20)
    assert ticket.exists(), text
    _, text = s_client(served, served.pop3s_port, version, "-sess_in", str(ticket), "-ign_eof", say=b"quit\n")
    assert re.search("^Reused, ", text, re.M), text
    # The other service takes it, or makes a new session; it must not fail.
    good, text = s_client(served, served.smtps_port, version, "-sess_in", str(ticket), "-ign_eof", say=b"quit\n")
    assert good, text


def test_a_resumed_session_serves_as_a_new_one(served):
    context = served.trust(maximum=ssl.TLSVersion.TLSv1_2)
    with served.pop3s("anna", tls=context) as first:
        session = first.socket.session
        whole = first.retr(1)
    with talk.POP3(served.pop3s_port, greet=False) as second:
        second.begin_tls(context, session=session)
        second.ok()
        assert second.socket.session_reused
        # Who it was is forgotten: a ticket is no login.
        assert second.answer(b"STAT").startswith(b"-ERR")
        second.login(b"anna")
        same(second.retr(1), whole)
        second.quit()


def test_no_early_data_is_taken(served):
    """What comes before the handshake's end could be played again (RFC 8446 §8)."""
    _, text = s_client(served, served.pop3s_port, "-tls1_3", "-ign_eof", say=b"quit\n")
    assert "Max Early Data: 0" in text


# No TLS at all


def client_hello(context=None):
    """The first octets of a client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = (context or ssl.create_default_context()).wrap_bio(incoming, outgoing, server_hostname="mail.office.example")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("port", ["smtp_port", "pop3_port"])
def test_a_ClientHello_on_a_port_without_TLS_gets_an_end_at_once_and_one_line(served, port):
    """Real printers do it. The session must end, or the printer waits for minutes."""
    before = len(served.log())
    with talk.Connection(getattr(served, port), timeout=5) as connection:
        connection.send(client_hello())
        answer = connection.until_end()
    lines = answer.split(b"\r\n")[:-1]
    assert len(lines) <= 3, lines
    assert lines[-1].startswith((b"-ERR", b"421", b"5")) and re.search(rb"TLS|encrypt", lines[-1]), lines
    (line,) = new_lines(served, before, b"127.0.0.1")
    assert re.search(rb"TLS|encrypt", line) and b"\x16" not in line


@pytest.mark.parametrize("port", ["smtp_port", "pop3_port"])
def test_HTTP_gets_an_end_at_once_and_one_line(served, port):
    for request in (b"GET / HTTP/1.1\r\nHost: office.example\r\nAccept: */*\r\n\r\n",
                    b"POST /login HTTP/1.1\r\nHost: office.example\r\nContent-Length: 120\r\n\r\n"
                    b"MAIL FROM:<x@evil.example>\r\nRCPT TO:<anna@office.example>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\n"):
        before = len(served.log())
        with talk.Connection(getattr(served, port), timeout=5) as connection:
            connection.send(request)
            answer = connection.until_end()
        lines = answer.split(b"\r\n")[:-1]
        assert len(lines) <= 2, lines
        assert lines[-1].startswith((b"-ERR", b"421", b"5")), lines
        (line,) = new_lines(served, before, b"127.0.0.1")
        assert b"web server" in line, line
    assert len(served.fetch("anna")) == 1


@pytest.mark.parametrize("port", ["smtps_port", "pop3s_port"])
@pytest.mark.parametrize("kind", ["HTTP", "SMTP", "POP3", "zeros", "noise", "SSL 2", "a record that is too long",
                                  "a hello with an endless length", "an alert"])
def test_what_is_no_TLS_on_a_TLS_port_gets_an_end_at_once_and_one_line(served, port, kind):
    octets = {
        "HTTP": b"GET / HTTP/1.1\r\nHost: office.example\r\n\r\n",
        "SMTP": b"EHLO client.example\r\nMAIL FROM:<a@b.example>\r\n",
        "POP3": b"USER anna\r\nPASS anna-secret\r\n",
        "zeros": b"\0" * 1000,
        "noise": b"\x17" + os.urandom(5000),
        "SSL 2": bytes.fromhex("802e0100020015000000100100800200800300800400800500800600400700c0") + b"\0" * 16,
        "a record that is too long": b"\x16\x03\x01\xff\xff" + b"\1" * 65535,
        "a hello with an endless length": b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + b"\3" * 16380,
        "an alert": b"\x15\x03\x01\x00\x02\x02\x28",
    }[kind]
    before = len(served.log())
    with talk.Connection(getattr(served, port), timeout=5) as connection:
        try:
            connection.send(octets)
        except talk.Closed:
            pass
        answer = connection.until_end()
    # An alert, or nothing: no answer of the protocol's own.
    assert len(answer) <= 30 and b"+OK" not in answer and b"220" not in answer, answer
    assert len(new_lines(served, before, b"127.0.0.1")) == 1


def test_a_handshake_in_single_octets_comes_to_its_end(served):
    listener = socket.create_server(("127.0.0.1", 0))

    def slow_proxy():
        near, _ = listener.accept()
        far = socket.create_connection(("127.0.0.1", served.pop3s_port))
        far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def back():
            while data := far.recv(65536):
                near.sendall(data)
            near.shutdown(socket.SHUT_WR)

        answers = threading.Thread(target=back)
        answers.start()
        while data := near.recv(65536):
            for octet in data:
                far.sendall(bytes([octet]))
        far.shutdown(socket.SHUT_WR)
        answers.join()
        near.close()
        far.close()

    proxy = threading.Thread(target=slow_proxy)
    proxy.start()
    with talk.POP3(listener.getsockname()[1], name=b"anna", tls=served.trust()) as reader:
        assert reader.stat()[0] == 1
        reader.quit()
    proxy.join()
    listener.close()


@pytest.mark.parametrize("port", ["smtps_port", "pop3s_port"])
def test_a_hello_that_is_cut_off_leaves_nothing_behind(served, port):
    hello = client_hello(served.trust())
    until(lambda: served.sockets() <= 5, "no other socket to be open")
    for count in (0, 1, 5, 6, 43, len(hello) // 2, len(hello) - 1, len(hello)):
        with talk.Connection(getattr(served, port)) as connection:
            connection.send(hello[:count])
            connection.socket.shutdown(socket.SHUT_WR)
            connection.until_end()
    until(lambda: served.sockets() <= 5, "the sockets to be closed")
    with served.pop3s("anna") as reader:
        reader.quit()


def test_a_handshake_that_stands_still_is_cut_off(served):
    """tlsHandshake: 20 seconds, from the connection's first moment and not from its last octet."""
    hello = client_hello(served.trust())
    silent, begun, dripping = (talk.Connection(served.pop3s_port, timeout=40) for _ in range(3))
    begun.send(hello)
    stop = threading.Event()
    drops = threading.Thread(target=talk.drip, args=(dripping, hello, stop))
    drops.start()
    try:
        begun.until_end()
        assert silent.until_end() == b""
        dripping.until_end()
    finally:
        stop.set()
        drops.join()
    until(lambda: served.log().count(b"cut off") >= 3, "three lines in the journal")
    for connection in (silent, begun, dripping):
        connection.close()


def test_noise_in_every_place_of_a_handshake(served):
    """Each octet of a ClientHello in turn is another one: an end or a handshake that goes on, and never a fall."""
    hello = client_hello(served.trust())
    for at in range(len(hello)):
        wrong = bytearray(hello)
        wrong[at] ^= 1 << at % 8
        with talk.Connection(served.pop3s_port) as connection:
            connection.send(bytes(wrong))
            connection.socket.shutdown(socket.SHUT_WR)
            connection.until_end()
    with served.pop3s("anna") as reader:
        same(original(reader.retr(1)), letter(b"here\r\n"))
        reader.quit()
