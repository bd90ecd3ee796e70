"""S1, S2 and S5 for the whole program: kill -9 at random points under load, the plug pulled under load, torn tails.

ROUNDS=500 runs the long form; SEED= repeats the choices of a run (not its timing)."""

import os
import random
import time

import pytest

import disks
import letters
import load
import talk
from office import address

ROUNDS = int(os.environ.get("ROUNDS", "60"))
SEED = os.environ.get("SEED") or str(time.time_ns())


def crash_rounds(office, rounds, crash, come_back):
    """Load, a crash after some milliseconds, a start, an audit; `rounds` times on one spool."""
    chance = random.Random(SEED)
    books = load.Books()
    print(f"SEED={SEED}")
    office.start()
    for round in range(rounds):
        work = load.Load(office, books, f"{SEED[-6:]}.{round}").start()
        # Not waiting for the clock: the instant of the crash is the thing under test.
        time.sleep(chance.choice((0.005, 0.03, 0.08, 0.2)) * chance.random())
        crash()
        work.stop()
        come_back()
        for _ in range(chance.choice((0, 0, 0, 1, 2))):
            # A crash while the last one is being recovered from.
            office.spawn()
            time.sleep(0.04 * chance.random())
            crash()
            come_back()
            books.counts["crashes while starting"] += 1
        office.start()
        load.audit(office, books, chance=chance)
    print({name: count for name, count in books.counts.items() if "." not in name})
    assert books.counts["promised"] > 5 * rounds, "hardly any load: the test showed nothing"
    assert books.counts["deleted"] > rounds
    return books


@pytest.mark.long
def test_S2_kill_9_at_random_points_loses_halves_and_doubles_nothing(make_office):
    office = make_office()
    crash_rounds(office, ROUNDS, office.kill, lambda: None)
    office.run("check")


@pytest.mark.long
def test_S1_a_pulled_plug_takes_nothing_that_was_promised(make_office, tmp_path):
    """The file system is shut down as a power cut leaves it: what was not flushed is gone, also from the cache."""
    with disks.Disk(tmp_path / "disk", megabytes=256) as disk:
        office = make_office(state=disk.path / "state", accounts=())
        try:
            for name in load.NAMES:
                office.add(name.decode())

            def crash():
                # The program first: while a file system is being shut down, a flush on its way may be said to have
                # succeeded that has not, and a program still running would pass that on. In the moment between the
                # two, nothing is flushed that nobody asks for.
                office.kill()
                disk.pull_the_plug()

            crash_rounds(office, max(10, ROUNDS // 2), crash, disk.plug_in)
            office.run("check")
            office.stop()
        finally:
            if office.process is not None:
                office.kill()


def test_S1_an_account_added_is_there_after_a_pulled_plug(make_office, tmp_path):
    with disks.Disk(tmp_path / "disk", megabytes=64) as disk:
        office = make_office(state=disk.path / "state", accounts=("anna",))
        for n in range(5):
            office.add(f"new{n}")
            disk.pull_the_plug()
            disk.plug_in()
            names = office.run("account", "list").stdout
            assert all(f"new{m}".encode() in names for m in range(n + 1)) and b"anna" in names, names


def tear(segment, octets):
    """Cuts the last `octets` that were written off a segment (blocks written ahead are zeros behind them)."""
    content = segment.read_bytes()
    end = len(content.rstrip(b"\0"))
    kept = max(0, end - octets)
    with open(segment, "r+b") as file:
        file.seek(kept)
        file.write(b"\0" * (len(content) - kept))
        file.truncate(kept)
    return end


@pytest.mark.parametrize("octets", [1, 2, 3, 17, 100, 500, 700, 1000])
def test_S5_a_torn_tail_is_cut_and_reported(make_office, octets):
    """The last record is torn as a power cut tears it; what came before is served, what comes after is kept."""
    office = make_office().start()
    contents = [letters.numbered(b"n%d" % n, 400) for n in range(4)]
    with office.smtp() as sender:
        for content in contents:
            sender.deliver(content, address("anna"))
    office.kill()
    segment = [segment for segment in office.segments() if segment.suffix == ".log"][-1]
    tear(segment, octets)
    office.start()
    kept = sorted(map(letters.original, office.fetch("anna").values()))
    assert kept == sorted(contents[:len(kept)]) and 2 <= len(kept) < 4
    assert office.names(segment, office.log()), office.log()
    office.deliver(contents[3])
    office.kill()
    office.start()
    again = sorted(map(letters.original, office.fetch("anna").values()))
    assert again == sorted(kept + [contents[3]])


def test_S5_starting_twice_is_the_same_as_once(make_office):
    office = make_office().start()
    for n in range(20):
        office.deliver(letters.numbered(b"n%d" % n, 300), "anna", "bert")
    with office.pop3("anna") as reader:
        reader.dele(3, 7, 11)
        reader.quit()
    before = {name: office.fetch(name) for name in ("anna", "bert")}
    for _ in range(5):
        office.kill()
        office.start()
        assert {name: office.fetch(name) for name in ("anna", "bert")} == before


def test_S2_a_sender_cut_off_in_its_data_leaves_nothing(office):
    """The connection goes, the message was small, large, in DATA, in BDAT: no maildrop shows it."""
    for size in (100, 5_000, 400_000):
        content = letters.numbered(b"cut", size)
        for command in (b"DATA\r\n" + talk.stuffed(content), b"BDAT %d\r\n" % len(content) + content,
                        b"BDAT %d LAST\r\n" % (len(content) + 1) + content):
            sender = office.smtp()
            sender.mail(b"a@b.example", address("anna"))
            sender.send(command)
            sender.close()
    office.deliver(letters.numbered(b"whole", 100))
    assert [letters.identity_of(letters.original(message)) for message in office.fetch("anna").values()] == [b"whole"]
    office.kill()
    office.start()
    assert len(office.fetch("anna")) == 1
