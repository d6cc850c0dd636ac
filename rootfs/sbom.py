#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Write the bill of materials of an image (SPDX 2.3 JSON) to standard output.

usage: sbom.py BOARD ROOT DEBIAN-ROOT LIBRARIES BUILT...

ROOT is the tree that goes into the image. A file of it comes either from a Debian package of DEBIAN-ROOT (.files says
which), or was built from a Debian source package (BUILT: results of build-source.sh), or is ours; our programs contain the
static LIBRARIES (linker options) of the build root this runs in.
"""

import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

KERNEL_PACKAGE = "linux-source-6.12"
SMALL_LIBC_PACKAGE = "musl-dev"
LIBRARY_DIR = pathlib.Path("/usr/lib/x86_64-linux-gnu")
BUILD_RECORD = pathlib.Path("/.packages")
PAGE_PACKAGE = "novnc"  # its script is part of screen-viewer


def read_record(path):
    """Map package name to (version, sha256 of the .deb) from a root's .packages."""
    found = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        sha256, name = line.split()
        package, version, _arch = name.rsplit("_", 2)
        found[package] = (version, sha256)
    return found


def installed_version(package):
    return subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], check=True, capture_output=True,
                          text=True).stdout


def copyright_of(package):
    return pathlib.Path("/usr/share/doc") / package / "copyright"


def licences(path):
    """Short names of the licences in a package's machine-readable copyright file."""
    text = path.read_text(errors="replace") if path.exists() else ""
    return sorted(set(re.findall(r"^License: *(\S.*)$", text, re.MULTILINE)))


def static_packages(libraries, built_dirs):
    """Packages of the build root whose archives our programs contain, besides those that we built."""
    names = ["c"] + [option[2:] for option in libraries.split() if option.startswith("-l")]
    packages = set()
    for name in names:
        if any((built / "lib" / f"lib{name}.a").exists() for built in built_dirs):
            continue
        archive = LIBRARY_DIR / f"lib{name}.a"
        owner = subprocess.run(["dpkg-query", "-S", archive], check=True, capture_output=True, text=True).stdout
        packages.add(owner.split(":")[0])
    if any((built / "root").exists() for built in built_dirs):
        packages.add(SMALL_LIBC_PACKAGE)
    return sorted(packages)


def built_source(built):
    """Name, version and sha256 of the source package (of its .dsc) that a result of build-source.sh was made from."""
    sha256, name = next(line.split() for line in (built / "record").read_text().splitlines() if line.endswith(".dsc"))
    package, version = name.removesuffix(".dsc").split("_")
    return package, version, sha256


def spdx_package(name, version, sha256=None, comment=None, qualifier=""):
    package = {"SPDXID": "SPDXRef-Package-" + re.sub(r"[^A-Za-z0-9.-]", "-", name), "name": name, "versionInfo": version,
               "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "licenseConcluded": "NOASSERTION",
               "licenseDeclared": "NOASSERTION", "copyrightText": "NOASSERTION"}
    if sha256:
        package["checksums"] = [{"algorithm": "SHA256", "checksumValue": sha256}]
        package["externalRefs"] = [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                                    "referenceLocator": f"pkg:deb/debian/{name}@{version}{qualifier}"}]
    if comment:
        package["licenseComments"] = comment
    return package


def spdx_file(root, path):
    data = path.read_bytes()
    name = "./" + str(path.relative_to(root))
    return {"SPDXID": "SPDXRef-File-" + hashlib.sha256(name.encode()).hexdigest()[:16], "fileName": name,
            "checksums": [{"algorithm": "SHA1", "checksumValue": hashlib.sha1(data).hexdigest()},
                          {"algorithm": "SHA256", "checksumValue": hashlib.sha256(data).hexdigest()}],
            "licenseConcluded": "NOASSERTION", "licenseInfoInFiles": ["NOASSERTION"], "copyrightText": "NOASSERTION"}


def relation(one, kind, other):
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def main(board, root, debian, libraries, *built_dirs):
    root, debian = pathlib.Path(root), pathlib.Path(debian)
    built, unpacked = read_record(BUILD_RECORD), read_record(debian / ".packages")
    owner_of = {path: package for package, path in
                (line.split(" ", 1) for line in (debian / ".files").read_text().splitlines())}

    firmware = spdx_package("sekisho-firmware-" + board, os.environ.get("VERSION", "unknown"))
    firmware["licenseDeclared"] = "GPL-2.0-or-later"
    packages, files, source_of = {}, [], {}
    relations = [relation("SPDXRef-DOCUMENT", "DESCRIBES", firmware["SPDXID"])]

    def add(name, version, sha256, kind, copyright_file=None, qualifier=""):
        if name not in packages:
            terms = ", ".join(licences(copyright_file or copyright_of(name)))
            packages[name] = spdx_package(name, version, sha256, terms or None, qualifier)
        relations.append(relation(firmware["SPDXID"], kind, packages[name]["SPDXID"]))

    add(KERNEL_PACKAGE, installed_version(KERNEL_PACKAGE), built.get(KERNEL_PACKAGE, (None, None))[1], "GENERATED_FROM")
    add(PAGE_PACKAGE, *built[PAGE_PACKAGE], "GENERATED_FROM")
    built_dirs = [pathlib.Path(built) for built in built_dirs]
    for name in static_packages(libraries, built_dirs):
        add(name, installed_version(name), built.get(name, (None, None))[1], "STATIC_LINK")
    for built_dir in built_dirs:
        name, version, sha256 = built_source(built_dir)
        add(name, version, sha256, "STATIC_LINK" if (built_dir / "lib").exists() else "GENERATED_FROM",
            built_dir / "copyright", "?arch=source")
        source_of.update((p.relative_to(built_dir / "root"), name) for p in built_dir.rglob("root/**/*"))
    for path in sorted(p for p in root.rglob("*") if p.is_file() and not p.is_symlink()):
        files.append(spdx_file(root, path))
        relations.append(relation(firmware["SPDXID"], "CONTAINS", files[-1]["SPDXID"]))
        if source := source_of.get(path.relative_to(root)):
            relations.append(relation(files[-1]["SPDXID"], "GENERATED_FROM", packages[source]["SPDXID"]))
        owner = owner_of.get(str(path.relative_to(root)))
        if owner:
            add(owner, *unpacked[owner], "CONTAINS")
            relations.append(relation(files[-1]["SPDXID"], "GENERATED_FROM", packages[owner]["SPDXID"]))

    created = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    content = hashlib.sha256("".join(f["checksums"][1]["checksumValue"] for f in files).encode()).hexdigest()
    unique = [dict(pairs) for pairs in dict.fromkeys(tuple(r.items()) for r in relations)]
    json.dump({"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
               "name": firmware["name"], "documentNamespace": f"https://sekisho.invalid/spdx/{board}/{content}",
               "creationInfo": {"created": created.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: sekisho-sbom"]},
               "packages": [firmware, *packages.values()], "files": files, "relationships": unique},
              sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
