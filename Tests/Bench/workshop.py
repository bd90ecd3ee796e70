"""What every row needs: a place to work that vanishes afterwards, load programs, started servers, one clock."""

import contextlib
import functools
import os
import pathlib
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
PROGRAMS = TOP / "build" / "bench"


class Failure(Exception):
    """A row could not be measured. The text says what was being done and what happened."""


def show(path):
    """A path as a person in the source tree would type it."""
    path = pathlib.Path(path)
    return str(path.relative_to(TOP)) if path.is_relative_to(TOP) else str(path)


def put_first():
    """
    Called in each child before it becomes its program: asks the scheduler to prefer it to other people's work on the
    machine, which is not to be measured. Clients, servers and peers are all preferred alike.
    """
    with contextlib.suppress(OSError):
        os.nice(-20)
    with contextlib.suppress(OSError), open("/proc/self/autogroup", "w", encoding="ascii") as file:
        file.write("-20")  # where sessions are scheduled as groups, the group's preference is what counts


def compile_programs():
    """Compiles each NAME.c beside this file into build/bench/NAME, unless it is newer than its sources."""
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    common = [HERE / "bench.c", HERE / "tls.c"]
    shared = [*common, HERE / "bench.h", HERE / "tls.h"]
    for source in sorted(HERE.glob("*.c")):
        if source in common:
            continue
        program = PROGRAMS / source.stem
        if program.exists() and all(program.stat().st_mtime > s.stat().st_mtime for s in [source, *shared]):
            continue
        subprocess.run(
            ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-o", program, source, *common, "-lssl",
             "-lcrypto"],
            check=True)


class Workshop:
    """One run's temporary directory, its children, and the commands it ran (for the reader who wants to repeat one)."""

    def __init__(self, directory, keep=False):
        # Not /tmp, which is often memory: what is measured here is mostly the way to a disk.
        base = directory or os.environ.get("TMPDIR") or "/var/tmp"
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="rb.", dir=base))
        self.path.chmod(0o755)  # the peers' unprivileged processes look for their files here
        self.keep = keep
        self.commands = []
        self._exits = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._exits.close()
        if self.keep:
            print(f"kept: {self.path}")
        else:
            shutil.rmtree(self.path, ignore_errors=True)

    def at_exit(self, function, *arguments):
        """Calls `function` when the workshop closes, last registered first."""
        self._exits.callback(function, *arguments)

    def remember(self, *words):
        """Notes a load program's command for the reader. Ports and temporary files are not worth noting."""
        line = shlex.join([show(PROGRAMS / words[0]), *(str(word) for word in words[1:])])
        if line not in self.commands:
            self.commands.append(line)

    def command(self, *words, timeout=600, input=None):
        """Runs one of the load programs or any other command and returns its standard output."""
        words = [str(word) for word in words]
        if words[0] in {"append", "smtp_load", "pop3_fetch", "pop3_poll", "pop3_visit", "tls_logins"}:
            self.remember(words[0], "FILE" if words[0] == "append" else "PORT", *words[2:])
            words[0] = str(PROGRAMS / words[0])
        try:
            done = subprocess.run(words, input=input, capture_output=True, timeout=timeout, text=True,
                                  start_new_session=True, preexec_fn=put_first)
        except subprocess.TimeoutExpired as expired:
            raise Failure(f"{shlex.join(words)}: not done after {timeout} s") from expired
        if done.returncode != 0:
            raise Failure(f"{shlex.join(words)}: exit code {done.returncode}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def rate(self, *words, timeout=600):
        """Runs a load program and returns how many a second it made."""
        count, seconds, *_ = self.command(*words, timeout=timeout).split()
        return float(count) / float(seconds)


class Server:
    """A child that serves until `stop`. It is ended by its process id, first asked, after ten seconds told."""

    def __init__(self, workshop, words, log, env=None, signal_number=signal.SIGTERM, descriptors=()):
        self.words = [str(word) for word in words]
        self.log = pathlib.Path(log)
        self._signal = signal_number
        with open(self.log, "ab") as out:
            self.started = time.monotonic()
            self.process = subprocess.Popen(
                self.words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, start_new_session=True,
                preexec_fn=put_first, pass_fds=descriptors)
        self.pid = self.process.pid
        workshop.at_exit(self.stop)

    def stop(self):
        """Ends the child in order. Doing it twice is allowed."""
        if self.process.poll() is not None:
            return
        self.process.send_signal(self._signal)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self):
        """Ends the child at once, as a power cut would."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def fail(self, what):
        """A Failure that shows the end of what the child wrote."""
        text = self.log.read_text(errors="replace").splitlines()[-8:] if self.log.exists() else []
        return Failure(f"{what}\n  {shlex.join(self.words)}\n  " + "\n  ".join(text))

    def wait_greeting(self, port, greeting, timeout=30):
        """Waits until `port` answers a connection with `greeting` and returns the clock at that moment."""
        limit = time.monotonic() + timeout
        while time.monotonic() < limit:
            if self.process.poll() is not None:
                raise self.fail(f"ended with exit code {self.process.returncode} before it answered")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=timeout) as s:
                got = s.recv(len(greeting))
                if got == greeting:
                    return time.monotonic()
            time.sleep(0.001)
        raise self.fail(f"no greeting on port {port} after {timeout} s")


class Yardstick(Server):
    """A C program that serves what Restante is held against, and prints the port where it does. `words` name it."""

    def __init__(self, workshop, name, *words):
        said = workshop.path / f"{name}.out"
        super().__init__(workshop, [PROGRAMS / name, *words], said)
        workshop.remember(name, "FILE", *words[1:])
        for _ in range(1000):
            if said.read_text().endswith("\n"):
                break
            time.sleep(0.01)
        else:
            raise self.fail("no port")
        self.port = int(said.read_text())


def processor_seconds(pid):
    """Processor time of a process so far, the kernel's work for it included, in ticks of 10 ms."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_ports(count):
    """Loopback ports that nobody listened on a moment ago."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]


def private_dirty(pid):
    """Private_Dirty of a process in bytes: what would come back to the machine if it ended."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            if line.startswith("Private_Dirty:"):
                return int(line.split()[1]) * 1024
    raise Failure(f"/proc/{pid}/smaps_rollup has no Private_Dirty")


def settled_memory(pid):
    """Private_Dirty once it has not changed for half a second."""
    last, same = None, 0
    for _ in range(100):
        now = private_dirty(pid)
        same = same + 1 if now == last else 0
        if same == 5:
            break
        last = now
        time.sleep(0.1)
    return last


class PeakMemory:
    """Samples Private_Dirty of a process every ten milliseconds while the block runs."""

    def __init__(self, pid):
        self.peak, self.samples = 0, 0
        self._pid, self._end = pid, threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def _sample(self):
        while not self._end.wait(0.01):
            with contextlib.suppress(OSError):
                self.peak = max(self.peak, private_dirty(self._pid))
                self.samples += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._end.set()
        self._thread.join()


@functools.cache
def trusting():
    """A client's side of TLS that takes any certificate: here nobody is between."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Pop3:
    """A POP3 connection for checks between measurements, where its own speed does not matter."""

    def __init__(self, port, timeout=60, tls=False):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        if tls:
            self.socket = trusting().wrap_socket(self.socket)
        self._pending = b""
        self.answer()

    def answer(self):
        while b"\r\n" not in self._pending:
            more = self.socket.recv(65536)
            if not more:
                raise Failure("the POP3 server closed the connection in the middle of the dialogue")
            self._pending += more
        line, _, self._pending = self._pending.partition(b"\r\n")
        if not line.startswith(b"+OK"):
            raise Failure(f"the POP3 server answered: {line.decode(errors='replace')}")
        return line.decode(errors="replace")

    def send(self, line):
        self.socket.sendall(line.encode() + b"\r\n")
        return self.answer()

    def login(self, name, password):
        self.send(f"USER {name}")
        return self.send(f"PASS {password}")

    def count(self):
        return int(self.send("STAT").split()[1])

    def close(self):
        self.socket.close()
