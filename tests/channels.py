"""Makes conda packages and channels for the tests: small, real, byte for byte the same each time. Knows no engine."""

import bz2
import hashlib
import io
import json
import sys
import tarfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

EPOCH_SECONDS = 1_700_000_000
PLACEHOLDER = ("/opt/placeholder" + "_placehold" * 30)[:255]
"""What packages hold in the place of their prefix; as long as conda-build's, so that any prefix fits."""


class File(NamedTuple):
    """One file of a package."""

    data: bytes = b""
    mode: int = 0o644
    link: str | None = None
    """Where a symbolic link points."""


def script(text: str) -> File:
    """Return an executable file."""
    return File(text.encode(), 0o755)


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package before it is packed."""

    name: str
    version: str = "1.0"
    build: str = "0"
    subdir: str = "noarch"
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()
    files: dict[str, File | bytes | str] = field(default_factory=dict)
    """By POSIX path; those that hold ``PLACEHOLDER`` are patched when they are installed."""
    timestamp_seconds: int = EPOCH_SECONDS
    index: dict[str, object] = field(default_factory=dict)
    """More fields of ``info/index.json``."""

    @property
    def stem(self) -> str:
        return f"{self.name}-{self.version}-{self.build}"

    def all_files(self) -> dict[str, File]:
        return {path: _file(content) for path, content in sorted(self.files.items())}

    def index_json(self) -> dict[str, object]:
        family, _, processor = self.subdir.partition("-")
        native = {"platform": family, "arch": {"64": "x86_64"}.get(processor, processor)}
        number = int(self.build.rpartition("_")[2]) if self.build.rpartition("_")[2].isdigit() else 0
        return {
            "name": self.name,
            "version": self.version,
            "build": self.build,
            "build_number": number,
            "depends": list(self.depends),
            "constrains": list(self.constrains),
            "license": "MIT",
            "subdir": self.subdir,
            "timestamp": self.timestamp_seconds * 1000,
            **({"noarch": "generic"} if self.subdir == "noarch" else native),
            **self.index,
        }

    def pack(self, suffix: str = ".conda") -> bytes:
        """Return the archive's bytes.

        Args:
            suffix: ``.conda`` or ``.tar.bz2``.
        """
        files, info = self.all_files(), self._info()
        if suffix == ".tar.bz2":
            return bz2.compress(_tar({**info, **files}), 1)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for name, data in (
                ("metadata.json", b'{"conda_pkg_format_version": 2}'),
                (f"pkg-{self.stem}.tar.zst", zstd.compress(_tar(files), 3)),
                (f"info-{self.stem}.tar.zst", zstd.compress(_tar(info), 3)),
            ):
                archive.writestr(zipfile.ZipInfo(name, (2023, 11, 14, 0, 0, 0)), data)
        return buffer.getvalue()

    def _info(self) -> dict[str, File]:
        documents: dict[str, object] = {
            "index": self.index_json(),
            "paths": {"paths": [_path_entry(*item) for item in self.all_files().items()], "paths_version": 1},
            "about": {"license": "MIT", "summary": self.name},
        }
        if self.subdir == "noarch":
            documents["link"] = {"noarch": {"type": "generic"}, "package_metadata_version": 1}
        return {
            f"info/{name}.json": File(json.dumps(value, sort_keys=True).encode()) for name, value in documents.items()
        }


def _file(content: File | bytes | str) -> File:
    if isinstance(content, File):
        return content
    return File(content.encode() if isinstance(content, str) else content)


def _path_entry(path: str, file: File) -> dict[str, object]:
    entry: dict[str, object] = {
        "_path": path,
        "path_type": "hardlink" if file.link is None else "softlink",
        "sha256": hashlib.sha256(file.data).hexdigest(),
        "size_in_bytes": len(file.data),
    }
    if PLACEHOLDER.encode() in file.data:
        entry |= {"file_mode": "text", "prefix_placeholder": PLACEHOLDER}
    return entry


def _tar(files: dict[str, File]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path, file in files.items():
            member = tarfile.TarInfo(path)
            member.mtime, member.mode = EPOCH_SECONDS, file.mode
            if file.link is not None:
                member.type, member.linkname = tarfile.SYMTYPE, file.link
            else:
                member.size = len(file.data)
            archive.addfile(member, io.BytesIO(file.data) if file.link is None else None)
    return buffer.getvalue()


class Channel:
    """A folder of packages with its index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._entries: dict[str, dict[str, dict[str, object]]] = {"noarch": {}}

    @property
    def url(self) -> str:
        return self.folder.as_uri()

    def add(self, package: Package, suffix: str = ".conda") -> Path:
        """Pack a package and put it in; the index is written anew by :meth:`write_index`."""
        data = package.pack(suffix)
        path = self.folder / package.subdir / f"{package.stem}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self._entries.setdefault(package.subdir, {})[path.name] = {
            **package.index_json(),
            "size": len(data),
            "md5": hashlib.md5(data).hexdigest(),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        return path

    def with_packages(self, *packages: Package, suffix: str = ".conda") -> "Channel":
        """Add packages and write the index."""
        for package in packages:
            self.add(package, suffix)
        self.write_index()
        return self

    def write_index(self, *, without: tuple[str, ...] = ()) -> None:
        """Write ``repodata.json`` of every subdir.

        Args:
            without: Fields no record gets, for example ``sha256``.
        """
        for subdir, entries in self._entries.items():
            known = {
                name: {key: value for key, value in entry.items() if key not in without}
                for name, entry in entries.items()
            }
            document = {
                "info": {"subdir": subdir},
                "packages": {name: entry for name, entry in known.items() if name.endswith(".tar.bz2")},
                "packages.conda": {name: entry for name, entry in known.items() if name.endswith(".conda")},
                "removed": [],
                "repodata_version": 1,
            }
            path = self.folder / subdir / "repodata.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(document, sort_keys=True))


def python_package(subdir: str = "linux-64") -> Package:
    """Return a ``python`` of a few hundred bytes: links to the interpreter that runs the tests. Unix only."""
    version = ".".join(map(str, sys.version_info[:3]))
    short = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    executable = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    return Package(
        name="python",
        version=version,
        build="stub_0",
        subdir=subdir,
        files={
            f"bin/{short}": File(link=str(executable)),
            "bin/python": File(link=short),
            "bin/python3": File(link=short),
            "pyvenv.cfg": f"home = {executable.parent}\ninclude-system-site-packages = false\nversion = {version}\n",
            f"lib/{short}/site-packages/README.txt": "",
        },
        index={"python_site_packages_path": f"lib/{short}/site-packages"},
    )
