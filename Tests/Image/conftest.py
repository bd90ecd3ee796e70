"""Boxes for the tests, and the durations they tell of."""

import pytest

import acceleration
from box import Box, image


def pytest_report_header(config):
    return f"image: {image()}, {'KVM' if acceleration.kvm() else 'emulated'}"


@pytest.fixture
def make_box(request):
    """Makes boxes; what their serial lines said is shown when the test fails."""
    made = []

    def make(*arguments, **options):
        made.append(Box(*arguments, **options))
        return made[-1]

    yield make
    for box in made:
        print(f"--- the serial line of {box.name} said:\n{box.said()[-6000:].decode(errors='replace')}")
        box.close()


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
        for line in lines:
            terminalreporter.write_line(line)
