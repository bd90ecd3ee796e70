"""What senders of every make deliver comes out of the maildrop octet by octet as it went in."""

import smtplib
import subprocess

import pytest

import letters
import talk
from letters import letter, numbered, original, same
from office import DOMAIN, environment

FROM = "someone@elsewhere.example"


@pytest.fixture
def anna(shared_office):
    """The shared office with anna's maildrop empty."""
    with shared_office.pop3("anna") as reader:
        reader.dele(*reader.list())
        reader.quit()
    return shared_office


def only(office, name="anna"):
    """The one message in a maildrop, without our trace headers."""
    fetched = list(office.fetch(name).values())
    assert len(fetched) == 1, f"{len(fetched)} messages instead of one"
    return original(fetched[0])


@pytest.mark.parametrize("kind", letters.AWKWARD)
def test_DATA_is_kept_octet_by_octet(anna, kind):
    anna.deliver(letters.AWKWARD[kind])
    same(only(anna), letters.AWKWARD[kind], kind)


@pytest.mark.parametrize("kind", letters.AWKWARD)
@pytest.mark.parametrize("pieces", [1, 3])
def test_BDAT_is_kept_octet_by_octet(anna, kind, pieces):
    content = letters.AWKWARD[kind]
    with anna.smtp() as sender:
        sender.mail(b"someone@elsewhere.example", b"anna@office.example")
        size = len(content) // pieces + 1
        for start in range(0, size * pieces, size):
            chunk = content[start:start + size]
            last = b" LAST" if start + size >= size * pieces else b""
            sender.send(b"BDAT %d%b\r\n" % (len(chunk), last) + chunk)
            sender.expect(b"250")
        sender.quit()
    same(only(anna), content, kind)


@pytest.mark.parametrize("content", [b"", b"x", letter(b"no end"), letter(b"."), b".", letter(b"..")],
                         ids=["nothing", "one octet", "text", "a dot after CRLF", "a dot alone", "two dots"])
def test_BDAT_without_a_final_CRLF_is_given_one(anna, content):
    with anna.smtp() as sender:
        sender.mail(b"someone@elsewhere.example", b"anna@office.example")
        sender.send(b"BDAT %d\r\n" % len(content) + content)
        sender.expect(b"250")
        sender.ask(b"BDAT 0 LAST", b"250")
        sender.quit()
    same(only(anna), content + b"\r\n" if content else b"")


def test_BDAT_split_at_every_octet_is_whole(anna):
    content = letter(b".a\r\n.\r\n..\r\nb\r\n.")
    with anna.smtp() as sender:
        for at in range(len(content) + 1):
            sender.mail(b"someone@elsewhere.example", b"anna@office.example")
            sender.send(b"BDAT %d\r\n" % at + content[:at] + b"BDAT %d LAST\r\n" % (len(content) - at) + content[at:])
            sender.expect(b"250")
            sender.expect(b"250")
        sender.quit()
    fetched = anna.fetch("anna")
    assert len(fetched) == len(content) + 1
    for message in fetched.values():
        same(original(message), content + b"\r\n")


def test_a_sender_that_pipelines_everything_is_answered_in_order(anna):
    content = letters.AWKWARD["dots at line starts"]
    with anna.smtp() as sender:
        sender.send(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<anna@office.example>\r\nRCPT TO:<nobody@office.example>\r\n"
                    b"DATA\r\n")
        for _ in range(50):
            sender.expect(b"250")
            sender.expect(b"250")
            sender.expect(b"550")
            sender.expect(b"354")
            sender.send(talk.stuffed(content) + b".\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<anna@office.example>\r\n"
                        b"RCPT TO:<nobody@office.example>\r\nDATA\r\n")
            sender.expect(b"250")
    fetched = anna.fetch("anna")
    assert len(fetched) == 50
    for message in fetched.values():
        same(original(message), content)


def test_swaks(anna, needs, tmp_path):
    needs("swaks")
    content = letters.AWKWARD["dots at line starts"]
    file = tmp_path / "letter"
    file.write_bytes(content.replace(b"\r\n", b"\n"))
    done = subprocess.run(["swaks", "--server", "127.0.0.1", "--port", str(anna.smtp_port), "--from", FROM,
                           "--to", f"anna@{DOMAIN},bert@{DOMAIN}", "--data", f"@{file}", "--ehlo", "client.example"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
    assert done.returncode == 0, done.stdout
    # swaks ends its data with an empty line of its own.
    assert only(anna).rstrip(b"\r\n") == content.rstrip(b"\r\n")


def test_swaks_is_told_of_an_unknown_recipient(anna, needs):
    needs("swaks")
    done = subprocess.run(["swaks", "--server", "127.0.0.1", "--port", str(anna.smtp_port), "--from", FROM,
                           "--to", f"nobody@{DOMAIN}", "--ehlo", "client.example"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
    assert done.returncode == 24, done.stdout
    assert b"550 5.1.1" in done.stdout


@pytest.mark.parametrize("kind", ["plain", "dots at line starts", "a dot as its last line", "8-bit",
                                  "lines of 998 octets", "300 kB", "empty body"])
def test_curl(anna, needs, tmp_path, kind):
    needs("curl")
    file = tmp_path / "letter"
    file.write_bytes(letters.AWKWARD[kind])
    done = subprocess.run(["curl", "-sS", "--url", f"smtp://127.0.0.1:{anna.smtp_port}/client.example",
                           "--mail-from", FROM, "--mail-rcpt", f"anna@{DOMAIN}", "--upload-file", str(file)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30, env=environment())
    assert done.returncode == 0, done.stdout
    same(only(anna), letters.AWKWARD[kind])


def test_smtplib(anna):
    with smtplib.SMTP("127.0.0.1", anna.smtp_port, local_hostname="client.example") as sender:
        for kind in ("plain", "dots at line starts", "8-bit", "lines of 998 octets"):
            # smtplib adds SIZE= by itself.
            refused = sender.sendmail(FROM, [f"anna@{DOMAIN}", f"nobody@{DOMAIN}"], letters.AWKWARD[kind],
                                      ["BODY=8BITMIME"])
            assert list(refused) == [f"nobody@{DOMAIN}"] and refused[f"nobody@{DOMAIN}"][0] == 550
    fetched = [original(message) for message in anna.fetch("anna").values()]
    assert sorted(fetched) == sorted(letters.AWKWARD[kind] for kind in
                                     ("plain", "dots at line starts", "8-bit", "lines of 998 octets"))


def test_smtplib_with_an_address_beyond_ASCII(anna):
    """RFC 6531: SMTPUTF8 in the envelope, UTF-8 in the header."""
    content = "Subject: Grüße\r\n\r\nHallo\r\n".encode()
    with smtplib.SMTP("127.0.0.1", anna.smtp_port, local_hostname="client.example") as sender:
        sender.sendmail("jürgen@köln.example", [f"anna@{DOMAIN}"], content, ["SMTPUTF8", "BODY=8BITMIME"])
    with anna.pop3("anna") as reader:
        assert reader.stat()[0] == 1
        # RFC 6856 §5: a reader that has not said UTF8 is refused with this code, or is given a downgraded message.
        answer = reader.answer(b"RETR 1")
        if answer.startswith(b"+OK"):
            reader.block()
        else:
            assert answer.startswith(b"-ERR [UTF8]"), answer


def test_a_message_to_many_is_in_every_maildrop_once(shared_office):
    office = shared_office
    for name in ("bert", "carl"):
        with office.pop3(name) as reader:
            reader.dele(*reader.list())
            reader.quit()
    office.deliver(letters.AWKWARD["plain"], "bert", "carl", "bert", "carl+shop", "BERT")
    for name in ("bert", "carl"):
        same(only(office, name), letters.AWKWARD["plain"])


def test_a_hundred_recipients_and_more(shared_office):
    """RFC 5321 §4.5.3.1.8 asks for 100; here 500, of which one is known."""
    with shared_office.smtp() as sender:
        sender.ask(b"MAIL FROM:<>", b"250")
        sender.send(b"".join(b"RCPT TO:<anna+%d@office.example>\r\n" % n for n in range(500)))
        for _ in range(500):
            sender.expect(b"250")
        sender.data(letters.AWKWARD["plain"])
        sender.quit()


def test_a_message_of_25_MB_is_kept_octet_by_octet(anna):
    """MaximumMessageSize is 25M: a message just below it, and one octet above it."""
    limit = 25 * 1024 * 1024
    content = numbered(b"large", limit - 70_000)
    anna.deliver(content)
    same(only(anna), content, "25 MB")


def test_a_message_over_the_size_limit_is_refused_already_at_MAIL(anna):
    with anna.smtp() as sender:
        size = next(line for line in sender.extensions if line.startswith(b"SIZE"))
        limit = int(size.split()[1])
        assert limit == 25 * 1024 * 1024
        code, texts = sender.ask(b"MAIL FROM:<a@b.example> SIZE=%d" % (limit + 1))
        assert code == b"552" and texts[0].startswith(b"5.3.4"), (code, texts)
        sender.mail(b"a@b.example", b"anna@office.example")
        code, texts = sender.data(numbered(b"too-large", limit + 100_000), None)
        assert code == b"552" and texts[0].startswith(b"5.3.4"), (code, texts)
        sender.deliver(letters.AWKWARD["plain"], b"anna@office.example")
        sender.quit()
    same(only(anna), letters.AWKWARD["plain"])


def test_trace_headers_come_first_and_say_who(anna):
    """RFC 5321 §4.4: Return-Path: of the envelope, Received: with peer, protocol, recipient and date."""
    anna.deliver(letters.AWKWARD["plain"], sender=b"bounce+7@elsewhere.example")
    (message,) = anna.fetch("anna").values()
    trace, rest = letters.trace_and_original(message)
    same(rest, letters.AWKWARD["plain"])
    assert trace.startswith(b"Return-Path: <bounce+7@elsewhere.example>\r\n")
    received = trace.split(b"\r\n", 1)[1].replace(b"\r\n", b"")
    for wanted in (b"from client.example", b"[127.0.0.1]", b"by mail.office.example", b"with ESMTP",
                   b"for <anna@office.example>"):
        assert wanted in received, (wanted, trace)
    assert all(len(line) <= 998 for line in trace.split(b"\r\n"))


def test_the_null_reverse_path_is_kept(anna):
    anna.deliver(letters.AWKWARD["plain"], sender=b"")
    (message,) = anna.fetch("anna").values()
    assert message.startswith(b"Return-Path: <>\r\n")
