# SPDX-License-Identifier: GPL-2.0-or-later
"""Explores tests/model/gateway.pml with Spin: invariant F over all interleavings, and that the gateway always comes back.

Mutants are faults of the protocol that the exploration must find; each is an #ifdef of the model."""

import pathlib
import re
import subprocess
import time

HERE = pathlib.Path(__file__).parent
MODEL = "gateway.pml"
SECONDS = 7200  # what takes so long is explored by name only
DEPTH = 400_000
# name, claim, definitions, options of the compiler, options of the search
SAFETY = ("-DSAFETY", "-DNOCLAIM", "-DCOLLAPSE", "-DMEMLIM=9000", "-DVECTORSZ=4096")
LIVENESS = ("-DNFAIR=8", "-DCOLLAPSE", "-DMEMLIM=9000", "-DVECTORSZ=4096")
MODELS = [
    ("model/commit", "invariant F, two commits", ("COMMITS=2", "KILLS=0"), SAFETY, ()),
    ("model/share", "invariant F, a commit where a process of a share learns of it late or never", ("COMMITS=1", "KILLS=0", "SHARE"), SAFETY, ()),
    ("model/kill", "invariant F, a kill of any process at any point, isolation kept", ("COMMITS=0", "KILLS=1"), SAFETY, ()),
]
# More than a quarter of an hour, some more than an hour: only where NAMES asks for it.
BY_NAME = [
    ("model/commit-and-kill", "invariant F, a commit and a kill at any point", ("COMMITS=1", "KILLS=1"), SAFETY, ()),
    ("model/commits", "invariant F, 3 commits, generations wrap at 3", ("COMMITS=3", "KILLS=0"), SAFETY, ()),
    ("model/share-and-kill", "invariant F, the same with a kill at any point", ("COMMITS=1", "KILLS=1", "SHARE"), SAFETY, ()),
    ("model/back", "after the last failure the gateway enforces again", ("COMMITS=1", "KILLS=1"), LIVENESS, ("-a", "-f")),
]
MUTANTS = [
    ("model mutant: numbers of generations are forgotten after a start only", ("COMMITS=1", "KILLS=1", "MUTANT_FORGETS_AFTER_A_START_ONLY")),
    ("model mutant: flows of the generation before go on", ("COMMITS=1", "KILLS=0", "MUTANT_OLD_FLOWS_LIVE")),
    ("model mutant: proofs of a share that did not turn are still taken", ("COMMITS=1", "KILLS=0", "SHARE", "MUTANT_SHARE_NOT_WAITED_FOR")),
    ("model mutant: isolation is forgotten by a restart", ("COMMITS=0", "KILLS=1", "MUTANT_ISOLATION_FORGOTTEN")),
    ("model mutant: a commit is answered before it is applied", ("COMMITS=1", "KILLS=0", "MUTANT_ANSWERED_TOO_EARLY")),
]


def run(line, work):
    try:
        done = subprocess.run(line, cwd=work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired:
        return -1, f"no answer within {SECONDS} s"


def explore(name, defines, compiler, search, out):
    """Return: whether the search ended, its number of errors, its states, what it said, seconds."""
    begin, work = time.monotonic(), out / "prove" / re.sub(r"[^a-z0-9]+", "-", name)
    work.mkdir(parents=True, exist_ok=True)
    (work / MODEL).write_bytes((HERE / MODEL).read_bytes())
    for line in (["spin", "-a", *(f"-D{d}" for d in defines), MODEL], ["gcc", "-O2", *compiler, "-o", "pan", "pan.c"],
                 ["./pan", f"-m{DEPTH}", "-w26", "-E", *search]):
        status, text = run(line, work)
        if status != 0:
            break
    (work / "log").write_text(text)
    errors = re.search(r"errors: (\d+)", text)
    states = re.search(r"(\d+) states, stored", text)
    whole = "Search not completed" not in text and "max search depth too small" not in text
    return (whole and status == 0, int(errors.group(1)) if errors else -1, int(states.group(1)) if states else 0, text,
            time.monotonic() - begin)


def holds(name, claim, defines, compiler, search, out):
    whole, errors, states, text, seconds = explore(name, defines, compiler, search, out)
    if whole and errors == 0:
        return True, f"{name}: {claim}: {states} states, all of them ({seconds:.0f} s)"
    return False, "\n".join([f"{name}: NOT SHOWN: {claim}", *text.splitlines()[-12:]])


def found(name, defines, out):
    _, errors, states, text, seconds = explore(name, defines, SAFETY, (), out)
    if errors > 0 and "assertion violated" in text:
        return True, f"{name}: found after {states} states ({seconds:.0f} s)"
    return False, f"{name}: NOT FOUND"


def jobs(mode, names, out):
    if mode == "all":
        yield from ((holds, *m, out) for m in ([m for m in MODELS + BY_NAME if m[0] in names] if names else MODELS))
    if mode == "mutants":
        yield from ((found, *m, out) for m in MUTANTS if not names or m[0] in names)
