"""Logging in over POP3 and SMTP: mechanisms, channel binding, TLS first, and what a login does not give."""

import base64
import ssl
import subprocess

import pytest

import network
import office as offices
import scram

LETTER = b"Subject: hello\r\n\r\nhello\r\n"


def encoded(message):
    return base64.b64encode(message)


def plain(name, password=None, authorization=b""):
    return encoded(authorization + b"\0" + name + b"\0" + (name + b"-secret" if password is None else password))


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    office = offices.Office(tmp_path_factory.mktemp("logins"), {"SMTP": {"MaximumConnectionsPerAddress": "100"}},
                            tls=True, accounts=("anna", "bert", "carl"))
    office.aliases.write_text("sales: anna, bert\nchef: bert\n")
    office.start()
    yield office
    office.close()


def pop3_challenge(connection):
    line = connection.line()
    assert line.startswith(b"+ "), line
    return line[2:]


def smtp_challenge(connection):
    line = connection.line()
    assert line.startswith(b"334 "), line
    return line[4:]


def hold_scram(connection, client, mechanism, challenge, initial):
    """The exchange up to the client's last line; returns without reading the answer to it."""
    if initial:
        connection.send(b"AUTH " + mechanism + b" " + encoded(client.first()) + b"\r\n")
    else:
        connection.send(b"AUTH " + mechanism + b"\r\n")
        assert challenge(connection) == b""
        connection.send(encoded(client.first()) + b"\r\n")
    connection.send(encoded(client.final(base64.b64decode(challenge(connection)))) + b"\r\n")


# Ways in

@pytest.mark.parametrize("initial", [True, False])
@pytest.mark.parametrize("way", ["loopback", "STLS", "pop3s"])
def test_a_reader_logs_in_with_PLAIN(office, way, initial):
    with (office.pop3s() if way == "pop3s" else office.pop3()) as reader:
        if way == "STLS":
            reader.stls(office.trust())
        if initial:
            reader.ask(b"AUTH PLAIN " + plain(b"anna"))
        else:
            reader.send(b"AUTH PLAIN\r\n")
            assert pop3_challenge(reader) == b""
            reader.ask(plain(b"anna", authorization=b"anna"))
        reader.stat()
        reader.quit()


@pytest.mark.parametrize("initial", [True, False])
@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize("protocol", ["pop3", "smtp"])
def test_SCRAM_shows_each_side_that_the_other_knows_the_password(office, protocol, tls, initial):
    with getattr(office, protocol + "s" * tls)() as connection:
        client = scram.Client(b"anna", b"anna-secret")
        challenge = pop3_challenge if protocol == "pop3" else smtp_challenge
        hold_scram(connection, client, b"SCRAM-SHA-256", challenge, initial)
        assert base64.b64decode(challenge(connection)) == client.expected
        if protocol == "pop3":
            connection.ask(b"")
            connection.stat()
        else:
            connection.ask(b"", b"235")
        connection.quit()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("protocol", ["pop3", "smtp"])
def test_SCRAM_PLUS_is_bound_to_the_connection_it_is_held_on(office, protocol, version):
    challenge = pop3_challenge if protocol == "pop3" else smtp_challenge
    for wrong in (False, True):
        with getattr(office, protocol + "s")(tls=office.trust(maximum=version)) as connection:
            binding = bytearray(scram.end_point(connection))
            binding[0] ^= wrong
            client = scram.Client(b"bert", b"bert-secret", b"p=tls-server-end-point,,", bytes(binding))
            hold_scram(connection, client, b"SCRAM-SHA-256-PLUS", challenge, True)
            if wrong:
                assert connection.line().startswith((b"-ERR [AUTH]", b"535 5.7.8")), "somebody in the middle"
            else:
                assert base64.b64decode(challenge(connection)) == client.expected
                connection.send(b"\r\n")
                assert connection.line().startswith((b"+OK", b"235"))


def test_another_make_of_client_binds_its_login_to_what_TLS_exports(office, needs):
    needs("gsasl")
    done = subprocess.run(
        ["gsasl", "--smtp", "--starttls", f"--x509-ca-file={office.certificate()}", "-m", "SCRAM-SHA-256-PLUS",
         "-a", "anna", "-p", "anna-secret", "--hostname=mail.office.example", "127.0.0.1", str(office.smtp_port)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    assert done.returncode == 0 and b"235 2.7.0" in done.stdout and b"server trusted" in done.stdout, done.stdout
    assert encoded(b"p=tls-exporter,,n=anna,r=")[:32] in done.stdout, done.stdout


def test_who_takes_away_the_offer_of_channel_binding_is_found_out(office):
    with office.pop3s() as reader:
        # RFC 5802 §6: "I could, and you said that you cannot".
        client = scram.Client(b"carl", b"carl-secret", b"y,,")
        assert reader.answer(b"AUTH SCRAM-SHA-256 " + encoded(client.first())).startswith(b"-ERR [AUTH]")
    with office.pop3() as reader:
        # In the clear it was not offered.
        hold_scram(reader, client, b"SCRAM-SHA-256", pop3_challenge, True)
        assert base64.b64decode(pop3_challenge(reader)) == client.expected


def test_an_old_program_logs_in_with_LOGIN(office):
    with office.smtps() as sender:
        assert b"AUTH PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS" in sender.extensions
        assert sender.ask(b"AUTH LOGIN", b"334") == [encoded(b"Username:")]
        assert sender.ask(encoded(b"anna"), b"334") == [encoded(b"Password:")]
        sender.ask(encoded(b"anna-secret"), b"235")


def test_a_name_that_nobody_has_looks_like_any_other(office):
    def challenge(name):
        with office.smtp() as sender:
            text, = sender.ask(b"AUTH SCRAM-SHA-256 " + encoded(scram.Client(name, b"x").first()), b"334")
            r, s, i = base64.b64decode(text).split(b",")
            return s, i, len(r), sender.ask(b"*", b"501")
    first, second, anna = challenge(b"nobody"), challenge(b"nobody"), challenge(b"anna")
    assert first == second, "a salt that changes would tell"
    assert first[0] != anna[0] and len(first[0]) == len(anna[0]) and first[1:] == anna[1:]
    assert challenge(b"anybody")[0] != first[0]


# TLS first

def test_without_TLS_a_reader_from_elsewhere_gives_no_password_and_is_told_what_to_do(make_office):
    office = make_office()
    office.configure(SMTP={"Listen": f"0.0.0.0:{office.smtp_port}"}, POP3={"Listen": f"0.0.0.0:{office.pop3_port}"})

    def try_it():
        office.start()
        far = {"host": network.ADDRESS, "source": network.ADDRESS}
        with office.pop3(**far) as reader:
            reader.ask(b"CAPA")
            capabilities = reader.lines()
            assert b"STLS" in capabilities
            assert not any(line.startswith((b"USER", b"SASL")) for line in capabilities), capabilities
            for command in (b"USER anna", b"PASS anna-secret", b"AUTH", b"AUTH PLAIN " + plain(b"anna")):
                answer = reader.answer(command)
                assert answer.startswith(b"-ERR [AUTH]") and b"STARTTLS" in answer, answer
            reader.stls(office.trust())
            reader.ask(b"CAPA")
            assert {b"USER", b"SASL PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS"} < set(reader.lines())
            reader.login(b"anna")
            reader.quit()
        with office.smtp(**far) as sender:
            assert b"STARTTLS" in sender.extensions
            assert not any(line.startswith(b"AUTH") for line in sender.extensions), sender.extensions
            sender.ask(b"AUTH PLAIN " + plain(b"anna"), b"538")
            sender.starttls(office.trust())
            sender.ask(b"AUTH PLAIN " + plain(b"anna"), b"235")
        office.stop()

    network.alone(try_it)


@pytest.mark.parametrize("rest", [b"RSET\r\n", b"\r\n", b"N", b"EHLO c\r\nAUTH PLAIN " + plain(b"anna") + b"\r\n"])
def test_what_comes_along_with_STARTTLS_is_never_carried_out(office, rest):
    with office.smtp() as sender:
        sender.send(b"STARTTLS\r\n" + rest)
        answer = sender.until_end()
        assert answer.startswith(b"421 4.7.0 ") and answer.count(b"\r\n") == 1, answer


def test_what_comes_along_with_STLS_is_never_carried_out(office):
    with office.pop3() as reader:
        reader.send(b"STLS\r\nUSER anna\r\nPASS anna-secret\r\nSTAT\r\n")
        answer = reader.until_end()
        assert answer.startswith(b"-ERR Commands") and answer.count(b"\r\n") == 1, answer


def test_commands_in_the_clear_after_STARTTLS_end_the_connection(office):
    with office.smtp() as sender:
        sender.ask(b"STARTTLS", b"220")
        sender.send(b"MAIL FROM:<>\r\n")
        assert b"250" not in sender.until_end()


def test_what_was_said_in_the_clear_is_forgotten(office):
    with office.smtp() as sender:
        sender.ask(b"AUTH PLAIN " + plain(b"anna"), b"235")
        sender.mail(b"anna@office.example", b"bert@office.example")
        sender.starttls(office.trust(), hello=None)
        for command in (b"DATA", b"RCPT TO:<bert@office.example>", b"MAIL FROM:<>"):
            sender.ask(command, b"503")
        extensions = sender.ask(b"EHLO again", b"250")
        assert b"STARTTLS" not in extensions and any(line.startswith(b"AUTH ") for line in extensions)
        sender.ask(b"AUTH PLAIN " + plain(b"anna"), b"235")
        sender.quit()
    with office.pop3() as reader:
        reader.ask(b"USER anna")
        reader.stls(office.trust())
        assert reader.answer(b"PASS anna-secret").startswith(b"-ERR Give the user name first")


# What a login gives, and what it does not

def test_a_login_lets_nobody_send_anywhere_but_to_us(office):
    with office.smtps() as sender:
        sender.ask(b"AUTH PLAIN " + plain(b"anna"), b"235")
        sender.ask(b"MAIL FROM:<anna@office.example>", b"250")
        for recipient in (b"someone@elsewhere.example", b"anna%elsewhere.example@office.example",
                          b"@office.example:someone@elsewhere.example", b"someone@[127.0.0.9]"):
            code, _ = sender.ask(b"RCPT TO:<" + recipient + b">")
            assert code in (b"550", b"501"), recipient
        sender.ask(b"DATA", b"554")


@pytest.mark.parametrize("tls, login, expected", [
    (False, False, b"ESMTP"), (False, True, b"ESMTPA"), (True, False, b"ESMTPS"), (True, True, b"ESMTPSA")])
def test_Received_says_how_the_message_came(office, tls, login, expected):
    with (office.smtps() if tls else office.smtp()) as sender:
        if login:
            sender.ask(b"AUTH PLAIN " + plain(b"anna"), b"235")
        sender.deliver(LETTER, b"carl@office.example")
    *_, last = office.fetch("carl").values()
    assert b"\r\n\tby mail.office.example with " + expected + b"\r\n" in last


def test_who_has_logged_in_sends_with_its_own_addresses_alone_where_that_is_asked_for(make_office):
    office = make_office({"SMTP": {"EnforceSender": "yes"}})
    office.aliases.write_text("sales: anna, bert\nchef: bert\n")
    office.start()
    with office.smtp() as sender:
        # Whoever has not logged in is anybody.
        sender.ask(b"MAIL FROM:<bert@office.example>", b"250")
        sender.ask(b"RSET", b"250")
        sender.ask(b"AUTH PLAIN " + plain(b"anna"), b"235")
        for own in (b"anna@office.example", b"Anna+shop@office.example", b"sales@office.example", b""):
            sender.ask(b"MAIL FROM:<" + own + b">", b"250")
            sender.ask(b"RSET", b"250")
        for other in (b"bert@office.example", b"chef@office.example", b"nobody@office.example",
                      b"anna@elsewhere.example"):
            text, = sender.ask(b"MAIL FROM:<" + other + b">", b"550")
            assert text.startswith(b"5.7.1 "), text
        sender.deliver(LETTER, b"bert@office.example", sender=b"anna@office.example")
    assert len(office.fetch("bert")) == 1
    assert b"550 5.7.1 not an address of anna" in office.log()


def test_a_wrong_password_is_no_login(office):
    with office.smtp() as sender:
        sender.ask(b"AUTH PLAIN " + plain(b"bert", b"wrong"), b"535")
        sender.deliver(LETTER, b"carl@office.example")
    *_, last = office.fetch("carl").values()
    assert b" with ESMTP\r\n" in last


def test_a_login_that_was_given_up_leaves_nothing_behind(make_office):
    office = make_office().start()
    with office.pop3() as reader:
        # After a wrong one the next password waits a second before it is looked at.
        assert reader.answer(b"AUTH PLAIN " + plain(b"anna", b"wrong")).startswith(b"-ERR [AUTH]")
        reader.send(b"AUTH SCRAM-SHA-256 " + encoded(scram.Client(b"bert", b"x").first()) + b"\r\n")
        pop3_challenge(reader)
        assert reader.answer(b"*").startswith(b"-ERR The login was given up")
        reader.ask(b"AUTH PLAIN " + plain(b"anna"))
        reader.stat()
