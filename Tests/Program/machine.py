"""A machine of its own with systemd as its first process, in namespaces: this system's files below, what `make install`
installs above, everything that is written in memory. Gone when it ends."""

import contextlib
import ctypes
import os
import pathlib
import shutil
import subprocess
import tempfile

import office as offices
from waiting import until

SYSTEMD = "/lib/systemd/systemd"
UNSHARE = ["unshare", "--mount", "--propagation", "private", "--pid", "--net", "--uts", "--ipc", "--cgroup", "--fork",
           "--kill-child"]

BOOT = r"""
set -e
top=$1 above=$2
mount -t tmpfs -o size=512m,mode=755 machine "$top"
mkdir "$top/upper" "$top/work" "$top/root"
cp -a "$above/." "$top/upper"
mount -t overlay machine -o "lowerdir=/,upperdir=$top/upper,workdir=$top/work" "$top/root"
cd "$top/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty; do touch "dev/$node"; mount --bind "/dev/$node" "dev/$node"; done
mkdir dev/shm dev/pts
mount -t tmpfs tmpfs dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
: >dev/console
ip link set lo up
# Nothing of this system's is started but what systemd itself is made of.
rm -rf etc/systemd/system/*.wants etc/rc?.d var/lib/restante
: >etc/fstab
mkdir .old
pivot_root . .old
umount -l .old
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin """ + SYSTEMD + r""" --unit=basic.target \
  --log-target=journal --show-status=no
"""


def missing():
    """Why there can be no machine here; None when there can."""
    if os.geteuid() != 0:
        return "only root can make one"
    if not os.path.exists(SYSTEMD):
        return f"{SYSTEMD} is not installed"
    tried = subprocess.run([*UNSHARE, "sh", "-c", "mount -t cgroup2 cgroup2 /mnt && mount -t proc proc /proc"],
                           stderr=subprocess.PIPE, text=True)
    return None if tried.returncode == 0 else f"namespaces are not permitted: {tried.stderr.strip()}"


class Machine:
    def __init__(self, where):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="machine.", dir=where))
        self.above = pathlib.Path(tempfile.mkdtemp(prefix="installed.", dir=where))
        for directory in (self.top, self.above):
            directory.chmod(0o755)
        self.process = None

    def install(self):
        """`make install`, of the program under test, and the configuration that the tests want."""
        subprocess.run(["make", "-s", "-o", "build/restante", "install", f"DESTDIR={self.above}"], check=True,
                       cwd=offices.REPOSITORY, stdout=subprocess.DEVNULL)
        shutil.copy(offices.PROGRAM, self.above / "usr/bin/restante")
        self.file("etc/systemd/journald.conf.d/test.conf", "[Journal]\nStorage=volatile\nRateLimitBurst=0\n")
        self.file("etc/restante/restante.conf", "[Device]\nHostName=mail.office.example\nDomains=office.example\n")
        return self

    def file(self, path, text):
        """Puts a file in, before the machine is started."""
        target = self.above / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def start(self):
        self.process = subprocess.Popen([*UNSHARE, "sh", "-c", BOOT, "sh", str(self.top), str(self.above)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        self.init = until(lambda: self.alive() and children.read_text().split(), "the machine's first process")[0]
        until(lambda: self.alive() and self.run("systemctl", "is-active", "basic.target", code=None) == "active",
              "the machine to be up", 60)
        return self

    def alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the machine ended: {self.process.stdout.read()[-2000:]!r}")
        return True

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for directory in (self.top, self.above):
            shutil.rmtree(directory, ignore_errors=True)

    # Within it

    def enter(self, *command):
        return ["nsenter", "-t", self.init, "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", *map(str, command)]

    def run(self, *command, input="", code=0, timeout=60):
        """Runs a command in it; insists on the exit code unless that is None. Returns what it says."""
        done = subprocess.run(self.enter(*command), input=input, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=timeout, env=offices.environment())
        assert code is None or done.returncode == code, f"{command}: exit code {done.returncode}: {done.stdout[-3000:]}"
        return done.stdout.strip()

    def write(self, path, text):
        """Puts a file in while it runs."""
        self.run("sh", "-c", 'mkdir -p "$(dirname "$1")" && cat >"$1.new" && mv "$1.new" "$1"', "sh", path, input=text)

    def property(self, unit, name):
        return self.run("systemctl", "show", "-P", name, unit)

    def journal(self, *options):
        return self.run("journalctl", "--no-pager", "-q", *options)

    @contextlib.contextmanager
    def network(self):
        """Within this, sockets that this thread opens are the machine's."""
        libc = ctypes.CDLL(None, use_errno=True)
        ours = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        theirs = os.open(f"/proc/{self.init}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            if libc.setns(theirs, 0) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            yield
        finally:
            libc.setns(ours, 0)
            os.close(ours)
            os.close(theirs)
