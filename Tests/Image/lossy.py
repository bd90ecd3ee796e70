"""A disk that loses what was not flushed when the power goes.

`kill -9` of QEMU alone keeps what the guest handed to the virtual disk: the host's page cache has it. So nbdkit serves
the card and keeps writes to itself until there is a flush; the two are killed together.
"""

import os
import pathlib
import random
import signal
import subprocess
import time

from waiting import until


class LossyDisk:
    def __init__(self, path, where):
        """`path` is the card's file, `where` a directory for the socket."""
        self.path = pathlib.Path(path)
        self.socket = pathlib.Path(where) / "nbd"
        self.socket.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            ["nbdkit", "--foreground", "--exit-with-parent", "--unix", str(self.socket), "--filter=cache", "file",
             str(self.path), "cache=writeback"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**os.environ, "TMPDIR": str(where)})
        until(self.listens, "nbdkit to listen")

    def listens(self):
        assert self.process.poll() is None, self.process.stderr.read()
        return self.socket.exists()

    @property
    def blockdev(self):
        return f"driver=nbd,server.type=unix,server.path={self.socket}"

    def stop(self):
        """The power is gone, as far as this disk is concerned; what it does with its cache comes next."""
        self.process.send_signal(signal.SIGSTOP)

    def stop_in_flight(self, tries=40):
        """The same, at an instant when something is written and not flushed yet, if there is one among so many. Flushes
        follow writes so soon that most instants would show nothing."""
        for _ in range(tries):
            self.stop()
            with open(self.path, "rb") as card:
                if next(self.unflushed(card), None):
                    return
            self.process.send_signal(signal.SIGCONT)
            # Any instant is as good as any other.
            time.sleep(0.01 * random.random())
        self.stop()

    def cut(self, keep=0.0, chance=random):
        """The power goes. Of what was not flushed each block has the probability `keep` to be on the card all the same:
        a disk may write what it likes, in the order it likes. Returns how many blocks were lost, and how many kept."""
        self.stop()
        lost = kept = 0
        with open(self.path, "r+b") as card:
            for offset, block in self.unflushed(card):
                if chance.random() < keep:
                    card.seek(offset)
                    card.write(block)
                    kept += 1
                else:
                    lost += 1
        self.kill()
        return lost, kept

    def unflushed(self, card):
        """The blocks in nbdkit's cache that are not what the card has: a generator of (offset, octets)."""
        directory = pathlib.Path(f"/proc/{self.process.pid}/fd")
        for name in os.listdir(directory):
            target = os.readlink(directory / name)
            if target.endswith("(deleted)") and str(self.socket.parent) in target:
                break
        else:
            raise AssertionError("nbdkit has no cache")
        descriptor = os.open(directory / name, os.O_RDONLY)
        try:
            size = self.path.stat().st_size
            offset = 0
            while offset < size:
                try:
                    offset = os.lseek(descriptor, offset, os.SEEK_DATA)
                except OSError:
                    return
                end = os.lseek(descriptor, offset, os.SEEK_HOLE)
                while offset < min(end, size):
                    octets = min(4096, end - offset, size - offset)
                    cached = os.pread(descriptor, octets, offset)
                    card.seek(offset)
                    if card.read(octets) != cached:
                        yield offset, cached
                    offset += octets
        finally:
            os.close(descriptor)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()
