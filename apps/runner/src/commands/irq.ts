import { DeviceError, type InterruptResource, type OpenDevice } from '@ring3/core';
import { sayWhenSimulated } from '../access/check-access.ts';
import { type ChosenDevice, chooseDevice } from '../access/choose-device.ts';
import { countInterrupts } from '../access/count-interrupts.ts';
import { kernelCounter } from '../access/kernel-counter.ts';
import { parseSmallNumber } from '../access/numbers.ts';
import { claimDevice, type ReachOptions } from '../access/open-target.ts';
import { print, printJson, say } from '../access/output.ts';
import { checkPciAddress } from '../access/target-text.ts';
import { untilStopped } from '../until-stopped.ts';
import { UsageError } from '../usage-error.ts';

/** Options of `ring3 irq`. */
export interface IrqOptions extends ReachOptions {
  /** Ends after so many seconds; default: when it is stopped. */
  readonly seconds?: string;
  /** Ends after so many interrupts. */
  readonly count?: string;
  /** Which interrupt of the device; default 0. */
  readonly index?: string;
  readonly json?: boolean;
}

/** Where the numbers come from. */
interface Counter {
  readonly events: () => number;
  readonly missed: () => number;
  /** Why no more will come; `undefined` while some may. */
  readonly ended: () => string | undefined;
  readonly how: string;
}

/**
 * `ring3 irq DEVICE`: how many interrupts come, and how often. Without `--shared` nobody else drives the device, and this
 * command unmasks its line; with it the kernel's own counter is read, and the device is left alone.
 */
export async function irq(target: string, options: IrqOptions): Promise<void> {
  const chosen = await chooseDevice(wanted(target), options);
  try {
    const resource = interruptOf(chosen, parseSmallNumber(options.index ?? '0', '--index'));
    if (options.shared === true) await watchKernel(target, chosen, resource, options);
    else await watchDevice(target, chosen, resource, options);
  } finally {
    await chosen.close();
  }
}

function wanted(target: string): { readonly pci: string } | { readonly device: string } {
  if (!target.startsWith('pci:')) {
    if (/[:.]/.test(target)) throw new UsageError(`"${target}" is no device: write pci:0000:00:04.0, or its name`);
    return { device: target };
  }
  const pci = target.slice('pci:'.length);
  checkPciAddress(pci);
  return { pci };
}

function interruptOf({ description }: ChosenDevice, index: number): InterruptResource {
  const found = description.interrupts.find((resource) => resource.index === index);
  if (found !== undefined) return found;
  const why = (description.obstacles ?? []).map((obstacle) => `; ${obstacle}`).join('');
  throw new DeviceError(
    'not-found',
    `${description.id} has no interrupt ${index} here, it has ${description.interrupts.length}${why}`,
  );
}

async function watchKernel(
  target: string,
  { description }: ChosenDevice,
  { line }: InterruptResource,
  options: IrqOptions,
): Promise<void> {
  const number = Number(/^IRQ (\d+)$/.exec(line ?? '')?.[1] ?? Number.NaN);
  const start = Number.isNaN(number) ? undefined : kernelCounter(number);
  if (start === undefined) {
    throw new UsageError(`${description.id}: the kernel shows no counter of ${line ?? 'its interrupt'}`);
  }
  const events = () => (kernelCounter(number) ?? start) - start;
  const how = `${line}, counted by the kernel for all who share it`;
  await report(target, { events, missed: () => 0, ended: () => undefined, how }, options);
}

async function watchDevice(
  target: string,
  { backend, selector, description }: ChosenDevice,
  resource: InterruptResource,
  options: IrqOptions,
): Promise<void> {
  const claim = await claimDevice(backend, selector, 'ring3 irq');
  let device: OpenDevice | undefined;
  try {
    device = await backend.open(selector);
    sayWhenSimulated(description);
    const source = await device.openInterrupt(resource);
    let ended: string | undefined;
    void source.closed.then((reason) => {
      ended = reason;
    });
    const limit = options.count === undefined ? undefined : parseSmallNumber(options.count, '--count');
    const counted = countInterrupts(source, device.clock, () => {
      if (limit !== undefined && counted.events >= limit) source.disable();
    });
    const { trigger, line = `interrupt ${resource.index}` } = resource;
    const how = `${line}, ${trigger}${trigger === 'level' ? ', masked for 10 ms after each: nobody clears its cause' : ''}`;
    const counter = { events: () => counted.events, missed: () => counted.missed, ended: () => ended, how };
    await report(target, counter, options);
    counted.stop();
  } finally {
    await device?.close();
    await claim?.release();
  }
}

/** @throws DeviceError `gone` when the device went before the count was complete. */
async function report(device: string, { events, missed, ended, how }: Counter, options: IrqOptions): Promise<void> {
  const seconds = options.seconds === undefined ? undefined : parseSmallNumber(options.seconds, '--seconds');
  const limit = options.count === undefined ? undefined : parseSmallNumber(options.count, '--count');
  say(`${device}: ${how}`);
  const startMs = performance.now();
  const elapsed = () => (performance.now() - startMs) / 1000;
  let shown = { at: 0, events: 0 };
  await untilStopped(() => {
    const now = elapsed();
    const complete = (limit !== undefined && events() >= limit) || (seconds !== undefined && now >= seconds);
    const done = complete || ended() !== undefined;
    if (options.json !== true && !done && now - shown.at >= 1) {
      const rate = (events() - shown.events) / (now - shown.at);
      print(`${now.toFixed(1).padStart(8)} s  ${events()} interrupts  ${rate.toFixed(1)}/s`);
      shown = { at: now, events: events() };
    }
    return done;
  }, 20);
  const total = limit === undefined ? events() : Math.min(events(), limit);
  const summary = { device, seconds: Number(elapsed().toFixed(3)), events: total, missed: missed() };
  const perSecond = Number((total / Math.max(summary.seconds, 0.001)).toFixed(1));
  if (options.json === true) printJson({ ...summary, perSecond });
  else {
    const lost = summary.missed === 0 ? '' : `, ${summary.missed} more were masked`;
    print(`${summary.seconds.toFixed(1).padStart(8)} s  ${total} interrupts  ${perSecond}/s in all${lost}`);
  }
  const reason = ended();
  if (reason !== undefined && (limit === undefined || total < limit)) {
    throw new DeviceError('gone', `${device}: no interrupt will come any more: ${reason}`);
  }
}
