"""S8 for the whole program: memory is flat over everything that is delivered and fetched."""

import threading

import pytest

import talk
from letters import numbered
from office import address

COUNT = 100_000


def pump(office, count, name):
    """Delivers `count` small messages, pipelined."""
    content = numbered(b"m", 100)
    one = (b"MAIL FROM:<>\r\nRCPT TO:<" + address(name) + b">\r\nBDAT %d LAST\r\n" % len(content)) + content
    with office.smtp() as sender:
        for first in range(0, count, 200):
            batch = min(200, count - first)
            sender.send(one * batch)
            for _ in range(3 * batch):
                assert sender.line().startswith(b"250 ")
        sender.quit()


def drain(office, name):
    """Fetches and deletes everything, pipelined; returns how many."""
    with office.pop3(name) as reader:
        count = reader.stat()[0]
        for number, content in reader.retr_all(range(1, count + 1)):
            assert content.endswith(b".end\r\n"), number
        for first in range(1, count + 1, 500):
            reader.dele(*range(first, min(first + 500, count + 1)))
        reader.quit()
        return count


@pytest.mark.long
def test_S8_memory_is_flat_over_100_000_messages(make_office, quick_state):
    office = make_office({"Spool": {"Quota": "10G", "KeepDeleted": "0"}}, state=quick_state).start()
    names = ("anna", "bert", "carl")

    def cycle(count):
        threads = [threading.Thread(target=pump, args=(office, count // 3, name)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for name in names:
            assert drain(office, name) == count // 3

    # What is set aside once (buffers, stacks, the allocator's arenas) is there after the first.
    cycle(COUNT // 10)
    before = office.private_dirty()
    for _ in range(9):
        cycle(COUNT // 10)
    after = office.private_dirty()
    print(f"Private_Dirty {before} before, {after} after")
    assert after - before < 512 * 1024, f"{before} grew to {after}"


def test_S8_memory_is_constant_whatever_the_size_of_a_message(make_office, quick_state):
    """Ten senders with 20 MB each to three recipients: a message is never held whole."""
    office = make_office(state=quick_state).start()
    pump(office, 10, "anna")
    before = office.private_dirty()
    content = numbered(b"big", 20 << 20)
    senders = []
    for _ in range(10):
        sender = office.smtp()
        sender.mail(b"a@b.example", *(address(name) for name in ("anna", "bert", "carl")))
        sender.ask(b"DATA", b"354")
        senders.append(sender)
    peak = before
    stuffed = talk.stuffed(content) + b".\r\n"
    for start in range(0, len(stuffed), 1 << 20):
        for sender in senders:
            sender.send(stuffed[start:start + (1 << 20)])
        peak = max(peak, office.private_dirty())
    for sender in senders:
        sender.expect(b"250")
        peak = max(peak, office.private_dirty())
        sender.quit()
    print(f"Private_Dirty {before} before, {peak} at its peak")
    assert peak < 8 << 20
    assert office.pop3("bert").stat()[0] == 10
