"""What a service manager is told, and what it hands over: notify, sockets, watchdog, memory pressure."""

import os
import signal
import socket
import time

import pytest

import talk
from letters import letter
from manager import Manager
from office import address
from waiting import until


@pytest.fixture
def make_manager(tmp_path):
    made = []

    def make(**options):
        manager = Manager(tmp_path, **options)
        made.append(manager)
        return manager

    yield make
    for manager in made:
        manager.close()


def listener(family=socket.AF_INET, host="127.0.0.1"):
    """A socket as systemd opens one: dual-stack if for IPv6, and blocking."""
    made = socket.socket(family)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    made.bind((host, 0))
    made.listen(64)
    return made


# Telling

def test_READY_comes_when_every_port_is_served_and_STOPPING_when_they_are_not(make_office, make_manager):
    office, manager = make_office(), make_manager()
    manager.start(office)
    manager.hears({"READY": "1", "STATUS": "Serving"})
    assert [message for message in manager.told if "READY" in message] == manager.told[-1:]
    assert office.greets()
    office.stop()
    assert "STATUS" in manager.hears({"STOPPING": "1"})
    assert manager.count("WATCHDOG", "1") == 0, "nobody asked for it"


def test_READY_waits_for_the_spool_and_a_long_recovery_asks_for_time(make_office, make_manager, faults):
    office = make_office(preload=faults.library, variables=faults.variables).start()
    for _ in range(4):
        # A failed flush ends the segment.
        office.deliver(letter(b"kept\r\n"))
        faults.set(("fdatasync", 5, 1, ".log"))
        with office.smtp() as sender:
            sender.mail(b"a@b.example", address("anna"))
            sender.data(letter(b"refused\r\n"), code=b"451")
    office.kill()
    (office.state / "spool" / "checkpoint").unlink(missing_ok=True)
    faults.set(("pread", -4, -1, ".log"))
    manager = make_manager().start(office)
    asked = manager.hears({"EXTEND_TIMEOUT_USEC": any}, 60)
    assert int(asked["EXTEND_TIMEOUT_USEC"]) >= 10_000_000
    assert asked["STATUS"].startswith("Reading the spool: segment ")
    assert not any("READY" in message for message in manager.told)
    faults.clear()
    manager.hears({"READY": "1"}, 60)


def test_reloading_is_told_with_its_time_and_its_end(make_office, make_manager):
    office, manager = make_office(), make_manager()
    manager.start(office).hears({"READY": "1"})
    before, since = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000, len(manager.told)
    office.process.send_signal(signal.SIGHUP)
    reloading = manager.hears({"RELOADING": "1"}, since=since)
    assert before <= int(reloading["MONOTONIC_USEC"]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    manager.hears({"READY": "1"}, since=manager.told.index(reloading))
    # Also when the new configuration is refused: the old one serves.
    office.config.write_text(office.config.read_text() + "[SMTP]\nColour=blue\n")
    since = len(manager.told)
    office.process.send_signal(signal.SIGHUP)
    manager.hears({"RELOADING": "1"}, since=since)
    manager.hears({"READY": "1"}, since=since)


def test_STATUS_says_in_words_how_it_is_and_only_when_that_changes(make_office, make_manager):
    office, manager = make_office(), make_manager()
    manager.start(office).hears({"READY": "1"})
    for _ in range(30):
        office.deliver(letter(b"x\r\n"))
    manager.hears({"STATUS": "Serving; connections: 0; since the start: delivered 30, logins 0"}, 30)
    lines = [message for message in manager.told if "STATUS" in message]
    assert len(lines) <= 5, lines


# Sockets

def test_sockets_are_told_apart_by_name(make_office, make_manager):
    office = make_office({"SMTP": {"ListenTLS": "465"}, "POP3": {"ListenTLS": "995"}})
    sockets = {name: listener() for name in ("pop3s", "pop3", "submissions", "smtp")}
    manager = make_manager().listen(**sockets).start(office)
    # Whoever comes before it is ready waits.
    early = talk.Connection(sockets["smtp"].getsockname()[1])
    manager.hears({"READY": "1"})
    assert early.line().startswith(b"220 ")
    early.close()
    with talk.Connection(sockets["pop3"].getsockname()[1]) as reader:
        assert reader.line().startswith(b"+OK")
    for name, greeting in (("submissions", b"220 "), ("pop3s", b"+OK")):
        with secured(sockets[name].getsockname()[1]) as peer:
            assert peer.recv(512).startswith(greeting), name
    # The configuration's own ports are not opened besides.
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", office.smtp_port), 5)
    assert b"Listen" not in office.log()


def secured(port):
    import ssl
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), 20))


def test_a_restart_with_the_sockets_kept_refuses_nobody(make_office, make_manager):
    office, smtp = make_office(), listener()
    manager = make_manager().listen(smtp=smtp, pop3=listener())
    manager.start(office).hears({"READY": "1"})
    office.smtp_port = smtp.getsockname()[1]
    office.deliver(letter(b"before\r\n"))
    office.stop()
    between = talk.Connection(office.smtp_port)
    manager.start(office)
    assert between.line().startswith(b"220 ")
    between.close()
    office.deliver(letter(b"after\r\n"))


def test_an_IPv4_peer_of_a_socket_for_both_families_is_an_IPv4_peer(make_office, make_manager):
    office, pop3 = make_office(), listener(socket.AF_INET6, "::")
    manager = make_manager().listen(smtp=listener(), pop3=pop3)
    manager.start(office).hears({"READY": "1"})
    with talk.POP3(pop3.getsockname()[1], b"anna") as reader:
        reader.quit()
    assert b"peer=127.0.0.1" in office.log() and b"ffff" not in office.log()


def test_a_socket_with_an_unknown_name_is_an_error_that_is_told(make_office, make_manager):
    office, odd = make_office(), listener()
    manager = make_manager().listen(smtp=listener(), imap=odd, pop3=listener())
    manager.start(office).hears({"READY": "1"})
    until(lambda: b'named "imap"' in office.log(), "the name to be told")


def test_a_missing_socket_is_told_and_an_unwanted_one_is_not_served(make_office, make_manager):
    office = make_office({"SMTP": {"ListenTLS": "465"}, "POP3": {"Listen": "no", "ListenTLS": "995"}})
    pop3 = listener()
    manager = make_manager().listen(smtp=listener(), pop3=pop3, pop3s=listener())
    manager.start(office).hears({"READY": "1"})
    log = until(lambda: office.log().count(b"socket") >= 2 and office.log(), "both to be told")
    assert b"not listening for SMTP over TLS" in log
    assert b"not listening for POP3, as Listen=no says" in log
    with socket.create_connection(pop3.getsockname(), 5) as waiting:
        waiting.settimeout(0.3)
        with pytest.raises(TimeoutError):
            waiting.recv(1)


def test_without_sockets_it_opens_its_own(make_office, make_manager):
    office, manager = make_office(), make_manager()
    manager.start(office).hears({"READY": "1"})
    assert office.greets()


# Watchdog

@pytest.fixture
def watched(make_office, make_manager, faults):
    """An office under a watchdog of one second, that can be broken."""
    office, manager = make_office(preload=faults.library, variables=faults.variables), make_manager(watchdog=1)
    manager.start(office).hears({"READY": "1"})
    manager.hears({"WATCHDOG": "1"})
    yield office, manager
    faults.clear()


def starved(manager):
    """Returns when for a second nothing was said that feeds the watchdog: what makes the manager step in."""
    quiet = time.monotonic()

    def hungry():
        nonlocal quiet
        if any(message.get("WATCHDOG") == "1" for message in manager.listen_now()):
            quiet = time.monotonic()
        return time.monotonic() - quiet > 1

    until(hungry, "the watchdog to starve", 20)


def test_the_watchdog_is_fed_in_time_while_all_is_well(watched):
    office, manager = watched
    fed = manager.count("WATCHDOG", "1")
    began = time.monotonic()
    until(lambda: manager.count("WATCHDOG", "1") >= fed + 12, "twelve meals", 10)
    assert time.monotonic() - began < 8
    assert (office.state / "spool" / "probe").stat().st_size < 4096
    assert manager.count("WATCHDOG", "trigger") == 0


def test_a_loop_that_hangs_starves_the_watchdog(watched, faults):
    office, manager = watched
    faults.set(("epoll_wait", -2, -1, "eventpoll"))
    starved(manager)
    faults.clear()
    manager.hears({"WATCHDOG": "1"}, since=len(manager.told))


def test_a_committer_that_hangs_starves_the_watchdog_and_says_so(watched, faults):
    office, manager = watched
    faults.set(("fdatasync", -2, -1, ".log"))
    sender = office.smtp()
    sender.mail(b"a@b.example", address("anna"))
    sender.ask(b"DATA", b"354")
    sender.send(letter(b"waits\r\n") + b".\r\n")
    manager.hears({"WATCHDOG": "trigger"})
    starved(manager)
    assert b"does not answer" in office.log()
    # Everything else still turns: it is the committer that does not.
    with office.pop3("anna") as reader:
        reader.quit()
    faults.clear()
    manager.hears({"WATCHDOG": "1"}, since=len(manager.told))
    sender.close()


@pytest.mark.parametrize("rule, said", [
    (("fdatasync", 5, -1, "/probe"), b"does not come back: Input/output error"),
    (("pread", -3, -1, "/probe"), b"something else was read"),
    (("open", 30, -1, "/probe"), b"does not come back: Read-only file system"),
])
def test_a_disk_that_fails_its_probe_starves_the_watchdog_and_says_so(watched, faults, rule, said):
    office, manager = watched
    faults.set(rule)
    manager.hears({"WATCHDOG": "trigger"}, 20)
    starved(manager)
    assert said in office.log()


def test_a_full_disk_is_no_reason_to_be_killed(watched, faults):
    office, manager = watched
    faults.set(("pwrite", 28, -1, "/probe"), ("open", 28, -1, "/probe"))
    until(lambda: manager.listen_now() is not None and len(faults.happened()) >= 2, "two probes on a full disk", 30)
    fed = manager.count("WATCHDOG", "1")
    until(lambda: manager.count("WATCHDOG", "1") >= fed + 8, "it to be fed all the same")
    assert manager.count("WATCHDOG", "trigger") == 0


def test_one_failed_probe_is_tried_again_before_anything_is_said_to_be_stuck(watched, faults):
    office, manager = watched
    faults.set(("fdatasync", 5, 1, "/probe"))
    until(lambda: manager.listen_now() is not None and faults.happened(), "a probe to fail", 30)
    fed = manager.count("WATCHDOG", "1")
    until(lambda: manager.count("WATCHDOG", "1") >= fed + 8, "it to be fed")
    assert manager.count("WATCHDOG", "trigger") == 0


def test_without_a_watchdog_no_probe_is_made(make_office, make_manager):
    office, manager = make_office(), make_manager()
    manager.start(office).hears({"READY": "1"})
    office.deliver(letter(b"x\r\n"))
    office.stop()
    assert not (office.state / "spool" / "probe").exists()


# Memory pressure

def test_memory_pressure_sheds_caches_then_strangers_then_everybody_and_ends(make_office, tmp_path):
    pipe = tmp_path / "pressure"
    os.mkfifo(pipe)
    office = make_office({"POP3": {"RequireTLS": "no"}}, variables={"MEMORY_PRESSURE_WATCH": str(pipe)}).start()
    begun = office.smtp()

    def press(words):
        def felt():
            with open(pipe, "wb", buffering=0) as end:
                end.write(b"x")
            return words in office.log()

        until(felt, words, 20)

    press(b"memory is short: caches are given back")
    office.deliver(letter(b"first measure\r\n"))
    press(b"new SMTP connections are told to try again")
    with talk.Connection(office.smtp_port) as stranger:
        assert stranger.line().startswith(b"421 4.")
    with office.pop3("anna") as reader:
        assert reader.stat()[0] == 1
        reader.quit()
    begun.deliver(letter(b"was there before\r\n"), address("anna"))
    begun.quit()
    press(b"new connections are told to try again")
    with talk.Connection(office.pop3_port) as stranger:
        assert stranger.line().startswith(b"-ERR [SYS/TEMP]")
    assert office.status()["messages"] == 2, "the administrator is served"
    until(lambda: b"memory is well again" in office.log(), "the calm to be noticed", 60)
    assert office.greets()


def test_memory_pressure_that_may_only_be_read_is_read(make_office, tmp_path):
    """As a cgroup's file is for a service without privileges."""
    file = tmp_path / "memory.pressure"
    file.write_text("some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n")
    office = make_office(variables={"MEMORY_PRESSURE_WATCH": str(file)}).start()
    # A plain file takes the trigger for its content, and cannot be watched.
    file.write_text("some avg10=34.56 avg60=0.00 avg300=0.00 total=0\n")
    office.deliver(letter(b"x\r\n"))
    until(lambda: b"caches are given back" in office.log(), "the pressure to be seen")


def test_no_memory_pressure_file_is_no_trouble(make_office, tmp_path):
    office = make_office(variables={"MEMORY_PRESSURE_WATCH": str(tmp_path / "none")}).start()
    office.deliver(letter(b"x\r\n"))
    assert b"memory is" not in office.log()
