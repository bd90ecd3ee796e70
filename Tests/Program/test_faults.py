"""S3, S4 and S7 for the whole program: system calls on the spool that fail, by a library loaded into it."""

import errno
import os
import re
import threading

import pytest

import load
import talk
from letters import identity_of, numbered, original
from office import address
from waiting import until


@pytest.fixture
def faulty(make_office, faults):
    """(office, faults): an open office with one message, whose system calls fail on demand."""
    office = make_office(preload=faults.library, variables=faults.variables).start()
    office.deliver(numbered(b"before", 500))
    return office, faults


def identities(office, name="anna"):
    return sorted(identity_of(original(message)) for message in office.fetch(name).values())


def deliver(office, identity, octets=500):
    """(code, texts) of one message."""
    with office.smtp() as sender:
        sender.mail(b"a@b.example", address("anna"))
        reply = sender.data(numbered(identity, octets), None)
        sender.quit()
        return reply


@pytest.mark.parametrize("octets", [500, 300_000], ids=["small", "streamed"])
@pytest.mark.parametrize("call,error,code,words", [
    ("fdatasync", errno.EIO, b"451", b"4.3.0"),
    ("pwrite", errno.EIO, b"451", b"4.3.0"),
    ("fdatasync", errno.ENOSPC, b"452", b"4.3.1"),
    ("pwrite", errno.ENOSPC, b"452", b"4.3.1"),
    ("pwrite", errno.EDQUOT, b"452", b"4.3.1"),
], ids=lambda value: errno.errorcode.get(value, "") if isinstance(value, int) else value.decode()
   if isinstance(value, bytes) else value)
def test_S3_a_failed_flush_is_told_and_the_service_goes_on(faulty, call, error, code, words, octets):
    office, faults = faulty
    faults.set((call, error, 1, "/spool/log/"))
    got, texts = deliver(office, b"failed", octets)
    assert faults.happened(), f"the program never called {call} on the log"
    assert got in (code, b"451") and (texts[0].startswith(words) or texts[0].startswith(b"4.3.")), (got, texts)
    # The kernel's word for it, in the log.
    assert os.strerror(error).encode() in office.log() or errno.errorcode[error].encode() in office.log(), office.log()
    assert deliver(office, b"after", octets)[0] == b"250"
    assert identities(office) == [b"after", b"before"]
    office.kill()
    office.start()
    assert identities(office) == [b"after", b"before"]


def test_S3_the_segment_of_a_failed_flush_is_closed_and_a_new_one_begun(faulty):
    office, faults = faulty
    before = office.segments()
    faults.set(("fdatasync", errno.EIO, 1, "/spool/log/"))
    assert deliver(office, b"failed")[0] == b"451"
    assert deliver(office, b"after")[0] == b"250"
    after = [segment for segment in office.segments() if segment not in before]
    assert after, "no new segment"
    assert any(numbered(b"after", 500)[:30] in segment.read_bytes() for segment in after)


@pytest.mark.parametrize("octets", [500, 100_000])
def test_short_writes_are_gone_on_with(faulty, octets):
    office, faults = faulty
    faults.set(("pwrite", -1, -1, "/spool/"), ("write", -1, -1, "/spool/"))
    for n in range(5):
        assert deliver(office, b"short%d" % n, octets)[0] == b"250"
    with office.pop3("anna") as reader:
        reader.dele(1)
        reader.quit()
    wanted = [b"short%d" % n for n in range(5)]
    assert identities(office) == wanted
    office.kill()
    office.start()
    assert identities(office) == wanted


def test_S3_under_load_every_250_is_kept_and_every_4xx_is_not_there(faulty):
    """Flushes fail now and then while six senders and a deleter are at work; then kill -9, start, audit."""
    office, faults = faulty
    with office.pop3("anna") as reader:
        reader.dele(1)
        reader.quit()
    books = load.Books()
    kinds = [("fdatasync", errno.EIO), ("pwrite", errno.EIO), ("pwrite", errno.ENOSPC)]
    for round, (call, error) in enumerate(kinds * 3):
        work = load.Load(office, books, f"faults.{round}").start()
        for _ in range(3):
            before = books.counts["promised"]
            until(lambda: books.counts["promised"] > before + 10 or books.troubles, "messages to be promised")
            did = len(faults.happened())
            faults.set((call, error, 1, "/spool/log/"))
            until(lambda: len(faults.happened()) > did or books.troubles, f"{call} to fail")
        faults.clear()
        before = books.counts["promised"]
        until(lambda: books.counts["promised"] > before + 10 or books.troubles, "the service to go on")
        work.over.set()
        if round % 2:
            office.kill()
        work.stop()
        if office.process is None:
            office.start()
        load.audit(office, books)
    assert books.counts["refused"] >= 9


def test_S1_deletions_whose_flush_fails_are_not_answered_OK(faulty):
    office, faults = faulty
    office.deliver(numbered(b"second", 500))
    faults.set(("fdatasync", errno.EIO, 1, "/spool/log/"))
    with office.pop3("anna") as reader:
        reader.dele(1)
        answer = reader.answer(b"QUIT")
        assert answer.startswith(b"-ERR [SYS/TEMP]"), answer
    assert identities(office) == [b"before", b"second"]
    faults.clear()
    office.kill()
    office.start()
    assert identities(office) == [b"before", b"second"]
    with office.pop3("anna") as reader:
        reader.dele(1)
        reader.quit()
    assert identities(office) == [b"second"]


@pytest.mark.parametrize("call", ["open", "pread", "read"])
def test_S7_a_spool_that_cannot_be_read_is_SYS_TEMP_and_never_an_empty_maildrop(faulty, call):
    office, faults = faulty
    office.kill()
    office.start()
    faults.set((call, errno.EIO, -1, "/spool/index/"), (call, errno.EIO, -1, "/spool/log/"))
    with office.pop3() as reader:
        reader.ask(b"USER anna")
        for command in (b"PASS anna-secret", b"STAT", b"UIDL", b"LIST", b"RETR 1"):
            answer = reader.answer(command)
            if answer.startswith(b"-ERR"):
                assert b"[SYS/TEMP]" in answer, (command, answer)
                break
            assert not re.match(rb"\+OK 0 ", answer), f"an empty maildrop: {command} {answer}"
            if command in (b"UIDL", b"LIST"):
                assert len(reader.lines()) == 1
            elif command == b"RETR 1":
                assert identity_of(original(reader.block())) == b"before"
    faults.clear()
    assert identities(office) == [b"before"]


def test_S7_a_message_that_breaks_off_is_never_ended_as_if_it_were_whole(faulty):
    """The disk fails in the middle of RETR: the client must not take the half for the whole."""
    office, faults = faulty
    office.deliver(numbered(b"long", 2_000_000))
    for call in ("sendfile", "pread", "read"):
        faults.set((call, errno.EIO, -1, "/spool/log/"))
        with office.pop3("anna") as reader:
            reader.send(b"RETR 2\r\n")
            try:
                answer = reader.line()
                if answer.startswith(b"+OK"):
                    assert identity_of(original(reader.block())) == b"long"
                else:
                    assert b"[SYS/TEMP]" in answer, answer
            except talk.Closed:
                pass
        faults.clear()
    assert identities(office) == [b"before", b"long"]


def test_a_state_directory_that_fails_altogether_is_4xx_to_all_and_forgiven_afterwards(faulty):
    office, faults = faulty
    faults.set(*((call, errno.EIO, -1, "/spool/") for call in ("open", "pwrite", "write", "fdatasync", "fsync")))
    codes = []

    def send(n):
        codes.append(deliver(office, b"during%d" % n)[0])

    threads = [threading.Thread(target=send, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(codes) == 5 and all(code.startswith(b"4") for code in codes), codes
    faults.clear()

    def accepted():
        return deliver(office, b"after")[0] == b"250"

    until(accepted, "mail to be taken again")
    assert identities(office) == [b"after", b"before"]
