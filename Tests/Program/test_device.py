"""The device from the command line: what it says of itself, and what it does while its mail cannot be reached."""

import json
import os
import re
import shutil
import signal
import socket
import statistics
import time

import pytest

import manager as managers
import talk
from letters import letter
from office import CONFIGURATION, OK, TRY_AGAIN, UNAVAILABLE, USAGE, address
from waiting import until

OWN = b"_self-test"


@pytest.fixture
def office(make_office):
    """Open, with all four ports; a tester's disk may be fuller than an appliance's should be."""
    return make_office({"Spool": {"KeepFree": "0%"}}, tls=True).start()


def control(office, request):
    """An answer's lines."""
    with socket.socket(socket.AF_UNIX) as asked:
        asked.connect(str(office.state / "control"))
        asked.sendall(request + b"\n")
        said = asked.makefile("rb")
        lines = [said.readline().rstrip(b"\r\n")]
        if request != b"SELFTEST" and lines[0].startswith(b"+OK"):
            while lines[-1] != b".":
                lines.append(said.readline().rstrip(b"\r\n"))
        return lines


# The self-test

def test_the_self_test_sends_itself_a_message_and_fetches_it_over_TLS(office):
    said = office.run("self-test").stdout.decode()
    assert re.search(r"^ok   mail: .*by SMTP.*by POP3 over TLS", said, re.M), said
    for what in ("spool", "disk", "clock", "certificate"):
        assert re.search(rf"^ok   {what}: ", said, re.M), said
    # Nobody can know it here.
    assert re.search(r"^(--  |ok  ) watchdog: ", said, re.M), said
    found = json.loads(office.run("self-test", "--json").stdout)
    assert all(line["ok"] is not False and line["text"] for line in found) and found[0]["what"] == "mail"
    log = office.log()
    assert b"delivered" in log and re.search(rb"deleted: _self-test messages=1", log)
    assert re.search(rb"login: _self-test service=POP3 peer=127.0.0.1 tls=TLSv1.3", log)


def test_without_a_port_for_TLS_alone_the_self_test_says_STLS(make_office):
    office = make_office({"Spool": {"KeepFree": "0%"}}).start()
    assert b"ok   mail: " in office.run("self-test").stdout
    assert re.search(rb"login: _self-test service=POP3 peer=127.0.0.1 tls=TLSv1.3", office.log())


def test_its_maildrop_is_in_no_list_and_survives_a_start(office):
    office.run("self-test")
    before = office.status()
    assert before["messages"] == before["maildrops"] == 0 and before["deleted"]["messages"] == 0
    assert OWN not in office.run("account", "list").stdout
    assert OWN not in office.run("mail", "list", OWN.decode(), code=None).stdout
    office.kill()
    for cache in (office.state / "spool" / "checkpoint", office.index(OWN.decode())):
        cache.unlink(missing_ok=True)
    office.start()
    assert office.status()["problems"] == 0
    office.run("check")
    office.run("self-test")


def test_nobody_but_the_test_writes_or_reads_it(office):
    with office.smtp() as sender:
        sender.ask(b"MAIL FROM:<a@b.example>", b"250")
        assert sender.ask(b"RCPT TO:<%b>" % address(OWN))[0] == b"550"
    name, password = control(office, b"SELFTEST")[0].split()[1:]
    assert name == OWN and len(password) == 32
    # From elsewhere than the address that is called.
    with talk.SMTP(office.smtp_port, source="127.0.0.2") as sender:
        sender.ask(b"MAIL FROM:<a@b.example>", b"250")
        assert sender.ask(b"RCPT TO:<%b>" % address(OWN))[0] == b"550"
    with talk.POP3(office.pop3_port, source="127.0.0.2") as reader:
        reader.ask(b"USER " + name)
        assert reader.answer(b"PASS " + password).startswith(b"-ERR [AUTH]")
    with office.smtp() as sender:
        sender.ask(b"MAIL FROM:<a@b.example>", b"250")
        sender.ask(b"RCPT TO:<%b>" % address(OWN), b"250")
    with talk.POP3(office.pop3_port) as reader:
        reader.ask(b"USER " + name)
        assert reader.answer(b"PASS wrong").startswith(b"-ERR [AUTH]")


def test_a_self_test_that_fails_says_what_to_do(make_office):
    office = make_office({"Spool": {"KeepFree": "0%"}})
    done = office.run("self-test", code=TRY_AGAIN)
    assert re.search(rb"^FAIL mail: .*systemctl start restante", done.stdout, re.M)
    office.configure(POP3={"Listen": "no"})
    office.spawn()
    until(lambda: (office.state / "control").exists(), "the daemon")
    until(lambda: office.run("status", code=None).returncode == OK, "the daemon to answer")
    done = office.run("self-test", code=TRY_AGAIN)
    assert re.search(rb"^FAIL mail: .*nothing listens for POP3", done.stdout, re.M), done


# Who is there, who was refused

def test_connections_names_who_is_there(office):
    assert b"nobody" in office.run("connections").stdout
    with office.pop3s("anna"), office.smtp():
        def both():
            found = {one["service"]: one for one in json.loads(office.run("connections", "--json").stdout)}
            return len(found) == 2 and found

        found = until(both, "two connections")
        assert found["POP3"]["account"] == "anna" and found["POP3"]["tls"] == "TLSv1.3"
        assert found["SMTP"]["account"] == "-" and found["SMTP"]["tls"] == "-"
        assert found["SMTP"]["address"] == "127.0.0.1" and 0 <= found["SMTP"]["seconds"] < 60
        said = office.run("connections").stdout
        assert re.search(rb"^POP3 +127\.0\.0\.1 +TLSv1\.3 +anna, for ", said, re.M), said


def test_refusals_tells_the_last_ten_and_counts_the_same_one(office):
    assert b"nobody was refused" in office.run("refusals").stdout
    with office.smtp() as sender:
        sender.ask(b"MAIL FROM:<a@b.example>", b"250")
        for n in range(12):
            sender.ask(b"RCPT TO:<nobody%d@office.example>" % n)
        sender.ask(b"RCPT TO:<nobody5@office.example>")
    found = json.loads(office.run("refusals", "--json").stdout)
    assert len(found) == 10
    assert "nobody5@" in found[0]["what"] and found[0]["count"] == 2 and "peer=127.0.0.1" in found[0]["what"]
    assert "nobody11@" in found[1]["what"] and not any("nobody1@" in one["what"] for one in found)
    assert abs(found[0]["time"] - time.time()) < 600
    assert b"(2 times)" in office.run("refusals").stdout
    with office.pop3() as reader:
        reader.ask(b"USER anna")
        reader.answer(b"PASS wrong")
    until(lambda: b"login refused: anna: wrong password" in office.run("refusals").stdout, "the login to be told")


# While the mail cannot be reached

@pytest.fixture
def lost(office):
    """An office with a message, whose spool is lost: both copies of what identifies it are gone."""
    office.deliver(letter(b"kept\r\n"))
    office.kill()
    office.lost = [(file, file.read_bytes()) for file in (office.state / "spool" / "id", office.state / "spool/log/id")]
    for file, _ in office.lost:
        file.write_bytes(b"nonsense\n")
    office.expects_trouble = True
    return office.start()


def found_again(office):
    for file, octets in office.lost:
        file.write_bytes(octets)


def test_while_the_spool_is_lost_senders_hear_421_and_readers_SYS_TEMP(lost):
    for port, greeting in ((lost.smtp_port, b"421 4.3.2 "), (lost.pop3_port, b"-ERR [SYS/TEMP] ")):
        with talk.Connection(port) as peer:
            assert peer.line().startswith(greeting)
            assert peer.at_end()
    trust = lost.trust()
    for port, greeting in ((lost.smtps_port, b"421 4.3.2 "), (lost.pop3s_port, b"-ERR [SYS/TEMP] ")):
        with talk.Connection(port, tls=trust) as peer:
            assert peer.line().startswith(greeting)
            assert peer.at_end()
    assert re.search(rb"mail is not served: .*damaged.*tried again every 30 seconds", lost.log()), lost.log()


def test_a_spool_that_cannot_be_opened_is_no_mistake_of_the_configuration(office):
    """Also by hand: a file where a directory was."""
    office.deliver(letter(b"kept\r\n"))
    office.kill()
    log = office.state / "spool" / "log"
    shutil.rmtree(log)
    log.write_text("")
    office.expects_trouble = True
    office.start()
    for port, greeting in ((office.smtp_port, b"421 4.3.2 "), (office.pop3_port, b"-ERR [SYS/TEMP] ")):
        with talk.Connection(port) as peer:
            assert peer.line().startswith(greeting)


def test_status_and_commands_say_why_meanwhile(lost):
    status = lost.status(code=TRY_AGAIN)
    assert status["running"] and not status["well"] and "damaged" in status["unavailable"]
    assert {one["service"] for one in status["listening"]} == {"SMTP", "SMTPS", "POP3", "POP3S"}
    assert b"CANNOT REACH THE MAIL" in lost.run("status", code=TRY_AGAIN).stdout
    assert b"MAIL IS NOT SERVED" in lost.run("status", "--brief").stdout
    done = lost.run("self-test", code=TRY_AGAIN)
    assert re.search(rb"^FAIL mail: .*damaged", done.stdout, re.M)
    assert re.match(rb"-ERR 75 .*not served.*damaged", control(lost, b"DELETE anna 1")[0])


def test_nobody_has_to_start_it_when_the_spool_is_back(lost):
    found_again(lost)
    lost.process.send_signal(signal.SIGHUP)

    def serves():
        with talk.Connection(lost.pop3_port) as peer:
            return peer.line().startswith(b"+OK")

    until(serves, "it to serve")
    assert len(lost.fetch("anna")) == 1
    lost.run("status")
    lost.deliver(letter(b"more\r\n"))


def test_a_handshake_that_is_never_made_holds_nobody_up(lost):
    silent = [talk.Connection(lost.pop3s_port) for _ in range(80)]
    with talk.Connection(lost.pop3_port) as peer:
        assert peer.line().startswith(b"-ERR [SYS/TEMP] ")
    for peer in silent:
        peer.close()


def test_the_service_manager_is_told_why_and_its_watchdog_is_fed(lost, tmp_path):
    lost.stop()
    manager = managers.Manager(tmp_path, watchdog=1)
    try:
        manager.start(lost)
        said = manager.hears({"READY": "1", "STATUS": any})
        assert "damaged" in said["STATUS"] and "not served" in said["STATUS"]
        until(lambda: manager.count("WATCHDOG", "1") >= 3, "the watchdog to be fed")
        found_again(lost)
        lost.process.send_signal(signal.SIGHUP)
        manager.hears({"READY": "1", "STATUS": "Serving"})
        lost.stop()
    finally:
        manager.close()


def test_it_ends_in_order_while_the_mail_cannot_be_reached(lost):
    lost.stop()
    assert not (lost.state / "control").exists()
    lost.run("status", code=UNAVAILABLE)


# A start that fails

def test_before_a_service_manager_a_wrong_configuration_does_not_spin(make_office, tmp_path):
    office = make_office(accounts=())
    office.configure(SMTP={"Colour": "blue"})
    manager = managers.Manager(tmp_path)
    try:
        began = time.monotonic()
        manager.start(office)
        manager.hears({"STATUS": any})
        assert office.process.wait(20) == CONFIGURATION and time.monotonic() - began >= 4.5
        manager.start(office)
        manager.hears({"STATUS": any}, since=len(manager.told))
        office.configure()
        began = time.monotonic()
        assert office.process.wait(20) == CONFIGURATION and time.monotonic() - began < 4, "it is mended: start again"
        office.configure(SMTP={"Colour": "blue"})
        manager.start(office)
        manager.hears({"STATUS": any}, since=len(manager.told))
        office.process.terminate()
        assert office.process.wait(20) == CONFIGURATION
    finally:
        manager.close()
        office.process = None


def test_by_hand_it_is_refused_at_once(make_office):
    office = make_office(accounts=())
    office.configure(SMTP={"Colour": "blue"})
    began = time.monotonic()
    office.run("serve", code=CONFIGURATION)
    assert time.monotonic() - began < 4


def test_what_was_killed_serves_again_within_a_second(office):
    """What the unit adds to it is RestartSec=: see test_device_systemd.py."""
    for n in range(200):
        office.deliver(letter(b"%d\r\n" % n))
    times = []
    for _ in range(5):
        office.kill()
        began = time.monotonic()
        office.start()
        times.append(time.monotonic() - began)
    assert statistics.median(times) < 0.8, times


# Off the appliance

def test_status_tells_of_the_machine(office):
    device = office.status()["device"]
    assert {"addresses", "memory", "clock", "watchdog", "last_restart"} <= device.keys()
    assert re.fullmatch(r"\S+ of \S+ available; load [\d.]+", device["memory"])
    said = " ".join(office.run("status").stdout.decode().split())
    for name, words in device.items():
        if name not in ("memory", "written"):
            assert f" {name.replace('_', ' ')} {words}" in said, name
    assert office.status()["oldest"] is None
    office.deliver(letter(b"waits\r\n"))
    assert abs(office.status()["oldest"] - time.time()) < 600
    assert b"the oldest waits since" in office.run("status").stdout


def test_what_is_not_the_appliances_network_is_not_changed(office):
    before = sorted(os.listdir("/etc/systemd/network")) if os.path.isdir("/etc/systemd/network") else None
    for words in (("dhcp",), ("static", "--address", "192.0.2.10/24", "--gateway", "192.0.2.1")):
        done = office.run("network", *words, config=False, code=None)
        assert done.returncode in (UNAVAILABLE, 77) and done.stderr
    assert before == (sorted(os.listdir("/etc/systemd/network")) if os.path.isdir("/etc/systemd/network") else None)
    office.run("network", config=False)


@pytest.mark.parametrize("words", [
    ("static",), ("static", "--address", "192.0.2.10"), ("static", "--address", "192.0.2.10/33"),
    ("static", "--address", "10/8"), ("static", "--address", "192.0.2.10/24", "--gateway", "router"),
    ("static", "--address", "192.0.2.10/24", "--dns", "one.example"), ("ping",), ("ping", "-f"), ("colour",),
])
def test_what_cannot_be_meant_is_refused_before_anything_is_changed(office, words):
    done = office.run("network", *words, config=False, code=USAGE)
    assert done.stderr


def test_names_are_looked_up(office):
    assert b"127.0.0.1" in office.run("network", "lookup", "localhost", config=False).stdout
    office.run("network", "lookup", "no-such-name.invalid", config=False, code=TRY_AGAIN)


def test_the_clock_is_told_and_set_only_to_a_time(office):
    assert re.match(rb"it is \d{4}-\d\d-\d\d \d\d:\d\d UTC, ", office.run("clock", config=False).stdout)
    for words in (("set",), ("set", "noon"), ("set", "3d"), ("keep",)):
        office.run("clock", *words, config=False, code=USAGE)
    office.run("clock", "set", "1999-12-31 23:59", config=False, code=65)


@pytest.fixture
def journalctl(office, tmp_path):
    """A journalctl that says what it is asked for."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "journalctl").write_text('#!/bin/sh\necho "$@"\n')
    (tools / "journalctl").chmod(0o755)
    return lambda *words, **options: office.run(
        "journal", *words, config=False, variables={"PATH": f"{tools}:{os.environ['PATH']}"}, **options).stdout.decode()


def test_the_journal_is_asked_by_account_and_by_address(journalctl, tmp_path):
    assert "_SYSTEMD_UNIT=restante.service" in journalctl() and " -n 40 " in journalctl()
    assert journalctl("anna").endswith(" RESTANTE_MAILDROP=anna\n")
    assert journalctl("2001:DB8::1").endswith(" RESTANTE_PEER=2001:db8::1\n")
    assert "RESTANTE_RECIPIENT=a@b.example" in journalctl("a@b.example")
    assert " -f " in journalctl("--follow") and " -n 7 " in journalctl("--lines", "7")
    journalctl("--lines", "many", code=USAGE)
    journalctl("-u", code=USAGE)
    file = tmp_path / "exported"
    assert str(file) in journalctl("--export", file)
    assert "_SYSTEMD_UNIT=restante.service" in file.read_text() and "-n" not in file.read_text().split()
    journalctl("--export", file, code=73)
