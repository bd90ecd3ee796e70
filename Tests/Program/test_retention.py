"""ExpireAfter, KeepDeleted, and the room that comes back; with a clock that is put forward, or back to 1970."""

import pytest

from letters import letter, numbered, original
from office import address
from waiting import until

DAY = 86_400


@pytest.fixture
def timed(make_office, faults):
    """Makes an open office whose clock the test holds: `office.later(seconds)`."""

    def make(clock=0, **spool):
        faults.set(clock=clock)
        office = make_office({"Spool": spool}, preload=faults.library, variables=faults.variables,
                             accounts=("anna", "bert", "carl", "dora")).start()
        office.later = lambda seconds: faults.set(clock=clock + seconds)
        return office

    return make


def turn(office):
    """Some mail for one whom no test looks at: then the spool soon looks at the clock."""
    office.deliver(letter(b"turn\r\n"), "dora")


def next_segment(office):
    """Fills the segment that is being written: what is dead in the last one is looked at when it is full."""
    last = [file for file in office.segments() if file.suffix == ".log"][-1]
    with office.smtp() as sender:
        while [file for file in office.segments() if file.suffix == ".log"][-1] == last:
            for n in range(20):
                sender.deliver(numbered(b"filler%d" % n, 60_000), address("dora"))
        sender.quit()


def deleted(office, name="anna"):
    lines = office.run("mail", "list", name, "--deleted").stdout.splitlines()
    return [line for line in lines if line.split() and line.split()[0].isdigit()]


def delete_all(office, name="anna"):
    with office.pop3(name) as reader:
        reader.dele(*reader.list())
        reader.quit()


def test_ExpireAfter_takes_old_mail_and_leaves_new(timed):
    office = timed(ExpireAfter="30d")
    office.deliver(letter(b"old\r\n"), "anna", "bert")
    office.later(20 * DAY)
    office.deliver(letter(b"new\r\n"), "anna")
    assert len(office.fetch("anna")) == 2
    office.later(31 * DAY)

    def expired():
        turn(office)
        return len(office.fetch("anna")) == 1 and office.fetch("bert") == {}

    until(expired, "the old message to expire", 30)
    assert [original(message) for message in office.fetch("anna").values()] == [letter(b"new\r\n")]
    assert b"anna" in office.log() and b"ExpireAfter" in office.log()
    office.restart()
    assert len(office.fetch("anna")) == 1


def test_a_reader_sees_its_snapshot_while_mail_expires(timed):
    office = timed(ExpireAfter="30d", KeepDeleted="0")
    for size in (100, 100_000):
        office.deliver(numbered(b"old", size))
    held = set(office.segments())
    office.deliver(numbered(b"control", 100_000), "bert")
    (control,) = set(office.segments()) - held
    next_segment(office)
    with office.pop3("anna") as reader:
        office.later(31 * DAY)
        until(lambda: turn(office) or office.fetch("anna") == {}, "the messages to expire", 30)
        office.later(40 * DAY)
        # bert's, which nobody reads, is the sign that the sweeper went through.
        until(lambda: turn(office) or not control.exists(), "the other message's file to go", 30)
        assert original(reader.retr(1)) == numbered(b"old", 100)
        assert original(reader.retr(2)) == numbered(b"old", 100_000)
        reader.quit()
    office.later(50 * DAY)
    until(lambda: turn(office) or not any(file.suffix == ".msg" for file in office.segments()), "its file to go", 30)


def test_KeepDeleted_is_how_long_mail_can_be_restored(timed):
    office = timed(KeepDeleted="7d")
    office.deliver(letter(b"x\r\n"), "anna", "bert")
    delete_all(office)
    office.later(3 * DAY)
    delete_all(office, "bert")
    office.later(8 * DAY)
    until(lambda: turn(office) or not deleted(office), "the message to be past restoring", 30)
    office.run("mail", "restore", "anna", "--all", code=None)
    assert office.fetch("anna") == {}
    assert len(deleted(office, "bert")) == 1
    office.run("mail", "restore", "bert", "--all")
    assert [original(message) for message in office.fetch("bert").values()] == [letter(b"x\r\n")]
    office.run("check")


def test_the_room_of_deleted_mail_comes_back(timed):
    """Dead ranges are punched, dead segments unlinked: the spool does not grow with what has passed through it."""
    office = timed(KeepDeleted="0")

    def on_disk():
        return sum(file.stat().st_blocks * 512 for file in office.segments())

    office.deliver(letter(b"stays\r\n"), "bert")
    for round in range(4):
        with office.smtp() as sender:
            for n in range(40):
                sender.deliver(numbered(b"r%d.%d" % (round, n), (200_000, 50_000)[n % 2]), address("anna"))
            sender.quit()
        delete_all(office)
        office.deliver(letter(b"%d stays\r\n" % round), "bert")
    next_segment(office)
    delete_all(office, "dora")
    next_segment(office)
    full = on_disk()
    assert full > 40 << 20
    clock = 0

    def given_back():
        nonlocal clock
        clock += 700
        office.later(clock)
        turn(office)
        # The last segment stays as it is while it is written to.
        return on_disk() < 20 << 20

    until(given_back, f"{full} octets of deleted mail to be given back", 60)
    assert len(office.fetch("bert")) == 5
    office.run("check")
    office.kill()
    office.start()
    assert len(office.fetch("bert")) == 5 and office.fetch("anna") == {}


NINETEEN_SEVENTY = -1_700_000_000


def test_a_board_that_boots_in_1970_serves_and_loses_nothing(timed):
    """Nothing expires and nothing is past restoring because the clock was not set; nor when it is set at last."""
    office = timed(ExpireAfter="30d", KeepDeleted="7d")
    office.later(-40 * DAY)
    office.deliver(letter(b"control\r\n"), "bert")
    office.later(NINETEEN_SEVENTY)
    office.restart()
    office.deliver(letter(b"early\r\n"))
    office.deliver(letter(b"deleted early\r\n"), "carl")
    delete_all(office, "carl")
    assert len(office.fetch("anna")) == 1 and len(office.fetch("bert")) == 1
    office.later(0)
    until(lambda: turn(office) or office.fetch("bert") == {}, "the mail of before to expire", 30)
    assert len(office.fetch("anna")) == 1 and len(deleted(office, "carl")) == 1
    office.restart()
    assert len(office.fetch("anna")) == 1 and len(deleted(office, "carl")) == 1
    office.later(31 * DAY)
    until(lambda: turn(office) or office.fetch("anna") == {}, "the early message to expire in its time", 30)


def test_a_clock_that_goes_back_breaks_nothing(timed):
    """Without ExpireAfter=, which rightly takes what came 400 days ago as soon as the clock is right again."""
    office = timed(KeepDeleted="7d")
    before = set()
    for n, clock in enumerate((0, -400 * DAY, 20 * DAY, NINETEEN_SEVENTY, 0)):
        office.later(clock)
        office.deliver(letter(b"%d\r\n" % n))
        with office.pop3("anna") as reader:
            uids = reader.uidl()
            assert len(set(uids.values())) == n + 1 and before < set(uids.values())
            before = set(uids.values())
            reader.quit()
    office.kill()
    office.start()
    assert set(office.fetch("anna")) == before
