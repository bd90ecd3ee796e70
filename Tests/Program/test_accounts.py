"""Accounts by command, with the daemon running and without; aliases, groups, plus-addresses, catch-all, quotas."""

import json
import signal
import subprocess

import pexpect
import pytest

from letters import letter
from office import CANNOT_CREATE, DATA, NO_USER, PROGRAM, USAGE, address, environment
from waiting import until


def logs_in(office, name, password):
    with office.pop3() as reader:
        reader.ask(b"USER " + name.encode())
        return reader.answer(b"PASS " + password.encode()).startswith(b"+OK")


def recipient(office, mailbox):
    """The answer to RCPT."""
    with office.smtp() as sender:
        sender.ask(b"MAIL FROM:<>", b"250")
        code, texts = sender.ask(b"RCPT TO:<" + address(mailbox) + b">")
        sender.quit()
        return code, texts[0]


@pytest.fixture(params=["daemon", "no daemon"])
def either(request, make_office):
    """An office whose daemon runs, and one whose daemon does not; `either.opened()` opens it in either case."""
    office = make_office()
    if request.param == "daemon":
        office.start()
    office.opened = lambda: None if office.process else office.start()
    return office


def test_an_account_can_be_used_at_once(either):
    either.add("dora", "open sesame")
    listed = either.run("account", "list").stdout
    assert b"dora" in listed and b"anna" in listed
    either.opened()
    until(lambda: logs_in(either, "dora", "open sesame"), "the daemon to know dora", 5)
    assert not logs_in(either, "dora", "open sesam")
    either.deliver(letter(b"hello\r\n"), "dora")
    assert len(either.fetch("dora", b"open sesame")) == 1


def test_a_password_is_changed(either):
    either.run("account", "passwd", "anna", "--password-stdin", input="quite new\n")
    either.opened()
    until(lambda: logs_in(either, "anna", "quite new"), "the new password to count", 5)
    assert not logs_in(either, "anna", "anna-secret")


def test_a_password_that_was_just_used_is_forgotten_when_it_is_changed(office):
    for _ in range(3):
        assert logs_in(office, "anna", "anna-secret")
    office.run("account", "passwd", "anna", "--password-stdin", input="another\n")
    until(lambda: logs_in(office, "anna", "another"), "the new password to count", 5)
    assert not logs_in(office, "anna", "anna-secret")


def test_an_account_is_removed_and_its_mail_stays(either):
    either.opened()
    either.deliver(letter(b"kept\r\n"), "carl")
    either.run("account", "remove", "carl")
    until(lambda: not logs_in(either, "carl", "carl-secret"), "carl to be forgotten", 5)
    assert recipient(either, "carl")[0] == b"550"
    either.add("carl", "again")
    until(lambda: logs_in(either, "carl", "again"), "carl to be known again", 5)
    assert len(either.fetch("carl", b"again")) == 1


def test_an_account_is_removed_with_its_mail(either):
    either.opened()
    either.deliver(letter(b"gone\r\n"), "carl")
    either.run("account", "remove", "carl", "--delete-mail")
    either.add("carl", "again")
    until(lambda: logs_in(either, "carl", "again"), "carl to be known again", 5)
    assert either.fetch("carl", b"again") == {}


def test_an_account_that_exists_is_not_made_again(either):
    done = either.add("anna", "other", code=CANNOT_CREATE)
    assert b"anna" in done.stderr
    either.opened()
    assert logs_in(either, "anna", "anna-secret")
    either.add("ANNA", "other", code=CANNOT_CREATE)


def test_an_unknown_account_is_said_to_be_unknown(either):
    for command in (["account", "passwd", "nobody", "--password-stdin"], ["account", "remove", "nobody"],
                    ["mail", "list", "nobody"], ["account", "quota", "nobody", "1G"]):
        done = either.run(*command, input="x\n", code=NO_USER)
        assert b"nobody" in done.stderr


@pytest.mark.parametrize("name", ["", "a b", "a/b", "../a", "a@b", ".", "..", "a" * 65, "a+b", "-", "a\tb", "a:b",
                                  "a\x01"])
def test_names_that_cannot_be_a_maildrop_are_refused(make_office, name):
    office = make_office(accounts=())
    done = office.run("account", "add", name, "--password-stdin", input="x-secret\n", code=None)
    assert done.returncode in (USAGE, DATA, CANNOT_CREATE), done
    assert done.stderr
    assert not any(file.name in ("a", "b") for file in office.where.rglob("*"))


@pytest.mark.parametrize("password", ["", "x" * 256, "with\0nul"])
def test_passwords_that_cannot_be_are_refused(make_office, password):
    office = make_office(accounts=())
    done = office.run("account", "add", "anna", "--password-stdin", input=password + "\n", code=None)
    assert done.returncode in (USAGE, DATA, CANNOT_CREATE), done
    assert b"anna" not in office.run("account", "list").stdout


@pytest.mark.parametrize("password", [" leading and trailing ", "Grüße 郵便", "x" * 255, "a:b,c=d\\", '"'])
def test_passwords_of_every_kind_log_in(make_office, password):
    office = make_office(accounts=())
    office.add("anna", password)
    office.start()
    assert logs_in(office, "anna", password)
    assert not logs_in(office, "anna", password[:-1])


def test_passwords_are_stored_as_SCRAM_verifiers_and_shown_to_nobody(office):
    office.add("dora", "very-secret-word")
    accounts = office.state / "accounts"
    text = accounts.read_bytes()
    assert b"SCRAM-SHA-256$" in text and b"very-secret-word" not in text
    assert accounts.stat().st_mode & 0o077 == 0, "others can read the verifiers"
    assert logs_in(office, "dora", "very-secret-word")
    for file in office.where.rglob("*"):
        if file.is_file():
            assert b"very-secret-word" not in file.read_bytes(), file
    assert b"SCRAM" not in office.run("account", "list", "--json").stdout


def test_account_list_as_JSON(either):
    either.add("dora", None, "--quota", "5M")
    either.opened()
    either.deliver(letter(b"hello\r\n"), "dora")
    listed = json.loads(either.run("account", "list", "--json").stdout)
    text = json.dumps(listed)
    assert all(f'"{name}"' in text for name in ("anna", "bert", "carl", "dora"))
    assert str(5 << 20) in text


# Prompts


def prompt(office, *arguments):
    return pexpect.spawn(PROGRAM, [*arguments, "--config", str(office.config)], timeout=15,
                         env=environment(TERM="vt100"))


def test_the_password_is_asked_twice_and_not_shown(make_office):
    office = make_office(accounts=())
    child = prompt(office, "account", "add", "anna")
    child.expect("(?i)password[^\r\n]*:")
    child.waitnoecho(5)
    child.sendline("typed-secret")
    child.expect("(?i)(again|repeat|once more|password)[^\r\n]*:")
    child.sendline("typed-secret")
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 0
    assert b"typed-secret" not in child.before
    office.start()
    assert logs_in(office, "anna", "typed-secret")


def test_two_passwords_that_differ_make_no_account(make_office):
    office = make_office(accounts=())
    child = prompt(office, "account", "add", "anna")
    child.expect("(?i)password[^\r\n]*:")
    child.waitnoecho(5)
    child.sendline("one-secret")
    child.expect("(?i)(again|repeat|once more|password)[^\r\n]*:")
    child.sendline("other-secret")
    index = child.expect([pexpect.EOF, "(?i)password[^\r\n]*:"])
    if index == 1:
        # It asks anew: then Ctrl-C must leave the terminal as it was.
        child.sendintr()
        child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus != 0 or child.signalstatus == signal.SIGINT
    assert b"anna" not in office.run("account", "list").stdout


def test_ctrl_C_at_the_prompt_gives_the_echo_back(make_office):
    """Run from a shell, as a technician does."""
    office = make_office(accounts=())
    shell = pexpect.spawn("/bin/sh", ["-i"], timeout=15, env=environment(TERM="vt100", PS1="ready> "))
    shell.expect("ready> ")
    shell.sendline(f"{PROGRAM} account add anna --config {office.config}")
    shell.expect("(?i)password[^\r\n]*:")
    until(lambda: not shell.getecho(), "the echo to be off", 5)
    shell.sendintr()
    shell.expect("ready> ")
    # A shell with line editing sets modes of its own; sh has none.
    until(shell.getecho, "the echo to be on again", 5)
    shell.sendline("exit")
    shell.close()


# Who gets the mail


@pytest.mark.parametrize("mailbox", ["anna", "ANNA", "Anna@Office.Example", "anna+shop", "anna+a+b@office.example",
                                     '"anna"@office.example', "anna+"])
def test_spellings_that_reach_anna(shared_office, mailbox):
    assert recipient(shared_office, mailbox)[0] == b"250"


@pytest.mark.parametrize("mailbox,code,status", [
    ("nobody@office.example", b"550", b"5.1.1"), ("ann@office.example", b"550", b"5.1.1"),
    ("anna.shop@office.example", b"550", b"5.1.1"), ("anna@elsewhere.example", b"550", b"5.7.1"),
    ("anna@sub.office.example", b"550", b"5.7.1"), ("anna%elsewhere.example@office.example", b"550", b"5."),
    ("anna@office.example.elsewhere.example", b"550", b"5.7.1")])
def test_mailboxes_that_are_refused(shared_office, mailbox, code, status):
    got, text = recipient(shared_office, mailbox)
    assert got == code and text.startswith(status), (got, text)


def test_postmaster_reaches_someone_even_without_an_alias(shared_office):
    for mailbox in ("postmaster@office.example", "Postmaster@OFFICE.example"):
        assert recipient(shared_office, mailbox)[0] == b"250"
    with shared_office.smtp() as sender:
        sender.ask(b"MAIL FROM:<>", b"250")
        sender.ask(b"RCPT TO:<Postmaster>", b"250")
        sender.data(letter(b"to the postmaster\r\n"))
        sender.quit()
    everything = [message for name in ("anna", "bert", "carl") for message in shared_office.fetch(name).values()]
    assert any(b"to the postmaster" in message for message in everything)


ALIASES = """# who gets what
sales: anna, bert
everybody: sales,
    carl
postmaster: carl
Support:anna
circle: round
round: circle, bert
twice: anna, anna, sales
"""


def test_aliases_and_groups(make_office):
    office = make_office()
    office.aliases.write_text(ALIASES)
    office.start()

    def reaches(alias):
        subject = b"to-" + alias.encode()
        office.deliver(letter(b"x\r\n", subject=subject), alias)
        return [name for name in ("anna", "bert", "carl")
                for message in office.fetch(name).values() if b"Subject: " + subject + b"\r\n" in message]

    assert reaches("sales") == ["anna", "bert"]
    assert reaches("SALES+x") == ["anna", "bert"]
    assert reaches("everybody") == ["anna", "bert", "carl"]
    assert reaches("postmaster") == ["carl"]
    assert reaches("support") == ["anna"]
    assert reaches("circle") == ["bert"]
    assert reaches("twice") == ["anna", "bert"]
    assert recipient(office, "nobody")[0] == b"550"


def test_a_catch_all(make_office):
    office = make_office()
    office.aliases.write_text("@office.example: bert\n")
    office.start()
    assert recipient(office, "whatever")[0] == b"250"
    assert recipient(office, "whatever@elsewhere.example")[0] == b"550"
    office.deliver(letter(b"x\r\n"), "whatever", "anna")
    assert len(office.fetch("bert")) == 1 and len(office.fetch("anna")) == 1


def test_aliases_are_read_again_when_they_change(office):
    assert recipient(office, "info")[0] == b"550"
    office.aliases.write_text("info: anna\n")
    office.process.send_signal(signal.SIGHUP)
    until(lambda: recipient(office, "info")[0] == b"250", "the new alias to count", 10)
    office.aliases.write_text("nonsense without a colon\ninfo2: anna\n")
    office.process.send_signal(signal.SIGHUP)
    until(lambda: recipient(office, "info2")[0] == b"250", "the good line to count", 10)
    assert b"aliases:1" in office.log() or b"aliases, line 1" in office.log() or b"aliases line 1" in office.log()


# Quotas


def test_a_full_maildrop_is_452_until_something_is_deleted(make_office):
    office = make_office(accounts=("bert",))
    office.add("anna", None, "--quota", "100K")
    office.start()
    content = letter(b"z" * 70 + b"\r\n" * 1 + (b"y" * 70 + b"\r\n") * 400)
    with office.smtp() as sender:
        answers = []
        for _ in range(10):
            sender.ask(b"MAIL FROM:<a@b.example> SIZE=%d" % len(content), b"250")
            code, texts = sender.ask(b"RCPT TO:<anna@office.example>")
            if code == b"250":
                code, texts = sender.data(content, None)
            else:
                sender.ask(b"RSET", b"250")
            answers.append((code, texts[0]))
        accepted = [code for code, _ in answers if code == b"250"]
        assert len(accepted) == 3, answers
        assert all(code == b"452" and text.startswith(b"4.2.2") for code, text in answers[3:]), answers
        # Others of the same message get theirs.
        sender.ask(b"MAIL FROM:<a@b.example> SIZE=%d" % len(content), b"250")
        sender.ask(b"RCPT TO:<bert@office.example>", b"250")
        sender.ask(b"RCPT TO:<anna@office.example>", b"452")
        sender.data(content)
        sender.quit()
    assert len(office.fetch("anna")) == 3 and len(office.fetch("bert")) == 1
    with office.pop3("anna") as reader:
        reader.dele(1)
        reader.quit()
    office.deliver(content)
    assert len(office.fetch("anna")) == 3


def test_a_quota_is_changed(office):
    office.run("account", "quota", "anna", "10K")
    with office.smtp() as sender:
        def refused():
            sender.ask(b"RSET", b"250")
            sender.ask(b"MAIL FROM:<a@b.example> SIZE=20000", b"250")
            code, texts = sender.ask(b"RCPT TO:<anna@office.example>")
            if code == b"250":
                code, texts = sender.data(letter((b"y" * 70 + b"\r\n") * 280), None)
            return code == b"452" and texts[0].startswith(b"4.2.2")

        until(refused, "the quota to count", 5)
    office.run("account", "quota", "anna", "none")
    with office.smtp() as sender:
        def accepted():
            sender.ask(b"RSET", b"250")
            sender.ask(b"MAIL FROM:<a@b.example>", b"250")
            code, _ = sender.ask(b"RCPT TO:<anna@office.example>")
            return code == b"250" and sender.data(letter((b"y" * 70 + b"\r\n") * 280), None)[0] == b"250"

        until(accepted, "no quota to count", 5)


def test_many_accounts_changed_at_the_same_time_are_all_kept(make_office):
    """The accounts file is changed under a lock: twelve commands at once lose nothing."""
    office = make_office().start()
    commands = [subprocess.Popen([PROGRAM, "account", "add", f"new{n}", "--password-stdin",
                                  "--config", str(office.config)],
                                 stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) for n in range(12)]
    for command in commands:
        _, errors = command.communicate(b"some-secret\n", timeout=60)
        assert command.returncode == 0, errors
    listed = office.run("account", "list").stdout
    assert all(f"new{n}".encode() in listed for n in range(12))
    until(lambda: all(logs_in(office, f"new{n}", "some-secret") for n in range(12)), "all to be known", 10)


def test_the_wrong_password_is_AUTH_and_says_nothing_of_who_exists(office):
    answers = []
    for name in (b"anna", b"nobody"):
        with office.pop3() as reader:
            first = reader.answer(b"USER " + name).replace(name, b"NAME")
            second = reader.answer(b"PASS wrong").replace(name, b"NAME")
            assert second.startswith(b"-ERR [AUTH]"), second
            answers.append((first, second))
    assert answers[0] == answers[1]
