"""The certificate: made at the first start, shown, renewed, replaced, reloaded, and its end announced."""

import hashlib
import os
import re
import ssl
import stat
import time

import pexpect
import pytest

import office as offices
import talk
from certificates import Authority, fingerprint, openssl
from letters import letter
from office import CONFIGURATION, DATA, NO_INPUT, TRY_AGAIN
from waiting import until

DAY = 86_400


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority") / "ca")


@pytest.fixture
def tls_office(make_office):
    return make_office(tls=True).start()


def served(office):
    """The fingerprint of what a TLS client is shown."""
    der = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", office.pop3s_port)))
    return ":".join(f"{octet:02X}" for octet in hashlib.sha256(der).digest())


def authorized(authority):
    """What a mail program trusts that knows the authority."""
    return ssl.create_default_context(cafile=str(authority.root))


# The device's own


def test_the_first_start_makes_a_certificate_that_all_show_alike(tls_office):
    office = tls_office
    file = office.state / "certificate.pem"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    shown = served(office)
    assert shown == fingerprint(file) == office.fingerprint() == office.status()["certificate_fingerprint"]
    assert f"SHA-256 {shown}" in office.run("status").stdout.decode()
    told = office.run("certificate", "show").stdout.decode()
    assert shown in told and "itself" in told and "by the running server" in told and str(file) in told
    names = office.status()["certificate_names"]
    assert {"mail.office.example", "localhost", "127.0.0.1", "::1"} <= set(names)
    office.stop()
    assert office.status(code=69)["certificate_fingerprint"] == shown


def test_mail_programs_that_trust_it_accept_every_name_it_has(tls_office):
    """With OpenSSL's strict checks, as Python 3.13 has them by default."""
    context = tls_office.trust()
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    for name in tls_office.status()["certificate_names"]:
        with tls_office.pop3s(greet=False, tls=None) as connection:
            connection.begin_tls(context, name=name)
            connection.ok()


def test_it_is_kept_over_restarts_and_a_change_of_the_host_name(tls_office):
    before = served(tls_office)
    tls_office.stop()
    tls_office.configure(Device={"HostName": "other.office.example"})
    tls_office.start()
    assert served(tls_office) == before
    told = tls_office.run("certificate", "show").stdout.decode()
    assert re.search(r"NOT for +other\.office\.example", told)
    tls_office.run("certificate", "renew")
    assert served(tls_office) != before
    assert "NOT for" not in tls_office.run("certificate", "show").stdout.decode()
    assert "other.office.example" in tls_office.status()["certificate_names"]


def test_a_board_that_boots_in_1970_makes_one_that_is_valid_always(make_office, faults):
    faults.set(clock=60 - int(time.time()))
    office = make_office(tls=True, preload=faults.library, variables=faults.variables).start()
    office.pop3s(b"anna").quit()
    assert "days left" not in office.run("status").stdout.decode()
    file = office.certificate()
    for year in (1, 56, 79):
        openssl("verify", "-attime", year * 365 * DAY, "-x509_strict", "-CAfile", file, file)
    dates = openssl("x509", "-in", file, "-noout", "-dates").decode()
    # Two-digit years, which every reader of certificates knows; begun before Apple's limits on what is newer.
    assert "notBefore=Jan  1 00:00:00 1970" in dates and "notAfter=Dec 31 23:59:59 2049" in dates


def test_renew_serves_a_new_one_and_the_old_one_can_come_back(tls_office):
    office = tls_office
    old = served(office)
    with office.pop3s(b"anna") as reader:
        told = office.run("certificate", "renew").stdout.decode()
        new = served(office)
        assert new != old and new in told
        assert reader.stat() == (0, 0)
        reader.quit()
    back = re.search(r"restante (certificate install \S+)", told)[1]
    office.run(*back.split())
    assert served(office) == old
    assert office.log().count(b"SHA-256 fingerprint") == 3


def test_show_pem_gives_the_certificate_without_its_key(tls_office):
    pem = tls_office.run("certificate", "show", "--pem").stdout
    assert pem == tls_office.certificate().read_bytes()
    assert b"PRIVATE" not in pem


def test_demo_prints_the_fingerprint_and_the_ports_of_TLS():
    child = pexpect.spawn(offices.PROGRAM, ["demo"], timeout=30, env=offices.environment(), dimensions=(200, 160))
    try:
        child.expect("Ctrl-C")
        pop3s, smtps = re.search(rb"on port (\d+) \(POP3\) and (\d+) \(SMTP\)", child.before).groups()
        shown = re.search(rb"\n  ((?:[0-9A-F]{2}:){31}[0-9A-F]{2})", child.before)[1].decode()
        for port in (pop3s, smtps):
            der = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", int(port))))
            assert hashlib.sha256(der).hexdigest() == shown.replace(":", "").lower()
        child.sendintr()
        child.expect(pexpect.EOF)
    finally:
        child.close(force=True)


# One from elsewhere


def test_install_serves_a_chain_that_mail_programs_can_follow(tls_office, authority):
    office = tls_office
    chain, key = authority.issue("install")
    with office.pop3s(b"anna") as reader:
        told = office.run("certificate", "install", chain, key).stdout.decode()
        assert fingerprint(chain) in told and "CN=intermediate" in told
        with talk.POP3(office.pop3s_port, b"anna", tls=authorized(authority)) as other:
            other.quit()
        assert reader.stat() == (0, 0)
    office.restart()
    assert served(office) == fingerprint(chain)
    assert stat.S_IMODE((office.state / "certificate.pem").stat().st_mode) == 0o600


def test_install_takes_one_file_with_both_and_works_without_a_server(make_office, authority):
    office = make_office(tls=True)
    chain, key = authority.issue("both")
    both = office.where / "both.pem"
    both.write_bytes(b"Bag Attributes\r\n" + chain.read_bytes().replace(b"\n", b"\r\n") + key.read_bytes())
    office.run("certificate", "install", both)
    office.start()
    assert served(office) == fingerprint(chain)


def wrong_order(authority):
    chain, key = authority.issue("order")
    leaf = authority.where / "order.pem"
    chain.write_bytes(authority.intermediate.read_bytes() + leaf.read_bytes())
    return chain, key


def foreign_chain(authority):
    chain, key = authority.issue("foreign")
    chain.write_bytes((authority.where / "foreign.pem").read_bytes() + authority.root.read_bytes())
    return chain, key


def damaged_chain(authority):
    chain, key = authority.issue("damaged")
    text = chain.read_bytes()
    middle = text.rindex(b"-----BEGIN") + 200
    chain.write_bytes(text[:middle] + b"AAAA" + text[middle + 4:])
    return chain, key


def another_key(authority):
    return authority.issue("one")[0], authority.issue("two")[1]


def locked_key(authority):
    chain, key = authority.issue("locked")
    openssl("pkey", "-in", key, "-aes256", "-passout", "pass:x", "-out", key.with_suffix(".locked"))
    return chain, key.with_suffix(".locked")


def in_DER(authority):
    chain, key = authority.issue("der")
    openssl("x509", "-in", chain, "-outform", "DER", "-out", chain.with_suffix(".der"))
    return chain.with_suffix(".der"), key


def key_in_DER(authority):
    chain, key = authority.issue("keyder")
    openssl("pkey", "-in", key, "-outform", "DER", "-out", key.with_suffix(".der"))
    return chain, key.with_suffix(".der")


def other_host(authority):
    return authority.issue("elsewhere", ("mail.elsewhere.example",))


def for_clients(authority):
    return authority.issue("client", usage="clientAuth")


def short_key(authority):
    return authority.issue("short", key=("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"))


def swapped(authority):
    chain, key = authority.issue("swapped")
    return key, chain


@pytest.mark.parametrize("make, word", [
    (wrong_order, "comes first"), (foreign_chain, "order"), (damaged_chain, "damaged"), (another_key, "another"),
    (locked_key, "password"), (in_DER, "openssl x509 -inform DER"), (key_in_DER, "openssl pkey -inform DER"),
    (other_host, "HostName=mail.office.example"), (for_clients, "servers"), (short_key, "too small"),
    (swapped, "no certificate"),
], ids=lambda value: getattr(value, "__name__", ""))
def test_install_refuses(shared_tls, authority, make, word):
    before = (shared_tls.state / "certificate.pem").read_bytes()
    chain, key = make(authority)
    told = shared_tls.run("certificate", "install", chain, key, code=DATA).stderr.decode()
    assert word in " ".join(told.split()), told
    assert "nothing was changed" in told
    assert (shared_tls.state / "certificate.pem").read_bytes() == before
    assert not (shared_tls.state / "certificate.pem.old").exists()


@pytest.fixture(scope="module")
def shared_tls(tmp_path_factory):
    office = offices.Office(tmp_path_factory.mktemp("shared"), tls=True).start()
    yield office
    office.close()


def test_install_refuses_what_is_not_valid_now(make_office, authority, faults):
    office = make_office(tls=True, preload=faults.library, variables=faults.variables).start()
    chain, key = authority.issue("dated")
    for days, word in ((100, "expired"), (-10, "not valid yet")):
        faults.set(clock=days * DAY)
        assert word in office.run("certificate", "install", chain, key, code=DATA).stderr.decode()


def test_a_board_in_1970_installs_what_is_valid_today(make_office, authority, faults):
    faults.set(clock=-int(time.time()))
    office = make_office(tls=True, preload=faults.library, variables=faults.variables).start()
    chain, key = authority.issue("early", days=10)
    office.run("certificate", "install", chain, key)
    assert served(office) == fingerprint(chain)
    assert b"expires" not in office.log() and b"expired" not in office.log()


def test_install_names_a_file_that_is_not_there(office):
    assert b"cannot read" in office.run("certificate", "install", "/nonexistent/c.pem", code=NO_INPUT).stderr


def test_a_leaf_without_its_chain_is_installed_with_a_warning(tls_office, authority):
    authority.issue("bare")
    told = tls_office.run("certificate", "install", authority.where / "bare.pem", authority.where / "bare.key")
    assert b"fullchain" in told.stderr


def test_a_disk_that_fails_during_install_leaves_the_old_pair(make_office, authority, faults):
    office = make_office(tls=True, preload=faults.library, variables=faults.variables).start()
    before = served(office)
    chain, key = authority.issue("failing")
    for call in ("fdatasync", "pwrite", "open"):
        faults.set((call, 5, 1, "certificate.pem.new"))
        office.run("certificate", "install", chain, key, code=None)
        assert [did for did in faults.happened() if did[0] == call], "nothing failed"
        faults.clear()
        office.restart()
        assert served(office) == before


# One that the configuration names


@pytest.fixture
def configured(make_office, authority):
    """An office whose configuration names a certificate and a key; `office.give(NAME)` puts new ones there."""
    office = make_office(tls=True)
    certificate, secret = office.where / "office.pem", office.where / "office.key"

    def give(name):
        chain, key = authority.issue(name)
        certificate.write_bytes(chain.read_bytes())
        secret.write_bytes(key.read_bytes())
        return fingerprint(chain)

    office.give, office.named, office.secret = give, certificate, secret
    office.sections = {"TLS": {"Certificate": certificate, "PrivateKey": secret}}
    office.configure()
    return office


def test_SIGHUP_takes_a_changed_certificate_and_drops_nobody(configured, authority):
    first = configured.give("first")
    configured.start()
    assert served(configured) == first
    with talk.POP3(configured.pop3s_port, b"anna", tls=authorized(authority)) as reader:
        second = configured.give("second")
        configured.hang_up()
        until(lambda: served(configured) == second, "the new certificate to be shown")
        assert reader.stat() == (0, 0)
        reader.quit()
    assert second in configured.log().decode()
    assert not (configured.state / "certificate.pem").exists()


def test_a_certificate_broken_at_SIGHUP_leaves_the_one_in_use(configured):
    first = configured.give("good")
    configured.start()
    good = configured.secret.read_bytes()
    configured.secret.write_bytes(b"gone")
    configured.hang_up()
    until(lambda: b"the one before" in configured.log(), "the journal to say what goes on")
    assert served(configured) == first
    status = configured.status(code=TRY_AGAIN)
    assert "private key" in status["certificate_problem"] and status["certificate_fingerprint"] == first
    configured.run("certificate", "show", code=DATA)
    configured.run("check", code=DATA)
    configured.secret.write_bytes(good)
    configured.hang_up()
    until(lambda: configured.run("status", code=None).returncode == 0, "all to be well again")


def test_a_certificate_broken_at_the_start_is_stood_in_for(configured):
    configured.named.write_bytes(b"no certificate")
    configured.secret.write_bytes(b"")
    configured.start()
    assert served(configured) == configured.fingerprint()
    status = configured.status(code=TRY_AGAIN)
    assert str(configured.named) in status["certificate_problem"]
    assert b"TROUBLE" in configured.run("status", code=TRY_AGAIN).stdout
    configured.deliver(letter(b"goes on\r\n"), "anna")
    right = configured.give("mended")
    configured.hang_up()
    until(lambda: served(configured) == right, "the right one to be shown")
    assert configured.status()["certificate_problem"] == ""


def test_renew_and_install_leave_a_configured_certificate_alone(configured, authority):
    configured.give("alone")
    chain, key = authority.issue("unwanted")
    for command in (("renew",), ("install", chain, key)):
        told = configured.run("certificate", *command, code=CONFIGURATION).stderr.decode()
        assert str(configured.named) in told


def test_a_damaged_own_certificate_is_set_aside(tls_office):
    office = tls_office
    office.stop()
    file = office.state / "certificate.pem"
    whole = file.read_bytes()
    file.write_bytes(whole[:400])
    office.start()
    assert served(office) == office.fingerprint()
    assert (office.state / "certificate.pem.damaged").read_bytes() == whole[:400]
    assert b"certificate.pem" in office.log() and b"cannot be used" in office.log()
    office.restart()
    assert office.status()["certificate_problem"] == ""


def test_an_own_certificate_that_cannot_be_read_is_left_where_it_is(tls_office):
    office = tls_office
    before = served(office)
    office.stop()
    file = office.state / "certificate.pem"
    kept = office.state / "kept.pem"
    os.rename(file, kept)
    file.mkdir()
    office.start()
    assert served(office) != before
    assert file.is_dir()
    office.stop()
    file.rmdir()
    os.rename(kept, file)
    office.start()
    assert served(office) == before


# Its end


def test_the_end_is_announced_once_for_each_threshold_and_at_each_start(make_office, authority, faults):
    office = make_office(tls=True, preload=faults.library, variables=faults.variables)
    chain, key = authority.issue("ending", days=40)
    office.run("certificate", "install", chain, key)
    office.start()

    def announced():
        return re.findall(rb"the certificate (?:expires in (\d+) day|has (expired))", office.log())

    assert announced() == []
    expected = []
    for days, text in ((9, None), (10.5, b"29"), (20, None), (26.5, b"13"), (33.5, b"6"), (36, None), (41, b"expired")):
        faults.set(clock=int(days * DAY))
        office.deliver(letter(b"so that it looks at the clock\r\n"), "anna")
        if text is not None:
            expected.append((text, b"") if text.isdigit() else (b"", text))
            until(lambda: len(announced()) >= len(expected), f"the announcement after {days} days")
        assert announced() == expected
    told = office.run("status", code=TRY_AGAIN).stdout
    assert b"EXPIRED" in told
    office.restart()
    assert announced() == expected + [(b"", b"expired")]


def test_the_clock_set_at_last_brings_the_announcement(make_office, authority, faults):
    back = -int(time.time())
    faults.set(clock=back)
    office = make_office(tls=True, preload=faults.library, variables=faults.variables)
    chain, key = authority.issue("late", days=5)
    office.run("certificate", "install", chain, key)
    office.start()
    assert b"expires" not in office.log()
    faults.set(clock=0)
    office.deliver(letter(b"so that it looks at the clock\r\n"), "anna")
    until(lambda: b"the certificate expires in 4 days" in office.log(), "the announcement")
