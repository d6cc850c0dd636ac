# SPDX-License-Identifier: GPL-2.0-or-later
"""The rule of two persons (C1): whoever proposes a change does not approve it, by whatever sequence of commands.

STEPS=N makes the model test longer, SEED=N gives it another sequence:
    STEPS=300 SEED=7 make check-netns TESTS=two_person_holds
"""

import datetime
import hashlib
import os
import random
import re

import pexpect
import pytest

from lib.certificates import Authority
from lib.gateway import Gateway
from lib.hours import shut_for_days
from lib.net import run
from lib.waiting import wait_until
from test_accounts import choose, log_in, temporary
from test_confirm import age
from test_mail_tls import paste

USERS = ("yamada", "tanaka", "suzuki")
LOGIN = "login { idle-timeout 1h; session-limit 8h; attempts 20; " + "".join(
    f"user {user} {{ role administrator; }} " for user in USERS) + "}\nservice echo { tcp 7000; }\n"
PATIENCE_S = 30
WORDS = ("Karasu", "Hoshi", "Tsuki", "Kaze", "Mori", "Tsubame")


class People:
    """The accounts, what their passwords are, and one console at a time, as the gateway admits it."""

    def __init__(self, gateway, chance):
        self.gateway, self.chance = gateway, chance
        self.passwords, self.used = {}, set()
        self.console, self.user = None, None
        self.logouts = 0    # recorded before the present session
        self.window = shut_for_days()

    def fresh(self):
        while True:
            password = f"{self.chance.choice(WORDS)}-{self.chance.choice(WORDS)}/{self.chance.choice('2479')}{self.chance.choice('1638')}x"
            if password not in self.used and len(set(password[:-4].split("-"))) == 2:
                self.used.add(password)
                return password

    def be(self, user):
        """A console at which `user` sits."""
        if self.user != user:
            self._go_to_a_console(user, self.passwords[user])
            self._sit_down(user)
        return self.console

    def take(self, user, secret):
        """Log in with a temporary password and choose another."""
        self.passwords[user] = self.fresh()
        self._go_to_a_console(user, secret)
        choose(self.console, self.passwords[user])
        self._sit_down(user)

    def leave(self):
        """Wait until the seat is free: there is one administrator at a time (A5), and whoever left may still be leaving."""
        if self.user is not None:
            self.console.send("exit\r")
            self.console.expect(pexpect.EOF)
            wait_until(lambda: self._logouts() > self.logouts, "the record of the logout")
            self.console.close()
        self.console = self.user = None

    def _go_to_a_console(self, user, secret):
        self.leave()
        self.console = log_in(self.gateway, user, secret, self.gateway.console(timeout=PATIENCE_S))

    def _sit_down(self, user):
        self.console.expect(r"> $")
        self.user, self.logouts = user, self._logouts()

    def _logouts(self):
        return sum(" logout " in line for line in self.gateway.audit_lines())


def rule_of(kind, window):
    """The statements that bring a rule into force, and take it away."""
    two = (["set login two-person"], ["delete login two-person"])
    window = ([f"set schedule night window {window}", "set login change-window night"], ["delete login change-window"])
    return {"two": two, "window": window, "both": (window[0] + two[0], window[1] + two[1])}[kind]


@pytest.fixture
def rule(request):
    return getattr(request, "param", "two")


@pytest.fixture
def people(make_gateway, rule):
    """Everybody has a password of their own; from then on the rule holds."""
    gateway = make_gateway(LOGIN)
    people = People(gateway, random.Random(int(os.environ.get("SEED", "1"))))
    console = gateway.console(timeout=PATIENCE_S)
    console.expect(r"> $")
    secrets = {user: temporary(console, user) for user in USERS}
    gateway.hang_up(console)
    for user in USERS:
        people.take(user, secrets[user])
    console = people.be("yamada")
    console.run("configure")
    for line in rule_of(rule, people.window)[0]:
        console.run(line)
    assert "committed" in console.run("commit", timeout=40)
    console.run("exit")
    return people


def propose(people, user, *lines, reason="a new service", command="propose"):
    """Return what the console said; the candidate is as before afterwards."""
    console = people.be(user)
    console.run("configure")
    for line in lines:
        console.run(line)
    text = console.run(f'{command} "{reason}"')
    console.run("discard")
    console.run("exit")
    return text


def shown_hash(people):
    found = re.search(r"SHA-256 ([0-9a-f]{64})", people.console.run("show pending"))
    return found and found.group(1)


def services(people):
    return set(re.findall(r"service (\w+)", people.console.run("show configuration | match service")))


def test_two_person_change_is_proposed_and_approved(people):
    """C1: who, when, what and why are recorded; exactly the bytes that were shown are committed."""
    console = people.be("yamada")
    console.run("configure")
    console.run("set service one udp 1")
    assert "two persons are needed" in console.run("commit")
    assert "two persons are needed" in console.run("commit confirmed 1")
    assert "give a reason" in console.run("propose")
    assert "proposed: another administrator" in console.run('propose "first service"')
    console.run("exit")
    shown = console.run("show pending")
    assert "proposed by yamada: first service" in shown and "+service one {" in shown.replace("+   ", "+")
    digest = re.search(r"SHA-256 ([0-9a-f]{64})", shown).group(1)
    assert "another person must approve" in console.run(f"approve {digest}")
    people.gateway.wait_event("change-not-approved", 'user="yamada"', seconds=20)
    console = people.be("tanaka")
    assert "look at it in this session" in console.run(f"approve {digest[:8]}")
    shown = console.run("show pending")
    assert digest in shown and "warning: nothing uses 'service one'" in shown, shown
    assert "name the first 8 digits" in console.run("approve")
    assert "name the first 8 digits" in console.run(f"approve {digest[:7]}")
    assert "name the first 8 digits" in console.run("approve 00000000")
    assert "committed: configuration 3" in console.run(f"approve {digest[:8]}", timeout=40)
    assert "one" in services(people)
    assert re.search(r"yamada +\(approved by tanaka\) first service", console.run("show history"))
    people.gateway.wait_event("change-proposed", 'user="yamada"', "first service", digest, seconds=20)
    people.gateway.wait_event("change-approved", 'user="tanaka"', digest, seconds=20)
    assert "nothing waits" in console.run("show pending")
    assert "no proposal waits" in console.run(f"approve {digest}")


def test_two_person_change_that_nobody_approves_is_recorded(people):
    """C1: with its author and reason, when its time is over; one that was approved never lapses."""
    gateway = people.gateway
    propose(people, "yamada", "set service one udp 1")
    people.be("tanaka")
    assert "committed" in people.console.run(f"approve {shown_hash(people)[:8]}", timeout=40)
    assert "proposed: another" in propose(people, "tanaka", "set service two udp 2", reason="too late")
    digest = shown_hash(people)
    waiting, = gateway.state.rglob("proposed")
    age(waiting, 7 * 86400, kind="proposal", field="time")
    assert "no proposal waits" in people.console.run(f"approve {digest[:8]}")
    assert "proposed: another" in propose(people, "tanaka", "set service three udp 3")
    gateway.wait_event("change-lapsed", 'proposer="tanaka"', 'comment="too late"', 'reason="its time is over"', digest, seconds=20)
    assert sum(" change-lapsed " in line for line in gateway.audit_lines()) == 1


def test_two_person_issued_password_is_no_second_person(people):
    """C1: whoever issues a temporary password can log in with it: that account does not approve, nor does one it issued in turn."""
    propose(people, "yamada", "set service one udp 1")
    for issuer, user in (("yamada", "suzuki"), ("suzuki", "tanaka")):
        people.take(user, temporary(people.be(issuer), user))
    for user in ("suzuki", "tanaka"):
        people.be(user)
        assert "another person must approve" in people.console.run(f"approve {shown_hash(people)}")
    assert "one" not in services(people)
    people.be("yamada")
    assert "withdrawn" in people.console.run("withdraw")


def slots(people):
    """{(kind, name)} of what is loaded."""
    return set(re.findall(r"^ *(certificate|authority|password) +(\S+) ", people.console.run("show certificates | no-more"), re.M))


def type_password(console, slot, password):
    console.send(f"load password {slot}\r")
    console.expect("Enter")
    console.send(password + "\r")
    console.expect(console.PROMPT)
    return console.before


def test_two_person_rule_holds_for_what_is_loaded(people):
    """C1, L4: who can put an authority, a certificate or a password into a slot alone could replace trust alone.

    The approver sees every certificate of it; nobody sees a password; one record names both persons; nothing is left of a secret.
    """
    gateway, first, second = people.gateway, Authority("First CA"), Authority("Second CA")
    keys = gateway.state / "keys"
    both = first.pem + second.pem
    assert "proposed: another administrator" in paste(people.be("yamada"), "load authority inner", both)
    assert "a proposal waits" in paste(people.console, "load authority inner", both)
    assert "a proposal waits" in propose(people, "yamada", "set service one udp 1")
    digest = shown_hash(people)
    assert "another person must approve" in people.console.run(f"approve {digest}")
    gateway.wait_event("load-proposed", 'user="yamada"', 'name="inner"', 'detail="authority"', digest)
    assert not slots(people)
    console = people.be("tanaka")
    assert "look at it in this session" in console.run(f"approve {digest[:8]}")
    shown = console.run("show pending | no-more")
    for authority in (first, second):
        found = run("openssl", "x509", "-in", authority.certificate, "-noout", "-fingerprint", "-sha256").stdout
        assert found.split("=")[1].strip().replace(":", "").lower() in shown
    assert "proposed by yamada: load authority inner" in shown and "First CA" in shown and "Second CA" in shown
    assert "may sign others" in shown and "holds from" in shown
    assert "name the first 8 digits" in console.run("approve 00000000")
    assert "loaded: CN=First CA" in console.run(f"approve {digest[:8]}")
    gateway.wait_event("certificate-loaded", 'user="tanaka"', 'proposer="yamada"', 'name="inner"', "sha256=")
    assert slots(people) == {("authority", "inner")} and (keys / "inner.authority.pem").read_text() == both
    assert not (keys / "proposed").exists() and "no proposal waits" in console.run(f"approve {digest}")

    secret = "Uguisu-31/desk"
    assert "proposed: another administrator" in type_password(console, "desk", secret)
    digest = shown_hash(people)
    assert hashlib.sha256(secret.encode()).hexdigest() != digest, "whoever sees it could try passwords"
    console = people.be("yamada")
    shown = console.run("show pending | no-more")
    assert "load password desk" in shown and secret not in shown
    assert "withdrawn" in console.run("withdraw")
    assert not (keys / "proposed").exists() and "nothing waits" in console.run("show pending")
    type_password(console, "desk", secret)
    people.be("tanaka")
    assert "loaded: desk" in people.console.run(f"approve {shown_hash(people)}")
    gateway.wait_event("password-loaded", 'user="tanaka"', 'proposer="yamada"', 'name="desk"')
    assert (keys / "desk.password").read_text() == secret and not (keys / "proposed").exists()
    assert not any(secret in line for line in gateway.audit_lines())

    people.be("yamada")
    assert "proposed" in paste(people.console, "load authority other", first.pem)
    people.gateway.kill("config")
    people.leave()
    console = people.be("suzuki")
    assert "loaded: CN=First CA" in console.run(f"approve {shown_hash(people)}"), "it outlives a restart"


def test_two_person_needs_two_administrators(make_gateway):
    console = make_gateway("login { user yamada { role administrator; } user sato { role operator; } }").console()
    console.expect(r"> $")
    console.run("configure")
    console.run("set login two-person")
    assert "needs two users who are administrators" in console.run("check")


@pytest.mark.parametrize("rule", ["window"], indirect=True)
def test_window_holds_for_commits_and_not_for_two_in_an_emergency(people):
    """C1, C2: outside the window a change is refused with the next opening; two persons can make one, which is recorded."""
    day = people.window.split()[0]
    console = people.be("yamada")
    console.run("configure")
    console.run("set service one udp 1")
    refused = console.run("commit")
    opens = re.search(r"changes may be made from (\S+ 00:00) on", refused).group(1)
    assert f"{datetime.datetime.strptime(opens, '%Y-%m-%d %H:%M'):%a}".lower() == day
    people.gateway.wait_event("change-outside-window", 'user="yamada"', seconds=20)
    assert "changes may be made" in console.run("commit confirmed 1")
    console.run("delete service one")
    console.run("delete login change-window")
    assert "changes may be made" in console.run("commit"), "the rule is removed in its hours only"
    console.run("discard")
    console.run("exit")
    assert "proposed: another" in propose(people, "yamada", "set service one udp 1", reason="cut off", command="propose emergency")
    people.be("yamada")
    assert "another person must approve" in people.console.run(f"approve {shown_hash(people)}")
    people.be("tanaka")
    assert "(emergency): cut off" in people.console.run("show pending")
    assert "committed" in people.console.run(f"approve {shown_hash(people)}", timeout=40)
    people.gateway.wait_event("change-emergency", 'user="tanaka"', 'name="yamada"', "cut off", seconds=20)
    assert "(emergency, approved by tanaka)" in people.console.run("show history")
    people.gateway.wait_event("emergency-opened", 'user="yamada"', 'name="tanaka"', "cut off", seconds=20)
    for user in ("tanaka", "yamada"):
        assert "another person must acknowledge" in people.be(user).run("acknowledge 1 fine")
    assert re.search("1 +acknowledged", people.be("suzuki").run("acknowledge 1 確認した"))
    assert "isolated" in people.console.run("isolate zone internet")
    assert "restored" in people.console.run("restore zone internet")


def emergencies(console, command="show emergencies"):
    """{number: its row} of what was done at once; the rows' last columns are empty while they are open."""
    lines = console.run(f"{command} | no-more").splitlines()
    return {int(found.group(1)): line for line in lines if (found := re.match(r" *(\d+) +\d{4}-\d\d-\d\dT", line))}


def test_emergency_is_acknowledged_by_another_person(people, topology):
    """C1, Z11 (事後報告): who isolates says why; it stands, with an alarm, over a restart, until another account acknowledges it."""
    gateway = people.gateway
    console = people.be("yamada")
    assert "isolated" in console.run("isolate zone internet 標的型メールの疑い")
    gateway.wait_event("emergency-opened", 'user="yamada"', 'detail="zone internet"', "標的型メールの疑い", seconds=20)
    assert "isolated" in console.run("isolate zone internet again")
    assert "restored" in console.run("restore zone internet")
    assert "isolated" in console.run("isolate zone internet the same person again, while the first is open")
    assert "restored" in console.run("restore zone internet")
    assert "isolated" in console.run("isolate station 02:00:00:00:00:99 stolen")
    shown = emergencies(console, "show pending")
    assert list(shown) == [1, 2] and "標的型メールの疑い" in shown[1] and "station 02:00:00:00:00:99" in shown[2]
    assert "another person must acknowledge" in console.run("acknowledge 1 it was me")
    gateway.wait_event("emergency-not-acknowledged", 'user="yamada"', seconds=20)
    assert "allowed: the number" in console.run("acknowledge 1")
    wait_until(lambda: console.run("show alarms").count("emergency-open") == 2, "the alarms", 20)
    people.leave()

    gateway.stop()
    people.gateway = again = Gateway(topology, gateway.config_path.read_text(), state=gateway.state)
    again.wait_event("emergency-stands", 'emergency="1"', 'user="yamada"', seconds=20)
    console = people.be("tanaka")
    assert set(emergencies(console, "show pending")) == {1, 2}
    assert "acknowledged" in console.run("acknowledge 1 妥当と認める")
    again.wait_event("emergency-acknowledged", 'user="tanaka"', 'name="yamada"', "妥当と認める", seconds=20)
    assert set(emergencies(console, "show pending")) == {2}
    assert "no open emergency" in console.run("acknowledge 1 once more")
    wait_until(lambda: console.run("show alarms").count("emergency-open") == 1, "the end of one alarm", 20)
    assert "tanaka" in emergencies(console)[1] and "妥当と認める" in emergencies(console)[1]
    again.stop()


class Model:
    """What the rule allows: the running services, the proposal that waits, and through whose hands each password went."""

    def __init__(self, rule):
        self.authority = Authority()
        self.two, self.shut = rule != "window", rule != "two"
        self.running = {"echo"}
        self.waiting = None  # author, those behind the author, services, whether it is an emergency, what it loads
        self.slots = set()  # what is loaded
        self.hands = {user: set() for user in USERS}
        self.open = {}  # emergencies: number -> the accounts that those who did it may have
        self.isolations = {}  # number -> who isolated, and through whose hands the password went

    def selves(self, user):
        return {user} | self.hands[user]

    def refuses(self, text):
        """Whether one person alone was told what the rule says."""
        return "two persons are needed" in text if self.two else "changes may be made from" in text


def step_commit(people, model, user, number):
    console = people.be(user)
    console.run("configure")
    console.run(people.chance.choice([f"set service s{number} udp {number}", "delete login two-person", "rollback 1",
                                      "delete login change-window", "load preset village", "delete login user tanaka", f"set login user {user} administrator-until 2099-01-01"]))
    command = people.chance.choice(["commit", "commit confirmed 1", 'commit comment "alone"'])
    text = console.run(command, timeout=40)
    assert model.refuses(text) or "nothing to commit" in text, text
    console.run("discard")
    console.run("exit")


def step_load(people, model, user, number):
    console = people.be(user)
    console.run("configure")
    console.send("load replace terminal\r")
    console.expect("Ctrl-D")
    console.run(f"service s{number} {{ udp {number}; }}\n\x04")
    assert model.refuses(console.run("commit"))
    console.run("discard")
    console.run("exit")


def step_propose(people, model, user, number):
    emergency = people.chance.random() < 0.5
    text = propose(people, user, f"set service s{number} udp {number}", command="propose emergency" if emergency else "propose")
    if not emergency and not model.two:
        assert "nobody else is needed" in text
    elif model.waiting:
        assert "a proposal waits" in text
    else:
        assert "proposed: another" in text
        model.waiting = (user, model.selves(user), model.running | {f"s{number}"}, emergency, None)


def step_load_slot(people, model, user, number):
    """A password or an authority: with two persons only proposed."""
    console, slot = people.be(user), f"s{number}"
    kind = people.chance.choice(["password", "authority"])
    text = (type_password(console, slot, f"secret{number}") if kind == "password"
            else paste(console, f"load authority {slot}", model.authority.pem))
    if not model.two:
        assert "loaded: " in text
        model.slots.add((kind, slot))
    elif model.waiting:
        assert "a proposal waits" in text
    else:
        assert "proposed: another" in text
        model.waiting = (user, model.selves(user), model.running, True, (kind, slot))


def step_approve(people, model, user, number):
    console = people.be(user)
    digest = shown_hash(people)
    assert (digest is not None) == (model.waiting is not None)
    text = console.run(f"approve {digest or 'f' * 64}", timeout=40)
    if model.waiting and not model.waiting[1] & model.selves(user) and (model.waiting[3] or not model.shut):
        load = model.waiting[4]
        assert ("loaded" if load else "committed") in text
        if load:
            model.slots.add(load)
        elif model.shut and model.waiting[3]:
            model.open[max(emergencies(console))] = model.waiting[1] | model.selves(user)
        model.running, model.waiting = model.waiting[2], None
    else:
        assert "committed" not in text and "loaded" not in text


def step_withdraw(people, model, user, number):
    assert ("withdrawn" in people.be(user).run("withdraw")) == (model.waiting is not None)
    model.waiting = None


def step_isolate(people, model, user, number):
    """Listed, unless one of the same person is open already."""
    console = people.be(user)
    before = set(emergencies(console))
    assert "isolated" in console.run("isolate zone internet drill")
    assert "restored" in console.run("restore zone internet")
    new = set(emergencies(console)) - before
    doer = (user, frozenset(model.hands[user]))
    assert new or any(one in model.open and other == doer for one, other in model.isolations.items())
    for one in new:
        model.open[one], model.isolations[one] = model.selves(user), doer


def step_acknowledge(people, model, user, number):
    """Each that is open, by whoever sits there: only another person's ends."""
    console = people.be(user)
    for one in sorted(model.open):
        text = console.run(f"acknowledge {one} seen")
        if model.open[one] & model.selves(user):
            assert "another person must acknowledge" in text
        else:
            assert re.search(rf"{one} +acknowledged", text)
            del model.open[one]


def step_reset(people, model, user, number):
    other = people.chance.choice([one for one in USERS if one != user])
    people.take(other, temporary(people.be(user), other))
    model.hands[other] = model.selves(user) - {other}


def step_restart(people, model, user, number):
    gone = people.gateway.kill("config")
    people.gateway.wait_answering("config", other_than=gone, seconds=20)
    people.leave()


STEPS = (step_commit, step_load, step_load_slot, step_load_slot, step_propose, step_propose, step_approve, step_approve, step_withdraw, step_reset, step_restart,
         step_isolate, step_acknowledge)


@pytest.mark.parametrize("rule", ["two", "both", "window"], indirect=True)
@pytest.mark.limit(120 + 10 * int(os.environ.get("STEPS", "20")))
def test_two_person_holds_for_random_sequences(people, rule):
    """C1, C2: against the model, whatever three persons do one after the other; only an approval by somebody else changes what
    runs, and while the window is shut only that of an emergency."""
    model = Model(rule)
    for number in range(int(os.environ.get("STEPS", "20"))):
        user = people.chance.choice(USERS)
        step = people.chance.choice(STEPS)
        step(people, model, user, number + 100)
        people.be(user)
        assert services(people) == model.running, (number, step.__name__, user)
        assert slots(people) == model.slots, (number, step.__name__, user)
        assert set(emergencies(people.console, "show pending")) == set(model.open), (number, step.__name__, user)
