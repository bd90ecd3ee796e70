"""The program under test, started with a configuration of its own."""

import os
import pathlib
import socket
import sys

from workshop import HERE, TOP, Failure, Pop3, Server, free_ports, show

PROGRAM = TOP / "build" / "restante"
PASSWORD = "bench-secret"
# Lines of the two sections: more than the load programs open.
LIMITS = ("MaximumConnections=100\nMaximumConnectionsPerAddress=100",
          "MaximumConnections=1100\nMaximumConnectionsPerAddress=1100")


class Restante:
    """
    `restante serve` on two loopback ports, or four with `tls`, its state in `state`, with accounts user0 … user(N-1).

    `limits` are the configuration's lines that say how many connections SMTP takes, and POP3.
    """

    def __init__(self, workshop, state, accounts=10, tls=False, limits=LIMITS):
        if not PROGRAM.exists():
            raise Failure(f"{show(PROGRAM)} is not there: run make first")
        # A program built a moment ago has pages that are not on disk yet; they would count as its private memory.
        with open(PROGRAM, "rb") as file:
            os.fsync(file.fileno())
        self._workshop = workshop
        self.state = pathlib.Path(state)
        self.state.mkdir(parents=True, exist_ok=True)
        self.config = workshop.path / "restante.conf"
        self.server = None
        self.smtp, self.pop3, self.submissions, self.pop3s = free_ports(4)
        smtp_tls, pop3_tls = (f"127.0.0.1:{p}" if tls else "no" for p in (self.submissions, self.pop3s))
        smtp_limits, pop3_limits = limits
        self.config.write_text(f"""\
[Device]
HostName=bench.example
Domains=bench.example
StateDirectory={self.state}
[SMTP]
Listen=127.0.0.1:{self.smtp}
ListenTLS={smtp_tls}
{smtp_limits}
[POP3]
Listen=127.0.0.1:{self.pop3}
ListenTLS={pop3_tls}
RequireTLS=no
{pop3_limits}
[Spool]
Quota=100G
""", encoding="ascii")
        for i in range(accounts):
            workshop.command(PROGRAM, "account", "add", f"user{i}", "--password-stdin", "--config", self.config,
                             input=PASSWORD + "\n")

    def start(self, timeout=60, sockets=None):
        """
        Starts the server and waits until it greets. Returns the seconds from exec to greeting. With `sockets`, a
        dictionary of what `listening` made, it does not open its ports but takes these over.
        """
        # The unit's variable would win over the configuration's StateDirectory.
        env = {k: v for k, v in os.environ.items() if k != "STATE_DIRECTORY"}
        words = [PROGRAM, "serve", "--config", self.config]
        descriptors = ()
        if sockets is not None:
            passed = [f"{listener.fileno()}:{name}" for name, listener in sockets.items()]
            words = [sys.executable, HERE / "activate.py", *passed, "--", *words]
            descriptors = [listener.fileno() for listener in sockets.values()]
        log = self._workshop.path / "restante.log"
        self.server = Server(self._workshop, words, log, env=env, descriptors=descriptors)
        greeted = self.server.wait_greeting(self.pop3, b"+OK", timeout)
        return greeted - self.server.started

    def listening(self):
        """Sockets on the four ports, by the names that they have in the units of systemd."""
        ports = {"smtp": self.smtp, "submissions": self.submissions, "pop3": self.pop3, "pop3s": self.pop3s}
        sockets = {name: socket.create_server(("127.0.0.1", port), backlog=1024) for name, port in ports.items()}
        for listener in sockets.values():
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sockets

    def stop(self):
        self.server.stop()

    @property
    def pid(self):
        return self.server.pid

    @property
    def certificate(self):
        """The PEM file of the certificate that it made for itself at its first start, with the key."""
        return self.state / "certificate.pem"

    def connect(self, name="user0", tls=False):
        """A session that has logged in."""
        session = Pop3(self.pop3s if tls else self.pop3, tls=tls)
        session.login(name, PASSWORD)
        return session

    def count(self, name="user0"):
        """How many messages a new POP3 session sees."""
        session = self.connect(name)
        try:
            return session.count()
        finally:
            session.close()
