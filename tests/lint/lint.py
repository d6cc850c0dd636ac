#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Check the rules of the house on every tracked source file; run in the build root after `make tools`.

usage: lint.py OUTPUT-DIR

Each rule is one check. Findings are printed as file:line: what; OUTPUT-DIR/check/lint.count gets "PASSED FAILED".
"""

import pathlib
import re
import subprocess
import sys

FUNCTION_LINES_MAX = 80
FILE_LINES_MAX = 900
HEADER_LINES_MAX = 300
COLUMNS_MAX = 100
SPDX = "SPDX-License-Identifier: GPL-2.0-or-later"

# What a directory of src may include beside itself. The place of a line of code tells what it may touch: processes never
# include each other's files; `channel` is structs only, so that even base may know the control channel.
LAYERS = {"base": {"channel"}, "channel": {"base"}, "wire": {"base"}, "policy": {"base", "wire", "channel"}}
PROCESS_MAY = {"base", "channel", "policy", "wire"}
# Convenience libraries of more than one process or of none, and who may use them.
SHARED_PARTS = {"screen-session": {"screen-source", "screen-viewer"},
                "tls": {"config", "mail-receiver", "mail-sender", "screen-source", "screen-viewer", "log-sender",
                        "audit"}}  # audit: the words for what went wrong; check_links sees to the rest
TOOLS_MAY = PROCESS_MAY | {"arbiter", "audit", "config", "mail-flattener"}
# CSS has a pseudo-class and -element of that name, which a selector writes behind colons.
FORBIDDEN_WORDS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|not (yet )?implemented|(?<!:)(?<!:-moz-)(?<!:-ms-input-)placeholder",
                             re.IGNORECASE)
LISTED_WORDS = {"host_tops.def": re.compile(r'TOP\("[^"]*"\)')}  # entries of lists that others keep: xxx is a domain
FORBIDDEN_CALLS = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca|atoi|atol|system|popen)\s*\(")


def tracked():
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], check=True,
                           capture_output=True, text=True).stdout.split("\0")
    return [pathlib.Path(n) for n in names if n and pathlib.Path(n).is_file()]


FILES = tracked()
C_FILES = [f for f in FILES if f.suffix in (".c", ".h") and f.parts[0] in ("src", "tests")]
OWN_TEXT = [f for f in FILES if f.suffix in (".c", ".h", ".def", ".py", ".sh", ".mk", ".config") or f.name == "Makefile"]


def lines(path):
    return path.read_text(errors="replace").splitlines()


def check_spdx(_output):
    """first line (second after #!) names the licence"""
    for path in OWN_TEXT:
        head = lines(path)[:2]
        if not any(SPDX in line for line in (head if head and head[0].startswith("#!") else head[:1])):
            yield path, 1, "no licence line"


def check_columns(_output):
    """at most 100 columns in C sources, tabs being 8"""
    for path in C_FILES:
        for number, line in enumerate(lines(path), 1):
            if len(line.expandtabs(8)) > COLUMNS_MAX:
                yield path, number, f"{len(line.expandtabs(8))} columns"


def check_file_length(_output):
    """at most 900 lines a file, 300 a header; generated tables say so in their name"""
    for path in C_FILES:
        count = len(lines(path))
        limit = HEADER_LINES_MAX if path.suffix == ".h" else FILE_LINES_MAX
        if count > limit and not path.stem.endswith("_tables"):
            yield path, count, f"{count} lines, at most {limit}"


def check_function_length(_output):
    """at most 80 lines a function"""
    tags = subprocess.run(["ctags", "--languages=C", "--langmap=C:.c.h", "--kinds-C=f", "--fields=ne", "-x",
                           "--_xformat=%{input}\t%n\t%{end}\t%N", *map(str, C_FILES)], check=True, capture_output=True,
                          text=True).stdout
    for tag in tags.splitlines():
        path, start, end, name = tag.split("\t")
        length = int(end or start) - int(start) + 1
        if length > FUNCTION_LINES_MAX:
            yield path, int(start), f"{name}: {length} lines, at most {FUNCTION_LINES_MAX}"


def check_format(_output):
    """clang-format has nothing to change"""
    for path in C_FILES:
        done = subprocess.run(["clang-format", "--dry-run", "--Werror", str(path)], capture_output=True, text=True,
                              check=False)
        if done.returncode:
            first = re.search(r":(\d+):\d+: error", done.stderr)
            yield path, int(first.group(1)) if first else 1, "make format would change this file"


def check_words(_output):
    """nothing left undone"""
    for path in OWN_TEXT:
        if path.parts[:2] == ("tests", "lint"):
            continue
        for number, line in enumerate(lines(path), 1):
            found = FORBIDDEN_WORDS.search(LISTED_WORDS[path.name].sub("", line) if path.name in LISTED_WORDS else line)
            if found and path.suffix != ".config":
                yield path, number, found.group(0)


def check_calls(_output):
    """no function of the C library that cannot be used safely"""
    for path in C_FILES:
        for number, line in enumerate(lines(path), 1):
            found = FORBIDDEN_CALLS.search(line.split("/*")[0].split("//")[0])
            if found and '"' not in line[:found.start()]:
                yield path, number, found.group(1)


def event_calls(text):
    """Calls that send an event, in functions that serve a console or are told a person: signature, line, arguments."""
    for function in re.finditer(r"^([a-z][^\n;={}]*\([^;{}]*?\))\n\{\n(.*?)^\}\n", text, re.M | re.S):
        if not re.search(r"struct (asking|answer|listing) \*|\*person\b", function[1]):
            continue
        for call in re.finditer(r"\b(?:event_send|event_emit|supervisor_event|desk_tell)\((.*?)\);", function[2], re.S):
            yield text[:function.start(2) + call.start()].count("\n") + 1, call[1]


def check_persons(_output):
    """a record of what a console was told to do names the person (C1, A6): none has its number alone"""
    for path in (f for f in C_FILES if f.parts[0] == "src"):
        text = path.read_text(errors="replace")
        for found in re.finditer(r"EV_NUMBER\(CONSOLE\b", text):
            if path.as_posix() != "src/base/event.h":
                yield path, text[:found.start()].count("\n") + 1, "a console without its person: EV_PERSON"
        for number, arguments in event_calls(text):
            if not re.search(r"\bEV_PERSON\(|\bEV_TEXT\(USER, person\)", arguments):
                yield path, number, "an event of a console's command without its person: EV_PERSON"


def may_include(owner):
    if owner == "tools":
        return TOOLS_MAY
    if owner in LAYERS:
        return LAYERS[owner]
    return PROCESS_MAY | {part for part, users in SHARED_PARTS.items() if owner in users}


def check_includes(output):
    """a directory of src depends only on those that it may (from the compiler's dependency files)"""
    found = list((output / "rel").rglob("*.d"))
    if not found:
        yield output, 1, "no dependency files: nothing was compiled"
    for path in found:
        owner = path.relative_to(output / "rel").parts[0]
        for other in set(re.findall(r"\bsrc/([a-z-]+)/", path.read_text())) - {owner} - may_include(owner):
            yield path.relative_to(output / "rel"), 1, f"src/{owner} may not include src/{other}"


def check_links(output):
    """no program has both TLS and netlink code, and neither the flattener nor audit has any of them"""
    for path in sorted((output / "libexec").glob("*.debug")):
        symbols = subprocess.run(["nm", str(path)], check=True, capture_output=True, text=True).stdout
        tls, netlink = " T mbedtls_ssl_" in symbols, bool(re.search(r" T (mnl_|nftnl_|nfq_)", symbols))
        if tls and netlink:
            yield path.name, 1, "links mbedTLS and netlink libraries"
        if path.stem in ("mail-flattener", "audit") and (tls or netlink):
            yield path.name, 1, f"{path.stem} links TLS or netlink code"


def check_hardening(output):
    """every program is static-pie, with full RELRO and no executable stack"""
    for path in [output / "sekishod", *sorted(p for p in (output / "libexec").glob("*") if p.suffix != ".debug")]:
        shown = subprocess.run(["readelf", "-Wlhd", str(path)], check=True, capture_output=True, text=True).stdout
        for wanted, what in ((r"Type:\s+DYN", "position independent"), (r"GNU_RELRO", "RELRO"), (r"\bNOW\b", "BIND_NOW"),
                             (r"GNU_STACK\s+\S+ \S+ \S+ \S+ \S+ RW ", "no executable stack")):
            if not re.search(wanted, shown):
                yield path.name, 1, f"is not: {what}"
        if "INTERP" in shown:
            yield path.name, 1, "is not static"


def check_cppcheck(output):
    """cppcheck: warnings, portability"""
    seen = output / "check" / "cppcheck"      # what it found in files that have not changed since
    seen.mkdir(parents=True, exist_ok=True)
    sources = [str(f) for f in C_FILES if f.parts[0] == "src" and f.suffix == ".c"]
    done = subprocess.run(["cppcheck", "--quiet", "-j2", "--std=c11", "--enable=warning,portability", "-Isrc",
                           f"--cppcheck-build-dir={seen}", "--inline-suppr",
                           "--suppressions-list=tests/lint/cppcheck.suppress",
                           "--template={file}:{line}:{id}: {message}", *sources], capture_output=True, text=True,
                          check=False)
    for line in done.stderr.splitlines():
        where = re.match(r"([^:]+):(\d+):(.*)", line)
        if where:
            yield where.group(1), int(where.group(2)), where.group(3)


def check_scripts(_output):
    """shell and Python scripts parse"""
    for path in FILES:
        if path.suffix == ".sh":
            done = subprocess.run(["sh", "-n", str(path)], capture_output=True, text=True, check=False)
            if done.returncode:
                yield path, 1, done.stderr.strip()
        elif path.suffix == ".py":
            try:
                compile(path.read_text(), str(path), "exec")
            except SyntaxError as wrong:
                yield path, wrong.lineno, wrong.msg


CHECKS = [check_spdx, check_columns, check_file_length, check_function_length, check_format, check_words, check_calls,
          check_includes, check_links, check_hardening, check_cppcheck, check_scripts]
SHOWN_MAX = 25


def main(output):
    passed = failed = 0
    for check in CHECKS:
        found = list(check(output))
        for path, line, what in found[:SHOWN_MAX]:
            print(f"{path}:{line}: {what}")
        if len(found) > SHOWN_MAX:
            print(f"... and {len(found) - SHOWN_MAX} more")
        print(f"  {'LINT':8}{check.__doc__}: {f'{len(found)} findings' if found else 'ok'}", flush=True)
        failed += bool(found)
        passed += not found
    (output / "check").mkdir(exist_ok=True)
    (output / "check" / "lint.count").write_text(f"{passed} {failed}\n")
    print(f"lint: {passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1])))
