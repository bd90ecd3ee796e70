"""Every bad line of the configuration: file, line, key, what is allowed. And what good lines do."""

import pytest

from letters import letter
from office import CONFIGURATION, OK

BAD = {
    "an unknown key": ("[SMTP]\nColour=blue\n", 2, b"Colour"),
    "a key spelled wrong": ("[SMTP]\nListn=25\n", 2, b"Listn"),
    "an unknown section": ("[Kitchen]\nSink=yes\n", 1, b"Kitchen"),
    "a key outside of a section": ("Listen=25\n", 1, b"Listen"),
    "no equals sign": ("[POP3]\nListen 110\n", 2, b"Listen 110"),
    "a port that is none": ("[POP3]\n\n# a comment\nListen=99999\n", 4, b"Listen"),
    "a port of letters": ("[SMTP]\nListen=smtp!\n", 2, b"Listen"),
    "an address that is none": ("[SMTP]\nListen=300.1.1.1:25\n", 2, b"Listen"),
    "a size that is none": ("[SMTP]\nMaximumMessageSize=many\n", 2, b"MaximumMessageSize"),
    "a negative number": ("[SMTP]\nMaximumConnections=-1\n", 2, b"MaximumConnections"),
    "no connections at all": ("[SMTP]\nMaximumConnections=0\n", 2, b"MaximumConnections"),
    "neither yes nor no": ("[POP3]\nRequireTLS=maybe\n", 2, b"RequireTLS"),
    "a word that is not offered": ("[SMTP]\nBareNewline=ignore\n", 2, b"BareNewline"),
    "a network that is none": ("[SMTP]\nNormalizeFrom=10.0.0.0/33\n", 2, b"NormalizeFrom"),
    "a share above all": ("[Spool]\nKeepFree=150%\n", 2, b"KeepFree"),
    "a time that is none": ("[Spool]\nKeepDeleted=a while\n", 2, b"KeepDeleted"),
    "a time without an end": ("[Spool]\nExpireAfter=99999999999999999999d\n", 2, b"ExpireAfter"),
    "a domain that is none": ("[Device]\nDomains=office..example\n", 2, b"Domains"),
    "a host name that is none": ("[Device]\nHostName=my box\n", 2, b"HostName"),
    "a relative state directory": ("[Device]\nStateDirectory=state\n", 2, b"StateDirectory"),
    "a protocol of the past": ("[TLS]\nMinimumProtocol=1.0\n", 2, b"MinimumProtocol"),
    "octets that are no text": ("[SMTP]\nListen=\\x00\n".replace("\\x00", "\x01"), 2, b"Listen"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_line_is_named_with_file_line_and_key_and_nothing_is_started(make_office, kind):
    office = make_office(accounts=())
    dropins = office.where / "restante.conf.d"
    dropins.mkdir()
    text, line, word = BAD[kind]
    (dropins / "50-mine.conf").write_text(text)
    for command in ("serve", "check", "status"):
        done = office.run(command, code=CONFIGURATION, timeout=20)
        said = done.stdout + done.stderr
        assert b"50-mine.conf:%d" % line in said, (command, said)
        assert word in said, (command, said)
        # What would be accepted stands there too: one word more than the echo of the line.
        assert len(said) > len(text) + 30, said


def test_every_bad_line_is_named_at_once(make_office):
    office = make_office(accounts=())
    office.config.write_text("[SMTP]\nListen=99999\nColour=blue\n[Spool]\nQuota=x\n")
    said = office.run("serve", code=CONFIGURATION, timeout=20).stderr
    for line in (2, 3, 5):
        assert b"restante.conf:%d" % line in said, said


def test_a_configuration_that_is_not_there_is_named(make_office):
    office = make_office(accounts=())
    office.config.unlink()
    done = office.run("serve", code=CONFIGURATION, timeout=20)
    assert str(office.config).encode() in done.stderr


def test_dropins_win_in_the_order_of_their_names(make_office):
    office = make_office()
    dropins = office.where / "restante.conf.d"
    dropins.mkdir()
    (dropins / "20-b.conf").write_text("[SMTP]\nMaximumMessageSize=2M\n")
    (dropins / "10-a.conf").write_text("[SMTP]\nMaximumMessageSize=1M\nMaximumConnections=50\n")
    (dropins / "30-c.conf.off").write_text("nonsense that is not read")
    (dropins / "README").write_text("nor is this")
    office.start()
    with office.smtp() as sender:
        assert b"SIZE %d" % (2 << 20) in sender.extensions


def test_comments_spaces_and_CRLF_are_understood(make_office):
    office = make_office()
    text = office.config.read_text()
    text = "# a comment\n; another\n\n" + text.replace("=", " = ")
    office.config.write_bytes(text.replace("\n", "\r\n").encode())
    office.run("check", code=OK)
    office.start()
    office.deliver(letter(b"x\r\n"))


def test_several_domains_and_no_other(make_office):
    office = make_office()
    office.configure(Device={"Domains": "office.example shop.example"})
    office.start()
    office.deliver(letter(b"x\r\n"), "anna@shop.example", "bert@OFFICE.example")
    with office.smtp() as sender:
        sender.ask(b"MAIL FROM:<>", b"250")
        code, texts = sender.ask(b"RCPT TO:<anna@third.example>")
        assert code == b"550" and texts[0].startswith(b"5.7.1")


def test_STATE_DIRECTORY_wins(make_office, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    office = make_office(accounts=())
    office.variables["STATE_DIRECTORY"] = str(elsewhere)
    office.add("anna")
    assert (elsewhere / "accounts").exists() and not (office.state / "accounts").exists()
    office.start()
    office.deliver(letter(b"x\r\n"))
    assert (elsewhere / "spool").is_dir()


def test_a_port_that_is_taken_is_told(make_office):
    import socket

    office = make_office(accounts=())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", office.smtp_port))
        taken.listen()
        done = office.run("serve", code=None, timeout=20)
        assert done.returncode in (69, 75), done
        assert str(office.smtp_port).encode() in done.stderr and b"in use" in done.stderr


def test_no_listener_at_all_is_told(make_office):
    office = make_office(accounts=())
    office.configure(SMTP={"Listen": "no"}, POP3={"Listen": "no"})
    done = office.run("serve", code=CONFIGURATION, timeout=20)
    assert b"Listen" in done.stderr


@pytest.mark.parametrize("off", ["SMTP", "POP3"])
def test_one_of_the_two_services_alone(make_office, off):
    from talk import Connection
    from waiting import until

    office = make_office()
    office.configure(**{off: {"Listen": "no"}})
    office.spawn()
    port = office.pop3_port if off == "SMTP" else office.smtp_port

    def greets():
        try:
            with Connection(port) as connection:
                return connection.line()
        except OSError:
            return None

    until(greets, "the other port to greet")
    with pytest.raises(ConnectionRefusedError):
        Connection(office.smtp_port if off == "SMTP" else office.pop3_port)
