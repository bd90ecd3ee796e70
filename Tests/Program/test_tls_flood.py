"""A thousand strangers at the TLS ports: the office still reads its mail, and memory stays in its budget."""

import resource
import socket
import ssl
import time

import pytest

import letters
from letters import original, same
from office import address
from waiting import until

HALF_OPEN = 1000

BUDGET = 6 << 20
"""Octets of memory beside what the idle server has. Limits.tlsHandshakes is 64, of some 50 kB each: 3.2 MB; the rest is for
what the allocator keeps, the connections themselves, and the mail that goes through meanwhile."""


@pytest.fixture(autouse=True)
def descriptors():
    """Enough for our end of a thousand connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def client_hello(context):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="mail.office.example")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()


def stranger(n):
    """One of many addresses of this machine."""
    return f"127.{1 + n // 250}.{n % 250}.{1 + n % 253}"


def office_as_ever(office, name):
    """A message in over TLS and over 25, and out over 995 and 110."""
    content = letters.AWKWARD["dots at line starts"]
    for sender in (office.smtps, office.smtp):
        with sender(source="127.0.0.1") as session:
            session.deliver(content, address(name))
            session.quit()
    readers_as_ever(office, name, 2)


def readers_as_ever(office, name, count=None):
    """Reads over 995 and 110; returns how long the slower login took."""
    slowest = 0
    for reader in (office.pop3s, office.pop3):
        began = time.monotonic()
        with reader(name) as session:
            slowest = max(slowest, time.monotonic() - began)
            if count is not None:
                assert session.stat()[0] == count
            for number in session.list():
                same(original(session.retr(number)), letters.AWKWARD["dots at line starts"])
            if count is not None and reader == office.pop3:
                session.dele(*range(1, count + 1))
            session.quit()
    return slowest


class Flood:
    """Connections to one port that are kept open as long as the server lets them."""

    def __init__(self, port, octets):
        self.port, self.octets, self.sockets, self.count = port, octets, [], 0

    def add(self, count):
        for _ in range(count):
            self.count += 1
            one = socket.socket()
            one.settimeout(5)
            one.bind((stranger(self.count), 0))
            try:
                one.connect(("127.0.0.1", self.port))
                one.sendall(self.octets)
            except OSError:
                one.close()
                continue
            self.sockets.append(one)

    def close(self):
        for one in self.sockets:
            one.close()


@pytest.mark.parametrize("kind", ["ClientHello and silence", "silence", "half a ClientHello"])
def test_a_thousand_half_open_handshakes(make_office, kind):
    office = make_office(tls=True).start()
    tls = office.trust()
    for _ in range(3):
        office_as_ever(office, "carl")
    hello = client_hello(tls)
    octets = {"ClientHello and silence": hello, "silence": b"", "half a ClientHello": hello[:len(hello) // 2]}[kind]
    before = office.private_dirty()
    floods = [Flood(port, octets) for port in (office.pop3s_port, office.smtps_port)]
    peak, slowest = before, 0
    for _ in range(10):
        for flood in floods:
            flood.add(HALF_OPEN // 2 // 10)
        slowest = max(slowest, readers_as_ever(office, "anna"))
        peak = max(peak, office.private_dirty())
    print(f"{kind}: {peak - before} octets more at the peak, slowest login {slowest:.3f} s")
    assert peak - before < BUDGET
    for flood in floods:
        flood.close()
    until(lambda: office.sockets() <= 5, "the strangers' sockets to be closed")
    office_as_ever(office, "carl")
    until(lambda: office.private_dirty() - before < BUDGET // 4, "the memory to be given back", 40)
