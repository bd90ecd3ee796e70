"""What each target begins with: inputs in its form, made of what the repository has already."""

import pathlib
import re
from dataclasses import dataclass
from typing import Callable

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
DIALOGUES = REPOSITORY / "Tests" / "Dialogues"


@dataclass
class Kind:
    """The longest input worth trying, in octets, and what to begin with."""

    length: int
    seeds: Callable[[], list]


def unescaped(text):
    """What a line `C\\` of a dialogue says."""
    octets = bytearray()
    index = 0
    while index < len(text):
        if text[index] != "\\":
            octets += text[index].encode()
            index += 1
        elif text[index + 1] == "x":
            octets.append(int(text[index + 2:index + 4], 16))
            index += 4
        elif text[index + 1] == "{":
            count, rest = text[index + 2:].split("*", 1)
            what = rest[:rest.index("}")]
            # A few are as good as many, and are tried more often.
            octets += unescaped(what) * min(int(count), 40)
            index = text.index("}", index) + 1
        else:
            octets += {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}[text[index + 1]]
            index += 2
    return bytes(octets)


def dialogues(folder):
    """What the client says in each dialogue."""
    for path in sorted((DIALOGUES / folder).rglob("*.txt")):
        octets = b""
        for line in path.read_text(encoding="utf-8").splitlines():
            line = re.sub(r"\$(user|password)", lambda name: {"user": "anna"}.get(name[1], "x"), line)
            if line == "C:":
                octets += b"\r\n"
            elif line.startswith("C: "):
                octets += line[3:].encode() + b"\r\n"
            elif line.startswith("C\\ "):
                octets += unescaped(line[3:])
            elif line in ("CONNECT", "DROP"):
                yield octets
                octets = b""
        yield octets


def smtp():
    plans = [bytes([0, 3, 255, 0, 0, 0, 0, 0]), bytes([1, 7, 40, 1, 0, 0, 0, 0]), bytes([6, 1, 255, 0, 9, 0x5A, 0x33, 7])]
    seeds = [plan + octets for octets in dialogues("smtp") for plan in plans]
    mail = b"MAIL FROM:<a@b>\r\nRCPT TO:<anna@office.example>\r\nDATA\r\nx\r\n.\r\n"
    plain, scram = b"AUTH PLAIN AGFubmEAc2VjcmV0\r\n", b"AUTH SCRAM-SHA-256 biwsbj1hLHI9Yg==\r\nYz1iaXdzLHI9Yg==\r\n\r\n"
    login = b"AUTH LOGIN\r\nYW5uYQ==\r\nc2VjcmV0\r\n"
    for flags in (8, 9, 16, 24):
        plan = bytes([flags, 3, 255, 0, 0, 0, 0, 0])
        seeds += [plan + b"EHLO c\r\nSTARTTLS\r\n\xffEHLO c\r\n" + auth + mail + b"QUIT\r\n" for auth in (b"", plain, scram, login)]
        seeds += [plan + b"EHLO c\r\n" + auth + mail for auth in (plain, scram, login, b"AUTH PLAIN\r\n*\r\n")]
        seeds += [plan + b"EHLO c\r\n" + mail[:17] + b"STARTTLS\r\n\xff" + mail, plan + b"STARTTLS\r\nNOOP\r\n"]
    return seeds


def pop3():
    plans = [bytes([0, 3, 0, 0, 0, 0]), bytes([17, 9, 1, 0, 0, 0]), bytes([0x19, 2, 0, 2, 1, 9])]
    seeds = [plan + octets for octets in dialogues("pop3") for plan in plans]
    login = b"USER anna\r\nPASS x\r\n"
    seeds += [plan + b"STLS\r\n\xff" + login + b"LIST\r\nDELE 1\r\nQUIT\r\n" for plan in plans]
    seeds += [plan + b"AUTH SCRAM-SHA-256 biwsbj1hLHI9Yg==\r\nYz1iaXdzLHI9Yg==\r\n\r\nLIST\r\n" for plan in plans]
    seeds += [plan + b"STLS\r\n\xffAUTH PLAIN\r\nAGFubmEAc2VjcmV0\r\nSTAT\r\n" for plan in plans]
    seeds += [plans[1] + login + b"STLS\r\n\xff" + login + b"CAPA\r\n", plans[1] + b"STLS\r\nCAPA\r\n"]
    return seeds


def content():
    """The published sequences of SMTP smuggling, and what the unit tests try."""
    marks = ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\r.\r\n", "\r\n.\r\r\n", "\n.\r", "\r\r\n.\n",
             "\r\n\n.\r\n", "\r\n.\0\r\n", "\r\n .\r\n", "\r\n. \r\n", "\r\n..\r\n", "\r\n\r.\r\n", ".\n", ".\r"]
    texts = [f"Subject: x\r\n\r\nbody{mark}MAIL FROM:<a@b>\r\n.\r\n" for mark in marks]
    texts += ["Received: a\r\nreceived: b\r\n\r\n..\r\n...x\r\n.\r\n", ".\r\n", "\r" * 20 + "\n\r\n.\r\n"]
    return [bytes([flags, 3, 1]) + text.encode() for text in texts for flags in range(4)]


def address():
    texts = ["<anna@office.example>", "<>", "<postmaster>", '<"a b\\"c"@d.example>', "<a@[192.0.2.1]>",
             "<a@[IPv6:2001:db8::192.0.2.1]>", "<@a.b,@c.d:anna@e.f>", "<jürgen@büro.example>", "a.b+c@d-e.f",
             "2001:db8::1", "::", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "255.255.255.255", "PostMaster", "<" + "a" * 64
             + "@" + "b" * 63 + "." + "c" * 63 + ">"]
    return [text.encode() for text in texts]


def aliases():
    texts = ["# comment\nsales: anna, bert\ninfo@office.example: anna\n\"front desk\": bert,\n  anna+desk\n"
             "bert: \\bert, carl\n@shop.example: carl\n*: anna\n",
             "a: b\nb: c\nc: a, anna\n", "postmaster: nobody\nabuse: postmaster\n", "x: |program\ny: /file\nz: :include:/f\n",
             "a: a\na@office.example: a, \\anna@shop.example,\n", "\"a\\\"b\": anna\n"]
    rest = b"\0dora not-a-verifier\nDORA x\n\0sales@office.example\nfront@shop.example\n\"front desk\"@office.example\n"
    return [text.encode() + rest for text in texts] + [text.encode() for text in texts]


def accounts():
    verifier = "SCRAM-SHA-256$4096:BwcHBwcHBwcHBwcHBwcHBw==$" + "C" * 43 + "=:" + "D" * 42 + "E="
    texts = [f"# comment\nanna {verifier} created=2026-01-31T12:00:00Z quota=1G\nbert {verifier}\n",
             f"anna {verifier} quota=none\nanna {verifier}\nBert {verifier}\n", "anna\nbert x\n-\n.\n\0\n",
             f"anna\t{verifier}\r\n\r\nbert {verifier} quota=1 quota=2"]
    return [bytes([flags]) + text.encode() for text in texts for flags in range(4)]


def configuration():
    text = (REPOSITORY / "systemd" / "restante.conf").read_bytes()
    # What is given there as an example, uncommented, is a file by itself.
    given = re.sub(rb"(?m)^#\s*([A-Z][A-Za-z0-9]+=)", rb"\1", text)
    short = b"\n".join(line for line in given.splitlines() if line and not line.startswith(b"#"))
    return [text[:4000], short, short + b"\0[SMTP]\nListen=no\n[Spool]\nQuota=none\n",
            b"[Device]\nHostName=a.b\nDomains=c.d, e.f\\\n g.h\n[Nothing]\nX=1\n[SMTP\nListen=25 [::1]:25\n"]


def record():
    texts = [b"\0M 5 5 20 17 1800000000 - 0badcafe 0 anna,bert ", b"\0S 1 1 0 0 1800000000 - 00000000 0 - ",
             bytes([1, 1, 7, 7, 40, 37, 99, 9, 0]) + b"anna,bert", b"\x025,7-9,18446744073709551615\n",
             b"\x0312 345 67 8\nanna 3\nbert 0\n", b"\x04" + bytes(range(36)), b"\x05abcdefghij 5eed0bad ",
             b"\x05restante-spool-1 abcdefghij 5eed0bad 00000000\n"]
    return texts


def sasl():
    names = ["PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"]
    lines = ["AGFubmEAc2VjcmV0", "YW5uYQ==\nc2VjcmV0", "biwsbj1hbm5hLHI9dGhlaXJz\nYz1iaXdzLHI9dGhlaXJzb3Vycw==\n", "*", "=", "="]
    turns = [f"{name}\n{first}{line}\n" for name in names for line in lines for first in ("", "\n")]
    honest = [bytes([2, flags]) + name + b"\n" + tail for flags in range(128) if flags % 3 != 1
              for name, tail in ((b"anna", b"\x03\x01\x01x"), ("j\u00fcrgen,a=b".encode(), b"\x20\x02\x03,,="))]
    messages = ["n,,n=anna,r=theirs\nc=biws,r=theirsours,p=" + "A" * 43 + "=", "y,,n=a,r=b\nc=eSws,r=bours,p=AA==",
                "p=tls-exporter,,n=a,r=b\nc=cD10bHMtZXhwb3J0ZXIsLGV4cG9ydGVk,r=bours,p=", "n,a=anna,n=anna,r=x,y=z\n,", "n,,m=x,n=a,r=b"]
    return ([bytes([0, flags]) + text.encode() for text in turns for flags in (0, 3)] + honest
            + [bytes([1, flags]) + text.encode() for text in messages for flags in range(4)])


def log():
    message, large, delete, restore, gap, segment, checkpoint, zeros, odd, raw, harm = 0, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14
    sound = [message, 1, 1, 4] + list(b"text") + [message, 3, 0, 0, message, 7, 1, 3] + list(b"abc")
    programs = [sound, sound + [large, 1, 1, 5] + list(b"large"), sound + [delete, 0, 1, 0, segment] + sound,
                sound + [checkpoint] + sound, sound + [delete, 0, 3, 0, restore, 0, 1, 0, zeros, 200],
                sound + [gap, 0, 100, segment] + sound + [checkpoint, segment] + sound,
                sound + [harm, 0, 60, 0, 9, 0, 1], sound + [checkpoint] + sound + [harm, 1, 90, 0, 40, 1],
                sound + [odd, 1, 5, 5, 9, 9, 9, 9, 0, 0, 0, 0, 0, 0], sound + [segment] + sound + [harm, 0, 80, 0, 200, 2],
                sound + [raw, 4] + list(b"abcd") + sound]
    return [bytes([choice, *program]) for program in programs for choice in range(7)]


TARGETS = {
    "accounts": Kind(1024, accounts),
    "address": Kind(512, address),
    "aliases": Kind(1024, aliases),
    "configuration": Kind(4096, configuration),
    "content": Kind(512, content),
    "log": Kind(512, log),
    "pop3": Kind(4096, pop3),
    "record": Kind(512, record),
    "sasl": Kind(512, sasl),
    "smtp": Kind(4096, smtp),
}
