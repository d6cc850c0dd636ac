# SPDX-License-Identifier: GPL-2.0-or-later
"""Ten thousand permits and as many stations: loaded as one transaction, and no slower than ten (Z7, Z8)."""

import socket
import time

import pytest

from lib.traffic import Sink

SERVER, PORT = "10.20.0.8", 7000
FLOWS = 400


def policy(count):
    """`count` permits between hosts of two /16 networks, the one that is tried being the last of them."""
    services = "".join(f"service s{i} {{ tcp {1000 + i}; }}\n" for i in range(100)) + "service echo { udp 7000; }\n"
    permits = "".join(f"permit {i + 1} {{ source 10.10.{i // 250}.{i % 250 + 2}; destination 10.20.{i // 7 % 40}.{i % 250 + 2}; "
                      f"service s{i % 100}; }}\n" for i in range(count - 1))
    return f"{services}crossing mynumber lgwan {{\n{permits}permit 20000 {{ source 10.10.0.5; destination {SERVER}; service echo; }}\n}}\n"


def stations(count, mac):
    others = ((i // 250 + 1, i % 250 + 2, i) for i in range(count - 1))
    listed = "".join(f"station 02:01:00:00:{i >> 8:02x}:{i & 255:02x} {{ address 10.10.{high}.{low}; }} " for high, low, i in others)
    return f"{listed} station {mac} {{ address 10.10.0.5; }}"


def first_packet_seconds(net, topology, make_gateway, count):
    """Median time from a new flow's first packet to its answer."""
    gateway = make_gateway(policy(count), prefix=f"n{count}-",
                           zone_extra={"mynumber": stations(count, topology.zones["mynumber"].mac)}, seconds=30)
    sink = Sink(net, "peer-lgwan", SERVER, PORT)
    times = []
    for number in range(FLOWS):
        with net.socket("peer-mynumber", kind=socket.SOCK_DGRAM, timeout=2.0) as flow:
            flow.bind(("", 30000 + number))
            flow.connect((SERVER, PORT))
            begin = time.perf_counter()
            flow.send(bytes(16))
            flow.recv(100)
            times.append(time.perf_counter() - begin)
    sink.stop()
    gateway.stop()
    return sorted(times)[FLOWS // 2]


@pytest.mark.limit(180)
def test_packets_ten_thousand_permits_and_stations_are_no_slower_than_ten(net, topology, make_gateway):
    for name in ("mynumber", "lgwan"):
        zone = topology.zones[name]
        zone.gateway = (zone.gateway[0].replace("/24", "/16"), zone.gateway[1])
    few, many = (min(first_packet_seconds(net, topology, make_gateway, count) for _ in range(2)) for count in (10, 10000))
    assert many < 1.5 * few + 100e-6, f"{many * 1e6:.0f} us against {few * 1e6:.0f} us"
