"""S1 to S6 for the device: its plug is pulled while six senders and a deleter are at work, and the card has lost what
was not flushed. Nothing that was promised may be lost, doubled or half there, and each time the device serves again with
nobody's help.

ROUNDS=200 is the long form, in two halves that run beside each other; SEED= repeats the choices of a run (not its
timing)."""

import os
import random
import threading
import time

import pytest

import load
from conftest import ACCOUNTS, ARCH, CONFIGURATION
from waiting import until

ROUNDS = int(os.environ.get("ROUNDS", "20" if ARCH == "amd64" else "4"))
SEED = os.environ.get("SEED") or str(time.time_ns())

# Six senders and a reader come from one address, which is not loopback: TLS is not what is tested.
PLAIN = CONFIGURATION + """[POP3]
RequireTLS=no
"""


def some(chance, share):
    """True in that share of cases."""
    return chance.random() < share


def cut_while_it_starts(box, chance, books):
    """The plug is pulled again somewhere between the firmware and the first greeting."""
    over = threading.Event()
    box.start()
    # Not waiting for the clock: the instant of the cut is the thing under test.
    over.wait(15 * chance.random())
    box.cut(keep=chance.choice((0.0, 0.5)), chance=chance)
    books.counts["cuts while starting"] += 1


def rounds_of(box, rounds, seed, took):
    chance = random.Random(seed)
    books = load.Books()
    for round in range(rounds):
        before = time.monotonic()
        box.start().serving()
        took(f"power on to serving after a cut, round {round} of {seed[-6:]}" if round else
             f"power on to serving, {seed[-6:]}", time.monotonic() - before)
        if round == 0:
            for name in ACCOUNTS:
                box.add(name)
        else:
            load.audit(box, books, chance=chance)
        promised = books.counts["promised"]
        work = load.Load(box, books, f"{seed[-6:]}.{round}", large=0.02).start()
        wanted = chance.randrange(0, 80)
        until(lambda: books.counts["promised"] - promised >= wanted or books.troubles, "mail to be taken", 120)
        threading.Event().wait(0.3 * chance.random())
        lost, kept = box.cut(keep=chance.choice((0.0, 0.0, 0.3, 0.8)), chance=chance)
        books.counts["blocks lost"] += lost
        books.counts["cuts that lost"] += lost > 0
        books.counts["unflushed blocks kept"] += kept
        work.stop()
        if some(chance, 0.1):
            cut_while_it_starts(box, chance, books)
    box.start().serving()
    load.audit(box, books, chance=chance)
    print({name: count for name, count in books.counts.items() if "." not in name})
    return books


@pytest.mark.board
@pytest.mark.parametrize("half", [pytest.param(n, marks=pytest.mark.xdist_group(f"cuts{n}")) for n in (1, 2)])
def test_S1_to_S6_whenever_the_plug_is_pulled(make_box, took, half):
    rounds = max(1, ROUNDS // 2)
    seed = f"{SEED}{half}"
    print(f"SEED={SEED}")
    box = make_box(lossy=True)
    box.card.etc("restante/restante.conf.d/10-test.conf", PLAIN)
    books = rounds_of(box, rounds, seed, took)
    # A few cuts may all come early, or when everything is flushed.
    assert books.counts["promised"] >= 10 * rounds or rounds < 10, "hardly any load: the test showed nothing"
    assert books.counts["deleted"] >= rounds or rounds < 10
    assert books.counts["cuts that lost"] > 0 or rounds < 50, "the card lost nothing: the test showed nothing"
    box.shell("restante check")
    assert box.shell("systemctl --failed --no-legend --plain") == ""
