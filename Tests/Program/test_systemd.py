"""The units under a real systemd: what the manager sees, and what it does about it."""

import json
import os
import pathlib
import re
import shutil
import socket
import threading

import pytest

import machine as machines
import talk
from letters import letter
from talk import stuffed
from office import REPOSITORY, address
from waiting import until

UNIT = "restante.service"
SOCKETS = ["restante.socket", "restante-submissions.socket", "restante-pop3.socket", "restante-pop3s.socket"]
DROP_IN = "/run/systemd/system/restante.service.d/test.conf"
LIBRARY = "/usr/lib/restante-test"


@pytest.fixture(scope="module")
def booted(tmp_path_factory, compiled):
    why = machines.missing()
    if why:
        pytest.skip(f"NOT TESTED: the units under systemd; {why}")
    machine = machines.Machine(tmp_path_factory.mktemp("machine")).install()
    (machine.above / LIBRARY[1:]).mkdir(parents=True)
    shutil.copy(compiled("failing.c", "-shared", "-fPIC"), machine.above / LIBRARY[1:] / "failing.so")
    shutil.copy(compiled("attempts.c"), machine.above / LIBRARY[1:] / "attempts")
    machine.file("etc/restante/restante.conf.d/test.conf", "[SMTP]\nMaximumConnectionsPerAddress=1000\n")
    try:
        machine.start()
        for name in ("anna", "bert"):
            machine.run("restante", "account", "add", name, "--password-stdin", input=f"{name}-secret\n")
        yield machine
    finally:
        machine.close()


@pytest.fixture
def machine(booted):
    """The machine with its four ports open and the service as it is installed."""
    booted.run("systemctl", "start", *SOCKETS)
    yield booted
    booted.run("systemctl", "stop", UNIT, *SOCKETS)
    booted.run("rm", "-rf", os.path.dirname(DROP_IN))
    booted.run("systemctl", "daemon-reload")
    booted.run("systemctl", "reset-failed")


def adjusted(machine, text):
    machine.write(DROP_IN, text)
    machine.run("systemctl", "daemon-reload")


def deliver(machine, words=b"x\r\n", port=25):
    with machine.network(), talk.SMTP(port) as sender:
        sender.deliver(letter(words), address("anna"))
        sender.quit()


def waiting_mail(machine):
    with machine.network(), talk.POP3(110, b"anna") as reader:
        return reader.stat()[0]


# The units themselves

def units():
    return [str(path) for kind in ("service", "socket", "timer")
            for path in sorted((REPOSITORY / "systemd").glob(f"*.{kind}"))]


def test_systemd_finds_nothing_wrong_with_the_units(booted):
    names = [pathlib.Path(unit).name for unit in units()]
    assert booted.run("systemd-analyze", "verify", "--man=no", *names) == ""


def test_the_manual_pages_that_the_units_name_are_installed(booted):
    for page in set(re.findall(r"man:(\S+)\((\d)\)", "".join(pathlib.Path(unit).read_text() for unit in units()))):
        assert (booted.above / f"usr/share/man/man{page[1]}" / ".".join(page)).exists()


@pytest.mark.parametrize("unit", ["restante.service", "restante-scrub.service"])
def test_the_sandbox_scores_one_or_less(booted, unit):
    said = booted.run("systemd-analyze", "security", "--offline=yes", f"/usr/lib/systemd/system/{unit}")
    assert float(re.search(r"exposure level for \S+: (\d+\.\d)", said)[1]) <= 1.0, said


def test_the_user_and_its_directories_are_made_at_boot(booted):
    assert booted.run("stat", "-c", "%U %a", "/var/lib/restante") == "restante 700"
    assert booted.run("getent", "passwd", "restante").endswith(":/var/lib/restante:/usr/sbin/nologin")


def test_enabling_the_service_enables_its_ports_and_the_weekly_check(booted):
    booted.run("systemctl", "enable", "--root=/", UNIT)
    try:
        for unit in (UNIT, *SOCKETS, "restante-scrub.timer"):
            assert booted.run("systemctl", "is-enabled", unit) == "enabled", unit
    finally:
        booted.run("systemctl", "disable", UNIT, *SOCKETS, "restante-scrub.timer")


def test_the_services_are_announced_on_the_network_with_their_ports(booted):
    found = {}
    for path in (booted.above / "usr/lib/systemd/dnssd").iterdir():
        text = path.read_text()
        found[re.search(r"^Type=(\S+)$", text, re.M)[1]] = int(re.search(r"^Port=(\d+)$", text, re.M)[1])
    assert found == {"_smtp._tcp": 25, "_submissions._tcp": 465, "_pop3._tcp": 110, "_pop3s._tcp": 995}


# The service

def test_the_first_connection_starts_it_and_waits_for_it(machine):
    assert machine.property(UNIT, "ActiveState") == "inactive"
    deliver(machine)
    assert machine.property(UNIT, "ActiveState") == "active"
    assert waiting_mail(machine) >= 1


def test_it_is_active_when_it_is_ready_and_says_how_it_is(machine):
    machine.run("systemctl", "start", UNIT)
    assert machine.property(UNIT, "SubState") == "running"
    assert machine.property(UNIT, "StatusText") == "Serving"
    deliver(machine)
    until(lambda: "delivered 1" in machine.property(UNIT, "StatusText"), "the status to tell of the message")
    assert machine.property(UNIT, "User") == "restante"
    main = machine.property(UNIT, "MainPID")
    status = machine.run("cat", f"/proc/{main}/status")
    user = machine.run("id", "-u", "restante")
    assert re.search(r"Uid:(\s+%s){4}\n" % user, status)
    assert re.search(r"CapEff:\s+0+\n", status) and re.search(r"CapBnd:\s+0+\n", status)
    files = machine.run("ls", "-l", f"/proc/{main}/fd")
    assert "/sys/fs/cgroup/system.slice/restante.service/memory.pressure" in files, files
    assert re.search(r"NoNewPrivs:\s+1\n", status) and re.search(r"Seccomp:\s+2\n", status)


def test_every_port_is_served_by_its_name(machine):
    import ssl
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for port, secure, greeting in ((25, False, b"220 "), (110, False, b"+OK"), (465, True, b"220 "), (995, True, b"+OK")):
        for host in ("127.0.0.1", "::1"):
            with machine.network():
                peer = socket.create_connection((host, port), 20)
            with context.wrap_socket(peer) if secure else peer as peer:
                assert peer.recv(512).startswith(greeting), (host, port)


def test_a_port_is_closed_and_moved_as_the_manual_says(machine):
    deliver(machine)
    machine.run("systemctl", "mask", "--runtime", "--now", "restante-pop3.socket")
    try:
        with machine.network(), pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", 110), 5)
        deliver(machine)
        assert machine.property(UNIT, "ActiveState") == "active"
    finally:
        machine.run("systemctl", "unmask", "--runtime", "restante-pop3.socket")
    drop_in = "/run/systemd/system/restante.socket.d/test.conf"
    machine.write(drop_in, "[Socket]\nListenStream=\nListenStream=2525\n")
    try:
        machine.run("systemctl", "daemon-reload")
        machine.run("systemctl", "restart", "restante.socket")
        deliver(machine, port=2525)
        assert waiting_mail(machine) >= 3
    finally:
        machine.run("rm", drop_in)


def test_the_commands_work_beside_it(machine):
    machine.run("systemctl", "start", UNIT)
    deliver(machine)
    assert '"messages":' in machine.run("restante", "status", "--json").replace(" ", "")
    machine.run("restante", "account", "add", "carl", "--password-stdin", input="carl-secret\n")
    with machine.network(), talk.POP3(110, b"carl") as reader:
        reader.quit()
    machine.run("restante", "account", "remove", "carl", "--yes", code=None)
    assert machine.run("find", "/var/lib/restante", "!", "-user", "restante") == ""


def test_inside_its_sandbox_it_finds_the_addresses_that_its_certificate_is_for(machine):
    machine.run("ip", "address", "replace", "192.0.2.77/24", "dev", "lo")
    machine.run("systemctl", "stop", UNIT)
    machine.run("sh", "-c", "rm -f /var/lib/restante/certificate.pem*")
    machine.run("systemctl", "start", UNIT)
    shown = machine.run("restante", "certificate", "show")
    assert "192.0.2.77" in shown and "::1" in shown


def test_reload_is_told_and_takes_a_changed_configuration(machine):
    machine.run("systemctl", "start", UNIT)
    main = machine.property(UNIT, "MainPID")
    machine.write("/etc/restante/restante.conf.d/more.conf", "[SMTP]\nMaximumMessageSize=1M\n")
    try:
        machine.run("systemctl", "reload", UNIT)

        def changed():
            with machine.network(), talk.SMTP(25) as sender:
                return b"SIZE %d" % (1 << 20) in sender.extensions

        until(changed, "the new size")
        until(lambda: machine.property(UNIT, "SubState") == "running", "the reload to end")
        assert machine.property(UNIT, "MainPID") == main
    finally:
        machine.run("rm", "/etc/restante/restante.conf.d/more.conf")


def test_stop_ends_it_in_order_and_a_mistake_in_the_configuration_leaves_the_ports_open(machine):
    machine.run("systemctl", "start", UNIT)
    machine.run("systemctl", "stop", UNIT)
    assert machine.property(UNIT, "Result") == "success"
    machine.write("/etc/restante/restante.conf.d/wrong.conf", "[SMTP]\nColour=blue\n")
    try:
        with machine.network():
            waiting = talk.Connection(25)
        until(lambda: "wrong" in machine.property(UNIT, "StatusText"), "it to say why it does not start")
        assert machine.property(UNIT, "NRestarts") == "0", "a mistake does not keep the machine busy"
        until(lambda: int(machine.property(UNIT, "NRestarts")) >= 1, "it to be tried again")
        assert all(machine.property(unit, "ActiveState") == "active" for unit in SOCKETS)
    finally:
        machine.run("rm", "/etc/restante/restante.conf.d/wrong.conf")
    assert waiting.line().startswith(b"220 "), "who waited is served when the mistake is mended"
    waiting.close()


def test_a_restart_under_load_refuses_nobody_and_loses_nothing(machine):
    machine.run("systemctl", "start", UNIT)
    before, stop, troubles, promised = waiting_mail(machine), threading.Event(), [], []

    def send(n):
        serial = 0
        with machine.network():
            while not stop.is_set():
                serial += 1
                try:
                    with talk.SMTP(25, hello=None) as sender:
                        kept = b""
                        for command, code in ((b"HELO client.example", b"250"), (b"MAIL FROM:<a@b.example>", b"250"),
                                              (b"RCPT TO:<%b>" % address("anna"), b"250"), (b"DATA", b"354"),
                                              (stuffed(letter(b"%d-%d\r\n" % (n, serial))) + b".", b"250")):
                            kept, words = sender.ask(command)
                            if kept == b"421":
                                break  # It stops; the sender comes again.
                            assert kept == code, (command, kept, words)
                        if kept == b"250":
                            promised.append((n, serial))
                except (OSError, talk.Closed, AssertionError) as trouble:
                    troubles.append(trouble)

    senders = [threading.Thread(target=send, args=(n,)) for n in range(8)]
    for sender in senders:
        sender.start()
    try:
        for _ in range(5):
            so_far = len(promised)
            until(lambda: len(promised) >= so_far + 50, "fifty messages")
            machine.run("systemctl", "restart", UNIT)
    finally:
        stop.set()
        for sender in senders:
            sender.join()
    assert not troubles, troubles[:5]
    assert len(promised) >= 250
    found = set()
    with machine.network(), talk.POP3(110, b"anna") as reader:
        numbers = [number for number in reader.list() if number > before]
        for _, content in reader.retr_all(numbers):
            found.update((int(a), int(b)) for a, b in re.findall(rb"^(\d+)-(\d+)\r$", content, re.M))
    assert set(promised) <= found, f"lost: {sorted(set(promised) - found)[:5]}"


# The journal

def test_the_journal_has_events_with_their_fields_and_nothing_is_on_standard_error_besides(machine):
    machine.run("systemctl", "start", UNIT)
    main = machine.property(UNIT, "MainPID")
    deliver(machine)
    until(lambda: "delivered" in machine.journal(f"_PID={main}", "-o", "cat"), "the delivery to be told")
    entries = [json.loads(line) for line in machine.journal(f"_PID={main}", "-o", "json").splitlines()]
    assert all(entry["_TRANSPORT"] == "journal" for entry in entries), [e for e in entries if "MESSAGE_ID" not in e]
    assert all(re.fullmatch(r"[0-9a-f]{32}", entry["MESSAGE_ID"]) for entry in entries)
    delivered, = (entry for entry in entries if entry["MESSAGE"].startswith("delivered"))
    assert delivered["PRIORITY"] == "6" and delivered["_SYSTEMD_UNIT"] == UNIT
    fields = {name for name in delivered if name.startswith("RESTANTE_")}
    assert {"RESTANTE_PEER", "RESTANTE_FROM"} <= fields, fields
    assert delivered["RESTANTE_PEER"] == "127.0.0.1"
    machine.run("journalctl", "--update-catalog")
    for entry in entries:
        explained = machine.run("journalctl", "--dump-catalog", entry["MESSAGE_ID"])
        assert "Subject: " in explained and "Restante" in explained, entry["MESSAGE"]


# The watchdog

@pytest.mark.parametrize("rule, words", [
    ("epoll_wait -2 -1 eventpoll", "Watchdog timeout"),
    ("fdatasync -2 -1 .log", "does not answer"),
    ("pread -3 -1 /probe", "something else was read"),
], ids=["loop", "committer", "probe"])
def test_the_manager_restarts_what_is_stuck(machine, rule, words):
    machine.run("install", "-d", "-o", "restante", "/var/lib/restante/faults")
    control = "/var/lib/restante/faults/rules"
    adjusted(machine, f"[Service]\nWatchdogSec=1\nRestartSec=100ms\nEnvironment=LD_PRELOAD={LIBRARY}/failing.so "
                      f"FAILING={control}\n")
    machine.write(control, "clock 0 0 -\n")
    machine.run("systemctl", "start", UNIT)
    main, since = machine.property(UNIT, "MainPID"), machine.run("date", "+@%s")
    machine.write(control, rule + "\n")
    if "fdatasync" in rule:
        with machine.network():
            sender = talk.SMTP(25)
        sender.mail(b"a@b.example", address("anna"))
        sender.ask(b"DATA", b"354")
        sender.send(letter(b"never promised\r\n") + b".\r\n")
    until(lambda: machine.property(UNIT, "MainPID") not in (main, "0") or int(machine.property(UNIT, "NRestarts")) > 0,
          "the manager to step in", 60)
    machine.write(control, "clock 0 0 -\n")
    until(lambda: machine.property(UNIT, "SubState") == "running", "it to run again", 60)
    deliver(machine)
    said = machine.journal("-u", UNIT, "--since", since)
    assert "Watchdog" in said and words in said, said
    if "epoll" not in rule:
        assert "Watchdog request" in said, "it knew, and said so itself"
    assert "signal=ABRT" in said or "status=6/ABRT" in said, said


def test_a_healthy_one_is_left_alone(machine):
    adjusted(machine, "[Service]\nWatchdogSec=1\n")
    machine.run("systemctl", "start", UNIT)
    first = machine.property(UNIT, "WatchdogTimestampMonotonic")
    for _ in range(8):
        previous = first
        first = until(lambda: (now := machine.property(UNIT, "WatchdogTimestampMonotonic")) != previous and now,
                      "the watchdog to be fed")
    assert machine.property(UNIT, "NRestarts") == "0"


# Memory pressure

def test_the_kernel_is_asked_to_tell_of_memory_pressure_where_it_lets_a_service(machine):
    """As newer versions of systemd arrange it by themselves."""
    path = "/sys/fs/cgroup/system.slice/restante.service/memory.pressure"
    adjusted(machine, f"[Service]\nProtectControlGroups=no\nExecStartPre=+/bin/chown restante {path}\n"
                      f"Environment=MEMORY_PRESSURE_WATCH={path}\n")
    machine.run("systemctl", "start", UNIT)
    main = machine.property(UNIT, "MainPID")
    watched = re.search(r"(\d+) -> " + re.escape(path), machine.run("ls", "-l", f"/proc/{main}/fd"))[1]
    polled = machine.run("sh", "-c", f"cat /proc/{main}/fdinfo/*")
    # EPOLLPRI, and what the kernel adds to everything.
    assert re.search(r"tfd:\s+%s events:\s+\w*[2a]\b" % watched, polled), polled
    assert "memory is" not in machine.journal("-u", UNIT)


# The sandbox

def test_the_sandbox_holds(machine):
    """The unit with a program in its place that tries to break out."""
    text = (REPOSITORY / "systemd" / UNIT).read_text()
    text = re.sub(r"^(Sockets|Restart|RestartSec|WatchdogSec|ExecReload|NotifyAccess|Type)=.*\n", "", text, flags=re.M)
    text = re.sub(r"^ExecStart=.*$", f"Type=oneshot\nExecStart={LIBRARY}/attempts", text, flags=re.M)
    machine.write("/run/systemd/system/attempts.service", text)
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "attempts.service")
    said = machine.journal("-u", "attempts.service", "-o", "cat")
    tried, needed = said.split("--\n")
    tried = re.findall(r"^([\w /]+): (\w+)", tried, re.M)
    assert len(tried) >= 45
    assert [name for name, result in tried if result == "DONE"] == []
    assert [result for _, result in re.findall(r"^([\w ]+): (\w+)", needed, re.M)] == ["DONE"] * 2


def test_nothing_of_the_service_is_refused_by_its_own_sandbox(machine):
    """A seccomp filter that logs: whatever the service asks for and does not get would be there."""
    adjusted(machine, "[Service]\nSystemCallErrorNumber=\nSystemCallErrorNumber=kill\n")
    machine.run("systemctl", "start", UNIT)
    for port in (25, 110):
        with machine.network(), talk.Connection(port) as peer:
            peer.line()
    deliver(machine)
    assert waiting_mail(machine) >= 1
    machine.run("systemctl", "reload", UNIT)
    machine.run("restante", "status")
    machine.run("systemctl", "stop", UNIT)
    assert machine.property(UNIT, "Result") == "success"


# The weekly check

def test_the_weekly_check_works_beside_the_service_and_fails_on_damage(machine):
    deliver(machine, b"to be checked\r\n")
    machine.run("systemctl", "start", "restante-scrub.service")
    assert machine.property("restante-scrub.service", "Result") == "success"
    assert "all is well" in machine.journal("-u", "restante-scrub.service")
    machine.run("systemctl", "stop", UNIT, *SOCKETS)
    machine.run("systemctl", "start", "restante-scrub.service")
    machine.run("sh", "-c", "cp -a /var/lib/restante/spool /var/lib/restante/kept")
    try:
        machine.run("sh", "-c", "cd /var/lib/restante/spool/log && file=$(ls *.log | tail -1) && "
                                "at=$(grep -abo 'to be checked' $file | tail -1 | cut -d: -f1) && "
                                "printf X | dd of=$file bs=1 seek=$at conv=notrunc status=none")
        machine.run("systemctl", "start", "restante-scrub.service", code=1)
        assert machine.property("restante-scrub.service", "ExecMainStatus") == "65"
    finally:
        machine.run("sh", "-c", "cd /var/lib/restante && rm -rf spool && mv kept spool")
