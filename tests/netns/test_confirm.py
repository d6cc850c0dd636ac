# SPDX-License-Identifier: GPL-2.0-or-later
"""`commit confirmed` (C2): what nobody confirms returns by itself, also behind a restart of config or of the whole gateway."""

import hashlib
import re
import signal

import pytest

from lib.waiting import wait_until

SERVICE = "service echo { tcp 7000; }\n"
CHANGE = "set service changed udp 9999"


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(SERVICE)


def edit(gateway):
    console = gateway.console(timeout=30)
    console.expect(console.PROMPT)
    console.run("configure")
    return console


def running(console):
    text = console.run("run show configuration | no-more")
    assert "service echo" in text
    return text


def unconfirmed_file(gateway):
    return next(iter(gateway.state.rglob("unconfirmed")), None)


def age(path, seconds, kind="unconfirmed", field="since"):
    """As if the commit had been `seconds` ago: the file as config writes it, with its checksum."""
    text = path.read_text().split("\n", 1)[1]
    text = re.sub(rf"^{field} (\d+)$", lambda m: f"{field} {int(m[1]) - seconds}", text, count=1, flags=re.MULTILINE)
    path.write_text(f"# sekisho-{kind} sha256={hashlib.sha256(text.encode()).hexdigest()}\n{text}")


def restart(gateway, make_gateway, topology):
    gateway.stop()
    topology.restore_ports()
    return make_gateway(SERVICE, state=gateway.state)


def test_confirmed_returns_by_itself_also_past_the_death_of_config(gateway):
    """C2: after the minute the configuration before is committed anew, with its reason in the history."""
    console = edit(gateway)
    console.run(CHANGE)
    text = console.run('commit confirmed 1 comment "to be tried"', timeout=40)
    assert "committed: configuration 2" in text and "back in 1 min" in text
    assert "changed" in running(console)
    assert re.search(r"configuration 2 by console 0 is not confirmed: .*0 min \d\d s configuration 1", console.run("show pending"))
    gateway.kill("config", signal.SIGSTOP)
    age(unconfirmed_file(gateway), 50)
    gone = gateway.kill("config")
    gateway.wait_role("config", other_than=gone, seconds=10)
    gateway.wait_event("commit-returns", 'commit="2"', 'last="1"', seconds=30)
    console.close()
    console = edit(gateway)
    wait_until(lambda: "nothing waits" in console.run("show pending"), "the return", 20)
    assert "changed" not in running(console)
    history = console.run("show history")
    assert re.search(r"return +configuration 2 was not confirmed: back to 1", history) and "to be tried" in history
    assert unconfirmed_file(gateway) is None


def test_confirmed_stays_when_it_is_confirmed(gateway, make_gateway, topology):
    console = edit(gateway)
    console.run(CHANGE)
    assert "committed" in console.run("commit confirmed", timeout=40)
    assert re.search(r"in (10 min 00|9 min 5\d) s", console.run("show pending"))
    assert "confirmed: it stays" in console.run("commit")
    gateway.wait_event("commit-confirmed", 'commit="2"', seconds=20)
    assert "nothing to commit" in console.run("commit")
    assert unconfirmed_file(gateway) is None
    assert "changed" in running(edit(restart(gateway, make_gateway, topology)))


def test_confirmed_by_a_commit_behind_it(gateway, make_gateway, topology):
    """A later commit keeps both; a refused one leaves the first waiting."""
    console = edit(gateway)
    console.run(CHANGE)
    console.run("commit confirmed 5", timeout=40)
    console.run("set crossing mynumber internet permit 10 service echo")
    console.run("set crossing mynumber internet permit 10 destination 203.0.113.5")
    assert "(Z1)" in console.run("commit confirmed 1")
    assert "configuration 1" in console.run("show pending")
    console.run("discard")
    console.run("set service third tcp 1")
    assert "committed: configuration 3" in console.run("commit confirmed 5", timeout=40)
    assert re.search(r"configuration 3 .* configuration 1 is back", console.run("show pending"))
    console.run("set service fourth tcp 2")
    assert "committed: configuration 4" in console.run("commit", timeout=40)
    assert "nothing waits" in console.run("show pending")
    text = running(edit(restart(gateway, make_gateway, topology)))
    assert "changed" in text and "third" in text and "fourth" in text


@pytest.mark.parametrize("spent", [0, 400, -400], ids=["time left", "time over", "clock set back"])
def test_confirmed_is_on_the_disk_past_a_restart(gateway, make_gateway, topology, spent):
    """C2: with time left it goes on waiting; when the time is over, or the clock cannot tell, the old one comes at once."""
    console = edit(gateway)
    console.run(CHANGE)
    console.run("commit confirmed 5", timeout=40)
    gateway.stop()
    topology.restore_ports()
    age(unconfirmed_file(gateway), spent)
    again = make_gateway(SERVICE, state=gateway.state)
    console = edit(again)
    if spent == 0:
        assert "changed" in running(console)
        assert re.search(r"[0-4] min \d\d s configuration 1", console.run("show pending"))
        return
    again.wait_event("commit-returns", seconds=20)
    assert "changed" not in running(console)
    assert "nothing waits" in console.run("show pending")
    assert re.search(r"^0 +3 .*return", console.run("show history"), re.MULTILINE)


def test_confirmed_refuses_what_is_no_time(gateway):
    console = edit(gateway)
    console.run(CHANGE)
    for tail in ("0", "1441", "soon", "5 minutes", "99999999999999999999"):
        assert "allowed: 1 to 1440" in console.run(f"commit confirmed {tail}")
    assert "changed" not in running(console)
    console.run("discard")
