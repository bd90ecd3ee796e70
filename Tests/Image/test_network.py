"""The device on its network: never lost by a wrong setting."""

import json

import pytest

from waiting import until

PENDING = "/var/lib/restante-device/network.pending"


@pytest.fixture(scope="module")
def box(make_shared_box, office_card):
    return make_shared_box(office_card).start().serving()


def test_a_change_of_the_network_that_nobody_confirmed_is_gone_after_a_power_cut(box):
    box.shell("restante network static --address 192.0.2.10/24 --gateway 192.0.2.1")
    until(lambda: "192.0.2.10/24" in box.shell("restante network"), "the new address")
    box.shell(f"test -s {PENDING}")
    box.cut()
    box.start().serving()
    assert "10.0.2.15/24" in box.shell("restante network")
    box.shell(f"test ! -e {PENDING} && ! ls /etc/systemd/network/10-restante-* 2>/dev/null")
    assert "the power was cut" in json.loads(box.shell("restante status --json", code=None))["device"]["last_restart"]
    assert box.shell("systemctl --failed --no-legend --plain") == ""
