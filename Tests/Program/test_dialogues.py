"""The dialogue scripts of Tests/Dialogues against the shipped program: line by line, whole, octet by octet."""

import subprocess
import sys

import pytest

import office as offices
from office import REPOSITORY, environment

DIALOGUES = REPOSITORY / "Tests" / "Dialogues"
MODES = {"line by line": [], "whole": ["--whole"], "octet by octet": ["--bytewise"]}


def scripts(protocol):
    """The dialogue that deletes the fixture comes last."""
    found = sorted((DIALOGUES / protocol).rglob("*.txt"), key=lambda script: (script.name.startswith("9"), script))
    return [pytest.param(script, id=str(script.relative_to(DIALOGUES).with_suffix(""))) for script in found]


@pytest.fixture(scope="module", params=MODES)
def opened(request, tmp_path_factory):
    """(office, mode): for each mode an office in which anna has the fixture's messages and the password of the
    scripts."""
    office = offices.Office(tmp_path_factory.mktemp("dialogues"), {
        "Device": {"HostName": "mail.office.example"}, "SMTP": {"MaximumConnectionsPerAddress": "100"}},
        accounts=("bert", "carl"))
    office.add("anna", "open sesame")
    office.start()
    subprocess.run([sys.executable, DIALOGUES / "deliver", "127.0.0.1", str(office.smtp_port), "anna@office.example"],
                   check=True, timeout=60)
    yield office, MODES[request.param]
    office.close()


@pytest.mark.parametrize("script", scripts("pop3"))
def test_POP3(opened, script):
    office, mode = opened
    hold("pop3", office.pop3_port, script, mode)


@pytest.fixture(scope="module", params=MODES)
def receiving(request, tmp_path_factory):
    """(office, mode) for the senders' dialogues, whose messages pile up."""
    office = offices.Office(tmp_path_factory.mktemp("dialogues"), {"SMTP": {"MaximumConnectionsPerAddress": "100"}},
                            accounts=("bert", "carl"))
    office.add("anna", "open sesame")
    office.start()
    yield office, MODES[request.param]
    office.close()


@pytest.mark.parametrize("script", scripts("smtp"))
def test_SMTP(receiving, script):
    office, mode = receiving
    hold("smtp", office.smtp_port, script, mode)


def hold(protocol, port, script, mode):
    done = subprocess.run([sys.executable, DIALOGUES / "run", "--protocol", protocol, *mode, "127.0.0.1", str(port),
                           script], capture_output=True, timeout=120, env=environment())
    assert done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")
