"""Mail programs of every make, with TLS required and the certificate pinned by the fingerprint that is shown."""

import subprocess

import pexpect
import pytest

import letters
import pins
import secure_readers
import secure_senders
from letters import letter, original, same
from office import Office, environment
from waiting import until

WAYS = {"TLS": True, "upgrade": False}
"""From the first octet on, or by STARTTLS and STLS."""

KINDS = ["plain", "dots at line starts", "lines of 998 octets", "8-bit", "300 kB"]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    office = Office(tmp_path_factory.mktemp("tls"), tls=True).start()
    yield office
    office.close()


@pytest.fixture(scope="module")
def pin(served):
    return pins.Pin(served.certificate(), served.fingerprint())


@pytest.fixture(scope="module")
def wrong_pin(tmp_path_factory):
    """That of another device of the same name."""
    other = Office(tmp_path_factory.mktemp("other"), tls=True, accounts=("anna",)).start()
    yield pins.Pin(other.certificate(), other.fingerprint())
    other.close()


@pytest.fixture
def anna(served):
    """The office with anna's maildrop empty."""
    with served.pop3("anna") as reader:
        reader.dele(*reader.list())
        reader.quit()
    return served


def readings():
    for name, kind in secure_readers.ALL.items():
        for way, implicit in WAYS.items():
            if implicit or name not in secure_readers.IMPLICIT_ALONE:
                for mechanism in secure_readers.MECHANISMS.get(name, [None]):
                    yield pytest.param(kind, implicit, mechanism, id="-".join(filter(None, (name, way, mechanism))))


def sendings():
    for name, kind in secure_senders.ALL.items():
        for way, implicit in WAYS.items():
            for mechanism in [None, *secure_senders.MECHANISMS[name]]:
                yield pytest.param(kind, implicit, mechanism, id="-".join(filter(None, (name, way, mechanism))))


# Fetching


@pytest.mark.parametrize("kind, implicit, mechanism", readings())
def test_fetching(anna, pin, needs, tmp_path, kind, implicit, mechanism):
    if kind.program:
        needs(kind.program)
    for name in KINDS:
        anna.deliver(letters.AWKWARD[name])
    stored = anna.fetch("anna")
    got, said = kind(tmp_path / "reader", anna, implicit, pin, mechanism=mechanism).fetch()
    for message, wanted in zip(sorted(got), sorted(stored.values()), strict=True):
        same(message, wanted)
    if mechanism == "SCRAM-SHA-256":
        assert "AUTH SCRAM-SHA-256" in said, said
    assert anna.fetch("anna") == {}


@pytest.mark.parametrize("kind, implicit", [pytest.param(kind, implicit, id=f"{name}-{way}")
                                            for name, kind in secure_readers.ALL.items()
                                            for way, implicit in WAYS.items()
                                            if implicit or name not in secure_readers.IMPLICIT_ALONE])
def test_a_reader_of_another_certificate_does_not_log_in(anna, wrong_pin, needs, tmp_path, kind, implicit):
    """The pin is a pin: else the tests above say nothing."""
    if kind.program:
        needs(kind.program)
    anna.deliver(letter(b"stays\r\n"))
    before = anna.log().count(b"login: anna")
    with pytest.raises(secure_readers.Refused):
        kind(tmp_path / "reader", anna, implicit, wrong_pin).fetch()
    assert anna.log().count(b"login: anna") == before
    assert len(anna.fetch("anna")) == 1


def test_mutt_shows_the_fingerprint_that_we_show_and_then_takes_it(anna, pin, needs, tmp_path):
    """It asks whoever looks at it: the two fingerprints are compared by eye."""
    needs("mutt")
    for way, url in (("TLS", f"pops://anna@127.0.0.1:{anna.pop3s_port}"),
                     ("upgrade", f"pop://anna@127.0.0.1:{anna.pop3_port}")):
        where = tmp_path / way
        where.mkdir()
        anna.deliver(letters.AWKWARD["dots at line starts"])
        (stored,) = anna.fetch("anna").values()
        rc = where / "rc"
        rc.write_text(f'set pop_pass="anna-secret"\nset certificate_file="{where}/certificates"\nset ssl_starttls=yes\n'
                      f'set ssl_force_tls=yes\nset pop_delete=yes\nset folder="{where}"\nset mbox_type=mbox\n'
                      f'set pipe_decode=no\nset wait_key=no\nset delete=yes\nset move=no\nset ssl_verify_host=no\n'
                      f'set pop_authenticators="user"\nset header_cache=""\nset pop_checkinterval=0\n'
                      'set sleep_time=0\n')
        for first in (True, False):
            client = pexpect.spawn("mutt", ["-F", str(rc), "-f", url], timeout=20, dimensions=(50, 160), cwd=str(where),
                                   env=dict(environment(HOME=str(where)), TERM="vt100"))
            try:
                if first:
                    client.expect(r"SHA256 Fingerprint: ([0-9A-F: ]+)")
                    text = client.match[1]
                    client.expect(r"\(a\)ccept always|accept \(o\)nce")
                    shown = bytes(octet for octet in text if octet in b"0123456789ABCDEF").decode()
                    wanted = pin.sha256.replace(":", "")
                    # A narrow screen may break it.
                    assert wanted.startswith(shown) and len(shown) >= 32, (text, wanted)
                    client.send("a")
                client.expect("a letter")
                client.send(f"|cat > {where}/message\n")
                until(lambda: (where / "message").exists() and (where / "message").stat().st_size >= len(stored) // 2,
                      "mutt to hand the message over")
                if first:
                    client.send("x")
                else:
                    client.send("d$y")
                    until(lambda: anna.fetch("anna") == {}, "mutt to delete")
                    client.send("q")
                client.expect(pexpect.EOF)
            finally:
                client.close(force=True)
        got = (where / "message").read_bytes().replace(b"\n", b"\r\n")
        assert original(stored).split(b"\r\n\r\n", 1)[1] in got, got


# Sending


@pytest.mark.parametrize("kind, implicit, mechanism", sendings())
def test_sending(anna, pin, needs, tmp_path, kind, implicit, mechanism):
    if kind.program:
        needs(kind.program)
    content = letters.AWKWARD["dots at line starts"]
    code, said = kind(tmp_path / "sender", anna, implicit, pin, "bert" if mechanism else None, mechanism).send(content)
    assert code == 0, said
    (message,) = anna.fetch("anna").values()
    # swaks ends its data with an empty line of its own.
    same(original(message).rstrip(b"\r\n"), content.rstrip(b"\r\n"))
    # RFC 3848: how it came stands in the trace.
    assert (b" with ESMTPSA" if mechanism else b" with ESMTPS\r\n") in message, message[:300]
    if mechanism and said:
        assert f"AUTH {mechanism}" in said or "****" in said or kind.program == "msmtp", said


@pytest.mark.parametrize("kind, implicit", [pytest.param(kind, implicit, id=f"{name}-{way}")
                                            for name, kind in secure_senders.ALL.items()
                                            for way, implicit in WAYS.items()])
def test_a_sender_to_another_certificate_sends_nothing(anna, wrong_pin, needs, tmp_path, kind, implicit):
    if kind.program:
        needs(kind.program)
    code, said = kind(tmp_path / "sender", anna, implicit, wrong_pin).send(letter(b"secret\r\n"))
    assert code != 0, said
    assert anna.fetch("anna") == {}


# Bare TLS


@pytest.mark.parametrize("protocol", ["smtp", "pop3"])
def test_openssl_s_client(anna, pin, protocol):
    for port, upgrade in ((getattr(anna, protocol + "s_port"), ()),
                          (getattr(anna, protocol + "_port"), ("-starttls", protocol))):
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *upgrade, "-CAfile", pin.file,
                               "-verify_return_error", "-verify_hostname", "mail.office.example", "-crlf", "-ign_eof"],
                              input=b"NOOP\nquit\n" if protocol == "smtp" else b"CAPA\nquit\n", stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=30)
        assert done.returncode == 0, done.stdout
        assert b"Verification: OK" in done.stdout and b"Verified peername: mail.office.example" in done.stdout
        assert (b"\n250 " in done.stdout and b"\n221 " in done.stdout if protocol == "smtp"
                else b"\n.\r\n+OK" in done.stdout), done.stdout


@pytest.mark.parametrize("protocol", ["smtp", "pop3"])
def test_gnutls_cli(anna, pin, needs, protocol):
    needs("gnutls-cli")
    for port, upgrade in ((getattr(anna, protocol + "s_port"), []),
                          (getattr(anna, protocol + "_port"), [f"--starttls-proto={protocol}"])):
        done = subprocess.run(["gnutls-cli", "--port", str(port), *upgrade, f"--x509cafile={pin.file}",
                               "--verify-hostname=mail.office.example", "127.0.0.1"], input=b"NOOP\r\nQUIT\r\n",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
        assert done.returncode == 0, done.stdout
        assert b"The certificate is trusted" in done.stdout
        assert (b"\n221 " in done.stdout if protocol == "smtp" else b"\n+OK" in done.stdout), done.stdout


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"])
def test_gsasl_logs_in(anna, pin, needs, mechanism):
    """The reference client of SASL; -PLUS is bound to the channel by tls-exporter."""
    needs("gsasl")

    def run(password):
        # Where it can bind to the channel, it refuses to do without.
        unbound = ["--no-cb"] if mechanism == "SCRAM-SHA-256" else []
        return subprocess.run(["gsasl", "--client", "--smtp", "--connect", f"127.0.0.1:{anna.smtp_port}", "--mechanism",
                               mechanism, "--authentication-id", "bert", "--password", password,
                               f"--x509-ca-file={pin.file}", "--hostname", "mail.office.example", "--service", "smtp",
                               "--verbose", *unbound], input=b"", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=30)

    done = run("bert-secret")
    assert done.returncode == 0 and b"\n235 " in done.stdout, done.stdout
    done = run("wrong")
    assert b"\n535 " in done.stdout, done.stdout


def test_the_fingerprint_is_that_of_what_every_port_sends(anna, pin):
    tls = anna.trust()
    sessions = [anna.smtps(tls=tls), anna.pop3s(tls=tls), anna.smtp().starttls(tls), anna.pop3().stls(tls)]
    for session in sessions:
        with session:
            assert pin.fits(session.socket)
    assert pin.sha256 in anna.run("status").stdout.decode()
