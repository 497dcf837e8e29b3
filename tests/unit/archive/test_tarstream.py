"""Two ways to read a header agree."""

from random import Random

from cwtasks.archive import tarstream
from cwtasks.archive.headers import HeaderPacker


def test_the_quick_reading_of_a_header_agrees_with_the_thorough_one():
    """Headers of plain files with a byte changed, half of them with a checksum that fits again."""
    chance, packer = Random(3), HeaderPacker()
    quick = 0
    for _ in range(4000):
        name = f"a/{chance.randrange(10**6)}"
        block = bytearray(packer.file(name, chance.randrange(10**9), is_executable=chance.random() < 0.5))
        if chance.random() < 0.7:
            block[chance.randrange(512)] = chance.randrange(256)
            if chance.random() < 0.6:
                block[148:156] = b" " * 8
                block[148:156] = b"%06o\0 " % sum(block)
        found = tarstream._plain_header(bytes(block))
        if found is not None:
            quick += 1
            tarstream._check_sum(bytes(block), "")
            size = tarstream._octal(bytes(block[124:136]), "size", "")
            assert found == tarstream._finished(tarstream._header(bytes(block), b"0", size, ""))
    assert quick > 1000
