"""The figures of a network that is not to be trusted: TLS, and what is in the way of honest readers and senders."""

import contextlib
import os
import select
import statistics
import subprocess
import time

from restante import PASSWORD
from restarting import Load, readable
from rows import RETR_MESSAGES, RETR_SESSIONS, RETR_SIZE, fetched
from table import row
from workshop import PROGRAMS, Failure, Yardstick, processor_seconds

# --- handshakes ------------------------------------------------------------------------------------------------------

# Connections at a time, logins of a measured part, and processor time of the server that makes one measurement.
VISITORS, LOGINS, MEASURED_SECONDS = 4, 2000, 2.0


class Logins:
    """Measures logins for each second of one processor that they take of a server, as the client does its own share."""

    def __init__(self, bench, pid, port, kind):
        self._bench, self._pid, self._port, self._kind = bench, pid, port, kind
        self.by_clock = []

    def rate(self):
        bench, count, taken = self._bench, 0, 0.0
        logins = bench.many(LOGINS)
        began, before = time.monotonic(), processor_seconds(self._pid)
        while taken < MEASURED_SECONDS / bench.scale:
            bench.workshop.command("tls_logins", self._port, PASSWORD, VISITORS, logins, self._kind)
            # The first of each visitor gets the ticket.
            count += logins + (VISITORS if self._kind == "resumed" else 0)
            taken = processor_seconds(self._pid) - before
        self.by_clock.append(count / (time.monotonic() - began))
        return count / taken

    @property
    def clock(self):
        return f"{statistics.median(self.by_clock):,.0f}"


def ready_for_logins(bench):
    restante = bench.restante(tls=True)
    restante.start()
    bench.workshop.command("smtp_load", restante.smtp, VISITORS, VISITORS * 5, 1000, 1, VISITORS)
    return restante


@row("handshakes", "full TLS 1.3 handshakes with login, for each second of the server's processor time, against a "
     "blocking OpenSSL loop with the same key", 0.6, "times")
def handshakes(bench):
    restante = ready_for_logins(bench)
    loop = Yardstick(bench.workshop, "tls_answer", restante.certificate, 1_000_000_000)
    ours = Logins(bench, restante.pid, restante.pop3s, "full")
    theirs = Logins(bench, loop.pid, loop.port, "full")
    ratio = bench.ratio(ours.rate, "the C loop", theirs.rate, "handshakes/s of one processor")
    bench.note(f"P-256 ECDSA, X25519; {VISITORS} connections at a time, USER, PASS and QUIT in one piece; by the "
               f"clock, client and server sharing {os.cpu_count()} processors: {ours.clock} and {theirs.clock}/s")
    return ratio


@row("resumed", "TLS 1.3 handshakes with login resumed by ticket, against full ones, the same way", 2, "times")
def resumed(bench):
    restante = ready_for_logins(bench)
    loop = Yardstick(bench.workshop, "tls_answer", restante.certificate, 1_000_000_000)
    short, full = (Logins(bench, restante.pid, restante.pop3s, kind) for kind in ("resumed", "full"))
    ratio = bench.ratio(short.rate, "full", full.rate, "handshakes/s of one processor")
    bench.note(f"psk_dhe_ke: no certificate and no signature, but an X25519 exchange all the same; "
               f"by the clock {short.clock} and {full.clock}/s")
    short, full = (Logins(bench, loop.pid, loop.port, kind) for kind in ("resumed", "full"))
    pairs = [(short.rate(), full.rate()) for _ in range(min(3, bench.runs))]
    bench.note(f"a blocking OpenSSL loop, which knows no logins: "
               f"{statistics.median(a / b for a, b in pairs):.2f} times")
    return ratio


# --- fetching --------------------------------------------------------------------------------------------------------


@row("retr-tls", "RETR of 20 kB messages over TLS, 8 in flight, against OpenSSL writing the same from memory", 0.7,
     "times")
def retr_tls(bench):
    restante = bench.restante(tls=True)
    restante.start()
    bench.workshop.command("smtp_load", restante.smtp, 10, RETR_MESSAGES, RETR_SIZE, 1, 1)
    # One unmeasured round for each of the two comparisons.
    connections = (2 * bench.runs + 2) * RETR_SESSIONS
    loop = Yardstick(bench.workshop, "tls_pour", restante.certificate, RETR_SIZE, connections)
    def ratio(depth):
        return bench.ratio(lambda: fetched(bench, restante.pop3s, depth, "tls"), "the C loop",
                           lambda: fetched(bench, loop.port, 0, "tls"), "messages/s")
    ratios = {depth: ratio(depth) for depth in (8, 1)}
    bench.note(f"the second line is RETR one after another: {ratios[1]:.2f} times")
    return ratios[8]


# --- honest among hostile --------------------------------------------------------------------------------------------

HOSTILE, VISITS, VISIT_PAUSE = 1000, 1000, 2000


@contextlib.contextmanager
def real_time():
    """
    Everything started inside goes before whatever else the machine does, where that is allowed. Of a hundred logins one
    would be in the way of somebody's compiler otherwise, and the 99th percentile would be that compiler's.
    """
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, *before)


def as_others():
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


class Intruders:
    """The program `hostile`, from when all of them have come until it is told to end."""

    def __init__(self, bench, restante):
        words = [PROGRAMS / "hostile", restante.smtp, restante.submissions, HOSTILE]
        bench.workshop.remember("hostile", "PORT", "PORT", *words[3:])
        # Without the preference that client and server have: they stand for other machines.
        self._process = subprocess.Popen([str(w) for w in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         text=True, start_new_session=True, preexec_fn=as_others)
        bench.workshop.at_exit(self.end)
        if not select.select([self._process.stdout], [], [], 60)[0] or self._process.stdout.readline() != "ready\n":
            self.end()
            raise Failure("the hostile connections did not come")

    def end(self):
        """Ends it; returns what it says of its work."""
        if self._process.poll() is not None:
            return ""
        said, _ = self._process.communicate(timeout=30)
        return said.strip()


def held(restante):
    """How many connections the server has, its listeners and the like among them."""
    directory = f"/proc/{restante.pid}/fd"
    return sum(os.readlink(f"{directory}/{name}").startswith("socket:") for name in os.listdir(directory))


def until_quiet(pid):
    """Until the server has stopped working off what was."""
    last, same = processor_seconds(pid), 0
    for _ in range(600):
        time.sleep(0.05)
        now = processor_seconds(pid)
        same, last = (same + 1 if now == last else 0), now
        if same == 6:
            return
    raise Failure("the server does not come to rest after the hostile connections are gone")


@row("hostile", "honest POP3 login (connect to QUIT), 99th percentile, with 1,000 hostile connections on SMTP against "
     "none; the worst of four", 3, "times", at_most=True)
def hostile(bench):
    medians = []
    for limits, places in (("", 100), (f"MaximumConnections={HOSTILE}", HOSTILE)):
        bench.device.renew()
        restante = bench.restante(tls=True, limits=(limits, ""))
        with real_time():
            restante.start()
        bench.workshop.command("smtp_load", restante.smtp, 1, 5, 1000, 1, 1)
        for tls in ((), ("tls",)):
            def visit(port=restante.pop3s if tls else restante.pop3, tls=tls):
                words = ("pop3_visit", port, "user0", PASSWORD, bench.many(VISITS), VISIT_PAUSE, *tls)
                with real_time():
                    return [float(word) for word in bench.workshop.command(*words).split()]
            def troubled():
                intruders = Intruders(bench, restante)
                # A place is free for a moment when somebody is thrown out.
                if (count := held(restante)) < 0.95 * places:
                    raise Failure(f"the hostile connections hold {count} places of {places}")
                result = visit()
                again.append(intruders.end())
                until_quiet(restante.pid)
                return result
            again = []
            visit(), troubled()
            pairs = [(visit(), troubled()) for _ in range(bench.runs)]
            ratios = sorted(busy[1] / quiet[1] for quiet, busy in pairs)
            medians.append(statistics.median(ratios))
            quiet, busy = ([statistics.median(pair[i][j] for pair in pairs) for j in range(3)] for i in (0, 1))
            bench.note(f"{'over TLS' if tls else 'plain':8} {limits or 'default limits':24} {medians[-1]:.2f} times, "
                       f"{ratios[0]:.2f} to {ratios[-1]:.2f}; median, 99 %, longest in ms: "
                       f"quiet {shown(quiet)}, hostile {shown(busy)}; they {again[-1]}")
        restante.stop()
    return max(medians)


def shown(latencies):
    return " ".join(f"{value:.2f}" for value in latencies)


# --- restart ---------------------------------------------------------------------------------------------------------


@row("restart", "connections refused and messages lost in restarts under load, the sockets kept as systemd keeps them",
     0, "", at_most=True)
def restart(bench):
    restante = bench.restante(tls=True)
    times, gaps = max(2, 10 // bench.scale), []
    with contextlib.ExitStack() as stack:
        sockets = restante.listening()
        for listener in sockets.values():
            stack.enter_context(listener)
        restante.start(sockets=sockets)
        with Load(restante, senders=8, readers=4) as load:
            for _ in range(times):
                enough = len(load.promised) + bench.many(500)
                until(lambda: len(load.promised) >= enough or load.failures, "the senders do not come on")
                began = time.monotonic()
                restante.stop()
                restante.start(sockets=sockets)
                gaps.append(time.monotonic() - began)
        if load.failures:
            raise Failure(load.failures[0])
        found = [name for i in range(10) for name in readable(restante, f"user{i}")]
    lost = load.promised.difference(found)
    bench.note(f"{times} restarts, {statistics.median(gaps):.2f} s each from SIGTERM to the next greeting; "
               f"{load.sessions:,} sessions of 8 senders and 4 readers, half of them under TLS, {load.ended} broken off, "
               f"longest wait for a greeting {load.longest:.2f} s")
    bench.note(f"{len(load.promised):,} messages answered with 250, {len(lost)} lost, "
               f"{len(found) - len(set(found))} twice; {len(load.turned)} connections refused"
               + (f", the first: {load.turned[0]}" if load.turned else ""))
    return len(lost) + len(load.turned)


def until(condition, otherwise):
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    raise Failure(otherwise)
