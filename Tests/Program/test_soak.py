"""Half a minute of what `make soak` does for half an hour."""

import json

import pytest

import soak


@pytest.mark.long
def test_honest_mail_goes_on_among_hostile_traffic(tmp_path):
    figures, troubles = soak.run(tmp_path / "office", 0.4, seed=7)
    print(json.dumps(figures, indent=1))
    assert not troubles, "\n".join(troubles)
    assert figures["logins"] > 50 and figures["messages promised"] > 50
    assert figures["slowest login"] < 10
