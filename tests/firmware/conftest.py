# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines for the firmware tests; each is switched off when its test ends."""

import pytest

from lib import first_boot
from lib.appliance import PERMIT, ZONES, commit
from lib.qemu import FIRMWARE, Machine, blank_disk, plug_three_zones


@pytest.fixture(scope="session", autouse=True)
def firmware_is_built():
    if not (FIRMWARE / "root.img").exists():
        pytest.exit(f"no firmware in {FIRMWARE}; make firmware builds it", returncode=2)


@pytest.fixture(scope="session")
def disk_in_use(tmp_path_factory):
    """The data disk of an appliance that has its first administrator (lib/first_boot.py) and the zones and the permit of
    lib/appliance.py, as a power cut left it. It was set up over a serial line. Made once; whoever wants to start with it takes
    a copy (copy_disk())."""
    directory = tmp_path_factory.mktemp("disk-in-use")
    with Machine(directory, data=blank_disk(directory / "data.img"), terminal=True) as board:
        board.power_on()
        board.wait_ready(60)
        first_boot.begin(board.console)
        commit(board.console, *ZONES, *PERMIT)
    return board.data


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
    """What the machine's three ports are plugged into: a tap in each zone's namespace."""
    return plug_three_zones(net)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        paths = sorted(item.funcargs["tmp_path"].glob("machine-*")) if "tmp_path" in item.funcargs else []
        for path in paths + [one.directory for one in item.funcargs.values() if isinstance(one, Machine)]:
            for name in ("serial.log", "watch.log", "qemu.log"):
                if (path / name).exists():
                    report.sections.append((f"{path.name} {name}", (path / name).read_text(errors="replace")[-6000:]))
    return report
