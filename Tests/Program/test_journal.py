"""The journal: each event with fields and an identity that the catalog explains, no secret, and never in mail's way."""

import base64
import os
import pty
import re
import shutil
import subprocess

import pytest

import office as offices
import talk
from journald import CATALOG, Journald
from office import REPOSITORY
from waiting import until

FORM = re.compile(r'([3-6])([ *])([0-9a-f]{32}) ([^\n]*)')
EXAMPLE = "0123456789abcdef" * 2


def forms():
    """{identity: form of words} of every event in the sources."""
    found = {}
    for file in (REPOSITORY / "Sources").rglob("*.swift"):
        for _, _, identity, words in FORM.findall(re.sub(r"\\\n\s*", "", file.read_text())):
            if identity != EXAMPLE:
                assert identity not in found, f"two events have the identity {identity}"
                found[identity] = words
    return found


def names(words):
    """The names of the fields of a form."""
    return [re.search(r"[A-Z_]+", piece)[0] for piece in re.findall(r"\{([^}]*)\}", words)]


def catalog():
    """{identity: entry} of the catalog."""
    entries = re.split(r"^-- ([0-9a-f]{32})\n", CATALOG.read_text(), flags=re.M)[1:]
    assert len(set(entries[::2])) == len(entries[::2]), "the catalog explains something twice"
    return dict(zip(entries[::2], entries[1::2]))


@pytest.fixture
def journal(tmp_path, needs):
    needs("unshare", "nsenter", "journalctl", "/lib/systemd/systemd-journald")
    journal = Journald(tmp_path / "journal")
    yield journal
    journal.close()


# What is written down


def test_the_catalog_explains_each_event_and_nothing_else():
    assert len(forms()) > 40
    assert forms().keys() == catalog().keys()


def test_each_explanation_has_a_subject_and_a_manual_and_names_only_fields_that_its_event_always_has():
    for identity, entry in catalog().items():
        assert re.search(r"^Subject: \S", entry, re.M) and "\nDocumentation: man:restante(8)\n" in entry, entry
        text = entry.split("\n\n", 1)[1]
        assert len(text.split()) > 8, entry
        used = set(re.findall(r"@RESTANTE_([A-Z_]+)@", entry))
        always = set(re.findall(r"\{([A-Z_]+)\+?\}", forms()[identity]))
        assert used <= always and "@" not in re.sub(r"@RESTANTE_[A-Z_]+@", "", entry), (identity, used - always)


def test_the_manual_names_each_field_and_no_other():
    manual = (REPOSITORY / "systemd" / "restante.8").read_text()
    used = {"RESTANTE_" + name for words in forms().values() for name in names(words)}
    assert set(re.findall(r"\bRESTANTE_[A-Z_]+", manual)) == used


def test_journalctl_takes_the_catalog(tmp_path, needs):
    needs("journalctl")
    where = tmp_path / "usr/lib/systemd/catalog"
    where.mkdir(parents=True)
    (tmp_path / "var/lib/systemd/catalog").mkdir(parents=True)
    shutil.copy(CATALOG, where)
    for command in ("--update-catalog", "--list-catalog"):
        done = subprocess.run(["journalctl", f"--root={tmp_path}", command], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60)
        assert done.returncode == 0 and not done.stderr, done
    listed = dict(line.split(" ", 1) for line in done.stdout.decode().splitlines())
    assert listed.keys() == catalog().keys()


# In a journal


def test_an_event_is_an_entry_with_its_values_as_fields(make_office, journal):
    office = journal.start(make_office())
    office.deliver(b"Subject: confidential\r\n\r\nwords\r\n", "anna", "bert")
    with office.pop3("anna") as reader:
        reader.retr(1)
        reader.dele(1)
        reader.quit()
    with office.smtp() as sender:
        sender.ask(b"MAIL FROM:<a@b.example>", b"250")
        sender.ask(b"RCPT TO:<nobody@office.example>", b"550")
    with office.pop3() as reader:
        reader.ask(b"USER bert")
        assert reader.answer(b"PASS wrong").startswith(b"-ERR")
    office.run("mail", "restore", "anna", "--all")
    office.stop()
    assert not office.log()

    known = forms()
    for entry in journal.entries():
        assert entry["_TRANSPORT"] == "journal" and entry["SYSLOG_IDENTIFIER"] == "restante", entry
        assert entry["MESSAGE_ID"] in known and entry["PRIORITY"] in "3456", entry
        assert "CODE_FILE" not in entry
        own = {name.removeprefix("RESTANTE_") for name in entry if name.startswith("RESTANTE_")}
        assert own <= set(names(known[entry["MESSAGE_ID"]])), entry

    entry = journal.entry("delivered ")
    assert entry["RESTANTE_MAILDROP"] == ["anna", "bert"], "each maildrop can be asked for"
    assert (entry["RESTANTE_SEQUENCE"], entry["RESTANTE_FROM"], entry["RESTANTE_PEER"], entry["PRIORITY"]) == \
        ("1", "someone@elsewhere.example", "127.0.0.1", "6")
    assert entry["MESSAGE"].startswith("delivered 1: from=<someone@elsewhere.example> to=anna,bert octets=")
    size = entry["RESTANTE_OCTETS"]
    assert journal.entry("login: anna")["RESTANTE_SERVICE"] == "POP3"
    fetched = journal.entry("fetched: anna")
    assert (fetched["RESTANTE_RETRIEVED"], fetched["RESTANTE_RETRIEVED_OCTETS"], fetched["RESTANTE_DELETED"],
            fetched["RESTANTE_TOPPED"]) == ("1", size, "1", "0")
    deleted = journal.entry("deleted: anna")
    assert (deleted["RESTANTE_MESSAGES"], deleted["RESTANTE_PEER"]) == ("1", "127.0.0.1")
    restored = journal.entry("restored: anna")
    assert (restored["RESTANTE_MESSAGES"], restored["RESTANTE_PEER"]) == ("1", "local")
    assert journal.entry("refused recipient")["RESTANTE_RECIPIENT"] == "nobody@office.example"
    refused = journal.entry("login refused: bert")
    assert (refused["RESTANTE_MAILDROP"], refused["PRIORITY"]) == ("bert", "4")
    assert journal.entry("Restante ")["RESTANTE_FILE"] == str(office.state)
    assert journal.entries()[-1]["MESSAGE"] == "stopped", "the last word is there, too"
    # By a field, as the manual says.
    assert journal.journalctl("-o", "cat", "RESTANTE_MAILDROP=bert").startswith(b"delivered 1")


def test_journalctl_x_explains_events_with_their_values(make_office, journal, tmp_path):
    office = journal.start(make_office())
    office.deliver(b"Subject: x\r\n\r\n\r\n", "anna", sender=b"")
    office.stop()
    where = tmp_path / "root"
    (where / "usr/lib/systemd/catalog").mkdir(parents=True)
    (where / "var/lib/systemd/catalog").mkdir(parents=True)
    shutil.copy(CATALOG, where / "usr/lib/systemd/catalog")
    subprocess.run(["journalctl", f"--root={where}", "--update-catalog"], check=True, timeout=60)
    script = ("mount --make-rprivate / && mkdir -p /var/lib/systemd/catalog && "
              f"mount --bind {where}/var/lib/systemd/catalog /var/lib/systemd/catalog && "
              f"exec journalctl -D {journal.where}/run/log/journal --no-pager -q -x _COMM=restante")
    said = subprocess.run(["unshare", "--mount", "sh", "-c", script], stdout=subprocess.PIPE, check=True, timeout=60,
                          env=offices.environment()).stdout.decode()
    words = re.sub(r"\s+", " ", said.replace("░", ""))
    assert "Subject: Mail was taken" in said and "from <>, brought by 127.0.0.1" in words, said
    assert "number 1 in the spool" in words, said
    assert "RESTANTE_" not in said, said
    assert said.count("Documentation: man:restante(8)") == said.count("Subject: ") > 4


def test_a_journal_that_hangs_holds_no_mail_up_and_what_is_missing_is_told(make_office, journal):
    office = journal.start(make_office())
    journal.entry("Restante ")
    journal.freeze()
    messages = 2000
    with office.smtp() as sender:
        # More than its socket and our own memory for it hold; a second of it is too little to fill them.
        for number in range(messages):
            sender.deliver(b"Subject: x\r\n\r\n\r\n", b"anna@office.example", sender=b"s" * 60 + b"@elsewhere.example")
        with office.pop3("anna") as reader:
            assert reader.stat()[0] == messages
            reader.quit()
        sender.quit()
    assert office.private_dirty() < 8 << 20
    journal.thaw()
    until(lambda: any("left out of the journal" in entry["MESSAGE"] for entry in journal.entries()),
          "the number of what is missing")
    office.stop()
    said = [entry["MESSAGE"] for entry in journal.entries()]
    delivered = sum(line.startswith("delivered ") for line in said)
    left_out = sum(int(re.search(r"journal: (\d+) more", line)[1]) for line in said if line.startswith("left out"))
    # One line for each login, session and the like besides.
    assert messages <= delivered + left_out <= messages + 5, (delivered, left_out)
    assert delivered < messages


def test_a_journal_that_hangs_does_not_keep_the_program_from_ending(make_office, journal):
    office = journal.start(make_office())
    journal.entry("Restante ")
    journal.freeze()
    with office.smtp() as sender:
        for _ in range(600):
            sender.deliver(b"Subject: x\r\n\r\n\r\n", b"anna@office.example")
    office.stop(seconds=20)
    journal.thaw()


def test_a_start_that_fails_is_told_before_the_program_ends(make_office, journal):
    office = make_office()
    office.configure(SMTP={"MaximumConections": "plenty"})
    journal.spawn(office)
    assert office.process.wait(20) == offices.CONFIGURATION
    office.process = None
    assert "MaximumConections" in journal.entry(str(office.config))["RESTANTE_REASON"]
    assert journal.entry("not started")["PRIORITY"] == "3"


# Elsewhere


def test_on_a_terminal_events_are_lines_without_severity(make_office):
    office = make_office()
    terminal, other = pty.openpty()
    office.process = subprocess.Popen([offices.PROGRAM, "serve", "--config", str(office.config)],
                                      stdin=subprocess.DEVNULL, stdout=other, stderr=other,
                                      env=offices.environment(JOURNAL_STREAM="1:1"))
    os.close(other)
    until(office.greets, "both ports to greet")
    said = b""
    while b" started" not in said:
        said += os.read(terminal, 4096)
    office.stop()
    os.close(terminal)
    assert re.search(rb"^Restante \S+ started", said, re.M), said


def test_a_stream_that_is_not_ours_is_not_taken_for_the_journal(make_office):
    """JOURNAL_STREAM is inherited by everything that a service starts, wherever that writes to."""
    office = make_office(variables={"JOURNAL_STREAM": "1:1"}).start()
    office.stop()
    assert re.search(rb"^<5>Restante \S+ started", office.log(), re.M), office.log()


# Secrets

SECRETS = [b"hunter2-one", b"hunter2-two", b"hunter2-three", b"hunter2-four", b"hunter2-five", b"hunter2-six",
           b"hunter2-seven", b"anna-secret", b"confidential-words", b"confidential-subject"]


def tell_secrets(office):
    """Passwords wherever a person or a program may put them, and a message."""
    def plain(*parts):
        return base64.b64encode(b"\0".join(parts))

    office.deliver(b"Subject: confidential-subject\r\n\r\nconfidential-words\r\n", "anna")
    dialogues = [
        [b"USER anna", b"PASS hunter2-one"],
        [b"USER hunter2-two", b"PASS anna"],
        [b"PASS hunter2-three", b"USER anna"],
        [b"hunter2-four"],
        [b"USER anna hunter2-five", b"PASS hunter2-five x"],
        [b"AUTH PLAIN " + plain(b"", b"anna", b"hunter2-six")],
        [b"AUTH PLAIN " + plain(b"", b"hunter2-six", b"anna")],
        [b"AUTH PLAIN", plain(b"hunter2-six", b"hunter2-six", b"hunter2-six")],
        [b"AUTH PLAIN " + plain(b"hunter2-six")],
        [b"AUTH LOGIN", base64.b64encode(b"hunter2-seven"), base64.b64encode(b"anna")],
        [b"AUTH LOGIN " + base64.b64encode(b"hunter2-seven"), base64.b64encode(b"hunter2-seven")],
        [b"AUTH SCRAM-SHA-256 " + base64.b64encode(b"n,,n=hunter2-seven,r=abcdefghijkl"), b"!hunter2-seven"],
        [b"USER anna", b"PASS anna-secret", b"RETR 1"],
    ]
    for number, dialogue in enumerate(dialogues):
        for connect in (office.pop3, office.smtp):
            # Who has guessed must wait, so each comes from somewhere else.
            with connect(source=f"127.0.{number + 1}.{1 + (connect == office.smtp)}") as connection:
                for line in dialogue:
                    connection.send(line + b"\r\n")
                    try:
                        connection.line()
                    except talk.Closed:
                        break


def hidden(text):
    for secret in SECRETS:
        for form in (secret, base64.b64encode(secret).rstrip(b"=")[:-1], base64.b64encode(b"\0" + secret)[2:-3]):
            assert form not in text, (secret, form)


def test_no_password_and_no_word_of_a_message_is_in_the_lines(make_office):
    office = make_office().start()
    tell_secrets(office)
    office.stop()
    assert b"login refused: " in office.log()
    hidden(office.log())


def test_no_password_and_no_word_of_a_message_is_in_the_journal(make_office, journal):
    office = journal.start(make_office())
    tell_secrets(office)
    office.stop()
    text = journal.journalctl("-o", "export")
    assert b"MESSAGE=login refused: " in text
    hidden(text)
