import { isDeviceError } from '@ring3/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DevmemSelector, SELECTOR } from './selector.ts';
import { type FakeMachine, fakeMachine, hide, IOMEM, IOPORTS } from './test-machine.ts';

let machine: FakeMachine;
beforeEach(() => {
  machine = fakeMachine();
});
afterEach(() => machine.remove());

const REGS = { name: 'regs', address: 0x43c0_0000, size: 0x1000 };

async function refusal(selector: DevmemSelector): Promise<string> {
  const error = await machine.backend.describe(selector).catch((reason: unknown) => reason);
  if (!isDeviceError(error)) throw new Error(`expected a DeviceError, got ${String(error)}`);
  return `${error.code}: ${error.message}`;
}

async function obstacles(selector: DevmemSelector): Promise<readonly string[] | undefined> {
  return (await machine.backend.describe(selector)).obstacles;
}

test('a device by address is described without an obstacle', async () => {
  const description = await machine.backend.describe({
    name: 'fpga',
    compatible: 'acme,fpga',
    memory: [REGS, { name: 'fifo', address: '0x43c08000', size: 64 }],
    ports: [{ name: 'control', start: 0x300, size: 8 }],
    polledInterrupt: { space: 'regs', offset: 8, width: 32, mask: 3, intervalUs: 2500 },
  });
  expect(description).toEqual({
    id: 'fpga@43c00000',
    domain: 'machine',
    identity: { name: 'fpga', compatible: ['acme,fpga'] },
    spaces: [
      { kind: 'memory', name: 'regs', start: 0x43c0_0000n, sizeBytes: 0x1000 },
      { kind: 'memory', name: 'fifo', start: 0x43c0_8000n, sizeBytes: 64 },
      { kind: 'port', name: 'control', start: 0x300n, sizeBytes: 8 },
    ],
    interrupts: [{ index: 0, name: 'polled', trigger: 'polled', line: 'polled every 2.5 ms: regs 0x8 & 0x3' }],
    simulated: false,
  });
});

test('a device by the name of its resource has the range of it', async () => {
  const { spaces } = await machine.backend.describe({ memory: [{ name: 'bar', resource: '0000:00:04.0' }] });
  expect(spaces).toEqual([{ kind: 'memory', name: 'bar', start: 0x1000_1000n, sizeBytes: 0x1000 }]);
});

describe('what cannot be is refused with the reason', () => {
  test.each<[string, DevmemSelector]>([
    ['RAM', { memory: [{ ...REGS, address: 0x0800_0000 }] }],
    ['RAM below 1 MiB', { memory: [{ ...REGS, address: 0x8000 }] }],
    ['a range that ends in RAM', { memory: [{ ...REGS, address: 0xf_f000, size: 0x2000 }] }],
    ['a name that several ranges have', { memory: [{ name: 'regs', resource: '0000:00:07.0' }] }],
    ['a name that is not there', { memory: [{ name: 'regs', resource: 'fpga' }] }],
    ['an address between words', { memory: [{ ...REGS, address: 0x43c0_0002, widths: [16, 32] }] }],
    ['an address above 64 bits', { memory: [{ ...REGS, address: '0xfffffffffffff000', size: 0x2000 }] }],
    ['spaces that overlap', { memory: [REGS, { name: 'more', address: 0x43c0_0ffc, size: 8 }] }],
    ['spaces of one name', { memory: [REGS], ports: [{ name: 'regs', start: 0x300, size: 8 }] }],
    ['ports that are not there', { ports: [{ name: 'io', start: 0xfff8, size: 16 }] }],
    [
      'wide ports through /dev/port',
      { ports: [{ name: 'io', start: 0x1f0, size: 8, through: 'dev-port', widths: [8, 16] }] },
    ],
    ['a flush register outside', { memory: [{ ...REGS, flush: { offset: 0x1000, width: 32 } }] }],
    ['a flush register of a width not taken', { widths: [32], memory: [{ ...REGS, flush: { offset: 0, width: 8 } }] }],
    ['no space at all', { name: 'fpga' }],
    ['polling elsewhere', { memory: [REGS], polledInterrupt: { space: 'reg', offset: 0, width: 32 } }],
    ['polling between registers', { memory: [REGS], polledInterrupt: { space: 'regs', offset: 2, width: 32 } }],
    ['polling nothing', { memory: [REGS], polledInterrupt: { space: 'regs', offset: 0, width: 8, mask: 0x100 } }],
    [
      'polling for what never comes',
      { memory: [REGS], polledInterrupt: { space: 'regs', offset: 0, width: 8, mask: 1, equals: 2 } },
    ],
  ])('%s', async (_, selector) => {
    expect(await refusal(selector)).toMatchSnapshot();
  });
});

describe('what stands in the way now is told with the remedy', () => {
  test('a driver of the kernel holds the range', async () => {
    const memory = [{ ...REGS, address: 0x1000_0000 }];
    expect(await obstacles({ memory })).toMatchSnapshot();
    expect(await obstacles({ memory, ignoreKernelClaims: true })).toBeUndefined();
  });

  test('a driver of the kernel holds a neighbour in the same page', async () => {
    const selector = { memory: [{ name: 'regs', address: 0x1000_2080, size: 0x80 }] };
    expect(await obstacles(selector)).toMatchSnapshot();

    machine.write('proc/cmdline', 'BOOT_IMAGE=/vmlinuz iomem=relaxed quiet\n');
    expect(await obstacles(selector)).toBeUndefined();
  });

  test('a neighbour counts by the page size of the machine', async () => {
    const large = fakeMachine({ pageBytes: 65536 });
    const selector = { memory: [{ name: 'regs', resource: '0000:00:04.0' }] };
    expect(await obstacles(selector)).toBeUndefined();
    expect((await large.backend.describe(selector)).obstacles?.join()).toContain('"sdhci"');
    large.remove();
  });

  test('a driver of the kernel holds the ports', async () => {
    expect(await obstacles({ ports: [{ name: 'io', start: 0x3f8, size: 8 }] })).toMatchSnapshot();
  });

  test('addresses are hidden: not known is not free', async () => {
    machine.write('proc/iomem', hide(IOMEM));
    machine.write('proc/ioports', hide(IOPORTS));
    const selector = { memory: [REGS], ports: [{ name: 'io', start: 0x300, size: 8 }] };
    expect(await obstacles(selector)).toMatchSnapshot();
    expect(await refusal({ memory: [{ name: 'bar', resource: '0000:00:04.0' }] })).toMatchSnapshot();
  });

  test('the kernel is locked down', async () => {
    machine.write('sys/kernel/security/lockdown', 'none [integrity] confidentiality\n');
    expect(await obstacles({ memory: [REGS] })).toMatchSnapshot();
  });

  test('there is no /dev/mem', async () => {
    machine.write('dev/mem', undefined);
    expect(await obstacles({ memory: [REGS] })).toMatchSnapshot();
  });

  test('the process lacks the capability', async () => {
    machine.write('proc/self/status', 'CapEff:\t0000000000000000\n');
    const selector = { memory: [REGS], ports: [{ name: 'io', start: 0x300, size: 8 }] };
    expect(await obstacles(selector)).toMatchSnapshot();
  });

  test('the processor has no ports', async () => {
    const arm = fakeMachine({ arch: 'arm64' });
    const { obstacles: told } = await arm.backend.describe({ ports: [{ name: 'io', start: 0x300, size: 8 }] });
    expect(told).toMatchSnapshot();
    arm.remove();
  });
});

describe('the schema of the configuration', () => {
  test.each<[string, unknown]>([
    ['an address that is no number', { memory: [{ ...REGS, address: '43c00000' }] }],
    ['an address and a name', { memory: [{ ...REGS, resource: 'fpga' }] }],
    ['no size', { memory: [{ name: 'regs', address: 0 }] }],
    ['a width of 64', { widths: [64], memory: [REGS] }],
    [
      'polling without a pause',
      { memory: [REGS], polledInterrupt: { space: 'regs', offset: 0, width: 8, intervalUs: 0 } },
    ],
    ['a key that it does not know', { memory: [REGS], irq: 5 }],
  ])('refuses %s', (_, selector) => {
    expect(SELECTOR.safeParse(selector).success).toBe(false);
  });

  test('takes what the description takes', () => {
    const selector = { memory: [REGS], ports: [{ name: 'io', start: 0x300, size: 8 }], byteOrder: 'big' };
    expect(SELECTOR.parse(selector)).toEqual(selector);
  });
});
