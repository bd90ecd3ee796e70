"""S5 and S10 for the whole program: what is damaged is named and kept aside, everything else is served."""

import os
import re
import shutil

import pytest

import letters
from letters import numbered
from office import CONFIGURATION, DATA, IO, OK, TRY_AGAIN, UNAVAILABLE


@pytest.fixture
def filled(make_office):
    """A stopped office with mail for three, some deleted, and what its readers would see."""
    office = make_office().start()
    for n in range(30):
        office.deliver(numbered(b"n%d" % n, 300 * n), *(("anna", "bert", "carl")[:1 + n % 3]))
    office.deliver(numbered(b"large", 300_000), "anna", "carl")
    with office.pop3("anna") as reader:
        reader.dele(2, 5, 6)
        reader.quit()
    office.before = seen(office)
    office.stop()
    return office


def seen(office):
    return {name: office.fetch(name) for name in ("anna", "bert", "carl")}


@pytest.mark.parametrize("lost", ["one index", "all indexes", "checkpoint", "both"])
def test_S5_a_deleted_index_or_checkpoint_is_rebuilt_from_the_log(filled, lost):
    spool = filled.state / "spool"
    if lost in ("one index", "all indexes", "both"):
        indexes = sorted(file for file in (spool / "index").iterdir())
        assert indexes
        for file in indexes[:1] if lost == "one index" else indexes:
            shutil.rmtree(file) if file.is_dir() else file.unlink()
    if lost in ("checkpoint", "both"):
        (spool / "checkpoint").unlink(missing_ok=True)
    filled.start()
    assert seen(filled) == filled.before


@pytest.mark.parametrize("lost", ["spool/id", "spool/log/id"])
@pytest.mark.parametrize("how", ["gone", "empty", "noise"])
def test_unique_ids_stay_when_one_of_the_files_that_hold_their_half_is_lost(filled, lost, how):
    file = filled.state / lost
    if not file.exists():
        pytest.skip(f"NOT TESTED: there is no {lost}")
    file.unlink() if how == "gone" else file.write_bytes(spoilt(file.read_bytes(), how))
    filled.start()
    assert seen(filled) == filled.before


def spoilt(content, how):
    middle = len(content) // 2
    return {"cut": content[:middle], "empty": b"", "zeros": bytes(len(content)), "noise": os.urandom(len(content)),
            "one bit": content[:middle] + bytes([content[middle] ^ 0x10]) + content[middle + 1:] if content else b"",
            "longer": content + os.urandom(100), "text": b"hello\n" * 30}[how]


@pytest.mark.parametrize("how", ["cut", "empty", "zeros", "noise", "one bit", "longer", "text"])
@pytest.mark.parametrize("what", ["index", "checkpoint"])
def test_S5_a_corrupted_index_or_checkpoint_is_noticed_and_rebuilt(filled, what, how):
    spool = filled.state / "spool"
    file = spool / "checkpoint" if what == "checkpoint" else next(
        path for path in sorted((spool / "index").rglob("*")) if path.is_file() and path.name.startswith("anna"))
    file.write_bytes(spoilt(file.read_bytes(), how))
    filled.start()
    assert seen(filled) == filled.before


@pytest.mark.parametrize("how", ["one bit in a body", "one bit in a header", "a hole in the middle"])
def test_S2_a_damaged_segment_is_named_and_all_else_is_served(filled, how):
    """The damaged message is not shown as if it were whole; its neighbours are."""
    target = numbered(b"n17", 300 * 17)
    segment = next(segment for segment in filled.segments() if b"Subject: n17\r\n" in segment.read_bytes())
    content = bytearray(segment.read_bytes())
    at = content.index(b"Subject: n17\r\n")
    if how == "one bit in a body":
        content[at + 200] ^= 1
    elif how == "one bit in a header":
        # The header line of the record is the line before our trace headers.
        content[content.rindex(b"\n", 0, content.rindex(b"Return-Path:", 0, at)) - 10] ^= 1
    else:
        content[at - 20:at + 80] = bytes(100)
    segment.write_bytes(content)
    check = filled.run("check", code=None)
    assert check.returncode == DATA, check
    assert filled.names(segment, check.stdout + check.stderr), check
    # The indexes point past the damage; without them recovery has to step over it.
    shutil.rmtree(filled.state / "spool" / "index")
    (filled.state / "spool" / "checkpoint").unlink(missing_ok=True)
    filled.start()
    assert filled.names(segment, filled.log()), "the log does not name the segment"
    for name, messages in filled.before.items():
        wanted = {uid: message for uid, message in messages.items() if letters.original(message) != target}
        got = readable(filled, name)
        missing = wanted.keys() - got.keys()
        assert not missing, f"{len(missing)} undamaged messages of {name} are not served"
        for uid, message in got.items():
            assert messages[uid] == message, "a damaged message is shown as if it were whole"
    filled.deliver(numbered(b"after", 100))
    assert any(b"Subject: after" in message for message in readable(filled, "anna").values())


def readable(office, name):
    with office.pop3(name) as reader:
        got = reader.readable()
        reader.quit()
    return got


def test_a_lost_segment_is_named_and_all_else_is_served(filled):
    filled.start()
    filled.deliver(numbered(b"newest", 200_000), "bert")
    filled.stop()
    segment = next(segment for segment in filled.segments() if b"Subject: large\r\n" in segment.read_bytes())
    keeps = b"".join(other.read_bytes() for other in filled.segments() if other != segment)
    segment.rename(filled.where / "lost")
    filled.start()
    for name, messages in filled.before.items():
        got = readable(filled, name)
        for uid, message in messages.items():
            if letters.original(message)[:40] in keeps:
                assert got.get(uid) == message
    assert filled.names(segment, filled.log())
    filled.deliver(numbered(b"after", 100))


def test_a_damaged_line_of_the_accounts_file_is_named_and_the_others_log_in(filled):
    accounts = filled.state / "accounts"
    lines = accounts.read_bytes().splitlines(True)
    number = next(n for n, line in enumerate(lines) if b"bert" in line)
    lines[number] = b"bert\xff garbage garbage\n"
    accounts.write_bytes(b"".join(lines))
    filled.start()
    assert re.search(rb"accounts\D{1,20}%d\b" % (number + 1), filled.log()), filled.log()
    assert filled.fetch("anna") == filled.before["anna"] and filled.fetch("carl") == filled.before["carl"]
    with filled.pop3() as reader:
        reader.ask(b"USER bert")
        assert reader.answer(b"PASS bert-secret").startswith(b"-ERR")
    # A change by command keeps the line it does not understand, or keeps a copy of it aside.
    filled.add("dora")
    everything = b"".join(file.read_bytes() for file in filled.state.rglob("*account*") if file.is_file())
    assert b"garbage garbage" in everything
    assert filled.fetch("anna") == filled.before["anna"]


def test_an_accounts_file_left_half_written_by_a_crash_is_not_used(filled):
    for name in ("accounts.tmp", "accounts.new", ".accounts.tmp", "accounts~"):
        (filled.state / name).write_bytes(b"anna half")
    filled.start()
    assert seen(filled) == filled.before
    filled.add("dora")
    filled.deliver(numbered(b"x", 1), "dora")
    assert len(filled.fetch("dora")) == 1


def test_S10_a_second_daemon_on_the_spool_is_refused(filled, make_office):
    """A lock of the kernel: nothing to go stale after kill -9."""
    filled.start()
    second = make_office(name="second", state=filled.state, accounts=())
    done = second.run("serve", code=None, timeout=20)
    assert done.returncode in (UNAVAILABLE, TRY_AGAIN), done
    assert re.search(rb"(?i)already|another|in use|running", done.stderr), done.stderr
    assert seen(filled) == filled.before
    filled.kill()
    second.start()
    assert {name: second.fetch(name) for name in filled.before} == filled.before
    second.stop()


def test_check_says_OK_of_a_sound_spool_with_and_without_the_daemon(filled):
    filled.run("check", code=OK)
    filled.start()
    filled.run("check", code=OK)


def test_check_repair_mends_what_it_can(filled):
    next(iter(sorted((filled.state / "spool" / "index").iterdir()))).write_bytes(b"nonsense")
    (filled.state / "spool" / "checkpoint").write_bytes(b"nonsense")
    filled.run("check", "--repair", code=OK)
    filled.run("check", code=OK)
    filled.start()
    assert seen(filled) == filled.before


def test_a_state_directory_that_cannot_be_used_is_told(make_office, tmp_path):
    office = make_office(accounts=())
    office.state = tmp_path / "file"
    office.state.write_text("a file, no directory")
    office.configure()
    done = office.run("serve", code=None, timeout=20)
    assert done.returncode in (CONFIGURATION, IO, 73, 77), done
    assert str(office.state).encode() in done.stderr
