# SPDX-License-Identifier: GPL-2.0-or-later
"""The second factor (A9) at the consoles and at screens, with an authenticator that is not the gateway's."""

import re
from urllib.parse import parse_qs, urlparse

import pytest

from lib.peers.vencrypt import Refused
from lib.totp import Authenticator
from test_accounts import AGAIN, FIRST, LOGIN, NAME, NEW, SECRET, choose, leave, log_in, temporary, type_secret
from test_screen_login import fake_desktop, password_of, screen, viewer_of

CODE, FIRST_CODE = r"code \(Enter: none\): $", "first code: $"


def read_secret(console):
    """What the console shows of a new second factor, as an app would scan or a person type it."""
    console.expect("first code has been entered\r?\n")
    shown = console.before
    typed = re.search(r"secret: ([A-Z2-7]{32})", shown).group(1)
    uri = urlparse(re.search(r"otpauth://\S+", shown).group(0))
    fields = parse_qs(uri.query)
    assert uri.netloc == "totp" and fields["secret"] == [typed] and fields["issuer"] == [uri.path[1:].split(":")[0]]
    return typed


def enrol(console, command):
    console.send(command + "\r")
    phone = Authenticator(read_secret(console))
    type_secret(console, FIRST_CODE, "000000x")
    console.expect("that is not the code")
    type_secret(console, FIRST_CODE, phone.code())
    console.expect("the second factor is in force")
    console.expect(r"> $")
    return phone


def log_in_with(gateway, user, secret, code):
    console = log_in(gateway, user, secret)
    type_secret(console, CODE, code)
    return console


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(LOGIN)


@pytest.fixture
def administrators(gateway):
    """yamada and tanaka have passwords; yamada sits at the console."""
    console = gateway.console()
    console.expect(r"> $")
    secrets = {user: temporary(console, user) for user in ("yamada", "tanaka")}
    gateway.hang_up(console)
    for user in ("tanaka", "yamada"):
        console = log_in(gateway, user, secrets[user])
        choose(console, FIRST)
        console.expect(r"> $")
        if user == "tanaka":
            leave(gateway, console)
    return console


@pytest.mark.limit(240)
def test_factor_is_needed_at_every_login_and_removed_by_another_administrator(gateway, administrators):
    """A9, A3: the same answer whatever was wrong, no code twice, nothing of the secret in the log; removal is another's."""
    phone = enrol(administrators, "account totp yamada")
    gateway.wait_event("totp-enrolled", 'user="yamada"', 'name="yamada"', 'detail="login"')
    assert re.search(r"^yamada .*second factor", administrators.run("account show"), re.MULTILINE)
    assert "another administrator" in administrators.run("account totp-remove yamada")
    leave(gateway, administrators)
    for secret, code in ((FIRST, ""), ("wrong", phone.code())):
        refused = log_in_with(gateway, "yamada", secret, code)
        refused.expect("login incorrect")
        refused.close()
    gateway.wait_event("login-refused", 'user="yamada"', 'reason="wrong code"')
    gateway.wait_event("login-refused", 'user="yamada"', 'reason="wrong password"')
    code = phone.code()
    console = log_in_with(gateway, "yamada", FIRST, code)
    console.expect(r"> $")
    leave(gateway, console)
    again = log_in_with(gateway, "yamada", FIRST, code)
    again.expect("login incorrect")
    again.close()
    other = log_in_with(gateway, "tanaka", FIRST, "")
    other.expect(r"> $")
    assert "the second factor is removed" in other.run("account totp-remove yamada")
    gateway.wait_event("totp-removed", 'user="yamada"', 'name="tanaka"')
    leave(gateway, other)
    log_in(gateway, "yamada", FIRST).expect(r"> $")
    assert phone.secret not in gateway.log()


def interrupt(console, prompt):
    console.expect(prompt)
    console.send("\x03")


@pytest.mark.limit(120)
def test_login_goes_on_behind_ctrl_c_at_each_of_its_prompts(gateway, administrators):
    """A5: name, password and code begin again with the name, and no attempt is counted; a new password and a first code, which must
    be given now, are asked for once more."""
    administrators.edit("set login totp required")
    assert "committed" in administrators.run("commit", timeout=40)
    administrators.run("exit")
    prompts = [(NAME, "sato"), (SECRET, temporary(administrators, "sato")), (CODE, "")]
    console = gateway.console()
    for count, (prompt, _) in enumerate(prompts):
        for earlier in prompts[:count]:
            type_secret(console, *earlier)
        interrupt(console, prompt)
    for prompt in prompts:
        type_secret(console, *prompt)
    interrupt(console, NEW)
    type_secret(console, NEW, FIRST)
    interrupt(console, AGAIN)
    choose(console, FIRST)
    phone = Authenticator(read_secret(console))
    interrupt(console, FIRST_CODE)
    type_secret(console, FIRST_CODE, phone.code())
    console.expect(r"> $")
    assert not any(" login-refused " in line for line in gateway.audit_lines())


@pytest.mark.limit(120)
def test_factor_that_is_required_is_enrolled_before_anything_else(gateway, administrators):
    """A9: whoever has none gets one at the login, and sees nothing before its first code."""
    administrators.run("configure")
    administrators.run("set login totp required")
    assert "committed" in administrators.run("commit", timeout=40)
    administrators.run("exit")
    leave(gateway, administrators)
    console = log_in_with(gateway, "yamada", FIRST, "")
    phone = Authenticator(read_secret(console))
    type_secret(console, FIRST_CODE, "show zones")
    console.expect("that is not the code")
    type_secret(console, FIRST_CODE, phone.code())
    console.expect(r"> $")
    leave(gateway, console)
    bare = log_in_with(gateway, "yamada", FIRST, "")
    bare.expect("login incorrect")


@pytest.mark.limit(120)
def test_factor_of_a_screen_user_follows_the_password(make_gateway, topology):
    """A9, Z4: VeNCrypt Plain has one field: password and code in one; each code once."""
    fake_desktop(topology)
    gateway = make_gateway(screen(topology))
    secret = password_of(gateway, "suzuki")
    console = gateway.console()
    console.expect(r"> $")
    phone = enrol(console, "account screen-totp suzuki")
    gateway.wait_event("totp-enrolled", 'user="suzuki"', 'detail="screen-user"')
    code = phone.code()
    viewer_of(topology, "suzuki", secret + code).wait_pixel(0, 0, 0x112233)
    for wrong in (secret, secret + code):
        with pytest.raises(Refused):
            viewer_of(topology, "suzuki", wrong)
    gateway.wait_event("screen-login-refused", 'user="suzuki"', 'reason="wrong code"')
    assert "removed" in console.run("account screen-totp-remove suzuki")
    viewer_of(topology, "suzuki", secret).wait_pixel(0, 0, 0x112233)
