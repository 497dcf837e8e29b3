"""Make a conda channel of the recipes: one .tar.bz2 package each, and their index. The same bytes every time."""

import bz2
import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path


def pack(recipe: Path) -> tuple[str, dict, bytes]:
    """Return file name, index entry and content of the package of one recipe."""
    told = json.loads((recipe / "recipe.json").read_text())
    index = {**told, "build": "0", "build_number": 0, "noarch": "generic", "subdir": "noarch", "timestamp": 1700000000000}
    folder = recipe / "files"
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    paths = [
        {
            "_path": name,
            "path_type": "hardlink",
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "size_in_bytes": path.stat().st_size,
        }
        for name, path in files.items()
    ]
    documents = {
        "info/index.json": index,
        "info/paths.json": {"paths": paths, "paths_version": 1},
        "info/link.json": {"noarch": {"type": "generic"}, "package_metadata_version": 1},
    }
    members = {name: (json.dumps(document).encode(), 0o644) for name, document in documents.items()}
    members |= {name: (path.read_bytes(), 0o755 if name.startswith("bin/") else 0o644) for name, path in files.items()}
    data = bz2.compress(tar(members))
    digests = {"md5": hashlib.md5(data).hexdigest(), "sha256": hashlib.sha256(data).hexdigest()}
    return f"{told['name']}-{told['version']}-0.tar.bz2", {**index, **digests, "size": len(data)}, data


def tar(members: dict[str, tuple[bytes, int]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, (data, mode) in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), mode
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def main(recipes: str, channel: str) -> None:
    folder = Path(channel, "noarch")
    folder.mkdir(parents=True, exist_ok=True)
    packages = {}
    for recipe in sorted(Path(recipes).iterdir()):
        name, entry, data = pack(recipe)
        (folder / name).write_bytes(data)
        packages[name] = entry
    document = {"info": {"subdir": "noarch"}, "packages": packages, "packages.conda": {}, "repodata_version": 1}
    (folder / "repodata.json").write_text(json.dumps(document, indent=1))


main(*sys.argv[1:])
