"""A message that another server takes for one must not be two here: only CRLF . CRLF ends DATA, whatever octets come
before, however they are cut into segments, and BDAT ends where its count says."""

import itertools
import socket

import pytest

import talk
from letters import original
from office import address

# What stands before and behind the dot in the sequences that were published, and all that can be made of them.
BREAKS = [b"", b"\r", b"\n", b"\r\n", b"\n\r", b"\r\r\n", b"\r\n\r", b"\r\n\n", b"\n\n", b"\r\r", b"\0", b"\r\n\0", b"\n\0",
          b"\r\0\n", b" \r\n", b"\r\n\t", b"\xe2\x80\xa8", b"\x85", b"\x0b", b"\x1a"]
DOTS = [b".", b"..", b"\0."]
ENDINGS = sorted({before + dot + behind for before, dot, behind in itertools.product(BREAKS, DOTS, BREAKS)
                  if b"\r\n.\r\n" not in before + dot + behind})
SHORT = [before + b"." + behind for before, behind in itertools.product(BREAKS[:6], BREAKS[:6])
         if b"\r\n.\r\n" not in before + b"." + behind]

HEAD = b"Subject: one\r\n\r\nfirst"
SMUGGLED = (b"MAIL FROM:<evil@elsewhere.example>\r\nRCPT TO:<bert@office.example>\r\nDATA\r\n"
            b"Subject: two\r\n\r\nsmuggled\r\n")
ENVELOPE = b"MAIL FROM:<someone@elsewhere.example>\r\nRCPT TO:<anna@office.example>\r\n"


@pytest.fixture(scope="module", params=["reject", "normalize"])
def served(request, tmp_path_factory):
    import office as offices
    office = offices.Office(tmp_path_factory.mktemp("smuggling"),
                            {"SMTP": {"BareNewline": request.param, "MaximumConnectionsPerAddress": "100"}}).start()
    office.mode = request.param
    with office.pop3("carl") as office.bystander:
        yield office
    office.close()


class Count:
    """How many messages a test's senders were told are taken, against what is there."""

    def __init__(self, office):
        self.office = office
        self.before = self.there()
        self.taken = 0

    def there(self):
        with self.office.pop3("anna") as reader:
            return reader.stat()[0]

    def check(self):
        with self.office.pop3("bert") as reader:
            assert reader.stat() == (0, 0), "a message was smuggled to bert"
        assert self.there() == self.before + self.taken

    def judge(self, sender, content, mode):
        """The one answer to the content, and no other."""
        code, texts = sender.reply()
        bare = b"\r" in content.replace(b"\r\n", b"") or b"\n" in content.replace(b"\r\n", b"")
        if mode == "reject" and bare:
            assert code == b"550", (content, code, texts)
        else:
            assert code == b"250", (content, code, texts)
            self.taken += 1


def nothing_more(sender):
    """The next answer is the next command's: no octet of the content was taken for a command."""
    sender.ask(b"VRFY a-name-to-be-known-by", b"252")


def renewed(office, sender, used):
    """Sessions end after so many commands; a new one in time."""
    if used % 50 == 49:
        sender.quit()
        return office.smtp()
    return sender


def in_pieces(office, sender, data, *cuts):
    """Sends `data` cut there, each piece only when the server has read the one before: what came before a reader's
    command is served in the same turn of the loop at the latest, so before the reader's next."""
    for start, end in itertools.pairwise((0, *cuts, len(data))):
        sender.send(data[start:end])
        for _ in range(2):
            office.bystander.ask(b"NOOP")


def test_no_sequence_ends_a_message_but_the_right_one(served):
    count = Count(served)
    sender = served.smtp()
    for used, ending in enumerate(ENDINGS):
        content = HEAD + ending + SMUGGLED + b".\r\n"
        sender.mail(b"someone@elsewhere.example", address("anna"))
        sender.ask(b"DATA", b"354")
        sender.send(content)
        count.judge(sender, content[:-3], served.mode)
        nothing_more(sender)
        sender = renewed(served, sender, used)
    sender.quit()
    count.check()


def test_nor_does_it_when_all_is_sent_at_once_with_the_commands(served):
    """The attacker does not wait for 354, nor for anything."""
    count = Count(served)
    for endings in (ENDINGS[first:first + 40] for first in range(0, len(ENDINGS), 40)):
        with served.smtp() as sender:
            contents = [HEAD + ending + SMUGGLED + b".\r\n" for ending in endings]
            sender.send(b"".join(ENVELOPE + b"DATA\r\n" + content for content in contents) + b"QUIT\r\n")
            for content in contents:
                sender.expect(b"250")
                sender.expect(b"250")
                sender.expect(b"354")
                count.judge(sender, content[:-3], served.mode)
            sender.expect(b"221")
            assert sender.at_end(), "there were more answers than commands"
    count.check()


def test_nor_does_it_cut_into_segments_at_each_position(served):
    count = Count(served)
    sender = served.smtp()
    sender.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    used = 0
    for ending in SHORT:
        data = HEAD + ending + SMUGGLED + b".\r\n"
        # At each place in and around the sequence, and with the dot alone in a segment.
        places = [(len(HEAD) + at,) for at in range(len(ending) + 2)]
        dot = len(HEAD) + ending.index(b".")
        for cuts in [*places, (dot, dot + 1), range(len(HEAD), len(HEAD) + len(ending) + 1)]:
            sender.mail(b"someone@elsewhere.example", address("anna"))
            sender.ask(b"DATA", b"354")
            in_pieces(served, sender, data, *cuts)
            count.judge(sender, data[:-3], served.mode)
            sender = renewed(served, sender, used)
            sender.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            used += 1
    nothing_more(sender)
    sender.quit()
    count.check()


def test_the_real_end_is_seen_however_it_is_cut(served):
    count = Count(served)
    with served.smtp() as sender:
        sender.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end = b"\r\n.\r\n"
        for number in range(1 << (len(end) - 1)):
            cuts = [len(HEAD) + at + 1 for at in range(len(end) - 1) if number >> at & 1]
            sender.mail(b"someone@elsewhere.example", address("anna"))
            sender.ask(b"DATA", b"354")
            in_pieces(served, sender, HEAD + end, *cuts)
            count.judge(sender, HEAD + b"\r\n", served.mode)
        sender.quit()
    count.check()


@pytest.mark.parametrize("parts", [1, 2])
def test_in_BDAT_not_even_the_right_one_ends_anything(served, parts):
    count = Count(served)
    sender = served.smtp()
    used = 0
    for ending in SHORT + [b"\r\n.\r\n", b"\r\n.\r\n.\r\n"]:
        content = HEAD + ending + SMUGGLED
        for cut in [len(HEAD) + at for at in range(len(ending) + 1)] if parts == 2 else [0]:
            sender.mail(b"someone@elsewhere.example", address("anna"))
            if parts == 2:
                sender.send(b"BDAT %d\r\n" % cut + content[:cut])
                code, texts = sender.reply()
                # A CR at the chunk's end may still get its LF.
                if code != b"250" or content[:cut].endswith(b"\r"):
                    assert served.mode == "reject" and bare(content[:cut]) or code == b"250", (content, cut, code, texts)
            sender.send(b"BDAT %d LAST\r\n" % (len(content) - cut) + content[cut:])
            code, texts = sender.reply()
            refused = served.mode == "reject" and bare(content)
            assert code[:1] == (b"5" if refused else b"2"), (content, cut, code, texts)
            count.taken += not refused
            if refused:
                sender.ask(b"RSET", b"250")
            nothing_more(sender)
            used += 2
            if used > 40:
                sender.quit()
                sender, used = served.smtp(), 0
    sender.quit()
    count.check()


def bare(content):
    rest = content.replace(b"\r\n", b"")
    return b"\r" in rest or b"\n" in rest


def test_what_was_taken_comes_out_of_POP3_as_one_message(served):
    """The smuggled commands are text of the first message, and its reader's RETR does not end before them either."""
    with served.pop3("anna") as reader:
        count = reader.stat()[0]
        listed = reader.list()
        for number, content in reader.retr_all(range(1, count + 1)):
            assert len(content) == listed[number]
            assert not bare(content)
            assert content.count(b"Received:") == 1, content
            text = original(content)
            assert text.startswith(HEAD[:12]), text
            if b"smuggled" in text:
                assert b"MAIL FROM:<evil@elsewhere.example>\r\nRCPT TO:<bert@office.example>\r\nDATA\r\n" in text
        reader.quit()


def test_a_command_line_is_no_content_and_content_no_command(served):
    """A refused BDAT's octets are thrown away, not carried out."""
    count = Count(served)
    with served.smtp() as sender:
        sender.send(b"BDAT %d LAST\r\n" % len(ENVELOPE + SMUGGLED) + ENVELOPE + SMUGGLED)
        sender.expect(b"503")
        nothing_more(sender)
        sender.mail(b"someone@elsewhere.example", address("anna"))
        sender.send(b"BDAT x LAST\r\n" + ENVELOPE)
        # How much of what follows is content nobody knows, so nothing of it is read.
        sender.expect(b"501")
        assert sender.at_end()
    with talk.SMTP(served.smtp_port) as sender:
        # A line with a bare CR is one line, whatever it could be for others.
        code, _ = sender.ask(b"NOOP\rMAIL FROM:<evil@elsewhere.example>")
        assert code == b"500"
        sender.ask(b"RCPT TO:<bert@office.example>", b"503")
        sender.quit()
    count.check()
