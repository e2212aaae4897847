import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { DeviceError, interruptAfter, type Logger, SILENT } from '@ring3/core';
import { SystemCallError } from '@ring3/linux';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UioBackend } from './backend.ts';
import type { Native } from './native.ts';
import type { UioSelector } from './selector.ts';
import { FakeMachine, type FakePci } from './testing/fake-machine.ts';
import { FakeUio } from './testing/fake-uio.ts';

const EDU = { select: { pci: '0000:00:04.0' } } satisfies UioSelector;
const BAR0 = { bar: 0, start: 0xfeb0_0000, sizeBytes: 0x1000 };

describe.skipIf(process.platform !== 'linux')('an open device', () => {
  let machine: FakeMachine;
  let folder: string;
  let uio: FakeUio | undefined;
  let backend: UioBackend;
  const opened: string[] = [];
  beforeEach(() => {
    machine = new FakeMachine();
    opened.length = 0;
    uio = undefined;
  });
  afterEach(async () => {
    await backend.close();
    uio?.close();
    machine.close();
  });

  function plug(pci: FakePci = {}, native: Partial<Native> = {}, log: Logger = SILENT): void {
    folder = machine.pci({ bars: [BAR0], ...pci });
    backend = new UioBackend({
      log,
      roots: machine.roots,
      native: {
        pageBytes: () => 4096,
        lookMs: 20,
        openEvents: () => uio?.open() ?? expect.fail('there is no node'),
        map: (options) => {
          opened.push(options.path.replace(`${machine.root}/`, ''));
          return { access: { read: () => 0, write: () => {} }, sizeBytes: options.sizeBytes, close: () => {} };
        },
        ...native,
      },
    });
  }

  /** Under uio_pci_generic, which publishes these BARs as maps. */
  function serve(bars: readonly (typeof BAR0)[] = [BAR0]): void {
    machine.bindDriver(folder, 'uio_pci_generic');
    machine.uio({
      node: 'uio0',
      parent: folder,
      maps: bars.map(({ start, sizeBytes }) => ({ address: start, sizeBytes })),
    });
    uio = new FakeUio({ kind: 'generic', config: join(folder, 'config') });
  }

  const command = () => readFileSync(join(folder, 'config')).readUInt16LE(4);
  const setConfig = (offset: number, value: number) => {
    const bytes = new Uint8Array(readFileSync(join(folder, 'config')));
    new DataView(bytes.buffer).setUint16(offset, value, true);
    writeFileSync(join(folder, 'config'), bytes);
  };

  async function openFirst(settings: Partial<UioSelector> = {}) {
    const device = await backend.open({ ...EDU, ...settings });
    const [space] = device.description.spaces;
    const [interrupt] = device.description.interrupts;
    return { device, space: space ?? expect.fail('no space'), interrupt };
  }

  describe('reaches registers', () => {
    it('through the node where UIO publishes them', async () => {
      plug();
      serve();
      const { device, space } = await openFirst();
      expect(device.openSpace(space).description).toMatchObject({ name: '0000:00:04.0 BAR 0', start: 0xfeb0_0000n });
      expect(opened).toEqual(['dev/uio0']);
    });

    it.each([4096, 16384, 65536])('of map M at M pages of %d bytes in the file of the node', async (pageBytes) => {
      const places: [bigint, number, number][] = [];
      plug(
        {},
        {
          pageBytes: () => pageBytes,
          map: ({ fileOffset, leadBytes, sizeBytes }) => {
            places.push([fileOffset, leadBytes, sizeBytes]);
            return { access: { read: () => 0, write: () => {} }, sizeBytes, close: () => {} };
          },
        },
      );
      uio = new FakeUio({ kind: 'masking' });
      const sizeBytes = pageBytes;
      const maps = [
        { address: 0x1000_0000, sizeBytes },
        { address: 0x2000_0000, sizeBytes, offset: 0x80 },
      ];
      machine.uio({ node: 'uio0', parent: machine.platform('x'), name: 'x', maps });
      const device = await backend.open({ select: { name: 'x' } });
      for (const space of device.description.spaces) device.openSpace(space);
      expect(places).toEqual([
        [0n, 0, pageBytes],
        [BigInt(pageBytes), 0x80, pageBytes - 0x80],
      ]);
    });

    it('through resourceN where it does not', async () => {
      plug({ bars: [{ bar: 2, start: 0xfea0_0000, sizeBytes: 0x100 }] });
      serve();
      const { device, space } = await openFirst();
      device.openSpace(space);
      expect(opened).toEqual(['sys/devices/pci0000:00/0000:00:04.0/resource2']);
    });

    it('through resourceN where the node refuses', async () => {
      const refuse = (path: string) => {
        opened.push(path.replace(`${machine.root}/`, ''));
        throw new SystemCallError('mmap', 22, path);
      };
      plug({}, { map: ({ path }) => refuse(path) });
      serve();
      machine.write('proc/iomem', 'feb00000-feb00fff : 0000:00:04.0\n  feb00000-feb0003f : sdhci\n');
      const { device, space } = await openFirst();
      expect(() => device.openSpace(space)).toThrow(
        expect.objectContaining({ code: 'busy', message: expect.stringContaining('sdhci has it') }),
      );
      expect(opened).toHaveLength(2);
    });

    it('or names the neighbour in the same page, by which the kernel decides', async () => {
      const map = ({ path }: { readonly path: string }) => {
        throw new SystemCallError('mmap', 22, path);
      };
      plug({ bars: [{ bar: 0, start: 0xfeb0_0100, sizeBytes: 0x100 }] }, { map });
      machine.write(
        'proc/iomem',
        'feb00000-feb000ff : 0000:00:03.0\n  feb00000-feb0003f : sdhci\nfeb01000-feb01fff : ahci\n',
      );
      const { device, space } = await openFirst();
      expect(() => device.openSpace(space)).toThrow(
        expect.objectContaining({
          code: 'busy',
          message: expect.stringMatching(/; sdhci \(in the same page\) has it$/),
        }),
      );
    });

    it.each([
      ['EACCES', 13, 'permission', 'udev rule'],
      ['EPERM', 1, 'permission', 'locked down'],
    ])('or says what %s means', async (_name, errno, code, words) => {
      plug(
        {},
        {
          map: ({ path }) => {
            throw new SystemCallError('mmap', errno, path);
          },
        },
      );
      const { device, space } = await openFirst();
      expect(() => device.openSpace(space)).toThrow(
        expect.objectContaining({ code, message: expect.stringContaining(words) }),
      );
    });

    it('write-combining where that is asked for', async () => {
      plug({ bars: [{ ...BAR0, prefetchable: true } as typeof BAR0] });
      const { device, space } = await openFirst({ writeCombining: [0] });
      expect(device.openSpace(space).description.memoryType).toBe('write-combining');
      expect(opened[0]).toMatch(/resource0_wc$/);
    });

    it('not write-combining where it could change what the device sees', async () => {
      plug();
      const { device, space } = await openFirst({ writeCombining: [0] });
      expect(() => device.openSpace(space)).toThrow(expect.objectContaining({ code: 'unsupported' }));
      expect(opened).toEqual([]);
    });

    it('with what the configuration knows of them', async () => {
      plug();
      const { device, space } = await openFirst({
        spaces: { bar0: { widths: [32], byteOrder: 'big', flush: { offset: 8, width: 32 } } },
      });
      const { description } = device.openSpace(space);
      expect(description).toMatchObject({ widths: [32], byteOrder: 'big', flush: { offset: 8, width: 32 } });
    });
  });

  describe('reaches ports', () => {
    const PORTS = { bar: 1, kind: 'port' as const, start: 0xc000, sizeBytes: 8 };
    const words = { read: (offset: number) => offset, write: () => {} };
    const noPorts = () => {
      throw new DeviceError('permission', 'ioperm: EPERM');
    };
    const portFile = (path: string) => {
      opened.push(path.replace(`${machine.root}/`, ''));
      return { ...words, close: () => void opened.push('closed') };
    };

    it('by instructions', async () => {
      plug({ bars: [PORTS] }, { openPorts: () => words, portFile });
      const { device, space } = await openFirst();
      expect(device.openSpace(space).read8(3)).toBe(3);
      expect(opened).toEqual([]);
    });

    it('by the file where those are not allowed, says so, and closes it', async () => {
      const said: string[] = [];
      plug({ bars: [PORTS] }, { openPorts: noPorts, portFile }, { ...SILENT, info: (words) => void said.push(words) });
      const { device, space } = await openFirst();
      expect(device.openSpace(space).description.memoryType).toBe('port');
      expect(said).toEqual([expect.stringMatching(/a system call for each word: ioperm: EPERM$/)]);
      await device.close();
      expect(opened).toEqual(['sys/devices/pci0000:00/0000:00:04.0/resource1', 'closed']);
    });

    it('by one way only, where the configuration says which', async () => {
      plug({ bars: [PORTS] }, { openPorts: noPorts, portFile });
      const { device, space } = await openFirst({ ports: 'ioperm' });
      expect(() => device.openSpace(space)).toThrow('ioperm: EPERM');
      await device.close();
      const again = await openFirst({ ports: 'file' });
      again.device.openSpace(again.space);
      expect(opened[0]).toMatch(/resource1$/);
    });
  });

  it('may transfer to memory only if that is asked for, and not after it is closed', async () => {
    plug();
    const asked = await openFirst({ busMaster: true });
    expect(command() & 0x4).toBe(0x4);
    await asked.device.close();
    expect(command() & 0x4).toBe(0);
    await openFirst();
    expect(command() & 0x4).toBe(0);
  });

  it('is masked where nobody would handle its interrupt', async () => {
    plug();
    await openFirst();
    expect(command()).toBe(0x0503);
  });

  it('is silenced: line masked, transfers off', async () => {
    plug();
    serve();
    const { device } = await openFirst({ busMaster: true });
    device.silence();
    expect(command()).toBe(0x0503);
  });

  it('reads nothing when somebody looks at it', async () => {
    plug();
    const { device } = await openFirst();
    expect(inspect(device, { depth: 9 })).toBe('UioDevice 0000:00:04.0');
    await device.close();
    expect(String(device)).toBe('UioDevice 0000:00:04.0, closed');
  });

  describe('is gone', () => {
    const ones = () => ({ access: { read: () => 0xffff_ffff, write: () => {} }, sizeBytes: 0x1000, close: () => {} });

    it('when registers and configuration space read all ones', async () => {
      plug({}, { map: ones });
      const { device, space } = await openFirst();
      const registers = device.openSpace(space);
      registers.read32(0);
      await new Promise((resolve) => void setTimeout(resolve, 5));
      expect(String(device), 'a register may read all ones').toBe('UioDevice 0000:00:04.0');
      setConfig(0, 0xffff);
      const poll = setInterval(() => registers.read32(0), 10);
      expect(await device.gone).toContain('all ones');
      clearInterval(poll);
      expect(String(device)).toContain('gone');
    });

    it('when its UIO driver is unbound, also while nobody waits for an interrupt', async () => {
      plug();
      serve();
      const { device, space, interrupt } = await openFirst();
      const registers = device.openSpace(space);
      const source = device.openInterrupt(interrupt ?? expect.fail('no interrupt'));
      rmSync(join(machine.roots.sys, 'class/uio/uio0'));
      expect(await device.gone).toContain('unbound');
      expect(await source.closed).toBe(await device.gone);
      expect([registers.read8(0), registers.read16(0), registers.read32(0)]).toEqual([0xff, 0xffff, 0xffff_ffff]);
      registers.write32(0, 0);
      device.silence();
      await device.close();
    });

    it('when another device took the number of its node', async () => {
      plug();
      serve();
      const { device } = await openFirst();
      const entry = join(machine.roots.sys, 'class/uio/uio0');
      rmSync(entry);
      machine.uio({ node: 'uio9', parent: machine.platform('other'), name: 'other' });
      machine.link(entry, join(machine.roots.sys, 'devices/platform/other/uio/uio9'));
      expect(await device.gone).toContain('unbound');
    });
  });

  it.skipIf(process.getuid?.() === 0)(
    'refuses an interrupt that could not be re-armed, and names the file',
    async () => {
      plug();
      serve();
      chmodSync(join(folder, 'config'), 0o444);
      const { device, interrupt } = await openFirst();
      expect(() => device.openInterrupt(interrupt ?? expect.fail('no interrupt'))).toThrow(
        expect.objectContaining({ code: 'permission', message: expect.stringContaining('/config') }),
      );
    },
  );

  it('gives an interrupt through the command register', async () => {
    plug();
    serve();
    const { device, interrupt } = await openFirst();
    const source = device.openInterrupt(interrupt ?? expect.fail('no interrupt'));
    source.attach(() => {
      uio?.assert(false);
      return 'handled';
    });
    source.enable();
    await interruptAfter(source, device.clock, 5_000_000, () => uio?.assert(true));
    expect(source.statistics.handled).toBe(1);
    expect(device.openInterrupt(interrupt ?? expect.fail('no interrupt')), 'there is one').toBe(source);
  });
});
