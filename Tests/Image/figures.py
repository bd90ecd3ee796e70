#!/usr/bin/python3 -B
"""Measures the appliance's figures: Tests/Image/figures.py [ROW...], or `make bench-image`.

Every row boots the image in QEMU, as the tests do, and prints what it found beside what is asked; the QEMU line is printed
once. RUNS= is how often each is measured (5; the median counts), MINUTES= how long an idle device is watched (60).
"""

import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Program")]

import acceleration
import talk
from box import Box, image
from card import DATA, Card
from office import DOMAIN, REPOSITORY, address
from waiting import until

KB, MB, MIB = 1000, 1000 * 1000, 1 << 20
RUNS = int(os.environ.get("RUNS", "5"))
MINUTES = float(os.environ.get("MINUTES", "60"))
ARCH = os.environ.get("ARCH", "amd64")

# 25 MB, as the device's own limit counts them, but for what it adds itself.
LARGE = b"Subject: 25 MB\r\n\r\n" + (b"x" * 76 + b"\r\n") * (25 * MB // 78)


def small():
    """The image with the small kernel."""
    return image(ARCH).with_name(f"restante-{ARCH}-small.img")


class Unfit(Exception):
    """The device did not do what it must in so little memory."""


# MARK: sizes

def on_card():
    """What is on the card but for the data partition."""
    table = Card.partitions(Plain(image(ARCH)))
    return sum(octets for name, (_, octets) in table.items() if name != DATA) / MB


class Plain:
    """An image as it lies there, to look at its partitions."""

    def __init__(self, path):
        self.path = path


def compressed():
    """As it is offered for download; zeros cost nothing then."""
    done = subprocess.run(["xz", "-T2", "-6", "-c", image(ARCH)], stdout=subprocess.PIPE, check=True)
    return len(done.stdout) / MB


# MARK: memory

def account(box):
    box.add("anna", "anna-secret")


def exercise(source, memory):
    """Boots it, has it test itself, gives it 25 MB; says how much was available after the boot, in MiB."""
    with Box(source=source, arch=ARCH, memory=memory) as box:
        box.card.etc("restante/restante.conf.d/50-figures.conf", f"[Device]\nDomains={DOMAIN}\n")
        box.start()
        deadline = time.monotonic() + 420

        def alive():
            if box.qmp.seen("RESET") or b"Out of memory" in box.said() or b"Kernel panic" in box.said():
                raise Unfit("the kernel gave up: " + box.said()[-200:].decode(errors="replace"))
            if time.monotonic() > deadline:
                raise Unfit("seven minutes were not enough")
            return box.running()

        until(lambda: alive() and (box.greeting("smtp") or b"").startswith(b"220"), "SMTP to greet", 430)
        until(lambda: alive() and (box.greeting("pop3") or b"").startswith(b"+OK"), "POP3 to greet", 430)
        settled(box)
        available = meminfo(box, "MemAvailable")
        account(box)
        said = box.shell("restante self-test", code=None, seconds=180)
        if "FAIL" in said:
            raise Unfit("self-test: " + "; ".join(line for line in said.splitlines() if "FAIL" in line))
        with box.smtp(timeout=300) as sender:
            sender.deliver(LARGE, address("anna"))
            sender.quit()
        killed = box.shell("dmesg | grep -ci 'out of memory\\|oom-kill\\|page allocation failure' || true")
        if killed != "0":
            raise Unfit(f"{killed} lines of the kernel's on memory that ran out")
        failed = box.shell("systemctl --failed --no-legend --plain | cut -d' ' -f1")
        if failed:
            raise Unfit("failed: " + failed.replace("\n", " "))
        return available


def settled(box):
    until(lambda: box.shell("systemctl is-system-running || true", code=None) in ("running", "degraded"),
          "the device to have started all it has", 300)


def meminfo(box, key):
    return int(box.shell(f"sed -n 's/^{key}: *\\([0-9]*\\).*/\\1/p' /proc/meminfo")) / 1024


def floor(source, sizes):
    """The smallest of `sizes` in which all is well; they are tried downwards until one is too small."""
    smallest = None
    for size in sizes:
        try:
            available = exercise(source, size)
            print(f"  {size} MiB: ok, {available:.1f} MiB available after the boot", flush=True)
            smallest = size
        except (Unfit, AssertionError, OSError, talk.Closed) as why:
            print(f"  {size} MiB: {type(why).__name__}: {str(why)[-300:]}", flush=True)
            break
    return smallest or float("inf")


def floor_debian():
    return floor(image(ARCH), sizes("128 112 104 96 92 88 84 80 76 72 64"))


def floor_small():
    return floor(small(), sizes("64 60 56 52 48 46 44 42 40 36 32"))


def sizes(default):
    return [int(word) for word in os.environ.get("SIZES", default).split()]


# Nothing of the test's own takes memory while the device starts; when it has, one program says what is left.
TELL = """[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/usr/bin/cat /proc/meminfo
StandardOutput=file:/dev/{tty}
"""
WHEN = """[Timer]
OnBootSec=2min
Unit=tell.service
"""


def available():
    found = []
    for _ in range(RUNS):
        with Box(source=image(ARCH), arch=ARCH, memory=128, shell=False) as box:
            box.card.etc("systemd/system/tell.service", TELL.format(tty=box.second_tty))
            box.card.enable("tell.timer", WHEN, "timers.target")
            box.start().serving()
            said = until(lambda: box.running() and re.search(rb"MemAvailable: +(\d+) kB", bytes(box.second.said)),
                         "the memory to be told", 400)
            found.append(int(said[1]) / 1024)
    return median(found, "MiB available")


# MARK: times

# What takes the program's place: it greets on the ports it is given, and that is all. Other uses of the program's name
# (the console, what makes an identity) do nothing, at once or for ever.
IDLE = r"""
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <stddef.h>
#include <unistd.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

static void say(const char *text) {
  const char *path = getenv("NOTIFY_SOCKET");
  struct sockaddr_un to = { .sun_family = AF_UNIX };
  if (!path) return;
  strncpy(to.sun_path, path, sizeof to.sun_path - 1);
  socklen_t length = offsetof(struct sockaddr_un, sun_path) + strlen(path);
  if (to.sun_path[0] == '@') to.sun_path[0] = 0;
  sendto(socket(AF_UNIX, SOCK_DGRAM, 0), text, strlen(text), 0, (struct sockaddr *)&to, length);
}

int main(int count, char **words) {
  if (count < 2 || strcmp(words[1], "serve")) {
    if (count > 1 && !strcmp(words[1], "console")) for (;;) pause();
    return 0;
  }
  int n = getenv("LISTEN_FDS") ? atoi(getenv("LISTEN_FDS")) : 0;
  const char *name = getenv("LISTEN_FDNAMES");
  struct pollfd ports[8];
  const char *greetings[8];
  for (int i = 0; i < n && i < 8; i++) {
    ports[i] = (struct pollfd){ .fd = 3 + i, .events = POLLIN };
    greetings[i] = name && strncmp(name, "pop3", 4) == 0 ? "+OK idle\r\n" : "220 idle\r\n";
    if (name && (name = strchr(name, ':'))) name++;
  }
  say("READY=1");
  for (;;) {
    int got = poll(ports, n, 10000);
    say("WATCHDOG=1");
    for (int i = 0; got > 0 && i < n; i++) {
      if (!(ports[i].revents & POLLIN)) continue;
      int connection = accept(ports[i].fd, 0, 0);
      if (write(connection, greetings[i], strlen(greetings[i])) < 0) continue;
      close(connection);
    }
  }
}
"""


def idle_image(directory):
    """The same image, but for the program."""
    copy = directory / "idle.img"
    subprocess.run(["cp", "--sparse=always", image(ARCH), copy], check=True)
    card = Card.__new__(Card)
    card.path = copy
    (directory / "idle.c").write_text(IDLE)
    subprocess.run(["gcc", "-static", "-Os", "-Wall", "-s", "-o", directory / "idle", directory / "idle.c"], check=True)
    squashed = directory / "root.squashfs"
    squashed.write_bytes(card.read("restante-root-a"))
    subprocess.run(["unsquashfs", "-q", "-n", "-d", directory / "root", squashed], check=True)
    shutil.copy(directory / "idle", directory / "root/usr/bin/restante")
    squashed.unlink()
    subprocess.run(["mksquashfs", directory / "root", squashed, "-quiet", "-no-progress", "-comp", "zstd",
                    "-Xcompression-level", "19", "-b", "32K", "-all-root", "-no-xattrs", "-no-exports"], check=True)
    card.write("restante-root-a", squashed.read_bytes())
    shutil.rmtree(directory / "root")
    return copy


def start_to_answer(box):
    """Seconds from the kernel's start until both ports have greeted. The kernel's own clock tells when it started."""
    box.start()
    box.serving(400)
    answered = time.monotonic()
    best = None
    for _ in range(5):
        asked = time.monotonic()
        up = float(box.shell("cut -d' ' -f1 /proc/uptime"))
        took = time.monotonic() - asked
        if best is None or took < best[0]:
            best = (took, asked + took / 2 - up)
    return answered - best[1]


def start():
    with tempfile.TemporaryDirectory() as directory:
        with Box(source=image(ARCH), arch=ARCH, memory=256) as ours, \
                Box(source=idle_image(pathlib.Path(directory)), arch=ARCH, memory=256) as idle:
            times = {ours: [], idle: []}
            # The first start makes an identity and grows the data partition: not counted.
            for run in range(RUNS + 1):
                for box in times:
                    seconds = start_to_answer(box)
                    settled(box)
                    box.shell("sync")
                    box.cut()
                    if run:
                        times[box].append(seconds)
            ratios = sorted(a / b for a, b in zip(times[ours], times[idle]))
            print(f"  ours {statistics.median(times[ours]):.1f} s, idle {statistics.median(times[idle]):.1f} s; "
                  f"ratios {ratios[0]:.2f} to {ratios[-1]:.2f}")
            return statistics.median(times[ours]) / statistics.median(times[idle])


def restart():
    with Box(source=image(ARCH), arch=ARCH, memory=256) as box:
        box.start().serving()
        settled(box)
        found = []
        for _ in range(RUNS):
            pid = box.property("restante.service", "MainPID")
            box.shell(f"kill -9 {pid}")
            began = time.monotonic()
            until(lambda: (box.greeting("smtp") or b"").startswith(b"220"), "SMTP to greet", 60)
            found.append(time.monotonic() - began)
            until(lambda: box.property("restante.service", "MainPID") not in (pid, "0"), "another process", 60)
            until(lambda: box.property("restante.service", "ActiveState") == "active", "the service to be up", 60)
        return median(found, "s")


# MARK: wear

def written(box):
    """Octets written to the data partition since the boot."""
    device = box.shell("sed -n 's| /var .*||p' /proc/mounts")
    name = re.search(r"[a-z0-9]+$", device.splitlines()[-1])[0]
    return int(box.shell(f"cat /sys/class/block/{name}/stat").split()[6]) * 512


def idle_writes():
    with Box(source=image(ARCH), arch=ARCH, memory=256) as box:
        box.start().serving()
        account(box)
        settled(box)
        # What the first boot still has to write is not idle.
        box.shell("sync")
        time.sleep(float(os.environ.get("SETTLE", "180")))
        box.shell("sync")
        before = written(box)
        time.sleep(MINUTES * 60)
        box.shell("sync")
        octets = written(box) - before
        print(f"  {octets / KB:.0f} kB in {MINUTES:g} minutes")
        return octets / KB * 60 / MINUTES


def median(found, unit):
    print("  " + ", ".join(f"{value:.2f}" for value in sorted(found)) + f" {unit}")
    return statistics.median(found)


ROWS = {
    "compressed": ("image file, compressed (xz)", "at most", 64, "MB", compressed),
    "card": ("on the card without data", "at most", 96, "MB", on_card),
    "floor-debian": ("memory that it needs, Debian's kernel", "at most", 96, "MiB", floor_debian),
    "floor-small": ("memory that it needs, small kernel", "at most", 56, "MiB", floor_small),
    "available": ("available after boot in 128 MiB, Debian's kernel", "at least", 55, "MiB", available),
    "start": ("kernel to ports answering, against an idle service", "at most", 1.15, "", start),
    "restart": ("kill -9 of the daemon to serving", "at most", 1, "s", restart),
    "idle": ("written to the data partition in an idle hour", "at most", 256, "kB", idle_writes),
}


def main(names):
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        sys.exit(f"no such row: {' '.join(unknown)}; there are: {' '.join(ROWS)}")
    with Box(source=image(ARCH), arch=ARCH) as box:
        (box.where / "card").unlink(missing_ok=True)
        print("QEMU: " + " ".join(str(word) for word in box.command()).replace(str(box.where) + "/", ""))
    print("KVM" if ARCH == "amd64" and acceleration.kvm() else "emulated", flush=True)
    missed = 0
    for name in names or ROWS:
        what, direction, goal, unit, measure = ROWS[name]
        value = measure()
        met = value <= goal if direction == "at most" else value >= goal
        missed += not met
        print(f"{name:14} {what}: {value:.4g} {unit} ({direction} {goal}{'' if met else ': MISSED'})", flush=True)
    print(f"200 power cuts: make powercut ROUNDS=200 (of {REPOSITORY.name})" if not names else "")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
