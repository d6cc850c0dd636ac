# SPDX-License-Identifier: GPL-2.0-or-later
"""Policies of many permits and stations, between hosts of two /16 networks; the last permit and station are real peers.

Permit i + 1 is from 10.10.(i // 250).(i % 250 + 2); the station with that address is number i - 250.
"""

SERVER, PORT = "10.20.0.8", 7000


def source(i):
    return f"10.10.{i // 250}.{i % 250 + 2}"


def destination(i):
    return f"10.20.{i // 7 % 40}.{i % 250 + 2}"


def tcp_port(i):
    return 1000 + i % 100


def station_mac(number):
    return f"02:01:00:00:{number >> 8:02x}:{number & 255:02x}"


def permits(count):
    """`count` permits, the last of them for UDP from 10.10.0.5 to SERVER's PORT."""
    services = "".join(f"service s{i} {{ tcp {tcp_port(i)}; }}\n" for i in range(100)) + f"service echo {{ udp {PORT}; }}\n"
    lines = "".join(f"permit {i + 1} {{ source {source(i)}; destination {destination(i)}; service s{i % 100}; }}\n"
                    for i in range(count - 1))
    return (f"{services}crossing mynumber lgwan {{\n{lines}"
            f"permit 20000 {{ source 10.10.0.5; destination {SERVER}; service echo; }}\n}}\n")


def stations(count, mac):
    """`count` stations for the block of zone mynumber, the last of them `mac` with 10.10.0.5."""
    others = "".join(f"station {station_mac(i)} {{ address {source(i + 250)}; }} " for i in range(count - 1))
    return f"{others} station {mac} {{ address 10.10.0.5; }}"


def widen(topology):
    """Give both zones /16 networks, so that all these hosts are inside."""
    for name in ("mynumber", "lgwan"):
        zone = topology.zones[name]
        zone.gateway = (zone.gateway[0].replace("/24", "/16"), zone.gateway[1])
