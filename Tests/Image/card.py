"""The card a device boots from: a copy of the image on a disk that is larger, and what is written to it from outside."""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

DATA = "restante-data"
ETC = "/etc/upper"
"""Where, on the data partition, changes to /etc live."""


def run(*command, codes=(0,), input=b""):
    done = subprocess.run([str(word) for word in command], input=input, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode in codes, f"{command}: {done.returncode}: {done.stdout.decode(errors='replace')}"
    return done.stdout


class Card:
    def __init__(self, path, source=None, size=None):
        """`source` is an image or another card's file, None for the card that is there; `size` in octets, if larger."""
        self.path = pathlib.Path(path)
        if source:
            run("cp", "--sparse=always", "--reflink=auto", source, self.path)
            self.path.chmod(0o600)
        if size and size > self.path.stat().st_size:
            os.truncate(self.path, size)

    # Partitions

    def partitions(self):
        """{PARTLABEL: (first octet, octets)}."""
        # What stands at the end of a smaller image is not at the end of this card; sfdisk says so, and reads the first
        # table.
        done = subprocess.run(["sfdisk", "--json", str(self.path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert done.returncode == 0, done.stderr
        table = json.loads(done.stdout)["partitiontable"]
        octets = table.get("sectorsize", 512)
        return {partition.get("name"): (partition["start"] * octets, partition["size"] * octets)
                for partition in table["partitions"]}

    def read(self, label, offset=0, octets=None):
        first, size = self.partitions()[label]
        with open(self.path, "rb") as file:
            file.seek(first + offset)
            return file.read(size - offset if octets is None else octets)

    def write(self, label, content, offset=0):
        first, size = self.partitions()[label]
        assert offset + len(content) <= size
        with open(self.path, "r+b") as file:
            file.seek(first + offset)
            file.write(content)

    def digest(self, label):
        return hashlib.sha256(self.read(label)).hexdigest()

    # The data partition's files; the device must be off

    @property
    def data(self):
        """The data partition, as the tools of e2fsprogs name a file system within a file."""
        return f"{self.path}?offset={self.partitions()[DATA][0]}"

    def mend(self):
        """What the journal holds is carried out, as the device itself would at its next start."""
        # In a file of its own: e2fsck loses its way within a larger one when there is a journal to be carried out.
        first, size = self.partitions()[DATA]
        with tempfile.NamedTemporaryFile(dir=self.path.parent) as file:
            run("dd", f"if={self.path}", f"of={file.name}", "bs=1M", f"skip={first >> 20}", f"count={size >> 20}",
                "conv=sparse")
            os.truncate(file.name, size)
            said = run("e2fsck", "-p", file.name, codes=(0, 1))
            run("dd", f"if={file.name}", f"of={self.path}", "bs=1M", f"seek={first >> 20}", "conv=notrunc")
        return said

    def debugfs(self, *requests, write=False):
        script = "".join(request + "\n" for request in requests).encode()
        said = run("debugfs", *(["-w"] if write else []), "-f", "-", self.data, input=script).decode(errors="replace")
        assert "Filesystem not open" not in said, said
        return said

    def needs_recovery(self):
        return "needs_recovery" in self.debugfs("features")

    def put(self, path, content, mode=0o644, owner=(0, 0)):
        """Writes a file of the data partition, and makes the directories above it."""
        if self.needs_recovery():
            self.mend()
        if isinstance(content, str):
            content = content.encode()
        requests = [f"mkdir {parent}" for parent in reversed(pathlib.PurePosixPath(path).parents)
                    if str(parent) != "/" and not self.exists(str(parent))]
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            requests += [f"rm {path}"] if self.exists(path) else []
            requests += [f"write {file.name} {path}", f"sif {path} mode 0{0o100000 | mode:o}",
                         f"sif {path} uid {owner[0]}", f"sif {path} gid {owner[1]}"]
            said = self.debugfs(*requests, write=True)
        assert self.exists(path), said

    def link(self, path, target):
        """A symbolic link on the data partition."""
        requests = [f"mkdir {parent}" for parent in reversed(pathlib.PurePosixPath(path).parents)
                    if str(parent) != "/" and not self.exists(str(parent))]
        self.debugfs(*requests, f"symlink {path} {target}", write=True)
        assert self.exists(path)

    def exists(self, path):
        return "Inode:" in self.debugfs(f"stat {path}")

    def get(self, path):
        """A file of the data partition; the journal is not looked at."""
        with tempfile.TemporaryDirectory() as directory:
            said = self.debugfs(f"dump {path} {directory}/file")
            assert os.path.exists(f"{directory}/file"), said
            return pathlib.Path(directory, "file").read_bytes()

    def names(self, path):
        said = self.debugfs(f"ls -p {path}")
        return [line.split("/")[5] for line in said.splitlines() if re.match(r"/\d+/", line)]

    def place(self, path, offset=0):
        """Where on the data partition an octet of a file is."""
        size = self.block_size()
        block = int(self.debugfs(f"bmap {path} {offset // size}").split()[-1])
        assert block, f"{path} has a hole at {offset}"
        return block * size + offset % size

    def block_size(self):
        return int(re.search(r"Block size:\s+(\d+)", self.debugfs("stats -h"))[1])

    # What tests need of a device

    def etc(self, path, content, **options):
        """Writes a file of /etc, as the device has it once it is up."""
        self.put(f"{ETC}/{path}", content, **options)

    def enable(self, unit, text, target):
        """A unit of the test's own, started with `target`."""
        self.etc(f"systemd/system/{unit}", text)
        self.link(f"{ETC}/systemd/system/{target}.wants/{unit}", f"/etc/systemd/system/{unit}")


def place(octets):
    """A directory for cards: in memory where there is room, so that the flushes of the device under test cost no real
    disk's time."""
    shm = pathlib.Path("/dev/shm")
    roomy = shm.is_dir() and shutil.disk_usage(shm).free > octets
    return pathlib.Path(tempfile.mkdtemp(prefix="restante-box.", dir=shm if roomy else None))
