"""Readers of every make: leave on server, delete after download, two at once. Octet by octet."""

import pytest

import letters
import readers
from letters import letter, original, same
from talk import POP3

KINDS = ["plain", "dots at line starts", "a dot as its last line", "two dots as its last line", "lines of 998 octets",
         "998 octets with a dot before", "8-bit", "looks like commands", "empty lines at the end", "300 kB"]
"""What every mail program handles. Header-less and empty messages some of them give a header of their own."""


@pytest.fixture(params=readers.ALL)
def reader(request, office, needs, tmp_path):
    kind = readers.ALL[request.param]
    if kind.program:
        needs(kind.program)
    return kind(tmp_path / "reader", office.pop3_port, "anna")


def test_delete_after_download(office, reader):
    for kind in KINDS:
        office.deliver(letters.AWKWARD[kind])
    stored = office.fetch("anna")
    got = reader.fetch(keep=False)
    assert len(got) == len(KINDS)
    for message, wanted in zip(sorted(got), sorted(stored.values())):
        same(message, wanted)
    assert sorted(original(message) for message in got) == sorted(letters.AWKWARD[kind] for kind in KINDS)
    assert office.fetch("anna") == {}
    assert reader.fetch(keep=False) == []


def test_leave_on_server_over_restarts(office, reader):
    """Each message is fetched once, whatever happens to the daemon between the polls."""
    office.deliver(letter(b"one\r\n"), "anna", "bert")
    office.deliver(letter(b"two\r\n"))
    assert sorted(map(original, reader.fetch(keep=True))) == sorted([letter(b"one\r\n"), letter(b"two\r\n")])
    assert reader.fetch(keep=True) == []
    before = office.fetch("anna")
    office.restart()
    assert reader.fetch(keep=True) == []
    office.deliver(letter(b"three\r\n"))
    assert [original(message) for message in reader.fetch(keep=True)] == [letter(b"three\r\n")]
    office.kill()
    office.start()
    assert reader.fetch(keep=True) == []
    after = office.fetch("anna")
    assert len(after) == 3
    assert {uid: after[uid] for uid in before} == before, "unique-ids changed over a restart"


def test_STAT_LIST_UIDL_and_TOP_agree_with_what_RETR_gives(office):
    for kind, content in letters.AWKWARD.items():
        office.deliver(content)
    with office.pop3("anna") as session:
        count, octets = session.stat()
        listed, uids = session.list(), session.uidl()
        assert count == len(listed) == len(uids) == len(letters.AWKWARD)
        assert octets == sum(listed.values())
        for (kind, content), number in zip(letters.AWKWARD.items(), listed):
            whole = session.retr(number)
            assert len(whole) == listed[number], kind
            same(original(whole), content, kind)
            assert session.ask(b"LIST %d" % number).split()[1:3] == [b"%d" % number, b"%d" % len(whole)]
            assert session.ask(b"UIDL %d" % number).split()[1:3] == [b"%d" % number, uids[number]]
            assert 1 <= len(uids[number]) <= 70 and all(0x21 <= octet <= 0x7E for octet in uids[number])
            head, empty_line, body = whole.partition(b"\r\n\r\n")
            for n in (0, 1, 3, 1_000_000):
                session.ask(b"TOP %d %d" % (number, n))
                top = session.block()
                if empty_line:
                    same(top, head + empty_line + first_lines(body, n), f"{kind}, TOP {n}")
                else:
                    assert whole.startswith(top.rstrip(b"\r\n")), kind
        session.quit()


def first_lines(body, count):
    return b"".join(line + b"\n" for line in body.split(b"\n")[:min(count, body.count(b"\n"))])


def test_a_client_that_vanishes_without_QUIT_has_deleted_nothing(office):
    for n in range(3):
        office.deliver(letter(b"%d\r\n" % n))
    before = office.fetch("anna")
    session = office.pop3("anna")
    session.dele(1, 2, 3)
    session.close()
    assert office.fetch("anna") == before
    session = office.pop3("anna")
    session.dele(1)
    session.socket.shutdown(1)
    session.until_end()
    assert office.fetch("anna") == before
    session = office.pop3("anna")
    session.send(b"DELE 1\r\nDELE 2\r\nQUI")
    session.ok()
    session.ok()
    session.close()
    assert office.fetch("anna") == before
    office.restart()
    assert office.fetch("anna") == before


def test_QUIT_deletes_even_when_its_answer_is_not_waited_for(office):
    """Thunderbird waits three seconds for it, others not at all."""
    from waiting import until

    office.deliver(letter(b"one\r\n"))
    office.deliver(letter(b"two\r\n"))
    session = office.pop3("anna")
    session.send(b"DELE 1\r\nQUIT\r\n")
    session.close()
    until(lambda: len(office.fetch("anna")) == 1, "the deletion")


def test_RSET_takes_deletions_back(office):
    office.deliver(letter(b"one\r\n"))
    with office.pop3("anna") as session:
        session.dele(1)
        assert session.stat() == (0, 0)
        assert session.answer(b"RETR 1").startswith(b"-ERR")
        session.ask(b"RSET")
        assert session.stat()[0] == 1
        session.quit()
    assert len(office.fetch("anna")) == 1


def test_S6_two_sessions_each_see_their_own_snapshot(office):
    for n in range(4):
        office.deliver(letter(b"%d\r\n" % n))
    contents = {number: content for number, content in enumerate(office.fetch("anna").values(), 1)}
    first, second = office.pop3("anna"), office.pop3("anna")
    uids = first.uidl()
    first.dele(1, 2)
    assert second.stat()[0] == 4
    office.deliver(letter(b"late\r\n"))
    assert first.stat()[0] == 2 and second.stat()[0] == 4, "mail that came later is not in a snapshot"
    third = office.pop3("anna")
    assert third.stat()[0] == 5
    first.quit()
    assert second.stat()[0] == 4 and second.uidl() == uids, "another's deletions are not seen"
    for number, content in contents.items():
        same(second.retr(number), content)
    second.dele(2, 3)
    second.quit()
    assert third.stat()[0] == 5
    third.dele(5)
    third.quit()
    left = office.fetch("anna")
    assert list(left) == [uids[4]]


def test_S6_twenty_sessions_on_one_maildrop_do_not_wait_for_each_other(office):
    office.deliver(letter(b"one\r\n"))
    sessions = [office.pop3("anna") for _ in range(20)]
    for session in sessions:
        session.dele(1)
    for session in sessions:
        session.quit()
    assert office.fetch("anna") == {}


def test_unique_ids_are_never_used_again(office):
    """Deleted, delivered anew, restarted: no id comes twice."""
    seen = set()
    for _ in range(3):
        for n in range(5):
            office.deliver(letter(b"%d\r\n" % n))
        now = set(office.fetch("anna"))
        assert len(now) == 5 and not now & seen
        seen |= now
        with office.pop3("anna") as session:
            session.dele(*range(1, 6))
            session.quit()
        office.restart()


def test_a_factory_reset_begins_with_new_unique_ids(make_office, tmp_path):
    import shutil

    office = make_office().start()
    office.deliver(letter(b"before\r\n"))
    before = set(office.fetch("anna"))
    office.stop()
    shutil.rmtree(office.state)
    office.add("anna")
    office.start()
    office.deliver(letter(b"after\r\n"))
    assert not before & set(office.fetch("anna"))


@pytest.mark.parametrize("family", ["127.0.0.1", "::1"])
def test_both_address_families(make_office, family):
    office = make_office()
    office.configure(SMTP={"Listen": [f"127.0.0.1:{office.smtp_port}", f"[::1]:{office.smtp_port}"]},
                     POP3={"Listen": [f"127.0.0.1:{office.pop3_port}", f"[::1]:{office.pop3_port}"]})
    office.start()
    with office.smtp(host=family) as sender:
        sender.deliver(letter(b"by either\r\n"), b"anna@office.example")
        sender.quit()
    with POP3(office.pop3_port, b"anna", host=family) as session:
        message = session.retr(1)
        literal = b"[IPv6:::1]" if family == "::1" else b"[127.0.0.1]"
        assert literal in message, message
        session.quit()


def test_a_long_maildrop_is_listed_whole(make_office, quick_state):
    """More LIST and UIDL lines than any buffer holds, read slowly and fast."""
    office = make_office(state=quick_state).start()
    count = 5000
    with office.smtp() as sender:
        for first in range(0, count, 500):
            for n in range(first, first + 500):
                sender.send(b"MAIL FROM:<>\r\nRCPT TO:<anna@office.example>\r\nBDAT 10 LAST\r\n%08d\r\n" % n)
            for _ in range(500 * 3):
                sender.expect(b"250")
        sender.quit()
    with office.pop3("anna", receive_buffer=4096) as session:
        assert session.stat()[0] == count
        session.send(b"LIST\r\nUIDL\r\nLIST\r\nNOOP\r\n")
        session.ok()
        assert len(session.lines()) == count
        session.ok()
        assert len({line.split()[1] for line in session.lines()}) == count
        session.ok()
        assert [int(line.split()[0]) for line in session.lines()] == list(range(1, count + 1))
        session.ok()
        session.quit()
