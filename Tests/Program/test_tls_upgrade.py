"""STARTTLS and STLS: nothing that came before counts after, and nothing that comes with them is carried out."""

import contextlib
import re
import socket
import subprocess

import pytest

import pins
import talk
from letters import letter, original, same
from office import address
from waiting import until


@pytest.fixture
def served(make_office):
    office = make_office(tls=True).start()
    with office.pop3("anna") as reader:
        reader.quit()
    until(lambda: office.sockets() <= 5, "the greeted sockets to be closed")
    return office


def hello(port, tls):
    """A client in the clear that has been greeted, and by EHLO where that is the custom."""
    connection = talk.Connection(port)
    connection.line()
    if tls == b"STARTTLS":
        connection.send(b"EHLO c.example\r\n")
        while connection.line()[3:4] != b" ":
            pass
    return connection


INJECTED = {
    b"STARTTLS": [b"EHLO evil.example\r\n", b"NOOP\r\n", b"RSET\r\nMAIL FROM:<x@evil.example>\r\n", b"QUIT\r\n", b"N",
                  b"MAIL FROM:<x@evil.example>\r\nRCPT TO:<anna@office.example>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\n",
                  b"\r\n", b"STARTTLS\r\n", b"\0", b"AUTH PLAIN AGFubmEAYW5uYS1zZWNyZXQ=\r\n"],
    b"STLS": [b"CAPA\r\n", b"NOOP\r\n", b"USER anna\r\n", b"USER anna\r\nPASS anna-secret\r\nDELE 1\r\nQUIT\r\n", b"QUIT\r\n",
              b"U", b"\r\n", b"STLS\r\n", b"\0", b"AUTH PLAIN AGFubmEAYW5uYS1zZWNyZXQ=\r\n"],
}


def injections():
    for command, texts in INJECTED.items():
        for text in texts:
            yield pytest.param(command, text, id=f"{command.decode()}-{text[:24]!r}")


@pytest.mark.parametrize("command, injected", injections())
@pytest.mark.parametrize("way", ["in the same segment", "in the next one", "before the ClientHello", "octet by octet"])
def test_what_comes_in_the_clear_with_the_command_is_never_carried_out(shared_tls, command, injected, way):
    """CVE-2011-0411 and its kind: somebody on the line adds commands, which count as if they had come under TLS."""
    office = shared_tls
    before, log = len(office.fetch("anna")), len(office.log())
    connection = hello(office.smtp_port if command == b"STARTTLS" else office.pop3_port, command)
    with connection:
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answer = None
        if way == "in the same segment":
            connection.send(command + b"\r\n" + injected)
        elif way == "octet by octet":
            # It may have closed before the last of them.
            with contextlib.suppress(talk.Closed):
                for octet in command + b"\r\n" + injected:
                    connection.send(bytes([octet]))
        else:
            connection.send(command + b"\r\n")
            if way == "before the ClientHello":
                answer = connection.line()
            connection.send(injected)
        answer = answer or connection.line()
        if answer.startswith((b"220", b"+OK")):
            # As the client does whose line that is; it must not be completed.
            # Where the server has reset the connection already, Python tries no handshake, and TLS has no version.
            with contextlib.suppress(OSError, talk.Closed):
                connection.begin_tls(office.trust())
                if connection.socket.version():
                    raise AssertionError(f"TLS began; then the server said {connection.until_end()!r}")
        else:
            assert answer.startswith((b"421", b"-ERR")), answer
            rest = connection.until_end()
            assert not re.search(rb"(?m)^(?:[2-5]\d\d |\+OK|-ERR)", rest), rest
    until(lambda: re.search(rb"(clear|TLS).*127\.0\.0\.1|left out", office.log()[log:]), "a line in the journal")
    assert len(office.fetch("anna")) == before


@pytest.fixture(scope="module")
def shared_tls(tmp_path_factory):
    import office as offices
    # A journal that leaves nothing out, and no ban: this module is one address.
    office = offices.Office(tmp_path_factory.mktemp("tls"), tls=True).start()
    office.deliver(letter(b"here\r\n"))
    yield office
    office.close()


def test_nothing_said_before_STARTTLS_counts_after_it(served):
    """RFC 3207 §4.2: not the name, not the transaction."""
    tls = served.trust()
    with served.smtp(hello=b"lies.example") as sender:
        sender.mail(b"x@evil.example", address("anna"))
        sender.starttls(tls, hello=None)
        code, _ = sender.ask(b"RCPT TO:<bert@office.example>")
        assert code == b"503", code
        code, _ = sender.ask(b"DATA")
        assert code in (b"503", b"554"), code
        sender.ask(b"EHLO honest.example", b"250")
        sender.deliver(letter(b"clean\r\n"), address("bert"), sender=b"a@honest.example")
        sender.quit()
    assert served.fetch("anna") == {}
    (message,) = served.fetch("bert").values()
    assert b"lies.example" not in message and b"evil.example" not in message
    assert b"from honest.example" in message and b" with ESMTPS\r\n" in message, message


def test_STARTTLS_is_refused_during_a_message_in_chunks_or_forgets_it(served):
    with served.smtp() as sender:
        sender.mail(b"x@evil.example", address("anna"))
        sender.send(b"BDAT 9\r\nSubject: ")
        sender.expect(b"250")
        code, _ = sender.ask(b"STARTTLS")
        if code == b"220":
            sender.begin_tls(served.trust())
            code, _ = sender.ask(b"BDAT 0 LAST")
        assert code.startswith(b"50"), code
    until(lambda: served.sockets() <= 5, "the socket to be closed")
    assert served.fetch("anna") == {}


def test_nothing_said_before_STLS_counts_after_it(served):
    """RFC 2595 §4: a name given in the clear is forgotten."""
    served.deliver(letter(b"here\r\n"))
    with served.pop3() as reader:
        reader.ask(b"USER anna")
        reader.stls(served.trust())
        assert reader.answer(b"PASS anna-secret").startswith(b"-ERR")
        reader.login(b"anna")
        same(original(reader.retr(1)), letter(b"here\r\n"))
        reader.quit()


def test_STLS_after_the_login_is_refused(served):
    """RFC 2595 §4: only in the AUTHORIZATION state."""
    with served.pop3("anna") as reader:
        assert reader.answer(b"STLS").startswith(b"-ERR")
        reader.quit()


def test_a_second_upgrade_is_refused_and_not_offered(served):
    tls = served.trust()
    for sender in (served.smtp().starttls(tls), served.smtps(tls=tls)):
        with sender:
            assert b"STARTTLS" not in sender.extensions
            code, _ = sender.ask(b"STARTTLS")
            assert code.startswith(b"5"), code
            sender.ask(b"NOOP", b"250")
            sender.quit()
    for reader in (served.pop3().stls(tls), served.pop3s(tls=tls)):
        with reader:
            reader.ask(b"CAPA")
            assert b"STLS" not in reader.lines()
            assert reader.answer(b"STLS").startswith(b"-ERR")
            reader.login(b"anna")
            reader.quit()


def test_both_are_offered_in_the_clear_and_take_no_argument(served):
    with served.smtp() as sender:
        assert b"STARTTLS" in sender.extensions
        code, _ = sender.ask(b"STARTTLS now")
        assert code == b"501", code
        sender.starttls(served.trust()).quit()
    with served.pop3() as reader:
        reader.ask(b"CAPA")
        assert b"STLS" in reader.lines()
        reader.stls(served.trust()).quit()


def test_a_handshake_that_fails_after_the_upgrade_ends_the_session(served):
    """It cannot go on in the clear: the peer believes that it is encrypted."""
    for connection, command in ((served.smtp(), b"STARTTLS"), (served.pop3(), b"STLS")):
        with connection:
            connection.send(command + b"\r\n")
            connection.line()
            log = len(served.log())
            connection.send(b"\x16\x03\x01\x00\x05nonsense and more of it\r\nNOOP\r\n")
            rest = connection.until_end()
            assert len(rest) <= 30 and b"250" not in rest and b"+OK" not in rest, rest
            until(lambda: b"TLS" in served.log()[log:], "a line in the journal")


def test_an_upgrade_that_waits_for_its_handshake_can_be_left(served):
    for connection, command in ((served.smtp(), b"STARTTLS"), (served.pop3(), b"STLS")):
        connection.send(command + b"\r\n")
        connection.line()
        connection.close()
    until(lambda: served.sockets() <= 5, "the sockets to be closed")


def test_commands_before_the_upgrade_in_one_segment_are_answered(served):
    """RFC 2920 §3.1 lets STARTTLS be the last of a group."""
    with served.smtp() as sender:
        sender.send(b"NOOP\r\nRSET\r\nSTARTTLS\r\n")
        for code in (b"250", b"250", b"220"):
            sender.expect(code)
        sender.begin_tls(served.trust())
        sender.ask(b"EHLO c.example", b"250")
        sender.deliver(letter(b"in order\r\n"), address("anna"))
        sender.quit()
    with served.pop3() as reader:
        reader.send(b"CAPA\r\nSTLS\r\n")
        reader.ok()
        reader.lines()
        reader.ok()
        reader.begin_tls(served.trust())
        reader.login(b"anna")
        assert reader.stat()[0] == 1
        reader.quit()


def test_a_client_that_upgrades_is_bound_to_what_the_port_is_for(served):
    """ALPN counts after the upgrade as well."""
    for upgrade, own in ((lambda tls: served.smtp().starttls(tls), "smtp"),
                         (lambda tls: served.pop3().stls(tls), "pop3")):
        with upgrade(served.trust(alpn=[own])) as connection:
            assert connection.socket.selected_alpn_protocol() == own
        with pytest.raises((OSError, talk.Closed), match="no application protocol"):
            upgrade(served.trust(alpn=["http/1.1"]))


def test_a_new_certificate_is_taken_at_SIGHUP_and_old_sessions_go_on(served):
    content = letter(b"x" * 998 + b"\r\n" * 2)
    served.deliver(content)
    old = pins.Pin(served.certificate(), served.fingerprint())
    trusted = served.trust()
    sender, reader = served.smtps(tls=trusted), served.pop3s("anna", tls=trusted)
    sender.mail(b"a@b.example", address("bert"))
    done = served.run("certificate", "renew", code=None)
    if done.returncode != 0 or b"SIGHUP" in done.stdout:
        served.hang_up()
    assert old.fits(sender.socket)

    def renewed():
        with talk.POP3(served.pop3s_port, greet=False) as fresh:
            try:
                fresh.begin_tls(trusted)
                return False
            except OSError:
                return True

    until(renewed, "the new certificate to be served")
    sender.data(content)
    sender.quit()
    same(original(reader.retr(1)), content)
    reader.quit()
    assert served.fingerprint() != old.sha256
    with served.pop3s("bert") as fresh:
        same(original(fresh.retr(1)), content)
        fresh.quit()


def test_a_client_that_insists_on_TLS_gets_it_or_nothing(served, needs):
    """Stripping: where the answer to STARTTLS is no, a client that requires it does not go on. It is the client's part;
    ours is that the offer stands wherever there is a certificate."""
    needs("curl")
    for port, url in ((served.smtp_port, "smtp"), (served.pop3_port, "pop3")):
        done = subprocess.run(["curl", "-sSv", "--ssl-reqd", "--cacert", served.certificate(), "--resolve",
                               f"mail.office.example:{port}:127.0.0.1", f"{url}://mail.office.example:{port}/",
                               "--request", "NOOP", "--head", "--user", "anna:anna-secret"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
        assert b"SSL connection using TLSv1.3" in done.stdout, done.stdout
