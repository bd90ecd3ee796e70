"""Whatever hangs or dies, the device serves again by itself, within the time that its watchdogs give it. How long each
took is shown at the end of the run."""

import base64
import subprocess
import time

import pytest

import letters
from conftest import ARCH
from waiting import until

UNIT = "restante.service"


@pytest.fixture(scope="module")
def wedge(tmp_path_factory):
    """A program that holds all threads of a process but its first: gzip, in base64."""
    program = tmp_path_factory.mktemp("wedge") / "wedge"
    source = __file__.replace("test_watchdog.py", "wedge.c")
    subprocess.run(["gcc", "-Os", "-s", "-static", "-Wall", "-Wextra", "-Werror", "-o", program, source], check=True)
    return base64.b64encode(subprocess.run(["gzip", "-9c", program], check=True, stdout=subprocess.PIPE).stdout).decode()


@pytest.fixture(scope="module")
def boxes(make_shared_box, office_card):
    """Two devices, so that what takes a minute of waiting is waited for once."""
    made = [make_shared_box(office_card).start() for _ in range(2)]
    for box in made:
        box.serving()
        box.deliver(letters.letter(b"before\r\n"))
        box.delivered = 1
    return made


def pid(box):
    return box.property(UNIT, "MainPID")


def recovered(box, since, seconds=300):
    """Waits until it serves; returns how long it took since that monotonic time. It has all mail, and takes more."""
    box.serving(seconds)
    duration = time.monotonic() - since
    box.deliver(letters.letter(b"after\r\n"))
    box.delivered += 1
    return duration


@pytest.mark.board
def test_a_killed_daemon_serves_again_at_once(boxes, took):
    for box in boxes:
        old = pid(box)
        # Timed by the device itself: the shell that is told to kill takes its time, too.
        box.shell(f"kill -9 {old}")
        began = time.monotonic()
        took("kill -9 of the daemon to serving", recovered(box, began))
        assert pid(box) != old
        assert box.property(UNIT, "NRestarts") == "1"


@pytest.fixture(scope="module")
def hung(boxes, wedge):
    """One device's daemon stopped as a whole, the other's committer (and what else is no event loop) held still."""
    stopped, wedged = boxes
    old = pid(stopped), pid(wedged)
    wedged.shell(f"echo {wedge} | busybox base64 -d | busybox gzip -d >/run/wedge && chmod 755 /run/wedge")
    stopped.shell(f"kill -STOP {old[0]}")
    stopped.since = time.monotonic()
    said = wedged.shell(f"(/run/wedge {old[1]} >/run/wedge.said 2>&1 &) ; "
                        "n=0; while [ ! -s /run/wedge.said ] && [ $n -lt 100 ]; do n=$((n+1)); sleep 0.1; done; "
                        "cat /run/wedge.said")
    wedged.since = time.monotonic()
    assert "held" in said, said
    return old


def test_a_daemon_whose_loop_stands_still_is_started_anew(boxes, hung, took):
    box = boxes[0]
    assert box.greeting("smtp") is None, "it was not stopped"
    took("the daemon's loop stopped, to serving", recovered(box, box.since))
    assert pid(box) != hung[0]
    assert "watchdog" in box.journal("-u", UNIT).lower()


def test_a_daemon_whose_committer_is_wedged_is_started_anew(boxes, hung, took):
    box = boxes[1]
    until(lambda: pid(box) not in (hung[1], "0"), "another daemon", 300)
    took("the daemon's committer wedged, to serving", recovered(box, box.since))


@pytest.mark.board
def test_a_hung_first_process_ends_in_a_device_that_serves(boxes, took):
    """Frozen as by a fault of its own: nothing feeds the hardware's watchdog."""
    box = boxes[0]
    before = box.qmp.count()
    box.shell("echo 1 >/sys/fs/cgroup/init.scope/cgroup.freeze")
    since = time.monotonic()
    # Debian's kernel for armhf has no driver for QEMU's watchdog: there it is the kernel's own.
    if ARCH != "armhf":
        box.qmp.wait("WATCHDOG", before, 300)
    box.resets(before, 300)
    took("the first process frozen, to serving", recovered(box, since))


@pytest.mark.board
@pytest.mark.parametrize("name, fault", [("kernel panic", "echo c >/proc/sysrq-trigger"),
                                         ("the first process crashed", "kill -SEGV 1")])
def test_a_crash_of_the_system_ends_in_a_device_that_serves(boxes, took, name, fault):
    box = boxes[1]
    before = box.qmp.count()
    box.shell(f"(sleep 0.2; {fault}) >/dev/null 2>&1 &")
    since = time.monotonic()
    box.resets(before, 300)
    took(f"{name}, to serving", recovered(box, since))


@pytest.mark.board
def test_after_all_that_no_mail_is_lost(boxes):
    """What was taken before each fault is there."""
    for box in boxes:
        assert f"{box.delivered} messages" in box.shell("restante mail list anna")
        assert box.shell("systemctl --failed --no-legend --plain") == ""
