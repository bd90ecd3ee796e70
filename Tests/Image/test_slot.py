"""What the device and GRUB tell each other: the block of settings, as both write and read it."""

import os

import pytest

from firmware import UPDATE, run


@pytest.fixture
def block(tmp_path):
    return tmp_path / "grubenv"


def slot(block, *words):
    return run("bash", UPDATE / "slot", *words, env=dict(os.environ, RESTANTE_GRUBENV=str(block)))


def grub(block, *words):
    return run("grub-editenv", block, *words).split()


def test_grub_reads_what_the_device_writes(block):
    slot(block, "set", "slot=b", "trial=a", "tries=0")
    assert block.stat().st_size == 1024
    # What counts is in one sector, so that no power cut leaves half of it.
    assert block.read_bytes()[512:] == b"#" * 512


def test_the_device_reads_what_grub_writes_and_keeps_what_it_does_not_know(block):
    grub(block, "create")
    grub(block, "set", "slot=a", "trial=b", "tries=4", "later=x")
    assert slot(block, "get", "trial") == "b\n" and slot(block, "get", "tries") == "4\n"
    grub(block, "set", "trial=")
    assert slot(block, "get", "trial") == "\n"
    slot(block, "set", "slot=b", "tries=0")
    assert set(grub(block, "list")) == {"slot=b", "trial=", "tries=0", "later=x"}


def test_the_block_stays_where_it_is_and_is_written_only_for_a_change(block):
    grub(block, "create")
    slot(block, "set", "slot=a", "tries=0")
    before = block.stat()
    slot(block, "set", "tries=0", "slot=a")
    assert block.stat().st_mtime_ns == before.st_mtime_ns
    slot(block, "set", "tries=1")
    assert block.stat().st_ino == before.st_ino and slot(block, "get", "tries") == "1\n"


@pytest.mark.parametrize("content", [b"", b"\0" * 1024, b"slot=b\n" * 100], ids=["empty", "zeros", "other"])
def test_a_damaged_block_is_made_anew(block, content):
    block.write_bytes(content)
    assert slot(block, "get", "slot") == ""
    slot(block, "set", "slot=a")
    assert grub(block, "list") == ["slot=a"]


def test_a_slot_that_is_being_written_is_never_to_be_tried(block):
    slot(block, "set", "slot=a", "trial=b")
    slot(block, "set-state", "b", "bad")
    assert slot(block, "get-state", "b") == "bad\n" and slot(block, "get-state", "a") == "good\n"
    assert "trial=" in grub(block, "list") and slot(block, "get-primary") == "a\n"
