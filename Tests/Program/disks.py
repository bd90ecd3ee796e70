"""Small disks of our own: ext4 in a file, mounted for one test, that can be filled and have its plug pulled."""

import fcntl
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile

import pytest

EXT4_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2
"""linux/fs/ext4/ext4.h: at once and without writing anything, as when the power goes."""


class Disk:
    """A context manager. Skips the test, loudly, where file systems cannot be mounted."""

    def __init__(self, path, megabytes):
        self.path = pathlib.Path(path)
        self.megabytes = megabytes
        self.mounted = False

    def __enter__(self):
        if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
            pytest.skip("NOT TESTED: needs root and mkfs.ext4 to mount a file system of its own")
        self.path.mkdir(parents=True)
        # In memory where there is room: the flushes of the disk under test then cost no real disk's time.
        shm = pathlib.Path("/dev/shm")
        place = shm if shm.is_dir() and shutil.disk_usage(shm).free > self.megabytes << 21 else self.path.parent
        descriptor, name = tempfile.mkstemp(prefix="restante-disk.", dir=place)
        self.image = pathlib.Path(name)
        os.truncate(descriptor, self.megabytes << 20)
        os.close(descriptor)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", self.image], check=True)
        done = self.mount()
        if done.returncode != 0:
            self.image.unlink()
            pytest.skip(f"NOT TESTED: cannot mount a file system of its own: {done.stderr!r}")
        return self

    def mount(self):
        done = subprocess.run(["mount", "-o", "loop", self.image, self.path], stderr=subprocess.PIPE)
        self.mounted = done.returncode == 0
        return done

    def __exit__(self, *_):
        if self.mounted:
            done = subprocess.run(["umount", self.path], stderr=subprocess.PIPE)
            if done.returncode != 0:
                subprocess.run(["umount", "-l", self.path], check=True)
        self.image.unlink(missing_ok=True)

    def pull_the_plug(self):
        """From now on nothing is written, and every write and flush fails."""
        directory = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(directory, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        except OSError as error:
            pytest.skip(f"NOT TESTED: this kernel's ext4 cannot be shut down: {error}")
        finally:
            os.close(directory)

    def plug_in(self):
        """The same disk after the power cut: what was only in the cache is gone. Nobody may have it open."""
        subprocess.run(["umount", self.path], check=True)
        done = self.mount()
        assert done.returncode == 0, done.stderr

    def free(self):
        status = os.statvfs(self.path)
        return status.f_bavail * status.f_frsize

    def total(self):
        status = os.statvfs(self.path)
        return status.f_blocks * status.f_frsize

    def fill(self, leave=0):
        """Writes a ballast until only `leave` octets are free; returns the ballast's path."""
        ballast = self.path / "ballast"
        with open(ballast, "ab", buffering=0) as file:
            for block in (1 << 20, 1 << 16, 1 << 12, 512, 1):
                while leave == 0 or self.free() - leave >= block:
                    try:
                        file.write(b"\xff" * block)
                    except OSError:
                        break
        os.sync()
        return ballast
