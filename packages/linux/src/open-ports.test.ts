import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeviceError, type RegisterOp } from '@ring3/core';
import { needsTools } from '@ring3/core/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { openPorts, openPortsOf, type PortMachine } from './open-ports.ts';
import type { PortInstructions } from './port-access.ts';
import { PORTS_FILE, portInstructions } from './port-instructions.ts';
import { SystemCallError } from './system-call-error.ts';
import { startScript } from './test-script.ts';

/** Ports that count: each read gives the number of accesses so far, and all are written down as a person would. */
function setUp(start = 0x1f0) {
  const seen: string[] = [];
  const instructions: PortInstructions = {
    run(ops, count) {
      const view = new DataView(ops.buffer, ops.byteOffset, ops.byteLength);
      for (let at = 0; at < count * 8; at += 8) {
        const [port, size] = [view.getUint16(at, true), view.getUint8(at + 2)];
        const write = view.getUint8(at + 3) === 1;
        seen.push(
          `${write ? 'out' : 'in'}${size * 8} ${port.toString(16)}${write ? ` ${view.getUint32(at + 4, true).toString(16)}` : ''}`,
        );
        if (!write) view.setUint32(at + 4, 0xa0 + seen.length, true);
      }
    },
    readRepeated(port, size, into, count) {
      seen.push(`ins${size * 8} ${port.toString(16)} x${count}`);
      into.fill(0x5a);
    },
    writeRepeated(port, size, from, count) {
      seen.push(`outs${size * 8} ${port.toString(16)} x${count} ${Buffer.from(from).toString('hex')}`);
    },
  };
  const machine: PortMachine = {
    arch: 'x64',
    allow: (from, size) => seen.push(`ioperm ${from.toString(16)} ${size}`),
    instructions: () => instructions,
  };
  return { seen, machine, open: () => openPortsOf(machine, start, 8) };
}

describe('x86 ports', () => {
  it('asks for the permission first, and does one access per call at start + offset', () => {
    const { seen, open } = setUp();
    const access = open();
    expect(access.read(7, 8)).toBe(0xa2);
    expect(access.read(0, 16)).toBe(0xa3);
    access.write(6, 8, 0xe0);
    access.write(0, 32, 0xdeadbeef);
    expect(seen).toEqual(['ioperm 1f0 8', 'in8 1f7', 'in16 1f0', 'out8 1f6 e0', 'out32 1f0 deadbeef']);
  });

  it('does a whole sequence in order and returns the values of its reads only', () => {
    const { seen, open } = setUp();
    const ops: RegisterOp[] = [
      { kind: 'write', width: 8, offset: 2, value: 1 },
      { kind: 'read', width: 8, offset: 7 },
      { kind: 'write', width: 16, offset: 0, value: 0xffff },
      { kind: 'read', width: 32, offset: 4 },
    ];
    const results = [7];
    const access = open();
    access.sequence?.(ops, results);
    access.sequence?.([], results);
    expect(seen.slice(1)).toEqual(['out8 1f2 1', 'in8 1f7', 'out16 1f0 ffff', 'in32 1f4']);
    expect(results).toEqual([7, 0xa3, 0xa5]);
  });

  it('moves a FIFO by one instruction, counted in words', () => {
    const { seen, open } = setUp();
    const access = open();
    const sector = new Uint8Array(512);
    access.readFifo?.(0, 16, sector);
    expect(sector.every((byte) => byte === 0x5a)).toBe(true);
    access.writeFifo?.(0, 16, Uint8Array.of(1, 2, 3, 4));
    access.readFifo?.(0, 16, new Uint8Array(0));
    access.writeFifo?.(0, 16, new Uint8Array(0));
    expect(seen.slice(1)).toEqual(['ins16 1f0 x256', 'outs16 1f0 x2 01020304']);
  });

  it.each([
    ['EPERM', 1, 'permission', /CAP_SYS_RAWIO.*locked down/],
    ['ENOSYS', 38, 'unsupported', /CONFIG_X86_IOPL_IOPERM/],
  ])('says what %s of ioperm means', (name, errno, code, remedy) => {
    const { machine } = setUp();
    const refuse = () => {
      throw new SystemCallError('ioperm', errno);
    };
    try {
      openPortsOf({ ...machine, allow: refuse }, 0x3f8, 8);
      expect.unreachable();
    } catch (error) {
      expect(isDeviceError(error) && error.code).toBe(code);
      expect(error).toMatchObject({ message: expect.stringContaining(`open ports 0x03f8-0x03ff: ioperm: ${name}`) });
      expect(error).toMatchObject({ message: expect.stringMatching(remedy) });
    }
  });

  it('refuses other processors and ranges that no machine has', () => {
    const { machine, seen } = setUp();
    expect(() => openPortsOf({ ...machine, arch: 'arm64' }, 0x80, 1)).toThrow(/on x64 only, this is arm64/);
    for (const [start, size] of [
      [-1, 1],
      [0xffff, 2],
      [0x80, 0],
      [1.5, 1],
    ] as const) {
      expect(() => openPortsOf(machine, start, size)).toThrow(RangeError);
    }
    expect(seen).toEqual([]);
  });

  it('gives ports or says why not, on this machine', () => {
    // Port 0x80 takes the codes of the power-on self-test; nothing is accessed here.
    try {
      expect(openPorts(0x80, 1)).toHaveProperty('read');
    } catch (error) {
      expect(error).toMatchObject({
        name: 'DeviceError',
        message: expect.stringMatching(/^open ports 0x0080-0x0080: /),
      });
      expect(isDeviceError(error, 'permission') || isDeviceError(error, 'unsupported')).toBe(true);
    }
  });
});

describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('the machine code for ports', () => {
  it('loads, does nothing for 0 accesses, and refuses sizes that no instruction has', () => {
    const instructions = portInstructions();
    instructions.run(new Uint8Array(8), 0);
    instructions.readRepeated(0x80, 1, new Uint8Array(1), 0);
    instructions.writeRepeated(0x80, 1, new Uint8Array(1), 0);
    for (const size of [0, 3, 5, 8, 9]) {
      expect(() => instructions.run(Uint8Array.of(0x80, 0, size, 0, 0, 0, 0, 0), 1)).toThrow(RangeError);
      expect(() => instructions.run(Uint8Array.of(0x80, 0, size, 1, 0, 0, 0, 0), 1)).toThrow(RangeError);
      expect(() => instructions.readRepeated(0x80, size, new Uint8Array(8), 1)).toThrow(RangeError);
      expect(() => instructions.writeRepeated(0x80, size, new Uint8Array(8), 1)).toThrow(RangeError);
    }
  });

  it.each([
    'run(Uint8Array.of(0x80, 0, 1, 0, 0, 0, 0, 0), 1)',
    'run(Uint8Array.of(0x80, 0, 4, 1, 0, 0, 0, 0), 1)',
    'readRepeated(0x80, 2, new Uint8Array(2), 1)',
    'writeRepeated(0x80, 4, new Uint8Array(4), 1)',
  ])('is a real port instruction, which kills a process that has no permission: %s', async (call) => {
    const script = startScript(
      `import { portInstructions } from './port-instructions.ts'; portInstructions().${call};`,
    );
    expect((await script.ended).signal).toBe('SIGSEGV');
  });

  it('refuses memory that is too small, and what is no memory', () => {
    const { run, readRepeated, writeRepeated } = portInstructions();
    expect(() => run(new Uint8Array(15), 2)).toThrow(RangeError);
    expect(() => run(new Uint8Array(8), -1)).toThrow(RangeError);
    expect(() => readRepeated(0x80, 2, new Uint8Array(3), 2)).toThrow(RangeError);
    expect(() => writeRepeated(0x80, 4, new Uint8Array(4), 2)).toThrow(RangeError);
    for (const other of [new Uint16Array(8), new DataView(new ArrayBuffer(8)), 'text', undefined]) {
      expect(() => run(other as never, 1)).toThrow(RangeError);
      expect(() => readRepeated(0x80, 1, other as never, 1)).toThrow(RangeError);
    }
  });

  it('is a small file that needs nothing but Node-API, and no executable stack', () => {
    const elf = readFileSync(PORTS_FILE);
    expect(elf.length).toBeLessThan(4096);
    const [table, count] = [Number(elf.readBigUInt64LE(32)), elf.readUInt16LE(56)]; // e_phoff, e_phnum
    const headers = Array.from({ length: count }, (_, index) => {
      const at = table + index * 56;
      return {
        type: elf.readUInt32LE(at),
        flags: elf.readUInt32LE(at + 4),
        offset: Number(elf.readBigUInt64LE(at + 8)),
      };
    });
    expect(headers.find(({ type }) => type === 0x6474e551)?.flags).toBe(6); // PT_GNU_STACK: read, write
    const dynamic = headers.find(({ type }) => type === 2)?.offset ?? 0;
    const tags = new Map<bigint, number>();
    for (let at = dynamic; elf.readBigUInt64LE(at) !== 0n; at += 16) {
      tags.set(elf.readBigUInt64LE(at), Number(elf.readBigUInt64LE(at + 8)));
    }
    for (const [name, tag] of Object.entries({ NEEDED: 1n, RELA: 7n, REL: 17n, INIT: 12n, INIT_ARRAY: 25n })) {
      expect([...tags.keys()], name).not.toContain(tag);
    }
    const [strings, size] = [tags.get(5n) ?? 0, tags.get(10n) ?? 0]; // DT_STRTAB, DT_STRSZ: the names of symbols
    const symbols = elf
      .toString('latin1', strings, strings + size)
      .split('\0')
      .filter(Boolean);
    expect(symbols.filter((name) => !/^napi_/.test(name))).toEqual([]);
    expect(symbols).toContain('napi_register_module_v1');
  });
});

describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('native/ports.c', () => {
  beforeEach(needsTools({ gcc: 'gcc', objcopy: 'binutils' }));

  it('is what the committed machine code was built from', (context) => {
    // Another compiler makes other code of the same source: nothing can be compared then.
    const version = execFileSync('gcc', ['-dumpversion'], { encoding: 'utf8' }).trim();
    if (version !== '12') context.skip(`ports-x64.so was built by gcc 12, this is gcc ${version}`);
    const folder = mkdtempSync(join(tmpdir(), 'ring3-ports-'));
    try {
      const script = fileURLToPath(new URL('../native/build.sh', import.meta.url));
      const built = join(folder, 'built.so');
      execFileSync('sh', [script, built]);
      expect(codeOf(built, folder)).toEqual(codeOf(PORTS_FILE, folder));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** The instructions and their tables. */
function codeOf(file: string, folder: string): string {
  const raw = join(folder, 'raw');
  execFileSync('objcopy', ['-O', 'binary', '-j', '.text', '-j', '.rodata', file, raw]);
  return readFileSync(raw).toString('hex');
}
