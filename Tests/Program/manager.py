"""A service manager's side of sd_notify(3) and sd_listen_fds(3): it listens to what the program tells, and hands sockets
over."""

import os
import socket
import subprocess

import office as offices
from waiting import until


class Manager:
    """`watchdog` in seconds; None for none."""

    def __init__(self, where, watchdog=None):
        self.path = where / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.setblocking(False)
        self.watchdog = watchdog
        self.told = []
        self.sockets = []

    @property
    def variables(self):
        kept = {"NOTIFY_SOCKET": str(self.path)}
        if self.watchdog:
            kept["WATCHDOG_USEC"] = str(int(self.watchdog * 1e6))
        return kept

    def listen(self, **names):
        """Sockets to hand over, {name: socket}."""
        self.sockets = list(names.items())
        return self

    def start(self, office):
        """Starts an office's daemon under this manager; the messages it sends are awaited by the caller."""
        log = office.where / f"log.{len(office.logs) + 1}"
        office.logs.append(log)
        variables = offices.environment(**office.variables, **self.variables)
        if self.sockets:
            variables.update(LISTEN_FDS=str(len(self.sockets)), LISTEN_FDNAMES=":".join(n for n, _ in self.sockets))

        # Low numbers are Popen's own until the program runs, so bash moves them there; and it says the process' number,
        # which is part of what is handed over.
        descriptors = [s.fileno() for _, s in self.sockets]
        moves = "".join(f"exec {3 + i}<&{100 + i} {100 + i}<&-; " for i in range(len(descriptors)))
        command = ["bash", "-c", f'{moves}LISTEN_PID=$$ exec "$@"', "bash", offices.PROGRAM, "serve", "--config",
                   str(office.config)]

        def arrange():
            for i, descriptor in enumerate(descriptors):
                os.dup2(descriptor, 100 + i)

        with open(log, "wb") as errors:
            office.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
                                              cwd=office.where, env=variables, preexec_fn=arrange, close_fds=False)
        office.killed = False
        return self

    def listen_now(self):
        """Takes what was told since, [{name: value}], oldest first."""
        fresh = []
        while True:
            try:
                text = self.socket.recv(4096).decode()
            except BlockingIOError:
                break
            fresh.append(dict(line.split("=", 1) for line in text.split("\n") if line))
        self.told += fresh
        return fresh

    def hears(self, what, seconds=20, since=0):
        """Returns when a message with all of `what`, such as READY="1", has come; that message."""

        def came():
            self.listen_now()
            for message in self.told[since:]:
                if all(message.get(key) == value or value is any for key, value in what.items()):
                    return message
            return None

        return until(came, f"the program to say {what}; it said {self.told[-5:]}", seconds)

    def count(self, key, value):
        self.listen_now()
        return sum(message.get(key) == value for message in self.told)

    def close(self):
        self.socket.close()
        for _, listener in self.sockets:
            listener.close()
