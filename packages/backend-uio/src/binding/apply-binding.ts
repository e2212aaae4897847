import { closeSync, constants, existsSync, openSync, writeSync } from 'node:fs';
import { type Clock, DeviceError, SystemClock, sleep } from '@ring3/core';
import { deviceErrorOf, errnoOf } from '@ring3/linux';
import { PciConfigSpace } from '../pci-config-space.ts';
import { maskInterrupt } from '../pci-power.ts';
import { readPciFunction } from '../sysfs/pci-function.ts';
import { readUioEntries } from '../sysfs/uio-entry.ts';
import type { BindingPlan, BindingStep } from './plan-binding.ts';

/** What `applyBinding` is given beside the plan. */
export interface ApplyOptions {
  readonly clock?: Clock;
  /** Told of each write before it is done. */
  readonly onWrite?: (step: BindingStep) => void;
}

/** How a binding ended. */
export interface BindingResult {
  /** The driver that has the device now. */
  readonly driver: string | undefined;
  /** `uio0`, when it is a UIO device now. */
  readonly node: string | undefined;
}

/** The kernel binds in the background, and a driver that leaves may need a moment to let go. */
const PATIENCE_US = 2_000_000;
const PAUSE_US = 20_000;
/** Some of these files refuse to be opened for reading, and none may be made. */
const WRITE = constants.O_WRONLY | constants.O_TRUNC;
const AGAIN = new Set(['EBUSY', 'EAGAIN']);

/**
 * Does what was planned, in order, and looks whether it worked.
 * @throws DeviceError `permission`, or `unsupported` when the driver does not take the device; what was done is undone
 *   then.
 */
export async function applyBinding(plan: BindingPlan, options: ApplyOptions = {}): Promise<BindingResult> {
  const { clock = new SystemClock(), onWrite } = options;
  try {
    for (const step of plan.writes) {
      onWrite?.(step);
      await write(step, clock);
    }
    return await awaitResult(plan, clock);
  } catch (error) {
    if (plan.writes.length > 0) await undo(plan, clock, error);
    throw error;
  }
}

async function write({ path, value, ifThere, masksInterrupt }: BindingStep, clock: Clock): Promise<void> {
  if (masksInterrupt === true) {
    maskIn(path);
    return;
  }
  const deadlineUs = clock.nowUs() + PATIENCE_US;
  for (;;) {
    if (ifThere === true && !existsSync(path)) return;
    try {
      writeAttribute(path, `${value}\n`);
      return;
    } catch (error) {
      const errno = errnoOf(error) ?? '';
      if (ifThere === true && (errno === 'ENOENT' || errno === 'ENODEV')) return;
      if (!AGAIN.has(errno) || clock.nowUs() >= deadlineUs) {
        throw deviceErrorOf(error, `writing "${value}"`, {
          EACCES: 'binding is for root: run it with sudo',
          EPERM: 'binding is for root: run it with sudo',
          EROFS: 'sysfs is mounted for reading only: run it outside of the container or service',
        });
      }
    }
    await sleep(clock, PAUSE_US);
  }
}

function maskIn(path: string): void {
  const config = new PciConfigSpace(path);
  try {
    maskInterrupt(config);
  } finally {
    config.close();
  }
}

function writeAttribute(path: string, text: string): void {
  const fd = openSync(path, WRITE);
  try {
    writeSync(fd, text);
  } finally {
    closeSync(fd);
  }
}

async function awaitResult(plan: BindingPlan, clock: Clock): Promise<BindingResult> {
  const deadlineUs = clock.nowUs() + PATIENCE_US;
  for (;;) {
    const result = look(plan);
    const isThere = result.driver === plan.driver;
    if (plan.action === 'bind' ? isThere : !isThere) return result;
    if (clock.nowUs() >= deadlineUs) throw failure(plan, result);
    await sleep(clock, PAUSE_US);
  }
}

function look({ address, roots }: BindingPlan): BindingResult {
  const pci = readPciFunction(roots.sys, address);
  const entry = readUioEntries(roots.sys).find(({ deviceFolder }) => deviceFolder === pci?.folder);
  return { driver: pci?.driver, node: entry?.node };
}

function failure({ action, address, driver }: BindingPlan, result: BindingResult): DeviceError {
  if (action === 'unbind') return new DeviceError('busy', `${address}: ${driver} does not let go of it`);
  return new DeviceError(
    'unsupported',
    `${address}: the kernel driver ${driver} did not take it (it has ${result.driver ?? 'none'}): dmesg says why; uio_pci_generic needs an interrupt line that can be masked (PCI 2.3), or none`,
  );
}

/** Goes as far back as it can; what fails on the way is told with the first error. */
async function undo(plan: BindingPlan, clock: Clock, first: unknown): Promise<void> {
  const failed: string[] = [];
  for (const step of plan.undo) {
    await write(step, clock).catch(() => failed.push(step.path));
  }
  if (failed.length === 0 || !(first instanceof Error)) return;
  first.message += `; the way back failed too, at ${failed.join(', ')}`;
}
