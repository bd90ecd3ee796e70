"""QEMU's machine protocol: what happened to the virtual machine, and what is done to it from outside."""

import json
import socket
import threading
import time

import waiting


class QMP:
    """Connected to QEMU's socket. A thread keeps the events, [{"event": ..., "data": ..., "seen": monotonic time}]."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(str(path))
        self.file = self.socket.makefile("r")
        self.changed = threading.Condition()
        self.events = []
        self.answers = []
        self.closed = False
        json.loads(self.file.readline())
        self.socket.settimeout(None)
        threading.Thread(target=self.listen, daemon=True).start()
        self.command("qmp_capabilities")

    def listen(self):
        try:
            for line in self.file:
                message = json.loads(line)
                with self.changed:
                    if "event" in message:
                        self.events.append({**message, "seen": time.monotonic()})
                    else:
                        self.answers.append(message)
                    self.changed.notify_all()
        except (OSError, ValueError):
            pass
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def command(self, name, **arguments):
        with self.changed:
            self.answers.clear()
            self.socket.sendall(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
            assert self.changed.wait_for(lambda: self.answers or self.closed, 30), f"QEMU does not answer {name}"
            assert self.answers, "QEMU has ended"
            answer = self.answers.pop(0)
        assert "return" in answer, f"{name}: {answer}"
        return answer["return"]

    def count(self):
        """How many events there were; for `wait`."""
        with self.changed:
            return len(self.events)

    def wait(self, name, since=0, seconds=120):
        """The first event of that name after the first `since`; fails when none comes."""

        def came():
            return next((event for event in self.events[since:] if event["event"] == name), None)

        seconds *= waiting.patience
        with self.changed:
            assert self.changed.wait_for(lambda: came() or self.closed, seconds) and came(), \
                f"no {name} within {seconds} s; there were {[event['event'] for event in self.events[since:]]}"
            return came()

    def seen(self, name, since=0):
        with self.changed:
            return [event for event in self.events[since:] if event["event"] == name]

    def close(self):
        self.socket.close()
