"""Mail under way from many senders while readers delete, and the books that are kept of it.

What the books hold is what the program has said: 250 for a message, +OK for a deletion. After a crash `Books.audit`
compares them with what the maildrops hold.
"""

import collections
import contextlib
import random
import threading

import letters
import talk

NAMES = (b"anna", b"bert", b"carl")


class Books:
    def __init__(self):
        self.lock = threading.Lock()
        self.attempted = {}        # identity: its recipients
        self.promised = set()      # identities answered 250
        self.refused = set()       # identities answered 4xx: their sender comes again, so they must not be there
        self.absent = set()        # identities never promised and once found absent: they must stay so
        self.deleting = set()      # (name, identity): QUIT was said, no answer seen
        self.deleted = set()       # (name, identity): QUIT was answered +OK
        self.uids = {}             # (name, identity): unique-id
        self.owners = {}           # (name, unique-id): identity
        self.troubles = []
        self.counts = collections.Counter()

    def saw(self, name, uid, message):
        """A message was fetched whole. Notes its unique-id, and that it does not change or belong to two."""
        identity = letters.identity_of(letters.original(message))
        with self.lock:
            assert identity in self.attempted, f"{identity!r} was never sent"
            assert name in self.attempted[identity], f"{identity!r} was never sent to {name!r}"
            known = self.uids.setdefault((name, identity), uid)
            assert known == uid, f"{identity!r} in {name!r} was {known!r} and is {uid!r}: doubled or renumbered"
            owner = self.owners.setdefault((name, uid), identity)
            assert owner == identity, f"{uid!r} of {name!r} was {owner!r} and is {identity!r}"
        return identity

    def audit(self, found):
        """`found` is {name: [identities]}: everything a reader sees now, after a crash and a start."""
        for name, identities in found.items():
            doubled = [identity for identity, count in collections.Counter(identities).items() if count > 1]
            assert not doubled, f"doubled in {name!r}: {doubled}"
        present = {(name, identity) for name, identities in found.items() for identity in identities}
        risen = present & self.deleted
        assert not risen, f"deleted with +OK, and there again: {sorted(risen)[:5]}"
        wrong = {(name, identity) for name, identity in present if identity in self.refused}
        assert not wrong, f"refused with 4xx, and there all the same: {sorted(wrong)[:5]}"
        ghosts = {(name, identity) for name, identity in present if identity in self.absent}
        assert not ghosts, f"absent after one crash, there after another: {sorted(ghosts)[:5]}"
        missing = {(name, identity) for identity in self.promised for name in self.attempted[identity]} \
            - present - self.deleted - self.deleting
        assert not missing, f"{len(missing)} promised with 250 and lost: {sorted(missing)[:5]}"
        for identity, names in self.attempted.items():
            if identity in self.promised or identity in self.refused or identity in self.absent:
                continue
            there = [name for name in names if {(name, identity)} & (present | self.deleted | self.deleting)]
            assert len(there) in (0, len(names)), f"{identity!r} reached {there} of {sorted(names)}: half there"
            if there:
                self.promised.add(identity)
                self.counts["stored, the answer lost"] += 1
            else:
                self.absent.add(identity)
                self.counts["not stored, no answer"] += 1
        for pair in self.deleting:
            if pair not in present:
                self.deleted.add(pair)
        self.deleting.clear()
        self.forget()

    def forget(self):
        """Lets go of messages that are deleted everywhere: hundreds of rounds fit in memory."""
        gone = [identity for identity in self.promised
                if all((name, identity) in self.deleted for name in self.attempted[identity])]
        if len(gone) > 20_000:
            for identity in gone[:10_000]:
                self.promised.discard(identity)
                for name in self.attempted.pop(identity):
                    self.deleted.discard((name, identity))


class Trouble(Exception):
    """The program told a reader [SYS/TEMP]: it cannot be helped on a disk that fails, and is no lie."""


class Reader(talk.POP3):
    def ok(self):
        line = self.line()
        if line.startswith(b"-ERR [SYS/TEMP]"):
            raise Trouble(line)
        assert line.startswith(b"+OK"), f"wanted +OK, got {line!r}"
        return line


class Load:
    """Senders and deleters at work until `stop`, or until the program goes away under them."""

    def __init__(self, office, books, seed, senders=6, deleters=1, large=0.05):
        self.office, self.books, self.large = office, books, large
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(self.send, f"{seed}.{n}"), daemon=True)
                        for n in range(senders)]
        self.threads += [threading.Thread(target=self.work, args=(self.delete, f"{seed}.d{n}"), daemon=True)
                         for n in range(deleters)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive(), "a client hangs"
        assert not self.books.troubles, self.books.troubles[:3]

    def work(self, body, name):
        try:
            while not self.over.is_set():
                with contextlib.suppress(talk.Closed, ConnectionError, TimeoutError, Trouble):
                    body(name, random.Random(f"{name}.{self.books.counts[name]}"))
                if not self.books.counts[name]:
                    return
                if self.office.process is None or self.office.process.poll() is not None:
                    return
        except AssertionError as trouble:
            self.books.troubles.append(f"{name}: {trouble}")

    def send(self, name, chance):
        books = self.books
        with self.office.smtp() as sender:
            while not self.over.is_set():
                books.counts[name] += 1
                identity = f"{name}.{books.counts[name]}".encode()
                size = chance.choice((0, 200, 2000, 4000, 20_000))
                if chance.random() < self.large:
                    size = chance.choice((65_536, 100_000, 300_000))
                recipients = chance.sample(NAMES, chance.choice((1, 1, 1, 2, 3)))
                content = letters.numbered(identity, size)
                with books.lock:
                    books.attempted[identity] = frozenset(recipients)
                sender.send(b"MAIL FROM:<load@elsewhere.example>\r\n"
                            + b"".join(b"RCPT TO:<%b@office.example>\r\n" % recipient for recipient in recipients)
                            + b"DATA\r\n")
                codes = [sender.reply()[0] for _ in range(len(recipients) + 2)]
                if codes[-1] != b"354":
                    assert codes[-1].startswith((b"4", b"503", b"554")), codes
                    books.counts["refused"] += 1
                    books.refused.add(identity)
                    sender.ask(b"RSET", b"250")
                    continue
                sender.send(talk.stuffed(content) + b".\r\n")
                code, texts = sender.reply()
                with books.lock:
                    if code == b"250":
                        books.promised.add(identity)
                        books.counts["promised"] += 1
                    else:
                        assert code.startswith(b"4"), f"a local fault is 4xx, never {code!r} {texts!r}"
                        books.refused.add(identity)
                        books.counts["refused"] += 1

    def delete(self, name, chance):
        books = self.books
        books.counts[name] += 1
        maildrop = chance.choice(NAMES)
        with Reader(self.office.pop3_port, maildrop) as reader:
            uids = reader.uidl()
            numbers = chance.sample(sorted(uids), min(len(uids), chance.randrange(1, 40)))
            pairs = []
            for number, content in reader.retr_all(numbers):
                pairs.append((maildrop, books.saw(maildrop, uids[number], content)))
            reader.dele(*numbers)
            with books.lock:
                books.deleting.update(pairs)
            reader.send(b"QUIT\r\n")
            answer = reader.line()
            with books.lock:
                if answer.startswith(b"+OK"):
                    books.deleting.difference_update(pairs)
                    books.deleted.update(pairs)
                    books.counts["deleted"] += len(pairs)
                else:
                    assert b"[SYS/TEMP]" in answer, answer


def audit(office, books, thin=0.5, chance=random):
    """Reads all maildrops, compares them with the books, and deletes a part so that they stay small."""
    found = {}
    sessions = {}
    for name in NAMES:
        sessions[name] = reader = office.pop3(name)
        uids, listed = reader.uidl(), reader.list()
        assert len(set(uids.values())) == len(uids), f"a unique-id twice in {name!r}"
        found[name] = {}
        for number, content in reader.retr_all(uids):
            assert len(content) == listed[number], f"LIST says {listed[number]}, RETR gave {len(content)}"
            found[name][number] = books.saw(name, uids[number], content)
    books.audit({name: list(identities.values()) for name, identities in found.items()})
    for name, reader in sessions.items():
        numbers = [number for number in found[name] if chance.random() < thin]
        reader.dele(*numbers)
        reader.quit()
        books.deleted.update((name, found[name][number]) for number in numbers)
