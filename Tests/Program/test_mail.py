"""The mail commands: list, show, delete, restore, export and import; retention; with the daemon and without."""

import mailbox
import re

import pytest

import letters
from letters import letter, original
from office import CANNOT_CREATE, DATA, NO_INPUT, USAGE
from readers import network
from waiting import until


@pytest.fixture(params=["daemon", "no daemon"])
def either(request, make_office):
    """An office with three messages for anna, of which the second was deleted; the daemon runs, or does not."""
    office = make_office().start()
    for word in (b"one", b"two", b"three"):
        office.deliver(letter(b"number " + word + b"\r\n", subject=b"subject " + word))
    with office.pop3("anna") as reader:
        reader.dele(2)
        reader.quit()
    if request.param == "no daemon":
        office.stop()
    office.opened = lambda: None if office.process else office.start()
    return office


def sequences(office, *more):
    """{SEQ: line} of `mail list anna`."""
    lines = office.run("mail", "list", "anna", *more).stdout.splitlines()
    return {int(line.split()[0]): line for line in lines if line.split() and line.split()[0].isdigit()}


def bodies(office, name="anna"):
    return [original(message).split(b"\r\n\r\n", 1)[1] for message in office.fetch(name).values()]


def test_mail_list(either):
    waiting = sequences(either)
    assert len(waiting) == 2
    text = b"".join(waiting.values())
    assert b"subject one" in text and b"subject three" in text and b"someone@elsewhere.example" in text
    deleted = sequences(either, "--deleted")
    assert len(deleted) == 1 and b"subject two" in b"".join(deleted.values())
    assert len(sequences(either, "--all")) == 3


def test_mail_show(either):
    for sequence, line in sequences(either, "--all").items():
        word = line.split()[-1]
        raw = either.run("mail", "show", "anna", sequence, "--raw").stdout
        assert original(raw) == letter(b"number " + word + b"\r\n", subject=b"subject " + word)
        assert b"number " + word in either.run("mail", "show", "anna", sequence).stdout
    assert either.run("mail", "show", "anna", "999999", code=None).returncode in (DATA, NO_INPUT, USAGE)


def test_mail_restore(either):
    (sequence,) = sequences(either, "--deleted")
    either.opened()
    before = either.fetch("anna")
    either.run("mail", "restore", "anna", sequence)
    after = until(lambda: len(either.fetch("anna")) == 3 and either.fetch("anna"), "the message to be back", 5)
    assert {uid: after[uid] for uid in before} == before
    assert sorted(bodies(either)) == [b"number one\r\n", b"number three\r\n", b"number two\r\n"]
    either.kill()
    either.start()
    assert either.fetch("anna") == after


def test_a_restored_message_has_the_unique_id_it_had(office):
    office.deliver(letter(b"one\r\n"))
    before = office.fetch("anna")
    with office.pop3("anna") as reader:
        reader.dele(1)
        reader.quit()
    assert office.fetch("anna") == {}
    office.run("mail", "restore", "anna", "--all")
    assert office.fetch("anna") == before


def test_mail_restore_all_and_since(either):
    assert len(sequences(either, "--deleted")) == 1
    either.run("mail", "restore", "anna", "--since", "1h")
    assert not sequences(either, "--deleted")
    either.run("mail", "delete", "anna", "--all")
    assert len(sequences(either, "--deleted")) == 3 and not sequences(either)
    either.run("mail", "restore", "anna", "--all")
    assert len(sequences(either)) == 3
    either.opened()
    assert len(either.fetch("anna")) == 3


def test_mail_delete(either):
    first, third = sequences(either)
    either.run("mail", "delete", "anna", f"{first}")
    assert list(sequences(either)) == [third]
    assert len(sequences(either, "--deleted")) == 2
    either.opened()
    assert bodies(either) == [b"number three\r\n"]


KINDS = [kind for kind in letters.AWKWARD if kind not in ("nothing at all", "only an empty line")]


@pytest.fixture(params=["daemon", "no daemon"])
def full(request, make_office):
    """An office whose anna has every awkward message."""
    office = make_office().start()
    for kind in KINDS:
        office.deliver(letters.AWKWARD[kind])
    office.deliver(letter(b"From the start\r\n>From quoted\r\n>>From twice\r\n\r\nFrom after an empty line\r\n"))
    office.stored = list(office.fetch("anna").values())
    if request.param == "no daemon":
        office.stop()
    office.opened = lambda: None if office.process else office.start()
    return office


def mboxrd(text):
    """The messages of an mbox in mboxrd form, by its definition: From_ lines part, `>`+From loses one `>`."""
    messages = []
    for part in re.split(rb"(?m)^From .*\n", text)[1:]:
        assert part.endswith(b"\n"), part[-20:]
        messages.append(re.sub(rb"(?m)^>(>*From )", rb"\1", part[:-1]))
    return messages


def test_export_to_mbox_and_import_are_a_round_trip(full):
    file = full.where / "anna.mbox"
    full.run("mail", "export", "anna", "--mbox", file)
    text = file.read_bytes()
    exported = mboxrd(text)
    assert len(exported) == len(full.stored)
    for got, wanted in zip(exported, full.stored):
        letters.same(network(got), wanted)
    # Python's module, which reads mboxo, sees as many messages with the same headers.
    with_python = mailbox.mbox(str(file), create=False)
    assert len(with_python) == len(full.stored)
    full.run("mail", "import", "bert", "--mbox", file)
    full.opened()
    imported = list(full.fetch("bert").values())
    assert len(imported) == len(full.stored)
    for got, wanted in zip(imported, full.stored):
        assert got.endswith(wanted) or got == wanted, (got[:300], wanted[:300])
    letters.same(b"".join(imported), b"".join(full.stored), "after export and import")


def test_export_to_Maildir_and_import_are_a_round_trip(full):
    directory = full.where / "Maildir"
    full.run("mail", "export", "anna", "--maildir", directory)
    files = sorted([*(directory / "new").iterdir(), *(directory / "cur").iterdir()])
    assert len(files) == len(full.stored)
    assert sorted(network(file.read_bytes()) for file in files) == sorted(full.stored)
    assert not list((directory / "tmp").iterdir())
    assert len(mailbox.Maildir(str(directory), create=False)) == len(full.stored)
    full.run("mail", "import", "bert", "--maildir", directory)
    full.opened()
    assert sorted(full.fetch("bert").values()) == sorted(full.stored)


def test_export_to_standard_output_and_import_from_standard_input(full):
    text = full.run("mail", "export", "anna", "--mbox", "-").stdout
    assert len(mboxrd(text)) == len(full.stored)
    full.run("mail", "import", "carl", "--mbox", "-", input=text)
    full.opened()
    assert list(full.fetch("carl").values()) == full.stored


def test_export_overwrites_no_file(full):
    file = full.where / "there"
    file.write_text("mine")
    full.run("mail", "export", "anna", "--mbox", file, code=CANNOT_CREATE)
    assert file.read_text() == "mine"


def test_import_of_what_Python_wrote(either):
    maildir = mailbox.Maildir(str(either.where / "python-maildir"), create=True)
    mbox = mailbox.mbox(str(either.where / "python.mbox"))
    contents = [letter(b"by python %d\r\n.\r\n..\r\n" % n, subject=b"p%d" % n) for n in range(5)]
    for content in contents:
        maildir.add(content.replace(b"\r\n", b"\n"))
        mbox.add(content.replace(b"\r\n", b"\n"))
    mbox.close()
    either.run("mail", "import", "bert", "--maildir", either.where / "python-maildir")
    either.run("mail", "import", "carl", "--mbox", either.where / "python.mbox")
    either.opened()
    for name in ("bert", "carl"):
        got = list(either.fetch(name).values())
        assert len(got) == 5
        assert all(any(message.endswith(content) for message in got) for content in contents)


def test_import_of_what_is_not_there_or_not_an_mbox(either):
    assert either.run("mail", "import", "bert", "--mbox", "missing", code=None).returncode == NO_INPUT
    (either.where / "nonsense").write_bytes(b"\0\1\2 this is no mbox\n" * 10)
    done = either.run("mail", "import", "bert", "--mbox", either.where / "nonsense", code=None)
    assert done.returncode == DATA and done.stderr, done
    either.opened()
    assert either.fetch("bert") == {}


def test_a_large_maildrop_is_exported_and_imported_whole(office):
    with office.smtp() as sender:
        for n in range(500):
            sender.deliver(letters.numbered(b"n%d" % n, 3000), b"anna@office.example")
        sender.quit()
    office.run("mail", "export", "anna", "--maildir", office.where / "M")
    office.run("mail", "import", "bert", "--maildir", office.where / "M")
    assert sorted(office.fetch("bert").values()) == sorted(office.fetch("anna").values())


