# SPDX-License-Identifier: GPL-2.0-or-later
"""Who gets in by a real browser and who does not, and what the page says at each refusal and each end.

A refused login reads the same whatever was wrong (docs/screen.md): the reason is in the log alone.
"""

import itertools
import socket
import types

import pytest

from lib.certificates import Authority, put_slot
from lib.hours import ALWAYS, shut_for_days
from lib.peers.browser import Chromium
from lib.peers.rfb import key
from lib.totp import code_at
from lib.waiting import wait_until
from test_screen_chromium import log_in, message_begins, spki_of
from test_screen_login import PLAIN, admitted, fake_desktop, password_of, screen
from test_second_factor import enrol

COLOUR = [0x11, 0x22, 0x33]     # of the desktop
REFUSED = ("ログインできませんでした。利用者名とパスワードを確認し", "You could not be logged in. Check name and password")


@pytest.fixture
def office(make_gateway, topology, tmp_path):
    """open(statements, blocks): a desktop of one colour, the gateway with its users, and Chromium at the page, in Japanese."""
    def open_(statements="", blocks=""):
        lgwan, state = topology.zones["lgwan"], tmp_path / "state"
        certificate = Authority().issue(lgwan.gateway4)
        put_slot(state, "screen", certificate.read_text())
        desktop = fake_desktop(topology)
        gateway = make_gateway(blocks + screen(topology, f"{PLAIN} browser {{ listen 443; }} {statements}"), state=state)
        browser = Chromium(topology.net, lgwan.namespace, spki_of(certificate), size=(800, 600))
        browser.open(f"https://{lgwan.gateway4}/")
        browser.wait("document.querySelector('h1').textContent")
        if browser.evaluate("document.documentElement.lang") == "en":
            turn(browser)
        return types.SimpleNamespace(gateway=gateway, desktop=desktop, browser=browser)
    return open_


def turn(browser):
    """The page in its other language."""
    browser.evaluate("document.getElementById('language').click()")


def says(browser, japanese, english):
    """The page says it in both languages, over the form, and shows nothing of a screen any more."""
    message_begins(browser, japanese)
    turn(browser)
    message_begins(browser, english)
    turn(browser)
    assert browser.evaluate("document.getElementById('session').hidden && !document.getElementById('entrance').hidden")
    assert browser.evaluate("document.querySelector('#screen canvas') === null")


def send_form(browser, name, password, code):
    """As a person does: the form, typed and sent; what it said before is taken away, so that it cannot be read again."""
    browser.evaluate("document.getElementById('message').textContent = ''")
    browser.evaluate("document.getElementById('code').select()")
    browser.call("Input.insertText", text=code)
    log_in(browser, name, password)
    assert browser.evaluate("document.getElementById('password').value + document.getElementById('code').value") == ""


def enter(browser, name, password, code=""):
    """Log in, and see the desktop's colour."""
    send_form(browser, name, password, code)
    browser.wait("!document.getElementById('session').hidden")
    wait_until(lambda: browser.evaluate("[...document.querySelector('#screen canvas').getContext('2d').getImageData(160, 120, 1, 1)"
                                        ".data].slice(0, 3)") == COLOUR, "the desktop's colour in the page", pause=0.1)


def refused(office, name, password, reason, code=""):
    """The page says that it was refused, and not why; the log says why."""
    def told():
        return [line for line in office.gateway.audit_lines()
                if all(part in line for part in ("screen-login-refused ", f'user="{name}"', f'reason="{reason}"', 'name="web"'))]
    before = len(told())
    send_form(office.browser, name, password, code)
    says(office.browser, *REFUSED)
    wait_until(lambda: len(told()) == before + 1, f"the record of {reason}")


def no_code_of(phone):
    """Six digits that are nobody's code for minutes."""
    near = {code_at(phone.secret, phone.used + step) for step in range(-10, 20)}
    return next(code for code in (f"{n:06d}" for n in itertools.count()) if code not in near)


def test_chromium_login_takes_a_code_and_takes_it_once(office):
    """A9, Z4: password and code in their two fields; a wrong code, the same one again and none at all are refused."""
    web = office()
    secret = password_of(web.gateway, "suzuki")
    phone = enrol(web.gateway.open_console(), "account screen-totp suzuki")
    refused(web, "suzuki", secret, "wrong code", no_code_of(phone))
    assert web.desktop.streams == []
    code = phone.code()
    enter(web.browser, "suzuki", secret, code)
    web.gateway.wait_event("screen-login ", 'user="suzuki"', 'name="web"')
    web.browser.click("#leave")
    says(web.browser, "切断しました。", "You have disconnected.")
    refused(web, "suzuki", secret, "wrong code", code)
    refused(web, "suzuki", secret, "wrong password")
    assert len(web.desktop.streams) == 1, "the desktop heard of the one that was let in"


def test_chromium_login_refuses_who_has_expired_or_is_suspended(office):
    """A3, A7: with the right password, and alike; who may, gets in at the same page behind them."""
    web = office()
    secrets = {user: password_of(web.gateway, user) for user in ("kato", "ito", "suzuki")}
    refused(web, "kato", secrets["kato"], "user has expired")
    refused(web, "ito", secrets["ito"], "user is suspended")
    assert web.desktop.streams == []
    enter(web.browser, "suzuki", secrets["suzuki"])


@pytest.mark.parametrize("change, reason", [("expires 2020-03-31", "user has expired"), ("suspended", "user is suspended")],
                         ids=["expired", "suspended"])
def test_chromium_says_that_its_user_may_no_longer(office, change, reason):
    """A7, Z11: whose account ends while he looks is told so at once, and refused when he comes again."""
    web = office()
    secret = password_of(web.gateway, "suzuki")
    enter(web.browser, "suzuki", secret)
    assert "committed" in web.gateway.open_console().commit(f"set screen-user suzuki {change}")
    says(web.browser, "利用資格が変更されたため切断しました。", "Your permission has changed, so the session ended.")
    refused(web, "suzuki", secret, reason)


def test_chromium_is_refused_over_the_limit_and_outside_the_hours(office, topology):
    """Z14, A4: a second session of a user who may have one; nobody once the hours are over, and whoever is there is told."""
    hours = f"schedule open {{ window {ALWAYS}; }}\nschedule shut {{ window {shut_for_days()}; }}\n"
    web = office("schedule open; sessions-per-user 1;", hours)
    secrets = {user: password_of(web.gateway, user) for user in ("suzuki", "sato")}
    first = admitted(topology, "suzuki", secrets["suzuki"])
    refused(web, "suzuki", secrets["suzuki"], "sessions of one user")
    enter(web.browser, "sato", secrets["sato"])
    first.send(key(0x61))
    wait_until(lambda: (4, key(0x61)[1:]) in web.desktop.messages, "a key of the first session, which goes on")
    assert "committed" in web.gateway.open_console().commit("set screen web schedule shut")
    says(web.browser, "利用できる時間帯が終了したため切断しました。", "The permitted hours are over, so the session ended.")
    refused(web, "sato", secrets["sato"], "outside permitted hours")


def test_chromium_says_what_the_other_side_did(office):
    """Z5, Z11: a desktop that leaves, one that sends what is not allowed, an isolated zone."""
    web = office()
    secret = password_of(web.gateway, "suzuki")
    console = web.gateway.open_console()

    def ends(how, reason, *texts):
        enter(web.browser, "suzuki", secret)
        how(web.desktop.streams[-1])
        says(web.browser, *texts)
        web.gateway.wait_event("screen-ended ", 'peer="viewer"', 'user="suzuki"', f'reason="{reason}"')

    ends(lambda desktop: desktop.sock.shutdown(socket.SHUT_RDWR), "desktop-left",
         "接続先のデスクトップが切断しました。", "The desktop has closed the connection.")
    ends(lambda desktop: desktop.send(b"\xf8" + bytes(8)), "desktop-protocol",
         "接続先のデスクトップから許可されない通信があったため", "The desktop sent what is not allowed")
    ends(lambda _: console.run("isolate zone internet"), "zone-isolated",
         "ネットワークが隔離されたため切断しました。", "The network was isolated, so the session ended.")


def test_chromium_says_that_the_time_is_over(office):
    """A4, Z11: the absolute limit of a session; whoever comes again has the whole time again."""
    web = office("session-limit 4s;")
    secret = password_of(web.gateway, "suzuki")
    for _ in range(2):
        send_form(web.browser, "suzuki", secret, "")
        says(web.browser, "接続時間の上限に達したため切断しました。", "The session has reached its time limit.")

    def ends():
        return [line for line in web.gateway.audit_lines() if all(
            part in line for part in ("screen-ended ", 'peer="viewer"', 'user="suzuki"', 'reason="session-limit"'))]
    wait_until(lambda: len(ends()) == 2, "the records of both ends")
