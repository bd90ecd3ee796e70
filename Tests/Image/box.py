"""The device in QEMU: its card, its power, its serial line, its ports.

    with Box() as box:
        box.start().serving()
        box.shell("cat /proc/uptime")

The card is a copy, larger than the image. Nothing of what ships is changed; what a test wants beforehand is written to
the data partition, where it would have come to be on a device in use. One of these things is a shell on a second serial
port, which the device in QEMU has and which nothing else looks at.
"""

import base64
import ctypes
import itertools
import os
import pathlib
import re
import shutil
import signal
import subprocess

import acceleration
import talk
from card import Card, place
from line import Line
from lossy import LossyDisk
from office import REPOSITORY, address, free_port
from qmp import QMP
from waiting import until

PORTS = {"smtp": 25, "smtps": 465, "pop3": 110, "pop3s": 995}

# Flushes take no time, but on a disk that may lose what was not flushed.
CACHE = "cache.direct=off,cache.no-flush="

QEMU = {
    "amd64": ["qemu-system-x86_64", "-machine", "pc", "-device", "virtio-rng-pci"],
    "arm64": ["qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a57", "-device", "virtio-rng-pci"],
    "armhf": ["qemu-system-arm", "-machine", "virt,highmem=off", "-cpu", "cortex-a15", "-device", "virtio-rng-pci"],
}
# What each board may start by; the first is what it starts by when a test does not say.
FIRMWARE = {
    "amd64": {"bios": None, "uefi": "/usr/share/OVMF/OVMF_CODE.fd"},
    "arm64": {"u-boot": "/usr/lib/u-boot/qemu_arm64/u-boot.bin", "uefi": "/usr/share/AAVMF/AAVMF_CODE.fd"},
    "armhf": {"u-boot": "/usr/lib/u-boot/qemu_arm/u-boot.bin", "uefi": "/usr/share/AAVMF/AAVMF32_CODE.fd"},
}
# What the kernel finds fault with in QEMU's boards.
REMARKS = ("Early cacheinfo failed", "Spectre v2: firmware did not set", "cpu@0 missing clock-frequency property")

SHELL = r"""[Unit]
Description=A shell for the tests
DefaultDependencies=no
[Service]
ExecStart=/bin/sh /etc/test-shell
StandardInput=tty-force
StandardOutput=tty
StandardError=journal
TTYPath=/dev/{tty}
Restart=always
RestartSec=0
IgnoreSIGPIPE=no
KillMode=process
OOMScoreAdjust=-900
"""
# One line in: a word and a script, in base64. One line out: the word, the exit code and what the script said.
SCRIPT = r"""stty raw -echo
echo ready
mkdir -p /run/test-shell
while read -r word script; do
  echo "$script" | busybox base64 -d >/run/test-shell/script
  sh /run/test-shell/script </dev/null >/run/test-shell/said 2>&1
  echo "$word $? $(busybox base64 -w 0 /run/test-shell/said)"
done
"""

numbers = itertools.count(1)


def image(arch="amd64"):
    """What is tested: build/image/restante-ARCH.img, or the file that RESTANTE_IMAGE names."""
    return pathlib.Path(os.environ.get("RESTANTE_IMAGE") or REPOSITORY / "build" / "image" / f"restante-{arch}.img")


def die_with_parent():
    """For the child, between fork and exec: no machine outlives the tests. (The thread that starts it must live on.)"""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def connected(make, *arguments, **options):
    try:
        return make(*arguments, **options)
    except ConnectionRefusedError:
        return None


class Box:
    """`card` is another box's Card, to begin with what that one has; the rest is hardware. `rtc` is what the board's
    clock says when it is switched on, as 2026-11-21T12:00:00 (UTC). `stick` is a file for a USB stick, which takes no more
    than `stick_pace` octets a second. `wire` are two ports of 127.0.0.1 between which the frames of a second network card
    go, each in a datagram: the device's and the test's."""

    def __init__(self, card=None, arch="amd64", memory=256, size=1 << 30, lossy=False, rtc=None, watchdog=True,
                 firmware=None, stick=None, stick_pace=None, network=True, baud=None, shell=True, accelerator=None, processors=1,
                 source=None, wire=None):
        self.arch, self.memory, self.rtc, self.watchdog, self.stick = arch, memory, rtc, watchdog, stick
        self.firmware = firmware or next(iter(FIRMWARE[arch]))
        self.lossy, self.network, self.baud, self.processors = lossy, network, baud, processors
        self.wire, self.stick_pace = wire, stick_pace
        self.accelerator = accelerator or ("kvm" if arch == "amd64" and acceleration.kvm() else "tcg")
        self.where = place(2 * size)
        self.name = f"box{next(numbers)}"
        self.card = Card(self.where / "card", card.path if card else source or image(arch), None if card else size)
        # What the device calls the second serial line.
        self.second_tty = "ttyS1" if arch == "amd64" else "ttyS0"
        if shell and not card:
            self.card.etc("test-shell", SCRIPT)
            self.card.enable("test-shell.service", SHELL.format(tty=self.second_tty), "sysinit.target")
        self.has_shell = shell
        self.ports = {name: free_port() for name in PORTS}
        self.smtp_port, self.smtps_port, self.pop3_port, self.pop3s_port = self.ports.values()
        self.process = self.disk = self.qmp = self.serial = self.second = None
        self.transcript = b""
        self.shell_ready = False
        self.power_ons = 0

    # Power

    def start(self):
        """Switches it on."""
        assert self.process is None, "it is on"
        for name in ("qmp", "serial", "second"):
            (self.where / name).unlink(missing_ok=True)
        self.power_ons += 1
        self.disk = LossyDisk(self.card.path, self.where) if self.lossy else None
        with open(self.where / "qemu.log", "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=die_with_parent)
        until(lambda: self.running() and all((self.where / name).exists() for name in ("qmp", "serial", "second")),
              "QEMU to start")
        self.serial = self.second = None
        # A socket is there a moment before somebody listens at it.
        self.qmp = until(lambda: self.running() and connected(QMP, self.where / "qmp"), "QEMU to listen")
        self.serial = until(lambda: connected(Line, self.where / "serial", baud=self.baud), "QEMU to listen")
        self.second = until(lambda: connected(Line, self.where / "second"), "QEMU to listen")
        self.shell_ready = False
        # It waits for the two lines, so that nothing is said before there is somebody to hear it.
        self.qmp.command("cont")
        return self

    def command(self):
        """The QEMU line."""
        emulated = ["-accel", "kvm", "-cpu", "host"] if self.accelerator == "kvm" else \
            ["-accel", "tcg,tb-size=256"]
        command = [*QEMU[self.arch], *emulated, "-m", str(self.memory), "-smp", str(self.processors), "-nodefaults",
                   "-display", "none", "-S", "-no-user-config",
                   "-chardev", f"socket,id=serial,path={self.where}/serial,server=on,wait=off",
                   "-serial", "chardev:serial",
                   "-chardev", f"socket,id=second,path={self.where}/second,server=on,wait=off",
                   *(["-serial", "chardev:second"] if self.arch == "amd64" else
                     ["-device", "pci-serial,chardev=second"]),
                   "-qmp", f"unix:{self.where}/qmp,server=on,wait=off"]
        disk = f"{self.disk.blockdev},{CACHE}off" if self.lossy else \
            f"driver=file,filename={self.card.path},{CACHE}on"
        command += ["-blockdev", f"node-name=card,{disk}", "-device", "virtio-blk-pci,drive=card"]
        code = FIRMWARE[self.arch][self.firmware]
        if self.firmware == "uefi":
            settings = self.where / "firmware"
            if not settings.exists():
                shutil.copy(code.replace("CODE", "VARS"), settings)
            command += ["-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={code}",
                        "-drive", f"if=pflash,unit=1,format=raw,file={settings}"]
        elif code:
            command += ["-bios", code]
        if self.network:
            forwards = "".join(f",hostfwd=tcp:127.0.0.1:{self.ports[name]}-:{PORTS[name]}" for name in PORTS)
            command += ["-netdev", f"user,id=net,restrict=on{forwards}", "-device", "virtio-net-pci,netdev=net"]
        if self.wire:
            ends = [f"{end}.type=inet,{end}.host=127.0.0.1,{end}.port={port}" for end, port in zip(("local", "remote"), self.wire)]
            command += ["-netdev", f"dgram,id=wire,{','.join(ends)}", "-device", "virtio-net-pci,netdev=wire"]
        if self.watchdog:
            command += ["-device", "i6300esb", "-action", "watchdog=reset"]
        if self.stick:
            file = f"driver=file,filename={self.stick}"
            if self.stick_pace:
                command += ["-object", f"throttle-group,id=pace,x-bps-total={self.stick_pace}"]
                file = f"driver=throttle,throttle-group=pace,file.driver=file,file.filename={self.stick}"
            command += ["-device", "qemu-xhci", "-blockdev", f"node-name=stick,{file}", "-device", "usb-storage,drive=stick"]
        if self.rtc:
            command += ["-rtc", f"base={self.rtc}"]
        return command

    def running(self):
        if self.process.poll() is not None:
            raise AssertionError(f"QEMU ended with {self.process.returncode}: {self.log('qemu.log')}")
        return True

    def log(self, name):
        file = self.where / name
        return file.read_text(errors="replace")[-3000:] if file.exists() else ""

    def cut(self, keep=0.0, **options):
        """The plug is pulled. On a lossy disk, what was not flushed is lost but for a part `keep` of it."""
        if self.disk:
            # The disk first, so that it takes nothing more; from here on the device hears no answer.
            self.disk.stop_in_flight()
        self.process.kill()
        self.process.wait()
        result = self.disk.cut(keep, **options) if self.disk else (0, 0)
        self.forget()
        return result

    def forget(self):
        self.transcript = self.said()
        for part in (self.qmp, self.serial, self.second):
            if part:
                part.close()
        self.process = self.disk = None

    def writes(self):
        """How often something was written to the card since it was switched on."""
        return sum(device["stats"]["wr_operations"] for device in self.qmp.command("query-blockstats"))

    def off(self, seconds=120):
        """Switched off as it ought to be; returns when the power may be cut."""
        before = self.qmp.count()
        self.shell("systemctl --no-block poweroff")
        return self.ended(before, seconds)

    def ended(self, since=0, seconds=120):
        """Waits for it to have switched itself off."""
        self.qmp.wait("SHUTDOWN", since, seconds)
        self.process.wait(30)
        if self.disk:
            self.disk.kill()
        self.forget()
        return self

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.disk:
            self.disk.kill()
        if self.process:
            self.forget()
        shutil.rmtree(self.where, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def said(self):
        """All that came over the first serial line since it was made."""
        return self.transcript + (bytes(self.serial.said) if self.process and self.serial else b"")

    # Its ports

    def greeting(self, name, seconds=10):
        """The first line a port says; None when nobody answers."""
        try:
            with talk.Connection(self.ports[name], timeout=seconds) as connection:
                return connection.line()
        except (OSError, talk.Closed):
            return None

    def serving(self, seconds=300):
        """Returns when SMTP and POP3 greet."""
        for name, word in (("smtp", b"220"), ("pop3", b"+OK")):
            until(lambda: self.running() and (self.greeting(name, 3) or b"").startswith(word),
                  f"{name} to greet; the serial line says: {self.said()[-3000:].decode(errors='replace')}", seconds)
        return self

    def smtp(self, **options):
        return talk.SMTP(self.smtp_port, **options)

    def pop3(self, name=None, password=None, **options):
        return talk.POP3(self.pop3_port, name.encode() if isinstance(name, str) else name, password, **options)

    def deliver(self, content, *recipients, **options):
        """One message in a session of its own, answered 250."""
        with self.smtp(timeout=60) as sender:
            sender.deliver(content, *(address(recipient) for recipient in recipients or ("anna",)), **options)
            sender.quit()

    # Within it

    def shell(self, script, code=0, seconds=120):
        """Runs a shell script as root; insists on the exit code unless it is None. Returns what it says."""
        if not self.shell_ready:
            # What is sent before the shell is up might be lost or echoed, so it says when it is.
            until(lambda: self.running() and b"ready" in self.second.said, "the shell on the second line", seconds)
            self.shell_ready = True
        word = f"{os.getpid()}.{next(numbers)}"
        self.second.send(f"{word} {base64.b64encode(script.encode()).decode()}\n")
        answer = re.compile(rb"%b (\d+) (\S*)\n" % re.escape(word.encode()))
        match = until(lambda: self.running() and answer.search(self.second.said), f"the end of: {script}", seconds)
        said = base64.b64decode(match[2]).decode(errors="replace").strip()
        assert code is None or int(match[1]) == code, f"{script}: exit code {int(match[1])}: {said[-3000:]}"
        return said

    def resets(self, since=0, seconds=180):
        """Waits for it to start anew by itself, power on all the while; `since` is `qmp.count()` from before the cause.
        Returns the monotonic time of it."""
        event = self.qmp.wait("RESET", since, seconds)
        # What the shell has said so far it said before; the next boot is seconds away.
        del self.second.said[:]
        self.second.read = 0
        self.shell_ready = False
        return event["seen"]

    def add(self, name, password=None):
        """An account, by the device's own command."""
        self.shell(f"restante account list | grep -qw {name} || "
                   f"echo {password or name + '-secret'} | restante account add {name} --password-stdin")

    def journal(self, *options):
        return self.shell("journalctl --no-pager -q " + " ".join(options))

    def troubles(self):
        """What it says that is not well: units that failed, errors in the journal."""
        until(lambda: self.shell("systemctl is-system-running", code=None) not in ("starting", "initializing"),
              "all units to have been started", 120)
        said = self.shell("systemctl --failed --no-legend --plain; journalctl -q -b -p err -o short-monotonic --no-pager")
        return "\n".join(line for line in said.splitlines() if not any(remark in line for remark in REMARKS))

    def property(self, unit, name):
        return self.shell(f"systemctl show -P {name} {unit}")

