"""What hangs before systemd looks after the watchdog ends in a restart, too. The firmware under test is the shipped one but for
one program that never gets on, and a shorter patience on the kernel's line."""

import time

import pytest

from card import run
from conftest import ARCH
from firmware import Workshop

HANG = "#!/bin/sh\nexec sleep 100000\n"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return Workshop(tmp_path_factory.mktemp("firmware"), ARCH)


def hanging(make_box, shop, tmp_path, program):
    """A device one of whose programs hangs."""
    box = make_box()
    box.card.write("restante-root-a", shop.root(program.rsplit("/")[-1], files={program: HANG}).read_bytes())
    boot, line = tmp_path / "boot", tmp_path / "grub.cfg"
    boot.write_bytes(box.card.read("restante-boot-a"))
    run("mcopy", "-n", "-i", boot, "::/grub.cfg", line)
    line.write_text(line.read_text().replace("restante.slot=", "restante.patience=8 restante.slot="))
    run("mcopy", "-o", "-i", boot, line, "::/grub.cfg")
    box.card.write("restante-boot-a", boot.read_bytes())
    return box


def test_a_check_of_the_data_that_hangs_is_ended_by_the_boards_watchdog(make_box, shop, tmp_path, took):
    box = hanging(make_box, shop, tmp_path, "usr/sbin/e2fsck").start()
    began = time.monotonic()
    before = box.qmp.count()
    box.qmp.wait("WATCHDOG", before, 400)
    box.resets(before)
    took("a hanging check of the data, patience 8 s, to the reset", time.monotonic() - began)


def test_a_system_that_does_not_come_up_is_started_again(make_box, shop, tmp_path, took):
    box = hanging(make_box, shop, tmp_path, "usr/lib/systemd/systemd").start()
    began = time.monotonic()
    before = box.qmp.count()
    box.resets(before, 300)
    took("a first program that hangs, patience 8 s, to the reset", time.monotonic() - began)
    assert b"the system does not come up" in box.said()
