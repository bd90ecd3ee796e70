"""Boxes for the tests, and the durations they tell of."""

import contextlib
import fcntl
import os

import pytest

import acceleration
import box as boxes
import waiting
from box import Box
from card import Card

ARCH = os.environ.get("ARCH", "amd64")
ACCOUNTS = ("anna", "bert", "carl")

CONFIGURATION = """[Device]
HostName=mail.office.example
Domains=office.example
"""


def pytest_configure(config):
    # There is no KVM for another processor.
    waiting.patience = 1 if ARCH == "amd64" else 3
    config.addinivalue_line("markers", "board(*architectures): of what depends on processor, kernel and boot loader, "
                            "and so is tried for ARM, too; or for these alone")


def pytest_report_header(config):
    return f"image: {boxes.image(ARCH)}, {'KVM' if ARCH == 'amd64' and acceleration.kvm() else 'emulated'}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    for item in items:
        # A file's tests share boxes, so they stay together.
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    if not boxes.image(ARCH).exists():
        raise pytest.UsageError(f"{boxes.image(ARCH)} is not there: say `make image ARCH={ARCH}` first")
    left_out = [item for item in items if not is_for_this_board(item.get_closest_marker("board"))]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def is_for_this_board(mark):
    if mark and mark.args:
        return ARCH in mark.args
    return mark or ARCH == "amd64"


@contextlib.contextmanager
def closing():
    """A maker of boxes. They are closed at the end; what their serial lines said is shown when the test fails."""
    made = []

    def make(*arguments, **options):
        made.append(Box(*arguments, arch=ARCH, **options))
        return made[-1]

    try:
        yield make
    finally:
        for box in made:
            print(f"--- the serial line of {box.name} said:\n{box.said()[-6000:].decode(errors='replace')}")
            box.close()


@pytest.fixture
def make_box():
    with closing() as make:
        yield make


@pytest.fixture(scope="module")
def make_shared_box():
    """The same, for boxes that all tests of a module use."""
    with closing() as make:
        yield make


@pytest.fixture(scope="session")
def office_card(tmp_path_factory):
    """The card of a device in use, switched off: anna, bert and carl have maildrops, with passwords NAME-secret. For
    copies; whoever needs it first boots a box for it."""
    directory = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        directory = directory.parent
    card = directory / "office.card"
    with open(directory / "office.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not card.exists():
            with closing() as make:
                # Small, so that it is soon full; the image is 300 MB.
                box = make(size=512 << 20)
                box.card.etc("restante/restante.conf.d/10-test.conf", CONFIGURATION)
                box.start().serving()
                for name in ACCOUNTS:
                    box.add(name)
                box.off()
                Card(directory / "office.new", box.card.path)
                (directory / "office.new").rename(card)
    return Card(card)


@pytest.fixture
def took(record_property):
    """Notes how long something took, in seconds; shown at the end of the run, never judged."""

    def note(what, seconds):
        record_property("took", f"{seconds:6.1f} s  {what}")

    return note


def pytest_terminal_summary(terminalreporter):
    lines = [value for reports in terminalreporter.stats.values() for report in reports
             for name, value in getattr(report, "user_properties", ()) if name == "took"
             and getattr(report, "when", "") == "call"]
    if lines:
        terminalreporter.section("how long it took")
        for line in sorted(set(lines), key=lambda line: line[10:]):
            terminalreporter.write_line(line)
