import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import type { Watch, WatchEvent } from '@ring3/linux';
import type { UioEvents } from '../interrupts/uio-events.ts';

/** How a kernel driver treats its line. */
export type FakeDriver =
  /** uio_pci_generic: sets Interrupt Disable in this file of configuration space at each event; no irqcontrol. */
  | { readonly kind: 'generic'; readonly config: string }
  /** uio_pdrv_genirq: masks the line at each event; irqcontrol. */
  | { readonly kind: 'masking' }
  /** Counts every event, masks nothing; no irqcontrol. */
  | { readonly kind: 'counting' }
  /** Registered without an interrupt. */
  | { readonly kind: 'none' };

const COMMAND_HIGH = 5;
const INTERRUPT_DISABLE = 0x04;

/** An error as the kernel gives it. */
export function kernelError(code: keyof typeof constants.errno): Error {
  return Object.assign(new Error(`${code}: fake`), { code, errno: -constants.errno[code] });
}

/** The kernel's side of a UIO device: its line, its count, and everybody who has the node open. */
export class FakeUio {
  readonly opened = new Set<FakeEvents>();
  /** What `event` of sysfs says, without sign. */
  total: number;
  registered = true;
  /** What a write to the node is refused with, beside what the driver cannot. */
  refuseControl: keyof typeof constants.errno | undefined;
  readonly #driver: FakeDriver;
  readonly #config: number | undefined;
  #asserted = false;
  #edge = false;
  #masked = false;

  constructor(driver: FakeDriver, total = 0) {
    this.#driver = driver;
    this.#config = driver.kind === 'generic' ? openSync(driver.config, 'r+') : undefined;
    this.total = total;
  }

  open(): UioEvents {
    if (!this.registered) throw kernelError('ENODEV');
    const events = new FakeEvents(this);
    this.opened.add(events);
    return events;
  }

  /** The level of the device's interrupt. */
  assert(level: boolean): void {
    this.#asserted = level;
    this.settle();
  }

  /** One edge, or one event that the kernel driver announces. */
  pulse(): void {
    if (this.#driver.kind === 'counting') this.#count();
    else {
      this.#edge = true;
      this.settle();
    }
  }

  /** Gives back what the test's own process holds. */
  close(): void {
    this.registered = false;
    if (this.#config !== undefined) closeSync(this.#config);
  }

  /** The kernel driver is unbound: who sleeps wakes up. */
  unregister(): void {
    this.registered = false;
    for (const events of this.opened) events.wake();
  }

  /** Delivers what is there and not masked; looks again as long as something waits for the mask to be taken away. */
  settle(): void {
    if (!this.registered || (!this.#asserted && !this.#edge)) return;
    if (this.masked) {
      // Nobody tells when the command register is written: it is a file.
      if (this.#driver.kind === 'generic' && this.opened.size > 0) setImmediate(() => this.settle());
      return;
    }
    this.#edge = false;
    this.#setMasked(true);
    this.#count();
    this.settle();
  }

  get masked(): boolean {
    if (this.#config === undefined) return this.#masked;
    return (configByte(this.#config) & INTERRUPT_DISABLE) !== 0;
  }

  /** What the node's read is refused with. */
  get silent(): boolean {
    return !this.registered || this.#driver.kind === 'none';
  }

  /** `irqcontrol`. */
  control(on: boolean): void {
    if (!this.registered) throw kernelError('EINVAL');
    if (this.#driver.kind === 'none') throw kernelError('EIO');
    if (this.refuseControl !== undefined) throw kernelError(this.refuseControl);
    if (this.#driver.kind !== 'masking') throw kernelError('ENOSYS');
    this.#masked = !on;
    this.settle();
  }

  #count(): void {
    this.total = (this.total + 1) >>> 0;
    for (const events of this.opened) events.wake();
  }

  #setMasked(masked: boolean): void {
    if (this.#config === undefined) {
      this.#masked = masked;
      return;
    }
    const others = configByte(this.#config) & ~INTERRUPT_DISABLE;
    const value = masked ? others | INTERRUPT_DISABLE : others;
    writeSync(this.#config, Uint8Array.of(value), 0, 1, COMMAND_HIGH);
  }
}

/** One open node. */
class FakeEvents implements UioEvents {
  readonly #uio: FakeUio;
  readonly #watches = new Set<FakeWatch>();
  #seen: number;

  constructor(uio: FakeUio) {
    this.#uio = uio;
    this.#seen = uio.total;
  }

  get ready(): WatchEvent | undefined {
    if (this.#uio.silent) return 'error';
    return this.#seen === this.#uio.total ? undefined : 'readable';
  }

  read(): number | undefined {
    if (this.#uio.silent) throw kernelError('EIO');
    if (this.#seen === this.#uio.total) return undefined;
    this.#seen = this.#uio.total;
    return this.#seen | 0;
  }

  control(on: boolean): void {
    this.#uio.control(on);
  }

  watch(listener: (event: WatchEvent) => void): Watch {
    const watch = new FakeWatch(this, listener);
    this.#watches.add(watch);
    watch.resume();
    return watch;
  }

  wake(): void {
    for (const watch of this.#watches) watch.look();
  }

  close(): void {
    this.#uio.opened.delete(this);
    for (const watch of this.#watches) watch.close();
  }
}

/** Level-triggered, as epoll is; an error is told once. */
class FakeWatch implements Watch {
  readonly #events: FakeEvents;
  readonly #listener: (event: WatchEvent) => void;
  #state: 'watching' | 'paused' | 'ended' = 'paused';
  #pending = false;

  constructor(events: FakeEvents, listener: (event: WatchEvent) => void) {
    this.#events = events;
    this.#listener = listener;
  }

  pause(): void {
    if (this.#state === 'watching') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state === 'paused') this.#state = 'watching';
    this.look();
  }

  close(): void {
    this.#state = 'ended';
  }

  look(): void {
    if (this.#pending || this.#state !== 'watching' || this.#events.ready === undefined) return;
    this.#pending = true;
    setImmediate(() => {
      this.#pending = false;
      const { ready } = this.#events;
      if (this.#state !== 'watching' || ready === undefined) return;
      if (ready === 'error') this.#state = 'ended';
      try {
        this.#listener(ready);
      } finally {
        this.look();
      }
    });
  }
}

function configByte(fd: number): number {
  const byte = new Uint8Array(1);
  readSync(fd, byte, 0, 1, COMMAND_HIGH);
  return byte[0] ?? 0;
}
