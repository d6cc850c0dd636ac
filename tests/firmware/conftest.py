# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines for the firmware tests; each is switched off when its test ends."""

import pytest

from lib.net import three_zones
from lib.qemu import FIRMWARE, Machine, blank_disk, open_tap


@pytest.fixture(scope="session", autouse=True)
def firmware_is_built():
    if not (FIRMWARE / "root.img").exists():
        pytest.exit(f"no firmware in {FIRMWARE}; make firmware builds it", returncode=2)


@pytest.fixture
def machine(tmp_path):
    """Makes machines: machine(data=..., wires=..., watch=...). Without `data` it gets a blank data disk."""
    made = []

    def make(data="blank", **options):
        directory = tmp_path / f"machine-{len(made)}"
        directory.mkdir()
        disk = blank_disk(directory / "data.img") if data == "blank" else data
        made.append(Machine(directory, data=disk, **options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def wires(net):
    """A namespace with a tap for each zone: what the machine's three ports are plugged into."""
    made = []
    for zone in three_zones():
        net.namespace(zone.namespace)
        made.append(open_tap(zone.namespace))
        net.run(zone.namespace, "ip", "link", "set", "eth0", "up")
        net.address(zone.namespace, "eth0", *zone.peer, *zone.more)
        net.route(zone.namespace, "default", "via", zone.gateway4)
    return made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        for path in sorted(item.funcargs["tmp_path"].glob("machine-*")) if "tmp_path" in item.funcargs else []:
            for name in ("serial.log", "watch.log", "qemu.log"):
                if (path / name).exists():
                    report.sections.append((f"{path.name} {name}", (path / name).read_text(errors="replace")[-6000:]))
    return report
