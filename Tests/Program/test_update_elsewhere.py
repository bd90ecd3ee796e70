"""`restante update` where there is no firmware: it says so."""

from office import UNAVAILABLE


def test_a_machine_that_is_not_the_appliance_is_told_how_its_program_is_updated(office):
    said = office.run("update", "status", code=UNAVAILABLE)
    assert b"not the appliance" in said.stderr
