# SPDX-License-Identifier: GPL-2.0-or-later
"""The screen in a real browser: what a person sees and types, and the pictures of docs/screen.md.

The pictures are left in OUTPUT/pictures; those in docs/pictures must be the same but for what another version of a font or
of the browser changes. Copy them from there where the page was changed on purpose.
"""

import base64
import hashlib
import pathlib
import re
import types

import pytest

from lib.certificates import Authority, put_slot
from lib.net import run
from lib.peers import Desktop, difference
from lib.peers.browser import Chromium
from lib.peers.xserver import focus_window
from lib.waiting import PATIENCE_SECONDS, wait_until
from test_screen_login import password_of

PORT, BRIEF_PORT, RECORDED_PORT = 443, 444, 445
IDLE_S = 25
PICTURES, DOCUMENTED = pathlib.Path("/out/pictures"), pathlib.Path(__file__).parents[2] / "docs" / "pictures"
UNLIKE_MAX = 0.06               # root mean square of the differences; 1: black against white
ENDS = pathlib.Path(__file__).parents[2] / "src" / "channel" / "screen.h"
UNTOLD = {"viewer-cannot-resize", "none"}   # the page's viewer knows new sizes


def spki_of(certificate):
    """What --ignore-certificate-errors-spki-list wants."""
    public = run("openssl", "x509", "-in", certificate, "-noout", "-pubkey").stdout
    der = base64.b64decode("".join(line for line in public.splitlines() if "-----" not in line))
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


def log_in(browser, name, password):
    """As a person does: the form, typed and sent."""
    for field, text in (("name", name), ("password", password)):
        browser.evaluate(f"document.getElementById('{field}').select()")
        browser.call("Input.insertText", text=text)
    browser.press("Enter", "Enter", 13, "\r")


def enter(office, port=PORT, host=None):
    """Open the page in Japanese, log in, and wait for the screen."""
    browser = office.browser
    browser.open(f"https://{host or office.host}:{port}/")
    browser.wait("document.querySelector('h1').textContent")
    if browser.evaluate("document.documentElement.lang") == "en":
        browser.evaluate("document.getElementById('language').click()")
    log_in(browser, "suzuki", office.secret)
    browser.wait("!document.getElementById('session').hidden")


def message_begins(browser, text, seconds=PATIENCE_SECONDS):
    browser.wait(f"document.getElementById('message').textContent.startsWith('{text}')", seconds)


def wait_same(office, tmp_path):
    """Until the picture that the page has drawn is the desktop's."""
    true = office.desktop.screenshot(tmp_path / "desktop.png")
    wait_until(lambda: difference(true, office.browser.canvas(tmp_path / "canvas.png")) == 0, "the same picture", 30, pause=0.5)


def end_session(office):
    """As an administrator does, with the newest: one that has just been ended may still be listed."""
    sessions = re.findall(r"^(\d+) +\S+ .* suzuki +admitted", office.console.run("show screen sessions"), re.MULTILINE)
    office.console.run(f"clear screen session {max(map(int, sessions))}")


def documented(browser, name):
    """Leave the page's picture as one of the documentation, and compare it with what is there."""
    PICTURES.mkdir(exist_ok=True)
    taken = PICTURES / f"{name}.png"
    browser.screenshot(taken)
    run("convert", taken, "-strip", "-colors", "64", f"png8:{taken}")
    said = run("compare", "-metric", "RMSE", taken, DOCUMENTED / taken.name, "null:", check=False).stderr
    unlike = re.search(r"\(([\d.e-]+)\)", said)
    assert unlike and float(unlike.group(1)) < UNLIKE_MAX, f"docs/pictures/{taken.name} is not what is in {taken}: {said}"


@pytest.fixture
def office(make_gateway, topology, tmp_path):
    """A desktop with a picture, the gateway with a screen, and one with a short idle-timeout; a browser, and who may log in."""
    zone, lgwan, authority = topology.zones["internet"], topology.zones["lgwan"], Authority()
    certificate = authority.issue(lgwan.gateway4)
    state = tmp_path / "state"
    put_slot(state, "screen", certificate.read_text())
    desktop = Desktop(topology.net, zone.namespace, zone.peer4)
    entry = (f"from lgwan; to internet; desktop {zone.peer4}:5900; security x509-plain; group staff;"
             " tls { certificate screen; }")
    gateway = make_gateway(f"screen web {{ {entry} browser {{ listen {PORT}; }} idle-timeout 0s; }}",
                           f"screen brief {{ {entry} listen 5901; browser {{ listen {BRIEF_PORT}; }} idle-timeout {IDLE_S}s; }}",
                           f"screen taped {{ {entry} listen 5902; browser {{ listen {RECORDED_PORT}; }} idle-timeout 0s;"
                           " record { size-limit 8MB; total-limit 64MB; } }",
                           "screen-user suzuki { group staff; }", state=state)
    return types.SimpleNamespace(
        net=topology.net, desktop=desktop, gateway=gateway, host=lgwan.gateway4, host6=f"[{lgwan.gateway6}]",
        secret=password_of(gateway, "suzuki"), console=gateway.open_console(),
        browser=Chromium(topology.net, lgwan.namespace, spki_of(certificate), size=(800, 600)))


# What Chromium says of keys (DOM key, code, Windows key code, text), and the X keysym that the desktop must see.
KEYS = [("a", "KeyA", 65, "a", 0x61), ("Z", "KeyZ", 90, "Z", 0x5a), ("Enter", "Enter", 13, "\r", 0xff0d),
        ("Convert", "Convert", 28, None, 0xff23), ("NonConvert", "NonConvert", 29, None, 0xff22),
        ("Hankaku", "Backquote", 243, None, 0xff2a), ("ZenkakuHankaku", "Backquote", 244, None, 0xff2a),
        ("¥", "IntlYen", 220, "¥", 0xa5)]


@pytest.mark.limit(240)
def test_chromium_shows_every_pixel_and_types(office, tmp_path):
    """Z4, Z5: the picture that the page drew equals the desktop's; keys arrive, 半角/全角 too; the pointer where it is.

    A wrong password and an administrator's end are said in Japanese and in English.
    """
    desktop, browser = office.desktop, office.browser
    desktop.show_test_picture()
    browser.open(f"https://{office.host}/")
    assert browser.wait("document.querySelector('h1').textContent") == "Screen login"
    documented(browser, "screen-login-en")
    browser.evaluate("document.getElementById('language').click()")
    assert browser.evaluate("document.querySelector('h1').textContent") == "画面転送 ログイン"
    documented(browser, "screen-login-ja")
    log_in(browser, "suzuki", "wrong")
    message_begins(browser, "ログインできませんでした")
    log_in(browser, "suzuki", office.secret)
    browser.wait("!document.getElementById('session').hidden")
    wait_same(office, tmp_path)
    documented(browser, "screen-session")
    xev = office.net.popen(desktop.namespace, "stdbuf", "-oL", "xev", "-geometry", "640x480+0+0", env=desktop.env)
    focus_window(desktop, "Event Tester")
    for name, code, number, text, keysym in KEYS:
        def arrives(k=keysym, event=(name, code, number, text)):
            browser.press(*event)
            return f"(keysym {k:#x}," in xev.log()
        wait_until(arrives, f"{name} in xev", 20, pause=0.3)
    wait_until(lambda: browser.click("#screen canvas") or "button 1" in xev.log(), "the pointer's button in xev", pause=0.3)
    end_session(office)
    message_begins(browser, "管理者が切断しました")
    documented(browser, "screen-ended")
    browser.evaluate("document.getElementById('language').click()")
    message_begins(browser, "An administrator")
    assert browser.evaluate("document.querySelector('#screen canvas') === null && localStorage.length === 0")


@pytest.mark.limit(120)
def test_chromium_full_screen_over_ipv6(office, tmp_path):
    """Z4, Z13: by the gateway's IPv6 address; one click fills the screen, keys arrive there, an end leaves it and says why."""
    desktop, browser = office.desktop, office.browser
    desktop.show_test_picture()
    enter(office, host=office.host6)
    wait_same(office, tmp_path)
    assert 'src="fd00:20::8"' in office.gateway.wait_event("screen-login ", 'user="suzuki"')
    browser.click("#fullscreen")
    browser.wait("document.fullscreenElement && document.fullscreenElement.id === 'session'")
    browser.wait("(r => r.width > innerWidth - 2 || r.height > innerHeight - 2)"
                 "(document.querySelector('#screen canvas').getBoundingClientRect())")
    wait_same(office, tmp_path)
    xev = office.net.popen(desktop.namespace, "stdbuf", "-oL", "xev", "-geometry", "640x480+0+0", env=desktop.env)
    focus_window(desktop, "Event Tester")
    wait_until(lambda: browser.press("a", "KeyA", 65, "a") or "(keysym 0x61," in xev.log(), "a key in full screen", pause=0.3)
    end_session(office)
    message_begins(browser, "管理者が切断しました")
    browser.wait("document.fullscreenElement === null")


def recorded_is_seen(browser, text):
    """The notice says `text`, and whoever looks at its middle sees it and nothing over it."""
    browser.wait(f"(n => n.textContent === '{text}' && (r => document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2))"
                 "(n.getBoundingClientRect()) === n)(document.getElementById('recorded'))")


@pytest.mark.limit(120)
def test_chromium_tells_who_is_recorded(office, tmp_path):
    """A6, L1: the bar says it in both languages; a full screen, which has no bar, says it beside the whole picture."""
    desktop, browser = office.desktop, office.browser
    desktop.show_test_picture()
    enter(office)
    assert browser.evaluate("document.getElementById('recorded').hidden"), "this entry does not record"
    end_session(office)
    message_begins(browser, "管理者が切断しました")
    enter(office, RECORDED_PORT)
    recorded_is_seen(browser, "録画中")
    browser.click("#fullscreen")
    browser.wait("document.fullscreenElement !== null")
    recorded_is_seen(browser, "録画中")
    browser.wait("document.getElementById('recorded').getBoundingClientRect().bottom"
                 " <= document.querySelector('#screen canvas').getBoundingClientRect().top")
    assert browser.evaluate("document.getElementById('leave').getBoundingClientRect().height") == 0, "the bar is gone"
    wait_same(office, tmp_path)
    end_session(office)
    message_begins(browser, "管理者が切断しました")
    browser.evaluate("document.getElementById('language').click()")
    log_in(browser, "suzuki", office.secret)
    recorded_is_seen(browser, "This session is recorded")


def test_chromium_says_that_a_session_was_idle(office):
    """A3, Z11: an idle end is said in both languages, and one can log in again at once."""
    enter(office, BRIEF_PORT)
    message_begins(office.browser, "一定時間操作がなかったため", IDLE_S + PATIENCE_SECONDS)
    office.gateway.wait_event("screen-ended ", 'peer="viewer"', 'user="suzuki"', 'reason="idle-timeout"', 'name="brief"')
    office.browser.evaluate("document.getElementById('language').click()")
    message_begins(office.browser, "The session ended because nothing was done")
    enter(office)


def test_page_has_a_text_for_each_end(office):
    """Z11: whatever reason the gateway closes with, the page knows it, in both languages."""
    reasons = set(re.findall(r'X\(\w+, "([a-z-]+)"\)', ENDS.read_text())) - UNTOLD
    assert len(reasons) > 15
    office.browser.open(f"https://{office.host}/")
    page = office.browser.evaluate("fetch('/page.js').then(r => r.text())")
    assert [r for r in reasons if page.count(f'"{r}"') < 2 and f'"{r}"' not in page.partition("HANDSHAKE_REASONS")[2][:200]] == []


ZENKAKU, RETURN = ("ZenkakuHankaku", "Backquote", 244), ("Enter", "Enter", 13, "\r")
NIHONGO = [(c, f"Key{c.upper()}", ord(c.upper()), c) for c in "nihongo"]
INPUT_METHOD = "(define default-im-name 'anthy-utf8)\n"


def input_method_at(desktop, directory):
    """A Japanese keyboard, uim with anthy, and a terminal that writes what is typed into a file; that file."""
    desktop.run("setxkbmap", "-layout", "jp")
    typed = directory / "typed"
    (directory / ".uim").write_text(INPUT_METHOD)
    run("localedef", "-i", "ja_JP", "-f", "UTF-8", directory / "ja_JP.UTF-8")
    env = {**desktop.env, "HOME": str(directory), "LOCPATH": str(directory), "LC_ALL": "ja_JP.UTF-8", "XMODIFIERS": "@im=uim"}
    desktop.net.popen(desktop.namespace, "uim-xim", env=env)
    wait_until(lambda: "XIM_SERVERS" in desktop.run("xprop", "-root").stdout, "the input method")
    desktop.net.popen(desktop.namespace, "xterm", "-u8", "-fa", "IPAGothic", "-T", "typing", "-e", "sh", "-c", f"cat >{typed}",
                      env=env)
    wait_until(typed.exists, "the terminal")
    focus_window(desktop, "typing")
    return typed


@pytest.mark.limit(120)
def test_chromium_types_japanese_by_the_desktops_input_method(office, tmp_path):
    """Z5: 半角/全角, nihongo, space, Return in the browser: the input method of the desktop makes 日本語 of it."""
    typed, browser = input_method_at(office.desktop, tmp_path), office.browser
    enter(office)
    for event in [ZENKAKU, *NIHONGO, (" ", "Space", 32, " "), RETURN, ZENKAKU, RETURN]:
        browser.press(*event)
    wait_until(lambda: "日本語\n" in typed.read_text(), "日本語 in the terminal")
