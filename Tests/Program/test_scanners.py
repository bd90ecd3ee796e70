"""What those who look for holes find: nmap's scripts and testssl.sh."""

import concurrent.futures
import re
import subprocess
import xml.etree.ElementTree as xml

import pytest

import network
import office as offices
import scan
import talk
import testssl
from letters import letter, original, same
from office import DOMAIN, address
from waiting import until

PORTS = {"smtp": 25, "pop3": 110, "smtps": 465, "pop3s": 995}
QUICK_WAYS = ["995", "25 STARTTLS"]
HERE = {"host": network.ADDRESS, "source": network.ADDRESS}
VISITOR = {"host": network.ADDRESS, "source": "192.0.2.77"}


def on_its_real_ports(tmp_path, work, many=10):
    """Calls `work` with an office at 192.0.2.1 and the ports that scanners know, in a network of its own: nobody is on
    the loopback interface's addresses, so that TLS is required before a password."""
    at = network.ADDRESS
    sections = {"SMTP": {"Listen": f"{at}:25", "ListenTLS": f"{at}:465", "MaximumConnectionsPerAddress": many},
                "POP3": {"Listen": f"{at}:110", "ListenTLS": f"{at}:995"}}
    office = offices.Office(tmp_path / "office", sections)

    def inside():
        subprocess.run(["ip", "address", "add", VISITOR["source"] + "/24", "dev", "lo"], check=True)
        office.spawn()
        until(lambda: answers(25) and answers(995), f"the ports to be open: {office.log()!r}")
        try:
            work(office)
            as_ever(office)
        finally:
            print(office.log()[-8000:].decode(errors="replace"))
            office.close()

    network.alone(inside)
    return office


def answers(port):
    try:
        talk.Connection(port, **HERE).close()
        return True
    except OSError:
        return False


def as_ever(office):
    """Somebody else sends and reads as if nothing had been."""
    content = letter(b"as ever\r\n")
    tls = office.trust()
    with talk.SMTP(25, **VISITOR) as sender:
        sender.starttls(tls).deliver(content, address("carl"))
        sender.quit()
    with talk.POP3(995, name=b"carl", tls=tls, **VISITOR) as reader:
        same(original(reader.retr(reader.stat()[0])), content)
        reader.quit()


def nmap(*options, seconds=120):
    """{port: {script: what it found}}."""
    done = subprocess.run(["nmap", "-Pn", "-n", "-sT", "-p", ",".join(map(str, PORTS.values())), "-oX", "-", *options,
                           network.ADDRESS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=seconds)
    assert done.returncode == 0, done.stderr
    found = {}
    for port in xml.fromstring(done.stdout).iter("port"):
        assert port.find("state").get("state") == "open"
        found[int(port.get("portid"))] = {script.get("id"): script.get("output") for script in port.iter("script")}
    assert sorted(found) == sorted(PORTS.values())
    return found


def test_nmap_finds_no_open_relay_and_no_known_hole(tmp_path, needs):
    needs("nmap", "ip")

    def work(office):
        found = nmap("--script", "(smtp-* or pop3-* or ssl-* or vuln) and not *brute*", "--script-timeout", "30s",
                     "--script-args", f"smtp-open-relay.domain={DOMAIN},smtp.domain={DOMAIN},"
                     f"smtp-open-relay.to=victim@elsewhere.example,smtp-open-relay.from=spam@evil.example")
        for port, scripts in found.items():
            for script, output in scripts.items():
                print(port, script, output)
                assert "VULNERABLE" not in output.replace("NOT VULNERABLE", ""), (port, script, output)
        for port in (25, 465):
            assert "is an open relay" not in found[port]["smtp-open-relay"]
            assert "doesn't seem to be an open relay" in found[port]["smtp-open-relay"]
            assert not re.search(r"\b(anna|bert|carl|root)\b", found[port].get("smtp-enum-users", "")), found[port]
        # Its second line is HELP's.
        clear, encrypted = (found[port]["smtp-commands"].splitlines()[0] for port in (25, 465))
        assert "STARTTLS" in clear and "STARTTLS" not in encrypted
        assert "AUTH" not in clear and "AUTH" in encrypted
        for port in PORTS.values():
            assert re.search(r"least strength: A", found[port]["ssl-enum-ciphers"]), found[port]
            assert not re.search(r"TLSv1\.[01]|SSLv", found[port]["ssl-enum-ciphers"])
            assert "Subject: commonName=mail.office.example" in found[port]["ssl-cert"]
        for name in (b"anna", b"bert", b"carl"):
            with talk.POP3(995, name=name, tls=office.trust(), **VISITOR) as reader:
                assert reader.stat() == (0, 0), "it left something"
                reader.quit()

    # Its scripts come all at once, from one address.
    on_its_real_ports(tmp_path, work, many=100)


def test_nmap_guesses_slowly_and_finds_no_password(tmp_path, needs):
    """The password stands last in its list of 41, of which it came through within a second before it was slowed."""
    needs("nmap", "ip")
    users, passwords = tmp_path / "users", tmp_path / "passwords"
    users.write_text("anna\nbert\nadmin\n")
    passwords.write_text("".join(f"guess{n}\n" for n in range(40)) + "anna-secret\n")

    def work(office):
        found = nmap("--script", "pop3-brute,smtp-brute", "--script-args",
                     f"userdb={users},passdb={passwords},brute.timelimit=8s,unpwdb.timelimit=8s,brute.threads=20,"
                     "brute.start=20", "--script-timeout", "12s")
        for port, scripts in found.items():
            for script, output in scripts.items():
                print(port, script, output)
                assert "Valid credentials" not in output and "anna-secret" not in output, (port, script, output)
        # nmap also counts what was turned away unseen.
        guesses = office.log().count(b": wrong password") + office.log().count(b": no account has the name given")
        assert 0 < guesses < 100, "of 246 that it would have made"
        assert b"login refused: anna" in office.log()

    on_its_real_ports(tmp_path, work)


@pytest.mark.long
@pytest.mark.parametrize("way", QUICK_WAYS)
def test_testssl_finds_nothing_above_LOW(quick_scans, way):
    """The short form; `make scan` is the long one, of all four ways."""
    findings = quick_scans[way].result()
    assert len(findings) >= 15
    assert testssl.above_low(findings) == []
    letter, points = testssl.grade(findings, trusted=True)
    print(way, letter, points)
    assert letter == "A"


@pytest.fixture(scope="module")
def quick_scans(tmp_path_factory):
    """At once: testssl mostly waits."""
    where = tmp_path_factory.mktemp("testssl")
    office, ca = scan.bought(where)
    office.start()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        yield {way: pool.submit(testssl.scan, where, *scan.ways(office)[way], ca, quick=True) for way in QUICK_WAYS}
    office.close()
