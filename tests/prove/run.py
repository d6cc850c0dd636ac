# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the proofs of tests/prove/proofs.py (CBMC) and the models of tests/model (Spin), in the build root.

    run.py OUT quick|all|mutants [NAME...]

quick    what `make check` runs: the proofs that take seconds
all      every proof and every model
mutants  proofs of the proofs: each named place of a harness must be reachable, and each mutant of the product's source or
         of a model must be found

One line a proof: what was claimed, the bound, how many properties were checked, the time. OUT/check/prove.count gets "PASSED FAILED".
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "model")]
from proofs import PROOFS  # noqa: E402
import model  # noqa: E402

MEMORY_BYTES = 6 << 30
SECONDS = 900  # a proof that takes longer has failed
# Beyond CBMC's own (bounds, pointers, division, signed overflow, shifts): too small a bound fails instead of passing.
CHECKS = ["--unwinding-assertions", "--pointer-overflow-check", "--no-malloc-may-fail", "--object-bits", "10"]


class Outcome:
    def __init__(self, proved, properties, text, seconds):
        self.proved, self.properties, self.text, self.seconds = proved, properties, text, seconds


def command(line, **more):
    limit = ["prlimit", f"--as={MEMORY_BYTES}"]
    try:
        done = subprocess.run(limit + line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                              timeout=SECONDS, check=False, **more)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        return -1, (late.stdout or b"").decode(errors="replace") + f"\nno answer within {SECONDS} s\n"


def check(proof, work, defines=(), overlay=None):
    """Compile the harness and run CBMC on it; @overlay is a directory whose files stand in front of those of src."""
    begin = time.monotonic()
    work.mkdir(parents=True, exist_ok=True)
    binary = str(work / "proof.goto")
    include = [f"-I{d}" for d in ([overlay] if overlay else []) + ["tests/prove", "src", f"{work.parents[1]}/gen"]]
    status, text = command(["goto-cc", "-std=gnu17", "-D_GNU_SOURCE", *include, *(f"-D{d}" for d in (*proof.defines, *defines)),
                            "--function", proof.function, str(HERE / f"{proof.harness}.c"), "-o", binary])
    if status == 0 and proof.replace:
        status, text = command(["goto-instrument", *(w for r in proof.replace for w in ("--replace-calls", r)), binary, binary])
    if status == 0:
        loops = [w for loop, most in proof.unwindset for w in ("--unwindset", f"{loop}:{most}")]
        status, text = command(["cbmc", binary, "--function", proof.function, "--unwind", str(proof.unwind), *loops,
                                "--drop-unused-functions", *CHECKS, *proof.flags])
    (work / "log").write_text(text)
    counted = re.search(r"\*\* (\d+) of (\d+) failed", text)
    proved = status == 0 and "VERIFICATION SUCCESSFUL" in text and counted is not None and "no body for" not in text
    return Outcome(proved, int(counted.group(2)) if counted else 0, text, time.monotonic() - begin), status


def failures(text):
    return [line for line in text.splitlines() if line.endswith(": FAILURE")]


def prove(proof, out):
    outcome, _ = check(proof, out / "prove" / proof.name)
    if outcome.proved:
        return True, f"{proof.name}: {outcome.properties} properties, {proof.bound} ({outcome.seconds:.0f} s)"
    return False, "\n".join([f"{proof.name}: NOT PROVED", *(failures(outcome.text)[:8] or outcome.text.splitlines()[-8:])])


def refute(name, proof, out, work, defines=(), overlay=None):
    """A proof that must fail by a property of the claim, not for want of a bound or a compiler's mercy."""
    outcome, status = check(proof, out / "prove" / work, defines, overlay)
    wrong = [f for f in failures(outcome.text) if "unwind" not in f]
    if status == 10 and wrong:
        return True, f"{name}: found by {proof.name} ({outcome.seconds:.0f} s)"
    return False, f"{name}: NOT FOUND by {proof.name} (status {status}, {outcome.seconds:.0f} s)"


def witness(proof, number, out):
    return refute(f"{proof.name} place {number} is reachable", proof, out, f"{proof.name}-witness-{number}", [f"WITNESS={number}"])


def mutant(proof, number, out):
    path, old, new = proof.mutants[number]
    source = pathlib.Path("src", path).read_text()
    name = f"{proof.name} mutant {number + 1}: {path}: {' '.join(old.split())} -> {' '.join(new.split())}"
    if source.count(old) != 1:
        return False, f"{name}: the text is there {source.count(old)} times"
    overlay = out / "prove" / f"{proof.name}-mutant-{number}" / "src"
    shutil.rmtree(overlay, ignore_errors=True)
    (overlay / path).parent.mkdir(parents=True)
    (overlay / path).write_text(source.replace(old, new))
    return refute(name, proof, out, f"{proof.name}-mutant-{number}", overlay=overlay)


def jobs(mode, names, out):
    chosen = [p for p in PROOFS if (mode != "quick" or p.quick) and (p.name in names if names else not p.by_name)]
    if mode == "mutants":
        for proof in chosen:
            yield from ((witness, proof, n, out) for n in range(1, proof.witnesses + 1))
            yield from ((mutant, proof, n, out) for n in range(len(proof.mutants)))
    else:
        yield from ((prove, proof, out) for proof in sorted(chosen, key=lambda p: not p.slow))
    yield from model.jobs(mode, names, out)


def main():
    out, mode, names = pathlib.Path(sys.argv[1]), sys.argv[2], set(sys.argv[3:])
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
        for done in concurrent.futures.as_completed([pool.submit(f, *rest) for f, *rest in jobs(mode, names, out)]):
            good, text = done.result()
            passed, failed = passed + good, failed + (not good)
            print(f"  {'PROVE' if good else 'FAILED':<8}{text}", flush=True)
    (out / "check").mkdir(exist_ok=True)
    (out / "check" / "prove.count").write_text(f"{passed} {failed}\n")
    print(f"prove: {passed} passed, {failed} failed")
    return failed > 0 or passed == 0


if __name__ == "__main__":
    sys.exit(main())
