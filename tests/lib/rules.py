# SPDX-License-Identifier: GPL-2.0-or-later
"""Two readings of one namespace's nf_tables: the gateway's own text (`show rules`, rules.txt of evidence) and what nft(8) reads."""

import ipaddress
import json
import re

HEADING = re.compile(r"^ {4}(\S+) (.*) \{ # handle (\d+)")


def zones_of(text):
    """{zone: lines} of the gateway's text."""
    zones, lines = {}, None
    for line in text.splitlines():
        heading = re.match(r"# zone (\S+): ", line)
        if heading:
            lines = zones.setdefault(heading[1], [])
        lines.append(line)
    return zones


def ours(lines):
    """What the gateway wrote of one zone: {(kind, family, table, name): [its lines]}, rules as (handle, [expression])."""
    found, table, holder, rule = {}, None, None, None
    for line in lines:
        if line.startswith("table "):
            table = tuple(line.split()[1:3])
            found["table", *table, ""] = [line]
        elif HEADING.match(line):
            kind, name, _ = HEADING.match(line).groups()
            holder = found.setdefault((kind, *table, name), [])
        elif match := re.match(r" {8}rule # handle (\d+)$", line):
            rule = []
            holder.append((int(match[1]), rule))
        elif line.startswith(" " * 12 + "["):
            rule.append(plain(line))
        elif line.startswith(" " * 8):
            holder.append(line.strip())
    return found


def plain(expression):
    """One spelling of what both print: nft leaves out what an old target carries, and prints some zeros."""
    text = " ".join(expression.split())
    text = re.sub(r" info 0x[0-9a-f]+", "", text)
    text = text.replace(" timeout 0ms", "").replace(" 0x0 ]", " ]").replace(" per 1 s", "/second").replace(" per 60 s", "/minute")
    text = re.sub(r"(connlimit count \d+ flags) (\d+)(?= )", r"\1 0x\2", text).replace("[ reject type 1 code 0 ]", "[ reject type 1 ]")
    return re.sub(r" (flags|csum_flags) 0x0(?= )", "", text)


def rules_of_nft(text):
    """[(family, table, chain, handle, [expression])] of `nft --debug=netlink list ruleset`, which begins again where the rules change
    while it reads them."""
    found, rule = {}, None
    for line in text.splitlines():
        heading = re.match(r"^(\w+) (\S+) (\S+) (\d+)(?: \d+)? *$", line)
        if heading:
            rule = []
            found[*heading.groups()[:3], int(heading[4])] = rule
        elif line.startswith("table ") or not line.startswith(" "):
            rule = None
        elif rule is not None and line.strip().startswith("["):
            rule.append(plain(line))
    return [(*key, rule) for key, rule in found.items()]


def objects_of_nft(text):
    """{(kind, family, table, name): what `nft -j list ruleset` says} of all but rules."""
    found = {}
    for entry in json.loads(text)["nftables"]:
        kind, value = next(iter(entry.items()))
        if kind not in ("metainfo", "rule"):
            found[kind, value["family"], value.get("table", value["name"]), value["name"] if kind != "table" else ""] = value
    return found


def elements(lines):
    """The elements of a set in our text, with their times left out."""
    text = "\n".join(line for line in lines if isinstance(line, str))
    lists = re.findall(r"elements = \{ (.*?) \}", text, re.DOTALL)
    return [re.sub(r" (timeout|expires) \d+ms", "", one).strip() for part in lists for one in part.replace("\n", " ").split(",")]


def ranges(lines):
    """[(first, last)] of a set of address intervals in our text: each ends before the next element that says so."""
    number = [(int(ipaddress.ip_address(one.replace(" [end]", ""))), one.endswith("[end]")) for one in elements(lines)]
    found, last = [], None
    for at, is_end in sorted(number, reverse=True):
        if is_end:
            last = at - 1
        else:
            found.append((at, last))
            last = None
    return sorted(found)


def ranges_of_nft(value):
    """The same of nft's JSON; None where an interval has no end."""
    found = []
    for one in value.get("elem", []):
        if isinstance(one, dict) and "prefix" in one:
            net = ipaddress.ip_network(f'{one["prefix"]["addr"]}/{one["prefix"]["len"]}')
            found.append((int(net[0]), int(net[-1])))
        elif isinstance(one, dict):
            found.append(tuple(int(ipaddress.ip_address(end)) for end in one["range"]))
        else:
            found.append((int(ipaddress.ip_address(one)),) * 2)
    return sorted(found)


def counter(net, gateway, zone, name):
    """Packets that one of a zone's named counters has counted."""
    shown = net.run(gateway.zone_namespace(zone), "nft", "list", "counter", "inet", "sekisho", name).stdout
    return int(re.search(r"packets (\d+)", shown)[1])
