"""The tests' own tools: a disk that is said to lose what was not flushed does lose it."""

import random
import subprocess

import pytest

from lossy import LossyDisk

MIB = 1 << 20


@pytest.fixture
def disk(tmp_path):
    card = tmp_path / "card"
    card.write_bytes(bytes(8 * MIB))
    disk = LossyDisk(card, tmp_path)
    yield disk
    disk.kill()


class Writer:
    """QEMU's block layer, as a guest's disk meets it, told by line what to do."""

    def __init__(self, disk):
        self.process = subprocess.Popen(["stdbuf", "-oL", "qemu-io", "-t", "writeback", "--image-opts", disk.blockdev], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # It must not end in order: that would flush.
        self.process.kill()
        self.process.communicate()

    def say(self, command):
        """Returns when it was carried out: qemu-io asks for the next."""
        self.prompted()
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()
        self.prompted()
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def prompted(self):
        said = b""
        while not said.endswith(b"qemu-io> "):
            octet = self.process.stdout.read(1)
            assert octet, f"qemu-io ended: {said!r}"
            said += octet


def test_what_was_flushed_is_kept_and_what_was_not_is_lost(disk):
    with Writer(disk) as writer:
        writer.say("write -P 0x11 0 64k")
        writer.say("write -P 0x22 1M 4k")
        writer.say("flush")
        writer.say("write -P 0x33 64k 64k")
        writer.say("write -P 0x44 1M 4k")
        disk.stop()
        writer.process.kill()
    lost, kept = disk.cut()
    content = disk.path.read_bytes()
    assert content[:65536] == b"\x11" * 65536 and content[MIB:MIB + 4096] == b"\x22" * 4096, "what was flushed is lost"
    assert b"\x33" not in content and b"\x44" not in content, "what was not flushed is kept"
    assert lost == 17 and kept == 0


def test_any_part_of_what_was_not_flushed_may_be_kept(disk):
    with Writer(disk) as writer:
        writer.say("write -P 0x11 0 4M")
        writer.say("flush")
        writer.say("write -P 0x33 0 4M")
        disk.stop()
        writer.process.kill()
    lost, kept = disk.cut(keep=0.5, chance=random.Random(1))
    content = disk.path.read_bytes()
    assert lost + kept == 1024 and 400 < kept < 600
    assert content.count(b"\x33") == kept * 4096 and content.count(b"\x11") == lost * 4096
