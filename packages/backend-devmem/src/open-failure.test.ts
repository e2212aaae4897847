import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { DeviceError, isDeviceError } from '@ring3/core';
import { linuxRoots, SystemCallError } from '@ring3/linux';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readMachine } from './machine.ts';
import { doorRemedies, type Surroundings } from './obstacles.ts';
import { memoryFailure } from './open-failure.ts';
import { planSpaces } from './planned-space.ts';
import type { DevmemSelector } from './selector.ts';
import { type FakeMachine, fakeMachine, hide, IOMEM } from './test-machine.ts';

let machine: FakeMachine;
beforeEach(() => {
  machine = fakeMachine();
});
afterEach(() => machine.remove());

const FREE: DevmemSelector = { memory: [{ name: 'regs', address: 0x43c0_0000, size: 0x1000 }] };
const HELD: DevmemSelector = { memory: [{ name: 'regs', address: 0x1000_0000, size: 0x1000 }] };
const BESIDE: DevmemSelector = { memory: [{ name: 'regs', address: 0x1000_2080, size: 0x80 }] };

/** What a person reads when the kernel answers mmap with this errno. */
function told(errno: 'EPERM' | 'EINVAL' | 'EAGAIN' | 'ENOMEM', selector = FREE): string {
  const roots = linuxRoots({ sys: machine.path('sys'), proc: machine.path('proc'), dev: machine.path('dev') });
  const around: Surroundings = { machine: readMachine(roots), roots, dev: roots.dev, pageBytes: 4096, arch: 'x64' };
  const [space] = planSpaces(selector, around.machine.resources);
  if (space === undefined) throw new Error('no space');
  const error = memoryFailure(new SystemCallError('mmap', constants.errno[errno], '/dev/mem'), space, around);
  return `${error.code}: ${error.message}`;
}

describe('a refusal of the kernel is told with the rule behind it', () => {
  test('lockdown', () => {
    machine.write('sys/kernel/security/lockdown', 'none integrity [confidentiality]\n');
    expect(told('EPERM')).toMatchSnapshot();
  });

  test('no capability', () => {
    machine.write('proc/self/status', 'CapEff:\t00000000a80425fb\n');
    expect(told('EPERM')).toMatchSnapshot();
  });

  test('RAM', () => {
    expect(told('EPERM', { memory: [{ name: 'regs', address: 0x20_0000, size: 0x1000 }] })).toMatchSnapshot();
  });

  test('held by a driver', () => {
    expect(told('EPERM', HELD)).toMatchSnapshot();
  });

  test('a busy neighbour in the same page', () => {
    expect(told('EPERM', BESIDE)).toMatchSnapshot();
  });

  test('addresses that are hidden', () => {
    machine.write('proc/iomem', hide(IOMEM));
    expect(told('EPERM')).toMatchSnapshot();
  });

  test('a range that a driver has for itself', () => {
    expect(told('EPERM')).toMatchSnapshot();
  });

  test.each(['EINVAL', 'EAGAIN', 'ENOMEM'] as const)('%s', (errno) => {
    expect(told(errno)).toMatchSnapshot();
  });

  test.each(['mem', 'port'] as const)('/dev/%s that does not open', (name) => {
    expect(doorRemedies(name, readMachine({ sys: machine.path('sys'), proc: machine.path('proc') }))).toMatchSnapshot();
  });
});

describe('a device is opened only where nothing is in the way', () => {
  async function codeOf(selector: DevmemSelector): Promise<string> {
    try {
      await (await machine.backend.open(selector)).close();
      return 'opened';
    } catch (error) {
      return isDeviceError(error) ? error.code : String(error);
    }
  }

  test('A30: a range that a driver of the kernel holds is busy, unless that is wanted', async () => {
    expect(await codeOf(HELD)).toBe('busy');
    expect(await codeOf({ ports: [{ name: 'io', start: 0x3f0, size: 16 }] })).toBe('busy');
    expect(await codeOf({ ...HELD, ignoreKernelClaims: true })).toBe('opened');
    expect(await codeOf(BESIDE)).toBe('opened'); // mmap asks the kernel about the page.
  });

  test('without /dev/mem it is not found, before a driver begins', async () => {
    machine.write('dev/mem', undefined);
    expect(await codeOf(FREE)).toBe('not-found');
  });

  test.skipIf(process.getuid?.() === 0)('a /dev/mem of somebody else is a lack of permission', async () => {
    machine.write('dev/mem', 'x');
    chmodSync(machine.path('dev/mem'), 0);
    expect(await codeOf(FREE)).toBe('permission');
  });
});

describe.skipIf(process.platform !== 'linux')('a claim', () => {
  let directory: string;
  const before = process.env['RING3_CLAIMS'];
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ring3-claims-'));
    process.env['RING3_CLAIMS'] = directory;
  });
  afterEach(() => {
    if (before === undefined) delete process.env['RING3_CLAIMS'];
    else process.env['RING3_CLAIMS'] = before;
    rmSync(directory, { recursive: true });
  });

  test('keeps the addresses from others, who are told who has them', async () => {
    const claim = await machine.backend.claim(FREE, 'board.yaml: fpga0');
    const overlapping = { memory: [{ name: 'all', address: 0x43c0_0f00, size: 0x1000 }] };
    const refused = await machine.backend.claim(overlapping, 'other.yaml: fpga1').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(DeviceError);
    expect(refused).toMatchObject({ code: 'busy', details: { holder: 'board.yaml: fpga0' } });

    await claim.release();
    await (await machine.backend.claim(overlapping, 'other.yaml: fpga1')).release();
  });
});
