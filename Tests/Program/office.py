"""A throw-away office: a configuration, a state directory, free ports, and the shipped program running on them."""

import contextlib
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess

import talk
from waiting import until

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("RESTANTE", str(REPOSITORY / "build" / "restante"))

# sysexits(3), as restante(8) promises them.
OK, USAGE, DATA, NO_INPUT, NO_USER, UNAVAILABLE = 0, 64, 65, 66, 67, 69
CANNOT_CREATE, IO, TRY_AGAIN, PERMISSION, CONFIGURATION = 73, 74, 75, 77, 78

DOMAIN = "office.example"

CRASH = re.compile(rb"Fatal error|fatal error|Illegal instruction|Trace/BPT|Segmentation|AddressSanitizer|"
                   rb"ThreadSanitizer|stack smashing|double free|free\(\): invalid|munmap_chunk|corrupted size")


def free_port():
    """A loopback port nobody listens on, below those that the kernel hands to clients."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as four, socket.socket(socket.AF_INET6) as six:
            try:
                four.bind(("127.0.0.1", port))
                six.bind(("::1", port))
                return port
            except OSError:
                continue


def listener(port):
    return f"127.0.0.1:{port}" if port else "no"


def environment(**more):
    """The environment commands run in: nothing of the caller's that the program would heed."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "TZ": "UTC", "HOME": "/nonexistent", **more}


class Office:
    """See the module. `sections` are what the test wants of the configuration, {"SMTP": {"Listen": "no"}}; a list as
    a value gives the key several times."""

    def __init__(self, where, sections=None, state=None, accounts=("anna", "bert", "carl"), preload=None,
                 variables=None, tls=False):
        self.where = pathlib.Path(where)
        self.where.mkdir(parents=True, exist_ok=True)
        self.state = pathlib.Path(state) if state else self.where / "state"
        self.config = self.where / "restante.conf"
        self.aliases = self.where / "aliases"
        self.smtp_port, self.pop3_port = free_port(), free_port()
        # With `tls`, also ports for TLS from the first octet on; STARTTLS and STLS need none.
        self.smtps_port, self.pop3s_port = (free_port(), free_port()) if tls else (None, None)
        self.sections = sections or {}
        self.variables = dict(variables or {})
        if preload:
            self.variables["LD_PRELOAD"] = str(preload)
        self.process = None
        self.logs = []
        self.killed = False
        self.expects_trouble = False
        self.configure()
        for name in accounts:
            self.add(name)

    # Configuration

    def configure(self, **sections):
        """Writes the configuration file: what every office has, what this one was made with, then `sections`."""
        merged = {
            "Device": {"HostName": "mail." + DOMAIN, "Domains": DOMAIN, "StateDirectory": str(self.state),
                       "Aliases": str(self.aliases)},
            "SMTP": {"Listen": f"127.0.0.1:{self.smtp_port}", "ListenTLS": listener(self.smtps_port)},
            "POP3": {"Listen": f"127.0.0.1:{self.pop3_port}", "ListenTLS": listener(self.pop3s_port)},
        }
        for extra in (self.sections, sections):
            for section, keys in extra.items():
                merged.setdefault(section, {}).update(keys)
        text = ""
        for section, keys in merged.items():
            text += f"[{section}]\n"
            for key, value in keys.items():
                if value is None:
                    continue
                for one in value if isinstance(value, list) else [value]:
                    text += f"{key}={one}\n"
        self.config.write_text(text)

    # Commands

    def run(self, *arguments, input=None, code=0, config=True, timeout=60, variables=None):
        """`restante ARGUMENTS --config …`. Insists on the exit code unless it is None; returns the completed process
        with octets as output."""
        command = [PROGRAM, *map(str, arguments)] + (["--config", str(self.config)] if config else [])
        if isinstance(input, str):
            input = input.encode()
        done = subprocess.run(command, input=b"" if input is None else input, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=timeout, cwd=self.where,
                              env=environment(**self.variables, **(variables or {})))
        assert done.returncode >= 0, f"{command} died of signal {-done.returncode}: {done.stderr!r}"
        assert not CRASH.search(done.stderr), done.stderr
        if code is not None:
            assert done.returncode == code, \
                f"{command}: exit code {done.returncode}, not {code}\n{done.stdout[-2000:]!r}\n{done.stderr[-2000:]!r}"
        return done

    def add(self, name, password=None, *more, code=0):
        password = password or f"{name}-secret"
        return self.run("account", "add", name, *more, "--password-stdin", input=password + "\n", code=code)

    def status(self, code=OK):
        return json.loads(self.run("status", "--json", code=code).stdout)

    # The daemon

    def spawn(self):
        """Starts the daemon without waiting for it."""
        log = self.where / f"log.{len(self.logs) + 1}"
        self.logs.append(log)
        with open(log, "wb") as errors:
            self.process = subprocess.Popen([PROGRAM, "serve", "--config", str(self.config)], stdin=subprocess.DEVNULL,
                                            stdout=errors, stderr=errors, cwd=self.where,
                                            env=environment(**self.variables))
        self.killed = False
        return self.process

    def start(self, seconds=20):
        """Starts the daemon; returns when both ports greet."""
        self.spawn()
        until(self.greets, f"both ports to greet; the log says: {self.log()[-2000:]!r}", seconds)
        return self

    def greets(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the daemon ended at once with {self.process.returncode}: {self.log()!r}")
        for port in (self.smtp_port, self.pop3_port):
            try:
                with talk.Connection(port) as connection:
                    connection.line()
            except (OSError, talk.Closed):
                return False
        return True

    def stop(self, seconds=30):
        """SIGTERM; insists that the daemon drains and exits with 0."""
        if self.process is None:
            return
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"SIGTERM did not end the daemon within {seconds} s: {self.log()[-2000:]!r}") from None
        assert code == 0, f"the daemon ended with {code}: {self.log()[-3000:]!r}"

    def kill(self):
        """kill -9: the power plug, as far as a process can feel it."""
        self.process.kill()
        self.process.wait()
        self.process = None
        self.killed = True

    def restart(self):
        self.stop()
        return self.start()

    def hang_up(self):
        """SIGHUP; returns when the log says that it was heeded."""
        before = len(self.log())
        self.process.send_signal(signal.SIGHUP)
        until(lambda: len(self.log()) > before, "the log to tell of SIGHUP")

    def log(self):
        """All the daemons of this office have said."""
        return b"".join(log.read_bytes() for log in self.logs if log.exists())

    def private_dirty(self):
        """Octets of memory that are the daemon's alone."""
        text = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return int(re.search(r"Private_Dirty:\s+(\d+) kB", text)[1]) * 1024

    def sockets(self):
        """How many the daemon has open."""
        directory = f"/proc/{self.process.pid}/fd"
        count = 0
        for name in os.listdir(directory):
            # It may be closed while we look.
            with contextlib.suppress(FileNotFoundError):
                count += os.readlink(f"{directory}/{name}").startswith("socket:")
        return count

    def close(self):
        """The end of the test: the daemon, when it still runs, must end in order and must not have complained of
        itself."""
        try:
            if self.process is not None:
                if self.process.poll() is not None:
                    raise AssertionError(f"the daemon died with {self.process.returncode}: {self.log()[-3000:]!r}")
                self.stop()
        finally:
            if self.process is not None and self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        crash = CRASH.search(self.log())
        assert not crash, f"the log tells of a crash: {self.log()[crash.start() - 300:crash.end() + 300]!r}"

    # TLS

    def fingerprint(self):
        """The SHA-256 fingerprint that the journal shows, as upper-case hexadecimal octets with colons."""
        shown = re.findall(rb"SHA-256 fingerprint ((?:[0-9A-F]{2}:){31}[0-9A-F]{2})", self.log())
        assert shown, f"no fingerprint in the journal: {self.log()!r}"
        return shown[-1].decode()

    def certificate(self):
        """A file with the certificate alone, in PEM: that whose fingerprint is shown."""
        pem = re.search(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n",
                        (self.state / "certificate.pem").read_bytes(), re.DOTALL)[0]
        shown = bytes.fromhex(self.fingerprint().replace(":", ""))
        assert hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.decode())).digest() == shown
        file = self.where / "trusted.pem"
        file.write_bytes(pem)
        return file

    def trust(self, minimum=None, maximum=None, alpn=None):
        """What a client trusts that has our certificate pinned: it and nothing else, by the office's name."""
        context = ssl.create_default_context(cafile=str(self.certificate()))
        if minimum:
            context.minimum_version = minimum
        if maximum:
            context.maximum_version = maximum
        if alpn:
            context.set_alpn_protocols(alpn)
        return context

    # Clients

    def smtp(self, **options):
        return talk.SMTP(self.smtp_port, **options)

    def pop3(self, name=None, password=None, **options):
        return talk.POP3(self.pop3_port, name.encode() if isinstance(name, str) else name, password, **options)

    def smtps(self, **options):
        options.setdefault("tls", self.trust())
        return talk.SMTP(self.smtps_port, **options)

    def pop3s(self, name=None, password=None, **options):
        options.setdefault("tls", self.trust())
        return talk.POP3(self.pop3s_port, name.encode() if isinstance(name, str) else name, password, **options)

    def deliver(self, content, *recipients, **options):
        """One message in a session of its own, answered 250."""
        with self.smtp() as sender:
            sender.deliver(content, *(address(recipient) for recipient in recipients or ("anna",)), **options)
            sender.quit()

    def fetch(self, name, password=None):
        """Everything in a maildrop, {unique-id: octets}, nothing deleted."""
        with self.pop3(name, password) as reader:
            uids = reader.uidl()
            listed = reader.list()
            assert uids.keys() == listed.keys()
            assert len(set(uids.values())) == len(uids), "two messages share a unique-id"
            fetched = {}
            for number, content in reader.retr_all(uids):
                assert len(content) == listed[number], f"LIST says {listed[number]}, RETR gave {len(content)}"
                fetched[uids[number]] = content
            reader.quit()
            return fetched

    # The spool on disk

    def segments(self):
        """The files of the log: segments, and large messages with a file of their own."""
        return sorted(file for file in (self.state / "spool" / "log").iterdir() if file.suffix in (".log", ".msg"))

    def names(self, segment, text):
        """Whether `text` names a file of the log, by its name or its number."""
        number = int(segment.stem)
        return re.search(rb"%b|segment 0*%d\b|\b%d\.(log|msg)" % (segment.name.encode(), number, number), text)

    def index(self, name):
        return self.state / "spool" / "index" / name


def address(recipient):
    if isinstance(recipient, str):
        recipient = recipient.encode()
    return recipient if b"@" in recipient else recipient + b"@" + DOMAIN.encode()


def copy(office, where):
    """The state directory of a stopped office, copied; returns the copy's path."""
    shutil.copytree(office.state, where)
    return where
