"""A file system of our own on a loop device, so that what is written to the device can be counted."""

import os
import pathlib
import subprocess
import time

from workshop import Failure

IMAGE_SIZE = 2 << 30


class Device:
    """
    An ext4 file system on a file, mounted in the workshop; or, when that is not allowed here, a plain directory, on
    which nothing can be counted. Its file is written full first, so that no run pays for finding blocks on the host.

    The loop device uses direct I/O where the host's file system allows it, so a read after a fresh mount comes from
    the host's disk. A flush becomes an fsync of the file on the host, which flushes the host's disk: `append` with a
    batch of 1 made 1,700 a second here on a loop device with direct I/O or without, 5,000 in a plain directory.
    """

    def __init__(self, workshop, plain=False):
        self._workshop = workshop
        self.path = workshop.path / "disk"
        self.path.mkdir()
        self._image = workshop.path / "disk.img"
        self._loop = None
        self.described = "a plain directory: bytes written to the device are not counted"
        if plain or os.geteuid() != 0 or not pathlib.Path("/dev/loop-control").exists():
            return
        try:
            self._write_image()
            self.renew()  # tries whether it can be done at all
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            self.described = f"a plain directory (no loop device here: {said.strip()}): bytes written are not counted"
            self._image.unlink(missing_ok=True)

    @property
    def counts(self):
        """Whether `written` means anything."""
        return self._loop is not None

    def _write_image(self):
        block = bytes(4 << 20)
        with open(self._image, "wb") as file:
            for _ in range(IMAGE_SIZE // len(block)):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        self._workshop.at_exit(self.unmount)

    def _run(self, *words):
        return subprocess.run([str(w) for w in words], check=True, capture_output=True, text=True, timeout=120).stdout

    def renew(self):
        """Makes the file system anew, empty, and mounts it. A plain directory is emptied."""
        if not self._image.exists():
            for entry in self.path.iterdir():
                self._run("rm", "-rf", entry)
            return
        self.unmount()
        # Nothing left for the kernel to write in its own time: it would be counted as ours.
        options = "nodiscard,lazy_itable_init=0,lazy_journal_init=0"
        self._run("mkfs.ext4", "-q", "-F", "-E", options, self._image)
        self.mount()

    def mount(self):
        try:
            self._loop, direct = self._run("losetup", "--show", "--direct-io=on", "-f", self._image).strip(), "on"
        except subprocess.CalledProcessError:
            self._loop, direct = self._run("losetup", "--show", "-f", self._image).strip(), "off"
        try:
            self._run("mount", "-o", "noatime", self._loop, self.path)
        finally:
            # The mount holds the device; with the mount it goes, however this program ends.
            self._run("losetup", "-d", self._loop)
        self.path.chmod(0o755)
        self.described = f"ext4 on a loop device (direct I/O {direct})"

    def unmount(self):
        if self._loop is None:
            return
        for _ in range(50):
            done = subprocess.run(["umount", self.path], capture_output=True, text=True, check=False, timeout=120)
            if done.returncode == 0:
                break
            time.sleep(0.1)  # a peer's last child is still on its way out
        else:
            self._run("umount", "--lazy", self.path)
        self._loop = None

    def remount(self):
        """Unmounts and mounts again, so that nothing of the file system is in memory. False for a plain directory."""
        if self._loop is None:
            return False
        self.unmount()
        self.mount()
        return True

    def sync(self):
        self._run("sync", "-f", self.path)

    def written(self):
        """Bytes written to the device since it was set up, all that waited included."""
        if self._loop is None:
            raise Failure("there is no loop device to count on")
        self.sync()
        fields = pathlib.Path(f"/sys/block/{os.path.basename(self._loop)}/stat").read_text(encoding="ascii").split()
        return int(fields[6]) * 512
