import type { Check } from '../context.ts';
import { type Finding, good } from '../finding.ts';

/** Whether the machine is one that registers can be mapped on: Linux, 64 bits, little-endian. */
export const checkPlatform: Check = ({ facts }) => {
  const { platform, arch, endianness, glibc, kernel } = facts;
  if (platform !== 'linux') {
    return [
      {
        level: 'problem',
        about: 'machine',
        says: `this is ${platform}, not Linux`,
        cause: 'UIO, /dev/mem and I/O ports are doors of the Linux kernel',
        remedy:
          'use the simulator here (backend: { type: sim }) and run the rig on the Linux machine that has the device',
      },
    ];
  }
  return [machine(arch, endianness, kernel), library(glibc)];
};

function machine(arch: string, endianness: string, kernel: string): Finding {
  if ((arch === 'x64' || arch === 'arm64') && endianness === 'LE') return good('machine', `Linux ${kernel} on ${arch}`);
  const bits = endianness === 'BE' ? 'big-endian' : arch === 'arm' || arch === 'ia32' ? '32-bit' : 'not tried';
  return {
    level: 'problem',
    about: 'machine',
    says: `Node is built for ${arch} (${bits})`,
    cause: 'registers are mapped exactly on x64 and arm64 only: 64 bits, little-endian',
    remedy:
      'run uname -m: where it says x86_64 or aarch64, install the 64-bit Node; else this machine can simulate only',
  };
}

function library(glibc: string | undefined): Finding {
  if (glibc !== undefined) return good('libc', `glibc ${glibc}`);
  return {
    level: 'warning',
    about: 'libc',
    says: 'the C library is not glibc',
    cause: 'ring3 is proven on glibc; on musl (Alpine) it is not',
    remedy: 'take an image with glibc: docker run --rm -it node:24-bookworm-slim',
  };
}
