import { readdirSync, readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { openPorts } from './open-ports.ts';
import { devPortAccess, portFileAccess } from './port-files.ts';

// Real ports, in the virtual machine only: CF8/CFC of the PC and a 16550 on an I/O BAR (pci-serial, 1b36:0002).

const PCI = '/sys/bus/pci/devices';
const number = (path: string) => Number(readFileSync(path, 'utf8').split(/\s/)[0]);

/** The 16550: its ports and the file that gives them to a process. */
function serial() {
  const folder = readdirSync(PCI)
    .map((name) => `${PCI}/${name}`)
    .find((device) => number(`${device}/vendor`) === 0x1b36 && number(`${device}/device`) === 0x0002);
  if (folder === undefined) throw new Error('the machine has no pci-serial');
  return { start: number(`${folder}/resource`), file: `${folder}/resource0` };
}

describe('ports of the virtual machine', () => {
  beforeEach((context) => {
    if (process.env['RING3_VM'] !== '1') context.skip('port accesses are tried in the virtual machine only');
  });

  it('reads the host bridge in 8, 16 and 32 bits as the kernel does', () => {
    const results: number[] = [];
    openPorts(0xcf8, 8).sequence?.(
      [
        { kind: 'write', width: 32, offset: 0, value: 0x8000_0000 }, // Bus 0, device 0, function 0, register 0.
        { kind: 'read', width: 32, offset: 4 },
        { kind: 'read', width: 16, offset: 4 },
        { kind: 'read', width: 16, offset: 6 },
        { kind: 'read', width: 8, offset: 7 },
      ],
      results,
    );
    const [vendor, device] = [number(`${PCI}/0000:00:00.0/vendor`), number(`${PCI}/0000:00:00.0/device`)];
    expect(results).toEqual([device * 0x10000 + vendor, vendor, device, device >>> 8]);
  });

  it('reaches one register through ioperm, through resource0 and through /dev/port', () => {
    const { start, file } = serial();
    const ways = [openPorts(start, 8), portFileAccess(file, 8), devPortAccess(start, 8)];
    for (const [index, writer] of ways.entries()) {
      writer.write(7, 8, 0x51 + index); // The scratch register.
      expect(ways.map((reader) => reader.read(7, 8))).toEqual([0x51 + index, 0x51 + index, 0x51 + index]);
    }
  });

  it('moves bytes through a FIFO in order, by string instructions', () => {
    const access = openPorts(serial().start, 8);
    access.write(1, 8, 0); // No interrupts.
    access.write(2, 8, 0x07); // FIFOs on and empty.
    access.write(4, 8, 0x10); // Loopback.
    const sent = Uint8Array.from({ length: 16 }, (_, index) => 0xc0 + index);
    const received = new Uint8Array(16);
    access.writeFifo?.(0, 8, sent);
    access.readFifo?.(0, 8, received);
    expect(received).toEqual(sent);
    expect(access.read(5, 8) & 1).toBe(0); // Nothing is left.
    access.write(4, 8, 0);
    access.write(2, 8, 0x06);
  });

  it('reads repeatedly in 16 and 32 bits', () => {
    const access = openPorts(0xcf8, 8);
    const [words, longs] = [new Uint8Array(8), new Uint8Array(8)];
    access.write(0, 32, 0x8000_0000);
    access.readFifo?.(4, 16, words);
    access.readFifo?.(4, 32, longs);
    const bridge = Buffer.from(longs).readUInt32LE(0);
    expect(bridge & 0xffff).toBe(number(`${PCI}/0000:00:00.0/vendor`));
    expect(Buffer.from(longs).readUInt32LE(4)).toBe(bridge);
    expect([0, 2, 4, 6].map((at) => Buffer.from(words).readUInt16LE(at))).toEqual(Array(4).fill(bridge & 0xffff));
  });
});
