"""Messages of every awkward kind, and what must come back of each."""

import hashlib
import re

LINE_998 = b"".join(b"%03d." % n for n in range(250))[:998]


def letter(body, subject=b"a letter"):
    """A message with an ordinary header."""
    return (b"From: Someone <someone@elsewhere.example>\r\nTo: anna@office.example\r\nSubject: " + subject
            + b"\r\nMessage-ID: <" + hashlib.sha256(subject + b"|" + body).hexdigest()[:16].encode()
            + b"@elsewhere.example>\r\nDate: Fri, 1 Jan 2021 00:00:00 +0000\r\n\r\n" + body)


AWKWARD = {
    "plain": letter(b"Dear Anna,\r\n\r\nthe parcel is here.\r\n"),
    "empty body": letter(b""),
    "no empty line after the header": b"Subject: header only\r\n",
    "nothing at all": b"",
    "only an empty line": b"\r\n",
    "empty lines at the end": letter(b"text\r\n\r\n\r\n\r\n"),
    "a line of one dot": letter(b"before\r\n.\r\nafter\r\n"),
    "dots at line starts": letter(b".one\r\n..two\r\n...three\r\n.\r\n..\r\n. \r\n.. .\r\nend.\r\n"),
    "a dot as its last line": letter(b"text\r\n.\r\n"),
    "two dots as its last line": letter(b"text\r\n..\r\n"),
    "a dot as its first octet": b".hidden: yes\r\n\r\n.body\r\n",
    "lines of 998 octets": letter(b"".join((LINE_998 + b"\r\n") * 3 for _ in range(20))),
    "998 octets with a dot before": letter(b"." + LINE_998[:997] + b"\r\n" + b"." * 998 + b"\r\n"),
    "8-bit": letter(bytes(n for n in range(128, 256)) + b"\r\n" + "Grüße, Ærøskøbing, 郵便局\r\n".encode()),
    "latin-1": letter("Schöne Grüße aus Köln\r\n".encode("latin-1")),
    "controls": letter(bytes(n for n in range(1, 32) if n not in (10, 13)) + b"\x7f\r\n"),
    "looks like commands": letter(b"QUIT\r\nRSET\r\nDATA\r\n+OK\r\n-ERR no\r\nFrom here\r\n>From there\r\n"),
    "looks like a record": letter(b"message 1 2 3 4 5\r\nM 0000000001 100\r\n\r\n\x00"[:-1] + b"\r\n"),
    "trailing spaces and tabs": letter(b"space \r\ntab\t\r\n \r\n\t\r\n"),
    "64 KiB less one": letter(b"x" * 62 + b"\r\n")[:0] + letter((b"y" * 62 + b"\r\n") * 1023),
    "300 kB": letter(b"".join(b"%07d The quick brown fox jumps over the lazy dog.\r\n" % n for n in range(5600))),
}


TRACE = re.compile(rb"Return-Path:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*Received:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*")


def trace_and_original(fetched):
    """Splits what a reader gets into the header lines the receiver put before it, and the message as it was sent."""
    match = TRACE.match(fetched)
    assert match, f"Return-Path: and Received: do not come first: {fetched[:300]!r}"
    return fetched[:match.end()], fetched[match.end():]


def original(fetched):
    return trace_and_original(fetched)[1]


def numbered(identity, octets):
    """A message that tells who it is and proves that it is whole: its body follows from `identity` alone."""
    seed = hashlib.sha256(identity).hexdigest().encode()
    line = seed + b"\r\n"
    body = line * max(1, octets // len(line))
    return b"Subject: " + identity + b"\r\nX-Octets: %d\r\n\r\n.%b\r\n" % (octets, identity) + body + b".end\r\n"


def identity_of(message):
    """The identity of a message made by `numbered`; fails unless the message is whole."""
    match = re.match(rb"Subject: (\S+)\r\nX-Octets: (\d+)\r\n", message)
    assert match, f"not one of ours: {message[:200]!r}"
    assert numbered(match[1], int(match[2])) == message, f"{match[1]!r} is not whole: {len(message)} octets"
    return match[1]


def same(got, wanted, what=""):
    """Octet by octet, with the first difference shown instead of megabytes."""
    if got == wanted:
        return
    at = next((n for n, (a, b) in enumerate(zip(got, wanted)) if a != b), min(len(got), len(wanted)))
    raise AssertionError(f"{what}: {len(got)} octets for {len(wanted)}, differ at {at}: "
                         f"got {got[max(0, at - 20):at + 40]!r}, wanted {wanted[max(0, at - 20):at + 40]!r}")
