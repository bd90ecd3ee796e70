"""The dialogue scripts of Tests/Dialogues against the shipped program."""

import subprocess
import sys

import pytest

from office import REPOSITORY, environment

DIALOGUES = REPOSITORY / "Tests" / "Dialogues"
SCRIPTS = sorted([*DIALOGUES.glob("smtp/*.txt"), *DIALOGUES.glob("pop3/*.txt")])


@pytest.mark.skipif(not (DIALOGUES / "run").exists(), reason="NOT TESTED: Tests/Dialogues/run is not there")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: f"{script.parent.name}/{script.stem}")
def test_dialogue(office, script):
    port = office.smtp_port if script.parent.name == "smtp" else office.pop3_port
    done = subprocess.run([sys.executable, str(DIALOGUES / "run"), "--port", str(port), str(script)],
                          capture_output=True, timeout=60, env=environment())
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
