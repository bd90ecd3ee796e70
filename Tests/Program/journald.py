"""A journal of our own: systemd-journald in a private mount namespace, and what it has kept."""

import json
import os
import pathlib
import signal
import socket
import subprocess

import pytest

import office as offices
from waiting import until

JOURNALD = "/lib/systemd/systemd-journald"
CATALOG = offices.REPOSITORY / "systemd" / "restante.catalog"


class Journald:
    """Holds its files below `where`; nothing of the machine's own journal is seen or touched."""

    def __init__(self, where):
        self.where = pathlib.Path(where)
        self.catalog = self.where / "catalog"
        for directory in ("run/systemd/journal", "run/systemd/journald.conf.d", "run/log/journal", "catalog/database",
                          "catalog/root/usr/lib/systemd/catalog", "catalog/root/var/lib/systemd/catalog"):
            (self.where / directory).mkdir(parents=True)
        # Neither the kernel's lines nor a limit belong to the test.
        (self.where / "run/systemd/journald.conf.d/test.conf").write_text(
            "[Journal]\nStorage=volatile\nReadKMsg=no\nForwardToSyslog=no\nRateLimitIntervalSec=0\n")
        script = f"mount --make-rprivate / && mount --bind {self.where}/run /run && exec {JOURNALD}"
        self.process = subprocess.Popen(["unshare", "--mount", "sh", "-c", script], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            until(lambda: (self.where / "run/systemd/journal/stdout").exists() or self.process.poll() is not None,
                  "journald to listen")
            if self.process.poll() is not None:
                said = self.process.stdout.read()
                pytest.skip(f"NOT TESTED: systemd-journald does not run in a namespace of its own here: {said!r}")
        except BaseException:
            self.close()
            raise

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        self.process.wait(20)
        self.process.stdout.close()

    # An office whose standard error is this journal

    def stream(self):
        """A connection such as the service manager makes it for a service (sd_journal_stream_fd(3))."""
        stream = socket.socket(socket.AF_UNIX)
        stream.connect(str(self.where / "run/systemd/journal/stdout"))
        stream.sendall(b"restante\n\n6\n1\n0\n0\n0\n")
        return stream

    def spawn(self, office):
        """Starts an office's daemon in this journal's namespace, without waiting for it."""
        with self.stream() as stream:
            status = os.fstat(stream.fileno())
            variables = offices.environment(JOURNAL_STREAM=f"{status.st_dev}:{status.st_ino}", **office.variables)
            office.process = subprocess.Popen(
                ["nsenter", f"--mount=/proc/{self.process.pid}/ns/mnt", "--", offices.PROGRAM, "serve", "--config",
                 str(office.config)], stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env=variables)
        office.killed = False
        return office.process

    def start(self, office):
        self.spawn(office)
        until(office.greets, "both ports to greet")
        return office

    # What it has

    def journalctl(self, *options):
        done = subprocess.run(["journalctl", "-D", str(self.where / "run/log/journal"), "--no-pager", "-q", *options],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                              env=offices.environment(SYSTEMD_PAGER=""))
        return done.stdout

    def entries(self, **match):
        """What the program has written, as dictionaries of fields; those whose fields are as `match` has them."""
        every = (json.loads(line) for line in self.journalctl("-o", "json", "_COMM=restante").splitlines())
        return [entry for entry in every if all(entry.get(name) == value for name, value in match.items())]

    def entry(self, beginning, **match):
        """The one entry with this beginning; waits for it."""
        def find():
            return [entry for entry in self.entries(**match) if entry["MESSAGE"].startswith(beginning)]
        found = until(find, f"an entry that begins with {beginning!r} in {[e['MESSAGE'] for e in self.entries()]}")
        assert len(found) == 1, found
        return found[0]

    def freeze(self):
        """From now on the journal hangs: nobody reads its socket."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)
