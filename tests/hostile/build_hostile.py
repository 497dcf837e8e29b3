"""Archives that attack whoever unpacks them, one per attack: ``python tests/hostile/build_hostile.py FOLDER``.

Every archive is built byte by byte, for no honest program writes them. Each says what must be answered: the class of
the error, and its whole first line.
"""

import bz2
import gzip
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from backports import zstd

REFUSED = "member {!r} is refused: {}"
END = bytes(1024)


def pack_field(number: int, width: int) -> bytes:
    return f"{number:0{width - 1}o}".encode() + b"\0"


def header(
    name: str | bytes,
    kind: bytes = b"0",
    size: int | bytes = 0,
    link: str | bytes = b"",
    mode: int = 0o644,
    magic: bytes = b"ustar\x0000",
    checksum: int | None = None,
) -> bytes:
    name = name.encode() if isinstance(name, str) else name
    link = link.encode() if isinstance(link, str) else link
    fields = (
        name.ljust(100, b"\0"), pack_field(mode, 8), pack_field(0, 8), pack_field(0, 8),
        size if isinstance(size, bytes) else pack_field(size, 12), pack_field(0, 12),
        b" " * 8, kind, link.ljust(100, b"\0"), magic,
    )  # fmt: skip
    block = b"".join(fields).ljust(512, b"\0")
    total = sum(block) if checksum is None else checksum
    return block[:148] + f"{total:06o}\0 ".encode() + block[156:]


def padded(body: bytes) -> bytes:
    return body + bytes(-len(body) % 512)


def file(name: str | bytes, body: bytes = b"evil", **more: int) -> bytes:
    return header(name, size=len(body), **more) + padded(body)


def folder(name: str, mode: int = 0o755) -> bytes:
    return header(name, b"5", mode=mode)


def symlink(name: str, target: str) -> bytes:
    return header(name, b"2", link=target, mode=0o777)


def hard_link(name: str, target: str) -> bytes:
    return header(name, b"1", link=target)


def record(keyword: str, value: bytes) -> bytes:
    rest = f" {keyword}=".encode() + value + b"\n"
    length = len(rest) + 1
    while len(str(length)) + len(rest) != length:
        length += 1
    return str(length).encode() + rest


def pax(*records: bytes, kind: bytes = b"x") -> bytes:
    return extension(b"".join(records), kind)


def extension(body: bytes, kind: bytes) -> bytes:
    return header("././@PaxHeader", kind, size=len(body)) + padded(body)


def long_name(name: bytes, kind: bytes = b"L") -> bytes:
    return extension(name + b"\0", kind)


class Attack(NamedTuple):
    name: str
    tar: bytes
    """The stream inside, its end marker included."""
    error: str
    """Name of the class that must answer."""
    message: str


def refused(member: str, fact: str) -> str:
    return REFUSED.format(member, fact)


def name_attacks() -> list[Attack]:
    table = [
        ("absolute-name", "/etc/evil", "AbsoluteNameError", "its name is absolute"),
        ("unc-name-of-slashes", "//host/share", "AbsoluteNameError", "its name is absolute"),
        ("parent-first-CVE-2007-4559", "../evil", "ParentNameError", "its name contains '..'"),
        ("parent-inside", "a/../../evil", "ParentNameError", "its name contains '..'"),
        ("parent-last", "a/..", "ParentNameError", "its name contains '..'"),
        ("drive", "C:/evil", "DriveNameError", "its name starts with a drive letter"),
        ("drive-relative", "c:evil", "DriveNameError", "its name starts with a drive letter"),
        ("backslash", "..\\evil", "BackslashNameError", "its name contains a backslash"),
        ("unc-name", "\\\\host\\share", "BackslashNameError", "its name contains a backslash"),
        ("newline", "a\nb", "ControlCharacterError", "its name contains a control character"),
        ("escape-sequence", "a\x1b[2J", "ControlCharacterError", "its name contains a control character"),
        ("two-slashes", "a//b", "NotCanonicalNameError", "its name is not written in the one usual way"),
        ("dot-inside", "a/./b", "NotCanonicalNameError", "its name is not written in the one usual way"),
        ("empty-name", "", "NotCanonicalNameError", "its name is not written in the one usual way"),
        ("stream-of-ntfs", "a/b:c", "NotPortableNameError", "its name has a character that not every system allows: ':'"),
        ("device", "sub/NUL", "DeviceNameError", "its name is that of a device on Windows: 'NUL'"),
        ("device-with-extension", "aux.txt", "DeviceNameError", "its name is that of a device on Windows: 'aux.txt'"),
        ("device-with-number", "COM1", "DeviceNameError", "its name is that of a device on Windows: 'COM1'"),
        ("device-superscript", "lpt\u00b9.c", "DeviceNameError", "its name is that of a device on Windows: 'lpt\u00b9.c'"),
        ("trailing-dot", "a./b", "TrailingCharacterError", "a part of its name ends with a dot or a space: 'a.'"),
        ("trailing-space", "b ", "TrailingCharacterError", "a part of its name ends with a dot or a space: 'b '"),
    ]  # fmt: skip
    attacks = [Attack(name, file(member) + END, error, refused(member, fact)) for name, member, error, fact in table]
    deep, wide, long = "/".join("a" * 257), "x" * 256, "/".join(["y" * 200] * 21)
    for name, member, error, fact in [
        ("deep-path", deep, "DeepPathError", "its name has too many parts"),
        ("long-component", wide, "LongComponentError", "a part of its name is too long"),
        ("long-path", long, "LongPathError", "its name is too long"),
    ]:
        tar = long_name(member.encode()) + file("short") + END
        attacks.append(Attack(name, tar, error, refused(member, fact)))
    latin = b"caf\xe9"
    attacks.append(
        Attack("latin-1", file(latin) + END, "NotUnicodeNameError", refused("caf\\xe9", "its name is not UTF-8"))
    )
    return attacks


def meeting_attacks() -> list[Attack]:
    same = "its name is the same, on some systems, as"
    return [
        Attack("duplicate", file("a") * 2 + END, "DuplicateMemberError", refused("a", "it is there twice")),
        Attack("folder-twice", folder("a/") * 2 + END, "DuplicateMemberError", refused("a", "it is there twice")),
        Attack("case", file("Read") + file("reaD") + END, "NameCollisionError", refused("reaD", f"{same} 'Read'")),
        Attack(
            "case-of-folder", file("A/x") + file("a/y") + END, "NameCollisionError", refused("a/y", f"{same} 'A'")
        ),
        Attack(
            "normalisation",
            file("\u00e9") + file("e\u0301") + END,
            "NameCollisionError",
            refused("e\u0301", f"{same} '\u00e9'"),
        ),
        Attack("below-file", file("a") + file("a/b") + END, "BelowFileError", refused("a/b", "it lies below a file: 'a'")),
        Attack(
            "dot-slash-on-some", file("a") + file("./b") + END, "NotCanonicalNameError",
            refused("./b", "its name is not written in the one usual way"),
        ),
        Attack(
            "dot-slash-twice", file("././b") + END, "NotCanonicalNameError",
            refused("./b", "its name is not written in the one usual way"),
        ),
        Attack(
            "root-is-a-link", symlink(".", "/tmp") + END, "NotCanonicalNameError",
            refused(".", "its name is not written in the one usual way"),
        ),
        Attack(
            "file-through-link", symlink("a", "b") + folder("b/") + file("a/evil") + END, "BelowLinkError",
            refused("a/evil", "it lies below a link: 'a'"),
        ),
        Attack(
            "folder-replaced-by-link-CVE-2021-32803", folder("a/") + symlink("a", "..") + file("a/evil") + END,
            "DuplicateMemberError", refused("a", "it is there twice"),
        ),
    ]  # fmt: skip


def link_attacks() -> list[Attack]:
    leaves = "its target leaves the archive: {!r}".format
    hard = "it is a hard link to what is no earlier file of the archive: {!r}".format
    steps = [symlink(f"l{n}", f"l{n + 1}") for n in range(60)]
    # CVE-2025-4517: long folders behind short links, so that the real path is longer than the system looks.
    wide = "d" * 240
    path, realpath = "", []
    for letter in "abcdefghijklmnopqr":
        entry = f"{path}{wide}"
        realpath += [(folder, f"{entry}/"), (symlink, f"{path}{letter}", wide)]
        path = f"{path}{wide}/"
        if len(path) > 3600:
            break
    links = "/".join("abcdefghijklmnopqr"[: len(realpath) // 2])
    tail = "/".join(["e" * 200] * 4)
    grown = b""
    for make, name, *target in realpath:
        long = long_name(name.encode()) if len(name) > 99 else b""
        long += long_name(target[0].encode(), b"K") if target else b""
        grown += long + make("short" if len(name) > 99 else name, *(["short"] if target else []))
    grown += long_name(f"{links}/{tail}/../../evil".encode(), b"K") + symlink("out", "short") + END
    return [
        Attack("absolute-link", symlink("a", "/etc") + END, "AbsoluteLinkError", refused("a", "its target is absolute: '/etc'")),
        Attack("drive-link", symlink("a", "C:x") + END, "AbsoluteLinkError", refused("a", "its target is absolute: 'C:x'")),
        Attack("backslash-link", symlink("a", "..\\x") + END, "LinkTargetError", refused("a", "its target is not a portable path: '..\\\\x'")),
        Attack("empty-link", symlink("a", "") + END, "LinkTargetError", refused("a", "its target is not a portable path:")),
        Attack("link-out", symlink("a/b", "../../x") + END, "EscapingLinkError", refused("a/b", leaves("../../x"))),
        Attack("link-out-and-in", symlink("a", "../here/x") + END, "EscapingLinkError", refused("a", leaves("../here/x"))),
        Attack(
            "links-leave-together-CVE-2025-4330", folder("p/q/r/") + symlink("s", "p") + symlink("p/q/r/t", "../../../s/../x")
            + symlink("u", "p/q/r/t/../../x") + END, "EscapingLinkError", refused("u", leaves("p/q/r/t/../../x")),
        ),
        Attack("link-to-itself", symlink("a", "a") + END, "LinkCycleError", refused("a", "its target is reached through too many links: 'a'")),
        Attack(
            "chain-too-long", b"".join(steps) + END, "LinkCycleError",
            refused("l0", "its target is reached through too many links: 'l1'"),
        ),
        Attack("realpath-CVE-2025-4517", grown, "LinkExpansionError", refused("out", "its target is too long once links are followed")),
        Attack("hard-link-outside", hard_link("a", "../b") + END, "HardLinkError", refused("a", hard("../b"))),
        Attack("hard-link-absolute", hard_link("a", "/etc/passwd") + END, "HardLinkError", refused("a", hard("/etc/passwd"))),
        Attack("hard-link-missing", hard_link("a", "b") + END, "HardLinkError", refused("a", hard("b"))),
        Attack("hard-link-later", hard_link("a", "b") + file("b") + END, "HardLinkError", refused("a", hard("b"))),
        Attack("hard-link-to-link-CVE-2025-4138", symlink("b", "c") + hard_link("a", "b") + END, "HardLinkError", refused("a", hard("b"))),
        Attack("hard-link-to-folder", folder("b/") + hard_link("a", "b") + END, "HardLinkError", refused("a", hard("b"))),
    ]  # fmt: skip


def format_attacks() -> list[Attack]:
    kinds = {
        "character-device": (b"3", "a character device"), "block-device": (b"4", "a block device"),
        "fifo": (b"6", "a FIFO"), "socket": (b"s", "a socket"), "contiguous": (b"7", "a contiguous file"),
        "volume": (b"V", "a volume label"), "unknown-type": (b"Z", "type b'Z'"),
    }  # fmt: skip
    attacks = [
        Attack(name, header("a", kind) + END, "UnsupportedMemberError", f"member 'a' is of a type that is not unpacked: {said}")
        for name, (kind, said) in kinds.items()
    ]  # fmt: skip
    extra = "member 'ok' has an extension header that is refused: "
    broken = "member 'ok' has a header that breaks the format: "
    contradiction = "member 'a' has an extension header that is refused: size {} contradicts the header, which says {}"
    early = "member 'ok' is the last before the stream ends too early"
    ok = file("ok")
    evil = file("a")
    big = (1 << 20) + 1
    more = [
        ("sparse-gnu", header("a", b"S"), "SparseMemberError", "member 'a' is a sparse file"),
        ("sparse-pax", pax(record("GNU.sparse.major", b"1")) + evil, "SparseMemberError", "member 'ok' is a sparse file"),
        ("pax-size-CVE-2025-62518", pax(record("size", b"0")) + evil, "ExtensionHeaderError", contradiction.format(0, 4)),
        ("pax-size-hides", pax(record("size", b"1024")) + file("a", b""), "ExtensionHeaderError", contradiction.format(1024, 0)),
        ("pax-size-negative", pax(record("size", b"-1")) + evil, "ExtensionHeaderError", "member 'a' has an extension header that is refused: size '-1' is no number"),
        ("pax-path-out", pax(record("path", b"../evil")) + evil, "ParentNameError", refused("../evil", "its name contains '..'")),
        ("pax-path-nul", pax(record("path", b"a\0b")) + evil, "ControlCharacterError", refused("a\0b", "its name contains a control character")),
        ("pax-linkpath-out", pax(record("linkpath", b"../../x")) + symlink("a", "b"), "EscapingLinkError", refused("a", "its target leaves the archive: '../../x'")),
        ("pax-linkpath-of-file", pax(record("linkpath", b"b")) + evil, "ExtensionHeaderError", "member 'a' has an extension header that is refused: linkpath of what is no link"),
        ("pax-path-twice", pax(record("path", b"a"), record("path", b"b")) + evil, "ExtensionHeaderError", extra + "path is set twice"),
        ("pax-and-gnu-name", long_name(b"b") + pax(record("path", b"c")) + evil, "ExtensionHeaderError", extra + "path is set twice"),
        ("pax-global-path", pax(record("path", b"b"), kind=b"g") + evil, "ExtensionHeaderError", extra + "a global header sets path"),
        ("pax-length", pax(b"99 path=a\n") + evil, "ExtensionHeaderError", extra + "a PAX record of a wrong length"),
        ("pax-no-keyword", pax(b"8 =abcd\n") + evil, "ExtensionHeaderError", extra + "a PAX record without a keyword"),
        ("pax-charset", pax(record("hdrcharset", b"BINARY")) + evil, "ExtensionHeaderError", extra + "character set b'BINARY'"),
        ("pax-huge", header("x", b"x", size=big), "LimitExceededError", "member 'ok' goes over the limit of 1,048,576 bytes in one extension header"),
        ("gnu-name-of-gigabytes", header("x", b"L", size=8 << 29), "LimitExceededError", "member 'ok' goes over the limit of 1,048,576 bytes in one extension header"),
        ("pax-endless", pax(record("comment", b"x")) * 20 + evil, "LimitExceededError", "member 'ok' goes over the limit of 16 extension headers in a row"),
        ("pax-before-nothing", pax(record("path", b"b")), "ExtensionHeaderError", extra + "no member follows it"),
        ("size-negative", header("a", size=b"-0000000001\0"), "HeaderFieldError", broken + "size b'-0000000001\\x00' is no octal number"),
        ("size-base-256", header("a", size=b"\x80" + bytes(10) + b"\x04"), "HeaderFieldError", broken + "size b'\\x80\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x04' is no octal number"),
        ("size-base-256-negative", header("a", size=b"\xff" * 12), "HeaderFieldError", broken + "size b'\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff' is no octal number"),
        ("checksum", header("a", checksum=1), "HeaderChecksumError", "member 'ok' is followed or described by a header with a wrong checksum"),
        ("magic", header("a", magic=b"evil\x00000"), "HeaderFieldError", broken + "magic b'evil\\x00000'"),
        ("bytes-behind-nul", header(b"a\0/../b"), "HeaderFieldError", broken + "there are bytes after the end of a name"),
        ("folder-with-content", header("a/", b"5", size=512) + bytes(512), "HeaderFieldError", "member 'a/' has a header that breaks the format: a folder with 512 bytes of content"),
        ("link-with-content", header("a", b"2", size=512, link="ok") + bytes(512), "HeaderFieldError", "member 'a' has a header that breaks the format: a symlink with 512 bytes of content"),
    ]  # fmt: skip
    attacks += [Attack(name, ok + tar + END, error, message) for name, tar, error, message in more]
    after = "member 'ok' is the last before the end marker, yet there is data after it"
    attacks += [
        Attack("concatenated", ok + END + evil + END, "DataAfterEndError", after),
        Attack("data-after-end", ok + END + bytes(8192) + b"x", "DataAfterEndError", after),
        Attack("one-block-of-end", ok + bytes(512), "TruncatedTarError", early),
        Attack("no-end", ok, "TruncatedTarError", early),
        Attack("claims-more", ok + header("a", size=8 << 20) + b"few", "TruncatedTarError", "member 'a' is the last before the stream ends too early"),
        Attack("empty", b"", "TruncatedTarError", "the archive is the last before the stream ends too early"),
    ]  # fmt: skip
    return attacks


def tar_attacks() -> list[Attack]:
    return [*name_attacks(), *meeting_attacks(), *link_attacks(), *format_attacks()]


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    ".tar.zst": lambda data: zstd.compress(data, 3),
    ".tar.gz": lambda data: gzip.compress(data, mtime=0),
    ".tar.bz2": bz2.compress,
}


class FileAttack(NamedTuple):
    name: str
    """Of the file, with its suffix."""
    data: bytes
    error: str
    fact: str
    """What the message says after the path."""


def file_attacks() -> list[FileAttack]:
    good = file("ok") + END
    attacks = []
    for suffix, compress in COMPRESSORS.items():
        packed = compress(good)
        attacks += [
            FileAttack(f"truncated{suffix}", packed[:-6], "TruncatedArchiveError", "ends in the middle, it is truncated"),
            FileAttack(f"garbage{suffix}", packed + b"GARBAGE", "TrailingDataError", "has foreign data after its end"),
            FileAttack(f"zeros{suffix}", packed + bytes(8), "TrailingDataError", "has foreign data after its end"),
            FileAttack(f"plain{suffix}", good, "UnknownCompressionError", "is not compressed with zstd, gzip or bzip2"),
            FileAttack(f"nothing{suffix}", b"", "UnknownCompressionError", "is not compressed with zstd, gzip or bzip2"),
        ]  # fmt: skip
    packed = zstd.compress(good, 3)
    window = 2 << 30
    dictionary = b"\x28\xb5\x2f\xfd" + bytes([0x01, 0x50, 0x07]) + b"\x01\0\0"
    oversized = b"\x28\xb5\x2f\xfd" + bytes([0x00, 21 << 3]) + b"\x01\0\0"
    gigantic = b"\x50\x2a\x4d\x18" + struct.pack("<I", 0xFFFF_FFFF)
    foreign = gzip.compress(good)
    return [
        *attacks,
        FileAttack("dictionary.tar.zst", dictionary, "DictionaryFrameError", "a zstd frame needs a dictionary"),
        FileAttack("window.tar.zst", oversized, "WindowTooLargeError", f"a zstd frame demands too much memory: {window:,} bytes, at most 134,217,728 are allowed"),
        FileAttack("skippable.tar.zst", gigantic, "SkippableFrameError", "a skippable zstd frame is too large: 4,294,967,295 bytes, at most 67,108,864 are allowed"),
        FileAttack("skippable-last.tar.zst", packed + gigantic, "SkippableFrameError", "a skippable zstd frame is too large: 4,294,967,295 bytes, at most 67,108,864 are allowed"),
        FileAttack("skippable-cut.tar.zst", packed + b"\x5e\x2a\x4d\x18\x10\0\0\0abc", "TruncatedArchiveError", "ends in the middle, it is truncated"),
        FileAttack("gzip-behind.tar.zst", packed + foreign, "TrailingDataError", "has foreign data after its end"),
        FileAttack("really-gzip.tar.zst", foreign, "WrongSuffixError", "its name and its content disagree: named like zstd, but it is gzip"),
        FileAttack("really-zstd.tar.bz2", packed, "WrongSuffixError", "its name and its content disagree: named like bzip2, but it is zstd"),
    ]  # fmt: skip


def main(into: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    for attack in tar_attacks():
        for suffix, compress in COMPRESSORS.items():
            (into / (attack.name + suffix)).write_bytes(compress(attack.tar))
    for damaged in file_attacks():
        (into / damaged.name).write_bytes(damaged.data)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
