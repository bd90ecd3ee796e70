"""Firmware updates, by booting: what is refused harms nothing, what does not serve is left again, what serves is kept."""

import pytest

from conftest import ARCH
from firmware import Workshop
from waiting import until

# One device for all, in this order.
pytestmark = [pytest.mark.xdist_group("update"), pytest.mark.board]

MESSAGE = b"Subject: before the update\r\n\r\nIt is there, and stays.\r\n"

# In place of the mail drop: nobody answers on its ports.
MUTE = """[Unit]
Description=A mail drop that does not serve
[Service]
ExecStart=/bin/sleep infinity
Sockets=restante.socket restante-submissions.socket restante-pop3.socket restante-pop3s.socket
"""


class Device:
    """A box with firmware 1.0.0, one message, and a stick with bundles."""

    def __init__(self, where, make, card):
        self.shop = shop = Workshop(where, ARCH)
        good = shop.root("2.0.0")
        mute = shop.root("2.1.0", seconds=60, files={"usr/lib/systemd/system/restante.service": MUTE})
        dead = where / "dead"
        dead.write_bytes(b"no system" * 100_000)
        # What is refused may as well be small.
        whole = shop.bundle("whole", "2.0.0", dead).read_bytes()
        cut, damaged = where / "cut.raucb", where / "damaged.raucb"
        cut.write_bytes(whole[:len(whole) * 2 // 3])
        middle = len(whole) // 2
        damaged.write_bytes(whole[:middle] + bytes(octet ^ 0xFF for octet in whole[middle:middle + 64]) + whole[middle + 64:])
        unsigned = where / "unsigned.raucb"
        # What is signed stands before the signature and its length.
        size = int.from_bytes(whole[-8:], "big")
        unsigned.write_bytes(whole[:-8 - size])
        self.stick = shop.stick([
            shop.bundle("good", "2.0.0", good, changes="- It's better\n- and \\ newer"), cut, damaged, unsigned,
            shop.bundle("mute", "2.1.0", mute), shop.bundle("dead", "2.2.0", dead),
            shop.bundle("old", "0.9.0", dead), shop.bundle("board", "2.0.0", dead, arch="riscv64"),
            shop.bundle("stranger", "2.0.0", dead, signer=shop.stranger),
        ])
        self.box = make(card, stick=self.stick, lossy=True)
        self.box.card.write("restante-root-a", shop.root("1.0.0").read_bytes())
        self.box.start().serving()
        self.box.deliver(MESSAGE, "anna")
        self.mount()
        self.unique_id = self.listing()

    def mount(self):
        self.box.shell("mkdir -p /run/stick; for i in $(seq 50); do [ -b /dev/sda ] && break; sleep 0.2; done; "
                       "mount -t vfat -o ro /dev/sda /run/stick")

    def restante(self, *words, code=0, seconds=300):
        return self.box.shell("restante " + " ".join(words), code=code, seconds=seconds)

    def install(self, name, code=0):
        return self.restante("update", "install", f"/run/stick/{name}.raucb", code=code)

    def listing(self):
        """What anna's maildrop has: unique-ids."""
        return self.box.shell("restante mail list anna")

    def unharmed(self):
        """It serves, and the mail is as it was."""
        self.box.serving()
        assert self.listing() == self.unique_id

    def restarted(self, resets=1, seconds=900):
        """Has it restart; returns when it was reset so many times and serves again."""
        before = self.box.qmp.count()
        # The answer shall be here before it is gone.
        self.box.shell("(sleep 1; exec restante restart) >/dev/null 2>&1 &")
        until(lambda: self.box.running() and self.resets(before) >= resets, f"{resets} restarts", seconds)
        self.box.resets(before)
        self.box.serving(seconds)
        self.mount()

    def resets(self, since):
        """How often it was reset. QEMU tells of one restart several times within the same second."""
        times = [event["seen"] for event in self.box.qmp.seen("RESET", since)]
        return sum(1 for before, time in zip([0.0, *times], times) if time - before > 3)

    def power_cut(self):
        """Nothing that was not flushed is there afterwards."""
        self.box.cut()
        self.box.start().serving()
        self.mount()

    def settled(self, words, seconds=300):
        """Waits for the status to say that."""
        return until(lambda: (text := self.restante("update", "status")) and words in text and text,
                     f"{words}; it says: {self.restante('update', 'status')}", seconds)


@pytest.fixture(scope="module")
def device(tmp_path_factory, make_shared_box, office_card):
    return Device(tmp_path_factory.mktemp("firmware"), make_shared_box, office_card)


@pytest.mark.parametrize("name, why", [
    ("unsigned", "no signature"), ("cut", "no signature"), ("stranger", "not by those"), ("old", "older than 1.0.0"),
    ("board", "another board"), ("damaged", "damaged"),
])
def test_a_bundle_that_is_not_to_be_trusted_is_refused_before_anything_is_written(device, name, why):
    said = device.install(name, code=65)
    assert why in said and "Nothing was changed" in said
    assert device.box.shell("/usr/lib/restante/slot get trial; /usr/lib/restante/slot get bad") == ""
    # The other slot, too, is as it was: nobody has written there yet.
    assert device.box.shell("head -c 4096 $(/usr/lib/restante/slot device restante-root-b) | tr -d '\\0' | wc -c") == "0"
    device.unharmed()


def test_what_a_bundle_is_and_brings_is_shown_before_it_is_installed(device):
    said = device.restante("update", "show", "/run/stick/good.raucb")
    for words in ("2.0.0 (this device runs 1.0.0)", "development", "- It's better", "- and \\ newer"):
        assert words in said


def test_a_power_cut_while_firmware_is_written_leaves_what_runs(device):
    device.box.shell(
        "part=$(basename $(/usr/lib/restante/slot device restante-root-b)); "
        "(restante update install /run/stick/good.raucb >/run/said 2>&1; echo ended >>/run/said) & "
        "until [ $(awk -v p=$part '$3 == p { print $10 }' /proc/diskstats) -gt 4000 ] || grep -q ended /run/said; "
        "do sleep 0.05; done; cat /run/said")
    device.power_cut()
    assert "1.0.0 in slot a" in (said := device.restante("update", "status")) and "no whole firmware" in said
    assert "no whole firmware" in device.restante("update", "back", code=69)
    device.unharmed()


@pytest.mark.parametrize("name, version, why", [("dead", "2.2.0", "did not start"),
                                                ("mute", "2.1.0", "self-test did not pass")])
def test_firmware_that_does_not_serve_is_left_by_itself(device, name, version, why):
    device.install(name)
    device.restarted(resets=2)
    said = device.restante("update", "status")
    assert "1.0.0 in slot a" in said and f"{version} was NOT kept" in said and why in said
    assert "was not kept" in device.box.journal("-t", "restante-update")
    device.unharmed()


def test_firmware_that_serves_is_kept_and_can_be_left_again(device):
    # As a technician does it, with the stick that was just put in.
    device.box.shell("umount /run/stick")
    device.restante("update", "install", "stick:good.raucb")
    assert "2.0.0 in slot b, will be tried" in device.restante("update", "status")
    # What was said to be installed is on the card.
    device.power_cut()
    device.settled("2.0.0 kept")
    device.unharmed()
    assert "2.0.0 in slot b" in device.restante("update", "status")
    # A setting that only the newer one knows.
    device.box.shell("printf '[Device]\\nOfLater=yes\\n' >/etc/restante/restante.conf.d/later.conf")
    assert "1.0.0 will be tried" in device.restante("update", "back")
    device.restarted()
    said = device.settled("1.0.0 kept")
    assert "1.0.0 in slot a" in said and "/etc/restante/newer" in said
    device.unharmed()


def test_firmware_that_does_not_come_to_serve_at_five_starts_is_left_for_the_other(device):
    """It was kept once; now it is as if its card had gone bad, or each start had ended in a panic."""
    box = device.box
    assert "1.0.0 in slot a" in device.restante("update", "status")
    # Four such starts are behind it.
    box.shell("/usr/lib/restante/slot set tries=4")
    box.cut()
    box.start()
    until(lambda: box.running() and box.writes() > 0, "GRUB to count a start", 120)
    box.cut(keep=1.0)
    box.start().serving()
    assert "2.0.0 in slot b" in device.restante("update", "status")
    device.unharmed()
