import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeviceError, SILENT } from '@ring3/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UioBackend, uioBackend } from './backend.ts';
import type { UioSelector } from './selector.ts';
import { FakeMachine } from './testing/fake-machine.ts';
import { FakeUio } from './testing/fake-uio.ts';

const EDU = { select: { pci: '0000:00:04.0' } } satisfies UioSelector;
const BAR0 = { bar: 0, start: 0xfeb0_0000, sizeBytes: 0x10_0000 };

describe.skipIf(process.platform !== 'linux')('devices of a machine', () => {
  let machine: FakeMachine;
  let backend: UioBackend;
  beforeEach(() => {
    machine = new FakeMachine();
    const openEvents = () => new FakeUio({ kind: 'masking' }).open();
    backend = new UioBackend({
      log: SILENT,
      roots: machine.roots,
      native: { openEvents, pageBytes: () => 4096 },
      claims: join(machine.root, 'claims'),
    });
  });
  afterEach(async () => {
    await backend.close();
    machine.close();
  });

  async function refusal(selector: UioSelector, how: 'describe' | 'open' = 'describe'): Promise<[string, string]> {
    const error = await backend[how](selector).then(
      () => expect.fail('was not refused'),
      (cause: unknown) => cause,
    );
    return isDeviceError(error) ? [error.code, error.message] : expect.fail(String(error));
  }

  it('lists what UIO serves and PCI functions, no bridges', async () => {
    machine.pci({ bars: [BAR0], driver: 'snd_hda_intel' });
    machine.pci({ address: '0000:00:00.0', classCode: 0x06_0000 });
    machine.uio({ node: 'uio0', parent: machine.platform('43c00000.fpga'), name: 'fpga' });
    expect((await backend.list()).map(({ id }) => id)).toEqual(['0000:00:04.0', '43c00000.fpga']);
  });

  it('describes a PCI function by its BARs, whatever UIO publishes of them', async () => {
    const ports = { bar: 1, kind: 'port' as const, start: 0xc000, sizeBytes: 8 };
    const parent = machine.pci({
      bars: [BAR0, ports, { bar: 4, start: 0xc000_0000, sizeBytes: 0x80, prefetchable: true }],
    });
    machine.bindDriver(parent, 'uio_pci_generic');
    machine.uio({ node: 'uio0', parent, maps: [{ name: '0000:00:04.0', address: 0xfeb0_0000, sizeBytes: 0x10_0000 }] });
    expect(await backend.describe(EDU)).toEqual({
      id: '0000:00:04.0',
      domain: 'machine',
      identity: { pci: expect.objectContaining({ vendorId: 0x1234, deviceId: 0x11e8 }) },
      spaces: [
        { kind: 'memory', bar: 0, start: 0xfeb0_0000n, sizeBytes: 0x10_0000 },
        { kind: 'port', bar: 1, start: 0xc000n, sizeBytes: 8 },
        { kind: 'memory', bar: 4, start: 0xc000_0000n, sizeBytes: 0x80 },
      ],
      interrupts: [{ index: 0, trigger: 'level', line: 'IRQ 11' }],
      simulated: false,
    });
  });

  it.each([
    ['of the device tree', { offset: 0x80, sizeBytes: 0x1000, reg: [0x43c0_0080, 0x40] }, 0x40],
    ['that is left of the mapping', { offset: 0x80, sizeBytes: 0x1000, reg: undefined }, 0xf80],
    ['that no kernel driver rounded', { offset: 0x80, sizeBytes: 0x40, reg: undefined }, 0x40],
    [
      'of the mapping where the device tree means another place',
      { offset: 0, sizeBytes: 0x1000, reg: [0x44, 4] },
      0x1000,
    ],
  ])('gives a map the size %s', async (_what, { offset, sizeBytes, reg }, expected) => {
    const parent = machine.platform('x', { compatible: 'acme,x\0', ...(reg === undefined ? {} : { reg }) });
    machine.uio({ node: 'uio0', parent, name: 'x', maps: [{ name: 'regs', address: 0x43c0_0000, sizeBytes, offset }] });
    const { spaces } = await backend.describe({ select: { compatible: 'acme,x' } });
    const start = 0x43c0_0000n + BigInt(offset);
    expect(spaces).toEqual([{ kind: 'memory', name: 'regs', start, sizeBytes: expected }]);
  });

  it('finds the first register also where addr contains the offset in its page', async () => {
    const maps = [{ name: 'regs', address: 0x43c0_0080, sizeBytes: 0x40, offset: 0x80 }];
    machine.uio({ node: 'uio0', parent: machine.platform('x'), name: 'x', maps });
    const { spaces } = await backend.describe({ select: { name: 'x' } });
    expect(spaces).toEqual([{ kind: 'memory', name: 'regs', start: 0x43c0_0080n, sizeBytes: 0x40 }]);
  });

  it('names what has no name by its number, and leaves memory of the kernel out', async () => {
    const maps = [
      { address: 0x1000, sizeBytes: 0x1000 },
      { address: 0xffff_ffff, sizeBytes: 0x1000 },
    ];
    machine.uio({
      node: 'uio0',
      parent: machine.platform('x'),
      name: '',
      maps,
      ports: [{ start: 0x300, sizeBytes: 8 }],
    });
    const [found] = await backend.list();
    expect(found?.spaces).toEqual([
      { kind: 'memory', name: 'map0', start: 0x1000n, sizeBytes: 0x1000 },
      { kind: 'port', name: 'port0', start: 0x300n, sizeBytes: 8 },
    ]);
    expect(found?.obstacles).toEqual([expect.stringContaining('map1')]);
    expect(found?.identity).toEqual({});
  });

  describe('says of the interrupt', () => {
    async function interruptsOf(prepare: () => void, selector?: Partial<UioSelector>) {
      machine.uio({ node: 'uio0', parent: machine.platform('x', { compatible: 'acme,x\0' }), name: 'x' });
      prepare();
      return (await backend.describe({ select: { name: 'x' }, ...selector })).interrupts;
    }

    it.each(['level', 'edge'] as const)('that it is the %s of the line with its name', async (type) => {
      const found = await interruptsOf(() => machine.line(45, 'other,x', type));
      expect(found).toEqual([{ index: 0, trigger: type, line: 'IRQ 45' }]);
    });

    it('that it is announced by its kernel driver when no line has its name', async () => {
      expect(await interruptsOf(() => machine.line(45, 'other', 'level'))).toEqual([{ index: 0, trigger: 'message' }]);
    });

    it('what the configuration says, in the first place', async () => {
      const line = () => machine.line(45, 'x', 'level');
      expect(await interruptsOf(line, { trigger: 'edge' })).toMatchObject([{ trigger: 'edge' }]);
      expect((await backend.describe({ select: { name: 'x' }, trigger: 'none' })).interrupts).toEqual([]);
    });

    it('nothing, when neither the line list nor the device tree has one', async () => {
      machine.line(1, 'timer', 'edge');
      const parent = machine.platform('y', { compatible: 'acme,y\0', interrupts: false });
      machine.uio({ node: 'uio1', parent, name: 'y' });
      expect((await backend.describe({ select: { name: 'y' } })).interrupts).toEqual([]);
    });

    it('nothing, for a PCI function without a line', async () => {
      const parent = machine.pci({ irq: 0 });
      machine.bindDriver(parent, 'uio_pci_generic');
      machine.uio({ node: 'uio7', parent });
      const { interrupts, obstacles } = await backend.describe(EDU);
      expect(interrupts).toEqual([]);
      expect(obstacles).toEqual([expect.stringContaining('polled')]);
    });
  });

  describe('selects', () => {
    beforeEach(() => {
      machine.pci({ bars: [BAR0] });
      machine.pci({ address: '0000:00:05.0' });
      machine.uio({ node: 'uio0', parent: machine.platform('a.fpga'), name: 'fpga', version: '1.4' });
      machine.uio({ node: 'uio1', parent: machine.platform('b.fpga'), name: 'fpga', version: '2.0' });
    });

    it.each<[UioSelector['select'], string]>([
      [{ pci: '00:05.0' }, '0000:00:05.0'],
      [{ name: 'fpga', version: '<2' }, 'a.fpga'],
      [{ name: 'fpga', version: '>=2' }, 'b.fpga'],
    ])('%j', async (select, id) => expect((await backend.describe({ select })).id).toBe(id));

    it.each<[UioSelector['select'], string, string]>([
      [{ pci: '00:1f.0' }, 'not-found', 'a.fpga (named "fpga")'],
      [{ vendor: 0x1234, device: 0x11e8 }, 'config', '0000:00:04.0 (PCI 1234:11e8'],
      [{ name: 'fpga' }, 'config', 'a.fpga (named "fpga"); b.fpga (named "fpga")'],
      [{ name: 'fpga', version: '>=3' }, 'not-found', '(there is version "1.4", "2.0")'],
      [{ name: 'uart' }, 'not-found', 'there are: 0000:00:04.0'],
      [{ compatible: 'acme,x' }, 'not-found', 'there are: 0000:00:04.0'],
    ])('not %j, and lists what is there', async (select, code, words) => {
      expect(await refusal({ select })).toEqual([code, expect.stringContaining(words)]);
    });

    it('no version that cannot be compared', async () => {
      machine.uio({ node: 'uio2', parent: machine.platform('c'), name: 'dt', version: 'devicetree' });
      expect(await refusal({ select: { name: 'dt', version: '>=1' } })).toEqual([
        'config',
        expect.stringContaining('"devicetree"'),
      ]);
    });
  });

  it('tells apart what one kernel driver registers for one device', async () => {
    const parent = machine.platform('x');
    for (const [node, name] of [
      ['uio0', 'a'],
      ['uio1', 'b'],
      ['uio2', 'b'],
    ] as const)
      machine.uio({ node, parent, name });
    expect((await backend.list()).map(({ id }) => id)).toEqual(['x/a', 'x/b.0', 'x/b.1']);
  });

  it('A30: refuses a device of a kernel driver, and says how to get it', async () => {
    machine.pci({ bars: [BAR0], driver: 'snd_hda_intel' });
    const words = 'the kernel driver snd_hda_intel has it';
    expect((await backend.describe(EDU)).obstacles).toEqual([`${words}: ring3 bind 0000:00:04.0`]);
    for (const _attempt of [1, 2]) {
      expect(await refusal(EDU, 'open')).toEqual(['busy', expect.stringContaining(words)]);
    }
  });

  it('opens a device that nobody has through sysfs, without an interrupt', async () => {
    const folder = machine.pci({ enable: '0', bars: [BAR0] });
    const device = await backend.open(EDU);
    expect(device.description.obstacles).toEqual([expect.stringContaining('ring3 bind 0000:00:04.0')]);
    expect(device.description.interrupts).toEqual([]);
    expect(readFileSync(join(folder, 'enable'), 'latin1'), 'its decoders are on').toBe('0\n');
  });

  it.each([
    ['that sleeps', { powerState: 'D3hot', bars: [BAR0] }, 0x0103],
    ['whose decoder is off', { bars: [BAR0] }, 0x0101],
    ['whose port decoder is off', { bars: [{ ...BAR0, kind: 'port' as const }] }, 0x0102],
  ])('switches on a device %s, and off again', async (_what, pci, command) => {
    const folder = machine.pci({ enable: '0', ...pci });
    const config = readFileSync(join(folder, 'config'));
    config.writeUInt16LE(command, 4);
    machine.write(join(folder, 'config'), config);
    const device = await backend.open(EDU);
    expect(readFileSync(join(folder, 'enable'), 'latin1')).toBe('1');
    await device.close();
    expect(readFileSync(join(folder, 'enable'), 'latin1')).toBe('0');
  });

  it('says what stands in the way of a PCI interrupt', async () => {
    const parent = machine.pci({ bars: [BAR0], driver: 'uio_pci_generic' });
    machine.uio({ node: 'uio0', parent });
    machine.write('sys/kernel/security/lockdown', 'none [integrity] confidentiality\n');
    expect((await backend.describe(EDU)).obstacles).toEqual([expect.stringContaining('locked down (integrity)')]);
    machine.write('sys/kernel/security/lockdown', '[none] integrity confidentiality\n');
    expect((await backend.describe(EDU)).obstacles).toBeUndefined();
  });

  it.skipIf(process.getuid?.() === 0)('names the rule that is missing for the node and for config', async () => {
    const parent = machine.pci({ bars: [BAR0], driver: 'uio_pci_generic' });
    machine.uio({ node: 'uio0', parent });
    chmodSync(join(machine.roots.dev, 'uio0'), 0);
    chmodSync(join(parent, 'config'), 0o444);
    const { obstacles } = await backend.describe(EDU);
    expect(obstacles).toEqual([expect.stringContaining('/dev/uio0'), expect.stringContaining('/config')]);
  });

  it('says that a BAR has no address', async () => {
    machine.pci({ bars: [{ ...BAR0, unassigned: true }] });
    const { spaces, obstacles } = await backend.describe(EDU);
    expect(spaces).toEqual([]);
    expect(obstacles).toContainEqual(expect.stringContaining('BAR 0 has no address'));
  });

  it('claims the addresses of a device, and names who has them', async () => {
    machine.pci({ bars: [BAR0] });
    const claim = await backend.claim(EDU, 'demo.yaml: edu0');
    const second = await backend.claim(EDU, 'other').catch((error: unknown) => error);
    expect(second).toMatchObject({ code: 'busy', message: expect.stringContaining('demo.yaml: edu0') });
    await claim.release();
    await (await backend.claim(EDU, 'other')).release();
  });

  it("claims a device by its name where all it has is the kernel's memory", async () => {
    const maps = [{ address: 0xffff_8880_0000_0000, sizeBytes: 0x1000 }];
    machine.uio({ node: 'uio0', parent: machine.platform('buffer'), name: 'buffer', maps });
    const claim = await backend.claim({ select: { name: 'buffer' } }, 'demo.yaml: buffer0');
    const second = await backend.claim({ select: { name: 'buffer' } }, 'other').catch((error: unknown) => error);
    expect(second).toMatchObject({ code: 'busy', message: expect.stringContaining('device buffer') });
    await claim.release();
  });
});

describe('the configuration', () => {
  const check = async (value: unknown) => {
    const result = await uioBackend.selector['~standard'].validate(value);
    return result.issues === undefined ? result.value : result.issues.map(({ message }) => message).join('; ');
  };

  it.each([
    [{ select: { pci: '0000:00:04.0' } }],
    [{ select: { name: 'fpga', version: '>=1.2 <2' }, trigger: 'edge', countsWhileMasked: true }],
    [{ select: { vendor: 0x1234, device: 0x11e8 }, writeCombining: [2], ports: 'file', busMaster: true }],
    [{ select: { compatible: 'acme,x' }, spaces: { bar0: { widths: [32], flush: { offset: 4, width: 32 } } } }],
  ])('takes %j', async (value) => expect(await check(value)).toEqual(value));

  it.each([
    [{ select: {} }, 'name the device in one way'],
    [{ select: { pci: '0000:00:04.0', name: 'x' } }, 'name the device in one way'],
    [{ select: { pci: '4.0' } }, 'is not a PCI address'],
    [{ select: { name: 'uio0' } }, 'the number of a node'],
    [{ select: { name: 'x', version: 'new' } }, 'is not a range of versions'],
    [{ select: { pci: '0000:00:04.0', version: '>1' } }, 'version goes with name'],
    [{ select: { vendor: 0x1234 } }, 'belong together'],
    [{ select: { node: 'uio0' } }, 'node'],
    [{}, 'Invalid input'],
  ])('refuses %j', async (value, words) => expect(await check(value)).toContain(words));
});
