"""Mixed honest and hostile traffic for minutes; the books of what was promised; memory, descriptors and logins measured.

`make soak MINUTES=30` runs it; `make test` runs half a minute of it (test_soak.py).
"""

import argparse
import collections
import contextlib
import json
import os
import pathlib
import random
import re
import resource
import socket
import ssl
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import letters  # noqa: E402
import office as offices  # noqa: E402
import talk  # noqa: E402
from waiting import until  # noqa: E402

HONEST = ("anna", "bert", "carl", "dora")
SENDERS, READERS = 4, 4
FIRST_HOSTILE = 20
"""The second octet of hostile addresses: 127.20.x.y and up. Honest ones are 127.1.0.y."""


ALLOWED, SHORT = 512 * 1024, 2 << 20
"""Octets that memory may have grown by after the warm-up: what the allocator may keep of a busier moment. In a run of seconds
the warm-up does not come to the busiest one."""


def reader_address(number):
    """Each reader comes from one address, as from a desk: a login from elsewhere is slow while an account is guessed at."""
    return f"127.1.0.{100 + number}"


class Books:
    """What was promised: each message accepted must be read once."""

    def __init__(self):
        self.lock = threading.Lock()
        self.promised = {}      # identity: the maildrops it is in
        self.uncertain = set()  # sent, and no answer came
        self.read = collections.Counter()  # (name, identity)
        self.counts = collections.Counter()
        self.troubles = []
        self.logins = []        # seconds from the first segment to the answer to PASS
        self.readers = set()    # who has logged in

    def trouble(self, text):
        with self.lock:
            self.troubles.append(text)

    def count(self, what, number=1):
        with self.lock:
            self.counts[what] += number


class Traffic:
    """Threads that go on until `stop`."""

    def __init__(self, office, books, seed=1):
        self.office, self.books, self.seed = office, books, seed
        self.stop, self.threads = threading.Event(), []
        self.trust = office.trust()

    def begin(self):
        """Everybody of the office is there before the strangers come."""
        honest = [(self.send, n) for n in range(SENDERS)] + [(self.read, n) for n in range(READERS)]
        hostile = [loris, garbage, guesses, half_open, floods, scanners, non_readers, injections]
        for place, (work, number) in enumerate(honest):
            self.start(work, number, random.Random(self.seed * 1000 + place))
        until(lambda: self.books.readers >= set(HONEST), "each reader to log in")
        for number, work in enumerate(hostile):
            self.start(self.attack, work, random.Random(self.seed * 1000 + 500 + number))

    def start(self, work, *arguments):
        thread = threading.Thread(target=self.run, args=(work, *arguments), daemon=True)
        self.threads.append(thread)
        thread.start()

    def run(self, work, *arguments):
        try:
            work(*arguments)
        except Exception as error:  # noqa: BLE001: a thread that dies quietly would hide what it found
            self.books.trouble(f"{work.__name__}{arguments[:1]}: {type(error).__name__}: {error}")

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(60)
            if thread.is_alive():
                self.books.trouble(f"{thread} goes on")

    # Honest

    def send(self, number, chance):
        """A sender that has its messages taken in the end, as RFC 5321 §4.5.4.1 has it: what is refused for a time, or cut
        off, comes again."""
        source, serial = f"127.1.0.{10 + number}", 0
        while not self.stop.is_set():
            batch = []
            for _ in range(chance.choice((1, 1, 2, 5))):
                serial += 1
                size = chance.choice((300, 2_000, 2_000, 20_000, 100_000) + (1_000_000,) * (serial % 40 == 0))
                identity = b"s%d-%d-%d" % (self.seed, number, serial)
                names = chance.sample(HONEST, chance.choice((1, 1, 1, 2)))
                batch.append((identity, names, letters.numbered(identity, size)))
            for attempt in range(100):
                if self.try_to_send(batch, source, encrypts=chance.random() < 0.5, implicit=chance.random() < 0.5):
                    break
                self.books.count("senders put off")
                if self.stop.wait(0.05 * (attempt + 1)):
                    break
            self.stop.wait(chance.random() * 0.5)

    def try_to_send(self, batch, source, encrypts, implicit):
        """Sends what is left of `batch`; true when nothing is."""
        tls = self.trust if encrypts else None
        try:
            if tls and implicit:
                session = talk.SMTP(self.office.smtps_port, source=source, tls=tls)
            else:
                session = talk.SMTP(self.office.smtp_port, source=source)
                if tls:
                    session.starttls(tls)
            with session:
                while batch:
                    identity, names, content = batch[0]
                    session.ask(b"MAIL FROM:<%b@elsewhere.example>" % identity, b"250")
                    for name in names:
                        session.ask(b"RCPT TO:<" + offices.address(name) + b">", b"250")
                    session.ask(b"DATA", b"354")
                    with self.books.lock:
                        self.books.uncertain.add(identity)
                    session.send(talk.stuffed(content) + b".\r\n")
                    code, texts = session.reply()
                    if code[:1] == b"5":
                        self.books.trouble(f"{identity!r} was refused: {code} {texts}")
                    if code != b"250":
                        return False
                    with self.books.lock:
                        self.books.uncertain.discard(identity)
                        self.books.promised[identity] = set(names)
                        self.books.counts["messages in over TLS" if tls else "messages in"] += 1
                        self.books.counts["octets in"] += len(content)
                    batch.pop(0)
                session.quit()
            return True
        except (OSError, talk.Closed, AssertionError) as error:
            # Cut off before an answer, a sender sends again; that may double, which is the protocol's own.
            self.books.count(f"senders cut off: {str(error)[:60]}")
            return not batch

    def read(self, number, chance):
        """A reader that polls, fetches everything and deletes it, over the four ways in."""
        name, source = HONEST[number % len(HONEST)], reader_address(number)
        while not self.stop.is_set():
            way = chance.choice(("TLS", "TLS", "STLS", "plain"))
            try:
                self.fetch(name, way, source)
            except (OSError, talk.Closed, AssertionError) as error:
                self.books.count(f"readers cut off: {way}: {str(error)[:60]}")
            self.stop.wait(chance.random() * 0.3)

    def fetch(self, name, way, source):
        tls, began = self.trust, time.monotonic()
        if way == "TLS":
            session = talk.POP3(self.office.pop3s_port, source=source, tls=tls)
        else:
            session = talk.POP3(self.office.pop3_port, source=source)
            if way == "STLS":
                session.stls(tls)
        with session:
            session.login(name.encode())
            took = time.monotonic() - began
            with self.books.lock:
                self.books.logins.append(took)
                self.books.readers.add(name)
                self.books.counts[f"logins: {way}"] += 1
            listed = session.list()
            seen = []
            for message, content in session.retr_all(listed):
                if len(content) != listed[message]:
                    self.books.trouble(f"LIST says {listed[message]}, RETR gave {len(content)}")
                seen.append(letters.identity_of(letters.original(content)))
            session.dele(*listed)
            # Only what QUIT confirms is gone; a session cut off before is read again.
            session.ask(b"QUIT")
            with self.books.lock:
                for identity in seen:
                    self.books.read[name, identity] += 1
                self.books.counts["messages out"] += len(seen)

    # Hostile

    def attack(self, work, chance):
        while not self.stop.is_set():
            with contextlib.suppress(OSError, talk.Closed, AssertionError, ssl.SSLError, ValueError):
                work(self, chance)
            self.books.count(f"attacks: {work.__name__}")
            self.stop.wait(0.05)

    def anywhere(self):
        return random.choice((self.office.smtp_port, self.office.pop3_port, self.office.smtps_port,
                              self.office.pop3s_port))

    def stranger(self, chance):
        return f"127.{FIRST_HOSTILE + chance.randrange(200)}.{chance.randrange(250)}.{chance.randrange(1, 250)}"

    def hold(self, connections, seconds):
        """Keeps them open for a while, then goes."""
        self.stop.wait(seconds)
        for connection in connections:
            connection.close()


def connections(traffic, chance, count, port=None, say=b""):
    made = []
    for _ in range(count):
        if traffic.stop.is_set():
            break
        with contextlib.suppress(OSError, talk.Closed):
            connection = talk.Connection(port or traffic.anywhere(), source=traffic.stranger(chance), timeout=2)
            made.append(connection)
            connection.send(say)
    return made


def loris(traffic, chance):
    """Octets of commands and of a message, one now and then."""
    made = []
    for connection in connections(traffic, chance, 20, traffic.office.smtp_port):
        connection.send(b"EHLO loris.example\r\nMAIL FROM:<x@evil.example>\r\nRCPT TO:<anna@office.example>\r\nDATA\r\n")
        made.append(connection)
    made += connections(traffic, chance, 20, traffic.office.pop3_port, b"USE")
    for _ in range(20):
        if traffic.stop.wait(0.3):
            break
        for connection in made:
            with contextlib.suppress(OSError, talk.Closed):
                connection.send(chance.choice((b"a", b"\r\n", b"S")))
    traffic.hold(made, 0)


def garbage(traffic, chance):
    for _ in range(20):
        with talk.Connection(traffic.anywhere(), source=traffic.stranger(chance), timeout=2) as connection:
            kind = chance.randrange(4)
            connection.send((chance.randbytes(chance.randrange(1, 20_000)), b"A" * 100_000,
                             b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01" + chance.randbytes(500))[kind])


def guesses(traffic, chance):
    with talk.POP3(chance.choice((traffic.office.pop3_port,)), source=traffic.stranger(chance), timeout=3) as session:
        for n in range(10):
            session.send(b"USER %b\r\nPASS guess%d\r\n" % (chance.choice(HONEST).encode(), chance.randrange(10**6)))
            session.line()
            session.line()


def half_open(traffic, chance):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = traffic.trust.wrap_bio(incoming, outgoing, server_hostname="mail.office.example")
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    hello = outgoing.read()
    made = []
    for port in (traffic.office.smtps_port, traffic.office.pop3s_port):
        made += connections(traffic, chance, 60, port, chance.choice((b"", hello, hello[:100])))
    traffic.hold(made, 1 + chance.random() * 3)


def floods(traffic, chance):
    """Connections by the hundred, some reset at once, some with commands that cost."""
    made = connections(traffic, chance, 100, chance.choice((traffic.office.smtp_port, traffic.office.pop3_port)),
                       chance.choice((b"", b"NOOP\r\n" * 100, b"CAPA\r\n" * 200, b"EHLO x\r\n" * 200)))
    for connection in made[::2]:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()
    traffic.hold(made[1::2], chance.random())


def scanners(traffic, chance):
    """Who looks for relays, names and old holes."""
    with talk.SMTP(traffic.office.smtp_port, source=traffic.stranger(chance), timeout=3) as session:
        for command in (b"VRFY root", b"EXPN all", b"MAIL FROM:<spam@evil.example>", b"RCPT TO:<victim@elsewhere.example>",
                        b"RCPT TO:<root%evil.example@office.example>", b"RCPT TO:<@office.example:a@evil.example>",
                        b"RCPT TO:<nobody%d@office.example>" % chance.randrange(10**6), b"AUTH LOGIN", b"*", b"RSET",
                        b"STARTTLS extra", b"DEBUG", b"WIZ", b"BDAT 99999999999999999999 LAST", b"X" * 3000):
            session.ask(command)


def non_readers(traffic, chance):
    """Ask, and do not take the answer."""
    made = []
    for _ in range(10):
        connection = talk.Connection(traffic.anywhere(), source=traffic.stranger(chance), timeout=0.5,
                                     receive_buffer=2048)
        made.append(connection)
        with contextlib.suppress(OSError, talk.Closed):
            connection.send(b"CAPA\r\nHELP\r\nEHLO x\r\n" * 2000)
    traffic.hold(made, 2)


def injections(traffic, chance):
    """Plain text after the command that begins TLS, smuggled ends of messages, records cut short."""
    for port, command in ((traffic.office.smtp_port, b"STARTTLS\r\n"), (traffic.office.pop3_port, b"STLS\r\n")):
        with talk.Connection(port, source=traffic.stranger(chance), timeout=2) as connection:
            connection.send(command + b"MAIL FROM:<x@evil.example>\r\nUSER anna\r\n")
            connection.until_end()
    with talk.SMTP(traffic.office.smtps_port, source=traffic.stranger(chance), timeout=3, tls=traffic.trust) as session:
        session.mail(b"x@evil.example", b"anna@office.example")
        session.ask(b"DATA", b"354")
        session.send(b"Subject: x\r\n\r\nx\n.\nMAIL FROM:<x@evil.example>\r\n" + chance.randbytes(1000))


# Measuring


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


class Samples:
    """The daemon's memory and descriptors while the traffic goes on. Segments of the log are not counted: how many are open
    goes with how much mail there is."""

    def __init__(self, office):
        self.office, self.memory, self.descriptors = office, [], []

    def take(self):
        self.memory.append(self.office.private_dirty())
        self.descriptors.append(len([target for target in self.targets() if not target.endswith((".log", ".msg"))]))

    def targets(self):
        directory = pathlib.Path(f"/proc/{self.office.process.pid}/fd")
        for link in directory.iterdir():
            with contextlib.suppress(OSError):
                yield os.readlink(link).removesuffix(" (deleted)")


def quiet(office, samples, what, seconds=90):
    """Waits until no connection is left, and measures."""
    deadline = time.monotonic() + seconds
    while office.sockets() > 5 and time.monotonic() < deadline:
        time.sleep(0.2)
    samples.take()
    return samples.memory.pop(), samples.descriptors.pop(), office.sockets(), what


def run(where, minutes, seed, state=None, say=print):
    """The whole of it; returns (figures, troubles)."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
    threading.stack_size(1 << 20)
    office = offices.Office(where, {"SMTP": {"MaximumConnectionsPerAddress": "10"}, "Spool": {"KeepDeleted": "0"}},
                            tls=True, accounts=HONEST, state=state).start()
    books, samples = Books(), Samples(office)
    total, began = minutes * 60, time.monotonic()
    # What is set aside once is there after a sixth of it: pools, tables that are full, the allocator's arenas.
    warm = total / 6
    try:
        traffic = Traffic(office, books, seed)
        traffic.begin()
        time.sleep(warm)
        traffic.end()
        before = quiet(office, samples, "after the warm-up")
        say(f"{before[3]}: {before[0] // 1024} kB, {before[1]} descriptors, {before[2]} sockets")
        traffic = Traffic(office, books, seed + 1)
        traffic.begin()
        told = time.monotonic()
        while time.monotonic() - began < total:
            time.sleep(min(1.0, total / 60))
            samples.take()
            if office.process.poll() is not None:
                books.trouble("the daemon is gone")
                break
            if time.monotonic() - told > 60:
                told = time.monotonic()
                say(f"{(told - began) / 60:.0f} min: {samples.memory[-1] // 1024} kB, {samples.descriptors[-1]} "
                    f"descriptors, {books.counts['messages out']} messages out, {len(books.logins)} logins, slowest "
                    f"{max(books.logins, default=0):.2f} s")
        traffic.end()
        after = quiet(office, samples, "at the end")
        say(f"{after[3]}: {after[0] // 1024} kB, {after[1]} descriptors, {after[2]} sockets")
        # What is still there is read now.
        closing = Traffic(office, books, seed + 2)
        for number, name in enumerate(HONEST):
            closing.fetch(name, "TLS", reader_address(number))
        figures = audit(office, books, samples, before, after, ALLOWED if minutes >= 10 else SHORT)
    finally:
        office.close()
    return figures, books.troubles


def audit(office, books, samples, before, after, allowed):
    lost = [(name, identity) for identity, names in books.promised.items() for name in names
            if books.read[name, identity] == 0]
    doubled = [pair for pair, times in books.read.items() if times > 1 and pair[1] not in books.uncertain]
    stray = [pair for pair in books.read if pair[0] not in books.promised.get(pair[1], {pair[0]})]
    severe = [line for line in office.log().split(b"\n") if re.match(rb"<[0-3]>", line)]
    for what, found in (("lost", lost), ("doubled", doubled), ("in a wrong maildrop", stray), ("severe lines", severe)):
        if found:
            books.trouble(f"{len(found)} {what}: {found[:3]}")
    growth = after[0] - before[0]
    if growth > allowed:
        books.trouble(f"memory grew by {growth} octets: {before[0]} to {after[0]}")
    if after[1] > before[1]:
        books.trouble(f"descriptors grew from {before[1]} to {after[1]}")
    if not books.promised or not books.logins:
        books.trouble("no honest traffic at all")
    return {
        "messages promised": len(books.promised), "lost": len(lost), "doubled": len(doubled),
        "without an answer": len(books.uncertain), "logins": len(books.logins),
        "login median": percentile(books.logins, 0.5), "login p99": percentile(books.logins, 0.99),
        "login p99.9": percentile(books.logins, 0.999), "slowest login": max(books.logins, default=0),
        "memory after warm-up": before[0], "memory at the end": after[0], "memory at its peak": max(samples.memory),
        "descriptors after warm-up": before[1], "descriptors at the end": after[1],
        "descriptors at their peak": max(samples.descriptors), "severe lines": len(severe),
        **{what: number for what, number in sorted(books.counts.items())},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("minutes", type=float, nargs="?", default=30)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="restante-soak.") as where:
        print(f"{offices.PROGRAM}, {options.minutes} minutes, seed {options.seed}", flush=True)
        figures, troubles = run(pathlib.Path(where), options.minutes, options.seed,
                                say=lambda text: print(text, flush=True))
    print(json.dumps(figures, indent=1))
    for trouble in troubles[:50]:
        print("TROUBLE:", trouble)
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
