# SPDX-License-Identifier: GPL-2.0-or-later
"""testssl.sh's grade of both TLS listeners of a screen: the browsers' and, behind VeNCrypt's plain text, the viewers'.

    testssl.sh in lgwan --> 127.0.0.1 --(from one of many addresses)--> gateway
"""

import datetime
import itertools

import pytest

from lib.certificates import Authority, put_slot
from lib.tls_scan import findings, serve_tls_alone, start_grading
from test_screen_login import behind_vencrypt

NAME = "screen.lg.example"
SOURCES = [f"10.20.0.{number}" for number in range(100, 120)]    # one may connect 120 times in a minute
GRADED = {"browsers": 443, "viewers": 4433}


def screen(topology):
    desktop = f'{topology.zones["internet"].peer4}:5900'
    return (f"screen web {{ from lgwan; to internet; desktop {desktop}; security x509-plain; group staff;"
            f" tls {{ certificate screen; }} browser {{ name {NAME}; }} sessions 50; sessions-per-source 50; }}\n"
            "screen-user suzuki { group staff; }\n")


def certificate_of(authority):
    """One as an authority gives them today: for about a year, and with the address of its list of revoked ones."""
    today = datetime.datetime.now(datetime.timezone.utc)
    begin, end = (f"{today + datetime.timedelta(days):%Y%m%d%H%M%SZ}" for days in (-1, 365))
    return authority.issue(NAME, begin, end, revoked_at="http://ca.lg.example/revoked.crl")


@pytest.mark.limit(400)
def test_both_tls_listeners_have_the_best_grade(make_gateway, topology, tmp_path):
    """Z4: A+ for each, and no weakness at all; both are looked at at the same time."""
    authority, state, lgwan = Authority(), tmp_path / "state", topology.zones["lgwan"]
    put_slot(state, "screen", certificate_of(authority).read_text())
    make_gateway(screen(topology), state=state)
    topology.net.address(lgwan.namespace, topology.DEVICE, *(f"{source}/24" for source in SOURCES))
    source = itertools.cycle(SOURCES)
    reach = {
        "browsers": lambda: topology.net.connect(lgwan.namespace, lgwan.gateway4, 443, 30, next(source)),
        "viewers": lambda: behind_vencrypt(topology, next(source)),
    }
    running = {}
    for listener, port in GRADED.items():
        serve_tls_alone(topology.net, lgwan.namespace, port, reach[listener])
        running[listener] = start_grading(topology.net, lgwan.namespace, NAME, port, authority.certificate,
                                          tmp_path / f"{listener}.json")
    for listener, process in running.items():
        process.popen.wait()
        found, weak = findings(tmp_path / f"{listener}.json")
        assert found["overall_grade"] == "A+" and not weak, (listener, weak, process.log())
        assert ("BREACH" in found) == (listener == "browsers"), (listener, found)  # what answers HTTP was looked at for it
        assert "offered" in found["TLS1_2"] and "offered" in found["TLS1_3"], (listener, found)
