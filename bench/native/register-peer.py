# The Python side of the register benchmark (bench/mapped-registers.ts), in the form of python-periphery's MMIO class:
# a slice of an mmap object, packed and unpacked by struct, behind a check of type and range.
import json
import mmap
import struct
import sys
import time

SLICES = 100
ACCESSES = 2000


class Registers:
    def __init__(self, path, size):
        self.size = size
        with open(path, "r+b") as file:
            self.mapping = mmap.mmap(file.fileno(), size, flags=mmap.MAP_SHARED)

    def _check(self, offset, length):
        if offset + length > self.size:
            raise ValueError("offset out of bounds")

    def read32(self, offset):
        if not isinstance(offset, int):
            raise TypeError("offset has to be an integer")
        self._check(offset, 4)
        return struct.unpack("=L", self.mapping[offset : offset + 4])[0]

    def write32(self, offset, value):
        if not isinstance(offset, int) or not isinstance(value, int):
            raise TypeError("offset and value have to be integers")
        if value < 0 or value > 0xFFFFFFFF:
            raise ValueError("value out of range")
        self._check(offset, 4)
        self.mapping[offset : offset + 4] = struct.pack("=L", value)


def reads(registers):
    for _ in range(ACCESSES):
        registers.read32(8)


def writes(registers):
    for i in range(ACCESSES):
        registers.write32(8, i)


def tenth(work, registers):
    times = []
    for _ in range(SLICES):
        start = time.monotonic_ns()
        work(registers)
        times.append((time.monotonic_ns() - start) / ACCESSES)
    return sorted(times)[SLICES // 10]


registers = Registers(sys.argv[1], 65536)
print(json.dumps({"read": tenth(reads, registers), "write": tenth(writes, registers)}))
