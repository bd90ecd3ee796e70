"""The figures: one function a row. Each returns what was reached and says in `notes` what that was made of."""

import contextlib
import functools
import os
import shutil
import statistics
import time

from dovecot import Dovecot
from postfix import Postfix
from restante import PASSWORD
from table import KB, MB, ROWS, row
from workshop import TOP, Failure, PeakMemory, Yardstick, settled_memory

MESSAGE = 4096


# --- the program and its memory --------------------------------------------------------------------------------------


@row("size-armhf", "program, stripped, armhf", 512 * KB, "kB", at_most=True, path="build/armhf/restante")
@row("size-arm64", "program, stripped, arm64", 512 * KB, "kB", at_most=True, path="build/arm64/restante")
@row("size-amd64", "program, stripped, amd64", 512 * KB, "kB", at_most=True, path="build/restante")
def size(bench, path):
    program = TOP / path
    if not program.exists():
        raise Failure(f"{path} is not there: run make {path}")
    if has_symbols(program.read_bytes()):
        bench.note(f"{path} is not stripped; this is its size as it is")
    return program.stat().st_size


def has_symbols(elf):
    """Whether an ELF file still carries a symbol table that strip(1) would take away."""
    if elf[:4] != b"\x7fELF" or elf[5] != 1:
        raise Failure("not a little-endian ELF file")
    wide = elf[4] == 2
    def field(at, octets):
        return int.from_bytes(elf[at:at + octets], "little")
    table = field(0x28, 8) if wide else field(0x20, 4)
    entry, count = (field(0x3A, 2), field(0x3C, 2)) if wide else (field(0x2E, 2), field(0x30, 2))
    return any(field(table + i * entry + 4, 4) == 2 for i in range(count))  # SHT_SYMTAB


@row("idle-tls", "the same, ready for TLS: all four ports listening", 2 * MB, "MB", at_most=True, tls=True)
@row("idle", "private memory (Private_Dirty) idle, after start", 1.6 * MB, "MB", at_most=True, tls=False)
def idle(bench, tls):
    restante = bench.restante(tls=tls)
    def once():
        restante.start()
        try:
            return settled_memory(restante.pid)
        finally:
            restante.stop()
    values = [once() for _ in range(bench.runs)]
    bench.note(f"first start {values[0] / MB:.2f} MB, later ones {', '.join(f'{v / MB:.2f}' for v in values[1:])} MB")
    return max(values)


@row("connections", "1,000 idle authenticated POP3 connections, more than idle", 1.0 * MB, "MB", at_most=True)
def connections(bench):
    more, many = measure_connections(bench, tls=False)
    bench.note(f"{many} connections, ten maildrops of ten messages; {more / many:.0f} bytes a connection")
    return more


@row("connections-tls", "each of 1,000 idle authenticated POP3S connections, more than idle", 16 * KB, "kB",
     at_most=True)
def connections_tls(bench):
    more, many = measure_connections(bench, tls=True)
    bench.note(f"{many} connections, ten maildrops of ten messages; {more / MB:.2f} MB in all, "
               f"{more / many:,.0f} bytes a connection")
    return more / many


def measure_connections(bench, tls):
    """Private memory that idle connections take in all, and how many they are."""
    restante = bench.restante(tls=tls)
    restante.start()
    bench.workshop.command("smtp_load", restante.smtp, 10, 100, MESSAGE, 1)
    restante.stop()
    many = bench.many(1000)
    def once():
        restante.start()
        before = settled_memory(restante.pid)
        with contextlib.ExitStack() as stack:
            for i in range(many):
                session = stack.enter_context(contextlib.closing(restante.connect(f"user{i % 10}", tls)))
                if session.count() != 10:
                    raise Failure("a maildrop of ten messages shows another number")
            more = settled_memory(restante.pid) - before
        restante.stop()
        return more
    return statistics.median(once() for _ in range(min(3, bench.runs))), many


@row("large", "peak private memory, 10 senders push 25 MB to 10 recipients each", 8 * MB, "MB", at_most=True)
def large(bench):
    peaks = []
    for _ in range(min(3, bench.runs)):
        bench.device.renew()
        restante = bench.restante()
        restante.start()
        with PeakMemory(restante.pid) as memory:
            rate = bench.workshop.rate("smtp_load", restante.smtp, 10, 20, 25 * MB // bench.scale, 10)
        if restante.count("user9") != 20:
            raise Failure("not every message arrived")
        restante.stop()
        peaks.append(memory.peak)
        bench.note(f"peak {memory.peak / MB:.2f} MB in {memory.samples} samples, {rate * 25 / bench.scale:,.0f} MB/s")
    return statistics.median(peaks)


# --- delivery --------------------------------------------------------------------------------------------------------


def expect_counts(restante, total):
    """Every message answered with 250 is there for a new POP3 session."""
    seen = sum(restante.count(f"user{i}") for i in range(10))
    if seen != total:
        raise Failure(f"{total} messages were answered with 250, POP3 shows {seen}")


class Sender:
    """Counts what it has sent, so that the maildrops can be held against it."""

    def __init__(self, bench, restante):
        self._bench, self._restante, self.sent = bench, restante, 0

    def rate(self, sessions, messages):
        self.sent += messages
        return self._bench.workshop.rate("smtp_load", self._restante.smtp, sessions, messages, MESSAGE, 1)


@row("smtp-1", "SMTP to 250, 4 KiB, 1 session, against append + flush of each", 0.5, "times", sessions=1, count=3000)
@row("smtp-10", "SMTP to 250, 4 KiB, 10 sessions, against append + flush of ten", 0.2, "times", sessions=10,
     count=10000)
def smtp(bench, sessions, count):
    count = bench.many(count)
    restante = bench.restante()
    restante.start()
    sender = Sender(bench, restante)
    file = bench.device.path / "appended"
    ratio = bench.ratio(
        lambda: sender.rate(sessions, count),
        "the C loop", lambda: bench.workshop.rate("append", file, count, sessions, MESSAGE), "messages/s")
    expect_counts(restante, sender.sent)
    bench.note(bench.device.described)
    return ratio


@row("postfix-1", "delivery until readable, 1 session, against Postfix", 5, "times", sessions=1, ours=3000, theirs=300)
@row("postfix-10", "delivery until readable, 10 sessions, against Postfix", 15, "times", sessions=10, ours=10000,
     theirs=1000)
def postfix(bench, sessions, ours, theirs):
    restante = bench.restante()
    restante.start()
    sender = Sender(bench, restante)
    peer = Postfix(bench.workshop, bench.device.path / "postfix")
    ratio = bench.ratio(
        lambda: sender.rate(sessions, bench.many(ours)),
        "Postfix", lambda: peer.rate(sessions, bench.many(theirs), MESSAGE), "messages/s")
    expect_counts(restante, sender.sent)
    if bench.device.counts:
        before = bench.device.written()
        peer.rate(sessions, bench.many(theirs), MESSAGE)
        written = bench.device.written() - before
        bench.note(f"Postfix wrote {written / (bench.many(theirs) * MESSAGE):.1f} bytes per message byte")
    bench.note(f"Postfix delivers to Maildirs with virtual(8); {bench.device.described}")
    return ratio


@row("device-1", "bytes written to the device per message byte, 4 KiB, 1 session", 4.0, "", at_most=True,
     sessions=1, count=3000)
@row("device-10", "bytes written to the device per message byte, 4 KiB, 10 sessions", 1.5, "", at_most=True,
     sessions=10, count=10000)
def device(bench, sessions, count):
    count = bench.many(count)
    figures = []
    for _ in range(min(3, bench.runs)):
        bench.device.renew()
        restante = bench.restante()
        restante.start()
        send = functools.partial(bench.workshop.command, "smtp_load", restante.smtp, sessions)
        send(100, MESSAGE, 1)
        start = bench.device.written()
        began = time.monotonic()
        send(count, MESSAGE, 1)
        loaded = bench.device.written()
        # The same time again with nothing to do: what the file system writes by itself is not ours.
        time.sleep(time.monotonic() - began)
        idle = bench.device.written() - loaded
        expect_counts(restante, count + 100)
        restante.stop()
        figures.append((loaded - start - idle) / (count * MESSAGE))
    bench.note(f"{count} messages; runs {', '.join(f'{f:.2f}' for f in figures)}; idle wrote {idle} bytes in the last")
    return statistics.median(figures)


# --- fetching and polling --------------------------------------------------------------------------------------------


def wire_text(size):
    """A message of `size` octets as bench.c's message_text makes it, as far as a server can see."""
    head = b"From: sender@sender.example\r\nTo: reader@bench.example\r\nSubject: a message of known size\r\n\r\n"
    line = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/ABCDEFGHIJKL\r\n"
    body = head + line * (size // len(line) + 1)
    return body[:size - 4] + b"xx\r\n"


RETR_SIZE, RETR_MESSAGES, RETR_SESSIONS = 20_000, 1000, 5


def fetched(bench, port, depth, *tls):
    return bench.workshop.rate("pop3_fetch", port, "user0", PASSWORD, RETR_MESSAGES, depth, RETR_SESSIONS, *tls)


@contextlib.contextmanager
def one_processor():
    """
    Everything started inside shares one processor. Where client and server only ever take turns, what is measured
    then is their work. On two, it is mostly how long an idle (virtual) processor takes to wake, which swings by a
    factor of two with the scheduler's choice and is the same for every server.
    """
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@row("retr", "RETR of 1,000 messages of 20 kB one after another, against dovecot-pop3d", 3, "times")
def retr(bench):
    with one_processor():
        restante = bench.restante()
        restante.start()
        bench.workshop.command("smtp_load", restante.smtp, 10, RETR_MESSAGES, RETR_SIZE, 1, 1)
        peer = Dovecot(bench.workshop, bench.device.path / "dovecot")
        peer.fill("user0", RETR_MESSAGES, wire_text(RETR_SIZE))
        bench.note("client and server take turns on one processor")
        return bench.ratio(
            lambda: fetched(bench, restante.pop3, 1), "Dovecot", lambda: fetched(bench, peer.port, 1), "messages/s")


@row("retr-8", "the same with 8 RETR in flight, against a C loop of sendfile", 0.5, "times")
def retr_8(bench):
    restante = bench.restante()
    restante.start()
    bench.workshop.command("smtp_load", restante.smtp, 10, RETR_MESSAGES, RETR_SIZE, 1, 1)
    connections = (bench.runs + 1) * RETR_SESSIONS
    loop = Yardstick(bench.workshop, "sendfile_loop", bench.device.path / "poured", RETR_SIZE, connections)
    return bench.ratio(
        lambda: fetched(bench, restante.pop3, 8), "the C loop", lambda: fetched(bench, loop.port, 0), "messages/s")


@row("poll-5", "login, STAT, UIDL, QUIT on 5 messages, against dovecot-pop3d in high-performance mode", 8, "times",
     messages=5, fast=True, ours=8000, theirs=1000)
@row("poll-10000", "login, STAT, UIDL, QUIT on 10,000 messages, against dovecot-pop3d", 15, "times",
     messages=10000, fast=False, ours=1000, theirs=60)
def poll(bench, messages, fast, ours, theirs):
    maildrops, size = 4, 1000
    if messages > 1000:
        messages = bench.many(messages)
    restante = bench.restante()
    restante.start()
    bench.workshop.command("smtp_load", restante.smtp, min(10, messages), messages, size, maildrops)
    peer = Dovecot(bench.workshop, bench.device.path / "dovecot", fast=fast)
    for i in range(maildrops):
        peer.fill(f"user{i}", messages, wire_text(size))
    def polls(port, count):
        return bench.workshop.rate("pop3_poll", port, PASSWORD, maildrops, bench.many(count), messages)
    ratio = bench.ratio(
        lambda: polls(restante.pop3, ours), "Dovecot", lambda: polls(peer.port, theirs), "sessions/s")
    bench.note(f"{maildrops} connections at a time, each with a maildrop of its own; Dovecot compares clear passwords, "
               "Restante a hash it remembers")
    return ratio


# --- starting --------------------------------------------------------------------------------------------------------


@row("rebuild", "start with 100,000 messages, indexes rebuilt from the log alone", 10, "s", at_most=True, rebuilt=True)
@row("start", "start with 100,000 messages, indexes present", 0.3, "s", at_most=True, rebuilt=False)
def start(bench, rebuilt):
    messages = bench.many(100_000)
    restante = bench.restante()
    restante.start()
    bench.workshop.command("smtp_load", restante.smtp, 10, messages, MESSAGE, 1, timeout=1800)
    restante.stop()
    spool = restante.state / "spool"
    greeted = []

    def once():
        """From exec until a session has logged in and STAT has said the right number."""
        if rebuilt:
            shutil.rmtree(spool / "index")
            for checkpoint in spool.glob("checkpoint*"):
                checkpoint.unlink()
        cold = bench.device.remount()
        greeted.append(restante.start(timeout=120))
        if restante.count() != messages // 10:
            raise Failure("a maildrop does not show all its messages after the start")
        seconds = time.monotonic() - restante.server.started
        expect_counts(restante, messages)
        return seconds, cold

    seconds = []
    for _ in range(min(3, bench.runs)):
        taken, cold = once()
        seconds.append(taken)
        restante.stop()
    bench.note(f"{messages} messages of 4 KiB in ten maildrops; "
               + ("nothing in memory (file system mounted anew)" if cold else "files perhaps in memory"))
    bench.note(f"until the greeting {statistics.median(greeted):.3f} s, "
               f"until STAT is right {', '.join(f'{s:.3f}' for s in seconds)} s")
    if not rebuilt:
        once()
        bench.workshop.command("smtp_load", restante.smtp, 1, 10, MESSAGE, 1)
        restante.server.kill()
        if cold:
            bench.device.remount()
        bench.note(f"after kill -9: greeting after {restante.start(timeout=120):.3f} s")
        expect_counts(restante, messages + 10)
    return statistics.median(seconds)


# Decorators work from the inside out; people read from the top.
ORDER = ["size-amd64", "size-arm64", "size-armhf", "idle", "idle-tls", "connections", "connections-tls", "large", "smtp-10", "smtp-1", "postfix-10",
         "postfix-1", "device-10", "device-1", "retr", "retr-8", "poll-10000", "poll-5", "start", "rebuild"]
ROWS.sort(key=lambda r: ORDER.index(r.name))
