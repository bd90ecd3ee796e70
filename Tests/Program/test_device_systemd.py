"""The device's commands where systemd runs the machine: trials of the network, what was killed, what is missing."""

import json
import re
import shutil
import statistics
import time

import pytest

import machine as machines
import talk
from letters import letter
from office import REPOSITORY, address
from waiting import until

UNIT = "restante.service"
SOCKETS = ["restante.socket", "restante-submissions.socket", "restante-pop3.socket", "restante-pop3s.socket"]
UNITS = ["restante-network-return.service", "restante-network-return.timer", "restante-record.service",
         "restante-resolver.path", "restante-resolver.service"]
SETTINGS = "/etc/systemd/network/10-restante-inside0.network"
PENDING = "/var/lib/restante-device/network.pending"
DEVICE = "/var/lib/restante-device"
MISSING = "/run/restante-data.missing"


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    why = machines.missing()
    if why:
        pytest.skip(f"NOT TESTED: the device's commands under systemd; {why}")
    machine = machines.Machine(tmp_path_factory.mktemp("machine")).install()
    for unit in UNITS:
        shutil.copy(REPOSITORY / "image/units" / unit, machine.above / "usr/lib/systemd/system" / unit)
    # Two minutes are long for a test.
    machine.file("etc/systemd/system/restante-network-return.timer.d/test.conf", "[Timer]\nOnActiveSec=\nOnActiveSec=4s\n")
    machine.file("etc/restante/restante.conf.d/test.conf", "[Spool]\nKeepFree=0%\n")
    try:
        machine.start()
        machine.run("restante", "account", "add", "anna", "--password-stdin", input="anna-secret\n")
        machine.run("systemctl", "start", *SOCKETS, UNIT)
        machine.run("mkdir", "-p", "/var/lib/restante-device")
        yield machine
    finally:
        machine.close()


def greeting(machine, port):
    with machine.network(), talk.Connection(port) as peer:
        return peer.line()


# The program

def test_what_was_killed_serves_again_within_a_second(machine):
    """From kill -9 to a greeting, systemd's part included."""
    times = []
    for n in range(5):
        main = machine.property(UNIT, "MainPID")
        began = time.monotonic()
        machine.run("kill", "-9", main)
        assert greeting(machine, 25).startswith(b"220 ")
        times.append(time.monotonic() - began)
        until(lambda: machine.property(UNIT, "SubState") == "running", "the start to be over")
        assert int(machine.property(UNIT, "NRestarts")) == n + 1
    assert statistics.median(times) <= 1, times


def test_status_tells_that_it_was_started_anew_and_why(machine):
    status = json.loads(machine.run("restante", "status", "--json"))
    assert re.search(r"started anew by itself, times: 5\. .*status=9/KILL", status["device"]["last_restart"]), status


def test_the_self_test_passes_within_the_sandbox(machine):
    said = machine.run("restante", "self-test")
    assert said.startswith("ok   mail: "), said


def test_without_the_data_partition_it_answers_and_is_not_started_again(machine):
    machine.write(MISSING, "no partition is called restante-data\n")
    machine.run("systemctl", "restart", UNIT)
    restarts = machine.property(UNIT, "NRestarts")
    assert greeting(machine, 25).startswith(b"421 4.3.2 ")
    assert greeting(machine, 110).startswith(b"-ERR [SYS/TEMP] ")
    assert "no partition is called restante-data" in machine.property(UNIT, "StatusText")
    assert "no partition is called" in machine.run("restante", "status", code=75)
    assert "no partition is called" in machine.run("restante", "self-test", code=75)
    assert "no partition is called" in machine.journal("-u", UNIT)
    machine.run("rm", MISSING)
    machine.run("systemctl", "reload", UNIT)
    until(lambda: machine.property(UNIT, "StatusText").startswith("Serving"), "it to serve")
    assert greeting(machine, 25).startswith(b"220 ")
    assert machine.property(UNIT, "NRestarts") == restarts


def test_damage_that_the_start_found_is_told_until_somebody_has_seen_it_or_a_month_is_over(machine):
    def told():
        status = json.loads(machine.run("restante", "status", "--json", code=None))
        brief, tested = (machine.run("restante", *words, code=None) for words in (("status", "--brief"), ("self-test",)))
        found = {bool(status["damage"]), "DAMAGED" in brief, "FAIL disk: " in tested}
        assert len(found) == 1, (status["damage"], brief, tested)
        return status["damage"]

    assert told() == ""
    machine.write(f"{DEVICE}/damage", "Something broke.\nLook at it.\n")
    assert told().startswith("Something broke. Look at it. ")
    machine.run("touch", "-d", "31 days ago", f"{DEVICE}/damage")
    assert told() == ""
    machine.run("touch", f"{DEVICE}/damage")
    assert told() != ""
    # Where mail or accounts are gone, nobody is served before.
    machine.write("/run/restante-data.lost", "what was on the card is lost\n")
    machine.write(f"{DEVICE}/lost", "what was on the card is lost\n")
    machine.run("systemctl", "restart", UNIT)
    assert greeting(machine, 25).startswith(b"421 ") and greeting(machine, 110).startswith(b"-ERR [SYS/TEMP] ")
    assert "Something broke" in machine.run("restante", "status", "--seen", code=None)
    machine.run("systemctl", "reload", UNIT)
    until(lambda: greeting(machine, 25).startswith(b"220 "), "it to serve")
    assert told() == "" and "lost" not in machine.run("ls", DEVICE)


def test_the_journal_is_told_by_account_and_address(machine):
    with machine.network(), talk.SMTP(25) as sender:
        sender.deliver(letter(b"x\r\n"), address("anna"))
        sender.quit()
    until(lambda: "delivered" in machine.run("restante", "journal", "anna"), "the delivery to be told")
    assert "delivered" in machine.run("restante", "journal", "127.0.0.1")
    assert "delivered" not in machine.run("restante", "journal", "198.51.100.1", code=None)
    assert "Started" in machine.run("restante", "journal", "--lines", "1000")


# The network

@pytest.fixture
def network(machine):
    machine.run("sh", "-c", "ip link show inside0 || ip link add inside0 type veth peer name outside0")
    machine.run("ip", "link", "set", "outside0", "up")
    # No udev runs there, and networkd waits for it unless it sees this.
    machine.run("mount", "-o", "remount,bind,ro", "/sys")
    machine.run("systemctl", "start", "restante-resolver.path", "systemd-networkd.service")
    yield machine
    machine.run("systemctl", "stop", "restante-network-return.timer")
    machine.run("rm", "-f", SETTINGS, PENDING)
    machine.run("systemctl", "restart", "systemd-networkd.service")
    machine.run("mount", "-o", "remount,bind,rw", "/sys")


def addresses(machine):
    return machine.run("ip", "-o", "addr", "show", "inside0")


def static(machine, address):
    return machine.run("restante", "network", "static", "--interface", "inside0", "--address", address,
                       "--gateway", "192.0.2.1", "--dns", "192.0.2.2 192.0.2.3")


def test_a_change_that_is_confirmed_stays(network):
    said = static(network, "192.0.2.10/24")
    assert "two" in said and "confirm" in said
    until(lambda: "192.0.2.10/24" in addresses(network), "the address")
    settings = network.run("cat", SETTINGS)
    for line in ("Name=inside0", "DHCP=ipv6", "Address=192.0.2.10/24", "Gateway=192.0.2.1", "DNS=192.0.2.3"):
        assert line in settings.splitlines(), settings
    assert network.run("stat", "-c", "%a", SETTINGS) == "644"
    until(lambda: network.run("sh", "-c", "cat /run/restante/resolv.conf || true").splitlines()
          == ["nameserver 192.0.2.2", "nameserver 192.0.2.3"], "the name servers")
    network.run("restante", "network", "confirm")
    assert network.property("restante-network-return.timer", "ActiveState") == "inactive"
    network.run("test", "-e", PENDING, code=1)
    network.run("restante", "network", "confirm", code=65)
    network.run("restante", "network", "revert")
    assert network.run("cat", SETTINGS) == settings, "what is confirmed is not taken back"


def test_a_change_that_nobody_confirms_goes_back_by_itself(network):
    static(network, "192.0.2.10/24")
    network.run("restante", "network", "confirm")
    before = network.run("cat", SETTINGS)
    static(network, "192.0.2.77/24")
    until(lambda: "192.0.2.77/24" in addresses(network), "the address")
    until(lambda: network.run("cat", SETTINGS) == before, "the old settings")
    until(lambda: "192.0.2.10/24" in addresses(network) and "192.0.2.77" not in addresses(network), "the old address")
    until(lambda: network.run("systemctl", "is-active", "restante-network-return.service", code=None) == "inactive",
          "the return to end")
    assert network.property("restante-network-return.service", "Result") == "success"


def test_the_first_settings_are_taken_away_again(network):
    network.run("restante", "network", "dhcp", "--interface", "inside0")
    assert "DHCP=yes" in network.run("cat", SETTINGS)
    until(lambda: network.run("test", "-e", SETTINGS, code=None) == "" and
          network.run("sh", "-c", f"test -e {SETTINGS} || echo gone") == "gone", "the settings to go")


def test_a_change_goes_back_at_the_next_start_and_a_second_one_to_before_the_first(network):
    static(network, "192.0.2.10/24")
    network.run("restante", "network", "confirm")
    before = network.run("cat", SETTINGS)
    static(network, "192.0.2.77/24")
    static(network, "192.0.2.78/24")
    # The plug is pulled: no timer any more, and networkd not yet.
    network.run("systemctl", "stop", "restante-network-return.timer", "systemd-networkd.socket")
    network.run("systemctl", "stop", "systemd-networkd.service")
    network.run("systemctl", "start", "restante-network-return.service")
    assert network.run("cat", SETTINGS) == before
    network.run("test", "-e", PENDING, code=1)
    assert network.property("systemd-networkd.service", "ActiveState") == "inactive"
    network.run("systemctl", "start", "systemd-networkd.service")


# How it was started

def test_it_is_written_down_how_the_device_had_ended(machine):
    def last():
        return json.loads(machine.run("restante", "status", "--json"))["device"]["last_restart"]

    machine.run("systemctl", "start", "restante-record.service")
    assert last().startswith("the device: this was its first start")
    # A power cut: started again without having ended.
    machine.run("sh", "-c", "systemctl kill restante-record.service; cp /var/lib/restante-device/boot /tmp/boot; "
                            "systemctl stop restante-record.service; cp /tmp/boot /var/lib/restante-device/boot")
    machine.run("systemctl", "start", "restante-record.service")
    assert "the power was cut" in last()
    machine.run("systemctl", "stop", "restante-record.service")
    machine.run("systemctl", "start", "restante-record.service")
    assert "switched off in order" in last()


# A program that cannot be started

def test_what_dies_at_each_start_is_started_less_and_less_often_and_never_given_up(machine):
    drop_in = "/run/systemd/system/restante.service.d/broken.conf"
    machine.write(drop_in, "[Service]\nExecStart=\nExecStart=/usr/bin/false\n")
    machine.run("systemctl", "daemon-reload")

    def restarts():
        return int(machine.property(UNIT, "NRestarts"))

    machine.run("systemctl", "restart", "--no-block", UNIT)
    first = until(lambda: restarts() and time.monotonic(), "it to be started anew")
    until(lambda: restarts() >= 9, "the next ones", 60)
    # One, two and four seconds were waited for; at 100 ms each it would be one in all.
    assert time.monotonic() - first >= 7
    with machine.network(), talk.Connection(25, timeout=60) as peer:
        machine.run("rm", drop_in)
        machine.run("systemctl", "daemon-reload")
        assert peer.line().startswith(b"220 "), "who came meanwhile was sent away"
    # What somebody ordered is no fault: nothing of it is left.
    machine.run("systemctl", "restart", UNIT)
    assert machine.run("cat", "/run/restante.starts").endswith(" 0")


# The end; it takes the machine with it

def test_poweroff_flushes_and_says_when_the_plug_may_be_pulled(machine):
    said = machine.run("restante", "poweroff", code=None)
    assert "the plug may be pulled now" in said, said
    assert machine.process.wait(60) is not None
