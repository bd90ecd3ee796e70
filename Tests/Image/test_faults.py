"""What happens to cards and boards: no room, damage, no network, no clock, no data partition. Each time the device
serves as far as that can be, unattended, and says what is the matter."""

import email.utils
import re

import pytest

import letters
import talk
from card import run
from conftest import CONFIGURATION
from waiting import until

PLAIN = CONFIGURATION + "[POP3]\nRequireTLS=no\n"


@pytest.fixture(scope="module")
def card(office_card, make_shared_box):
    """A device in use whose readers need no TLS, with mail; switched off. And what its readers would see."""
    box = make_shared_box(office_card)
    box.card.etc("restante/restante.conf.d/10-test.conf", PLAIN)
    box.start().serving()
    for n in range(6):
        box.deliver(letters.numbered(b"n%d" % n, 3000 * n + 100), *(("anna", "bert", "carl")[:1 + n % 3]))
    box.deliver(letters.numbered(b"large", 200_000), "anna")
    box.card.before = {name: fetch(box, name) for name in ("anna", "bert", "carl")}
    box.off()
    return box.card


def fetch(box, name):
    with box.pop3(name, timeout=60) as reader:
        got = reader.readable()
        reader.quit()
    return got


def serves_all(box, card, but=0, damaged=0):
    """It serves what was there, all `but` so many messages, and takes more. At most so many `damaged` ones, where the card has
    other octets than were written, come as they are."""
    box.serving()
    missing = 0
    for name, messages in card.before.items():
        got = fetch(box, name)
        missing += len(messages.keys() - got.keys())
        for uid in messages.keys() & got.keys():
            if got[uid] != messages[uid]:
                damaged -= 1
                assert len(got[uid]) == len(messages[uid]), "a part of a message is shown as all of it"
    assert damaged >= 0, "messages are damaged that the card keeps well"
    assert missing <= but, f"{missing} messages are gone"
    box.deliver(letters.numbered(b"after", 500), "carl")
    assert any(b"Subject: after" in message for message in fetch(box, "carl").values())


# The disk is full

# All that even root can take, in files without content: the smallest last.
FILL = """n=0
for size in 268435456 16777216 1048576 65536 4096; do
  while fallocate -l $size /var/ballast.$n 2>/dev/null; do n=$((n+1)); done
done
sync; df -P /var | tail -1"""


def test_a_full_disk_is_452_to_senders_and_nothing_to_readers(make_box, card):
    box = make_box(card).start().serving()
    box.shell(FILL)
    code, texts = until(lambda: full_at(box), "452", 60)
    assert code == b"452" and texts[0].startswith(b"4.3.1"), (code, texts)
    assert {name: fetch(box, name) for name in card.before} == card.before
    # It starts like that, too.
    box.cut()
    box.start().serving()
    assert {name: fetch(box, name) for name in card.before} == card.before
    assert full_at(box)[0] == b"452"
    # Room again, and nobody has to do anything.
    box.shell("rm -f /var/ballast.*; sync")
    until(lambda: not full_at(box), "mail to be taken again", 180)
    serves_all(box, card)


def full(sender):
    """The reply that says there is no room, at whichever command; None when mail is taken."""
    for command in (b"MAIL FROM:<a@b.example>", b"RCPT TO:<anna@office.example>", b"DATA"):
        code, texts = sender.ask(command)
        if not code.startswith((b"250", b"354")):
            return code, texts
    sender.send(b"Subject: x\r\n\r\nx\r\n.\r\n")
    code, texts = sender.reply()
    return None if code == b"250" else (code, texts)


def full_at(box):
    with box.smtp(timeout=60) as sender:
        return full(sender)


# The card is damaged


@pytest.fixture(scope="module")
def cut(make_shared_box, card):
    """The same after a power cut: what the journal of its file system holds was not carried out."""
    box = make_shared_box(card).start().serving()
    box.deliver(letters.numbered(b"last", 100), "bert")
    box.cut()
    return box.card


def test_a_data_partition_that_was_never_unmounted_is_mended(make_box, card, cut):
    box = make_box(cut).start()
    serves_all(box, card)
    assert "recovering journal" in box.shell("cat /run/restante-data.check"), "there was nothing to mend"


def test_a_damaged_journal_of_the_file_system_is_mended(make_box, card, cut):
    box = make_box(cut)
    size = box.card.block_size()
    # Its superblock among them.
    for place in [box.card.place("<8>", block * size) for block in range(20)]:
        box.card.write("restante-data", bytes(size), place)
    box.start()
    serves_all(box, card)


@pytest.mark.board
def test_a_damaged_superblock_is_mended_from_its_copy(make_box, card):
    box = make_box(card)
    box.card.write("restante-data", b"\xa5" * 1024, 1024)
    box.start()
    serves_all(box, card)


def test_a_damaged_segment_costs_what_was_in_it_and_no_more(make_box, card):
    box = make_box(card)
    log = "/lib/restante/spool/log"
    segment = next(name for name in sorted(box.card.names(log))
                   if name.endswith(".log") and b"Subject: n3\r\n" in box.card.get(f"{log}/{name}"))
    at = box.card.get(f"{log}/{segment}").index(b"Subject: n3\r\n") + 60
    place = box.card.place(f"{log}/{segment}", at)
    box.card.write("restante-data", b"\xff" * 64, place)
    box.start()
    serves_all(box, card, but=1, damaged=1)
    assert str(int(segment.split(".")[0])) in box.shell("restante check", code=None)


@pytest.mark.board
@pytest.mark.parametrize("how", ["no partition", "no file system"])
def test_a_missing_data_partition_is_4xx_and_said_on_the_console(make_box, card, how):
    """Nothing is bounced, nobody is told that there is no mail."""
    box = make_box(card)
    if how == "no partition":
        # Its number on every board: those without BIOS have no first one.
        run("sfdisk", "--delete", box.card.path, 7)
        assert "restante-data" not in box.card.partitions()
    else:
        first, size = box.card.partitions()["restante-data"]
        with open(box.card.path, "r+b") as file:
            file.seek(first)
            for _ in range(size >> 20):
                file.write(b"\x5a" * (1 << 20))
    box.start()
    until(lambda: box.running() and re.match(rb"4[25]1[ -]", box.greeting("smtp") or b""), "SMTP to say 4xx", 180)
    with talk.Connection(box.ports["smtp"]) as sender:
        assert re.match(rb"4[25]1[ -]4\.3\.\d \S", sender.line())
    until(lambda: box.running() and (box.greeting("pop3") or b"").startswith((b"+OK", b"-ERR")), "POP3 to answer", 60)
    greeting = box.greeting("pop3")
    if greeting.startswith(b"+OK"):
        with box.pop3() as reader:
            reader.stls(plain_trust())
            reader.ask(b"USER anna")
            greeting = reader.answer(b"PASS anna-secret")
    assert greeting.startswith(b"-ERR [SYS/TEMP] "), greeting
    until(lambda: re.search(rb"(?i)\bdata\b[^\n]*(missing|damaged|not be|cannot|no )", box.said()),
          "the console to say what is the matter", 60)


def plain_trust():
    """TLS with whom it may be: the device cannot have its certificate."""
    import ssl
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


# The network, the clock


@pytest.mark.board
def test_it_boots_and_serves_without_a_network(make_box, card):
    box = make_box(card, network=False).start()
    until(lambda: box.shell("systemctl is-active restante.service", code=None) == "active", "the daemon", 120)
    said = box.shell("printf 'QUIT\\r\\n' | nc -w 20 127.0.0.1 25")
    assert said.startswith("220 ") and "\n221 " in said, said
    until(lambda: box.shell("systemctl is-system-running", code=None) not in ("starting", "initializing"), "all units")
    assert box.shell("systemctl --failed --no-legend --plain") == ""


def latest(messages):
    """When the last of the messages came, as the device has it."""
    stamps = re.findall(rb"^Received: [^;]*;\s+([^\r\n]+)", b"".join(messages), re.M)
    return max(email.utils.parsedate_to_datetime(stamp.decode()).timestamp() for stamp in stamps)


def test_it_boots_and_serves_in_1970_and_its_clock_does_not_go_back(make_box, card):
    """Neither after it was switched off nor, behind the time that is kept each hour, after a power cut."""
    box = make_box(card, rtc="1970-01-01T00:00:30").start()
    serves_all(box, card)
    before = latest(message for messages in card.before.values() for message in messages.values())
    assert latest(fetch(box, "carl").values()) >= before, "the clock is behind the last time the device knew"
    assert box.shell("systemctl --failed --no-legend --plain") == ""
    before = int(box.shell("systemctl start restante-clock.service; date +%s"))
    box.deliver(letters.numbered(b"before the cut", 100), "bert")
    box.cut()
    box.start().serving()
    box.deliver(letters.numbered(b"after the cut", 100), "bert")
    bert = fetch(box, "bert").values()
    stamp, = (latest([message]) for message in bert if b"Subject: after the cut" in message)
    assert stamp >= before, "the clock went back"


@pytest.mark.board
def test_it_boots_for_the_first_time_in_1970(make_box):
    box = make_box(rtc="1970-01-01T00:00:30").start().serving()
    assert box.troubles() == ""
