import type { Backend, DeviceDescription, InterruptResource, OpenDevice, SpaceResource } from '../backend.ts';
import type { Clock } from '../clock.ts';
import { DeviceError } from '../device-error.ts';
import { InterruptSource } from '../interrupt-source.ts';
import { IoPortSpace, MemoryRegion } from '../memory-region.ts';
import type { RegisterAccess, Width } from '../register-access.ts';
import type { RegisterSpace } from '../register-space.ts';
import { TinyLine, TinyWire } from './tiny-line.ts';

/** Registers of a tiny device; all others remember what is written to them. */
export const TINY_FIFO = 0x0c;
const SIZE_BYTES = 0x10;

/** A device of the tiny backend: two scratch spaces, a FIFO, one interrupt of each kind. */
export class TinyDevice {
  readonly registers = new Map<string, number>();
  readonly fifo: number[] = [];
  readonly lines: readonly [level: TinyLine, edge: TinyLine, message: TinyLine];
  accesses = 0;
  mapped = 0;
  present = true;
  open = false;
  readonly gone: Promise<string>;
  #resolveGone: (reason: string) => void = () => {};

  constructor(clock: Clock, sharedWire: TinyWire) {
    this.lines = [
      new TinyLine(sharedWire, 'level'),
      new TinyLine(new TinyWire(clock), 'edge'),
      new TinyLine(new TinyWire(clock), 'message'),
    ];
    this.gone = new Promise((resolve) => {
      this.#resolveGone = resolve;
    });
  }

  access(space: string): RegisterAccess {
    const read = (offset: number, width: Width): number => {
      this.accesses++;
      if (!this.present) return 2 ** width - 1;
      if (offset !== TINY_FIFO) return this.registers.get(`${space}${offset}`) ?? 0;
      let word = 0;
      for (let shift = 0; shift < width; shift += 8) word += (this.fifo.shift() ?? 0) * 2 ** shift;
      return word;
    };
    const write = (offset: number, width: Width, value: number): void => {
      this.accesses++;
      if (offset !== TINY_FIFO) this.registers.set(`${space}${offset}`, value);
      else for (let shift = 0; shift < width; shift += 8) this.fifo.push((value >>> shift) & 0xff);
    };
    return { read, write };
  }

  accessesSinceLastCall(): number {
    const { accesses } = this;
    this.accesses = 0;
    return accesses;
  }

  remove(): void {
    this.present = false;
    for (const line of this.lines) line.sink?.gone('pulled out');
    this.#resolveGone('pulled out');
  }
}

/** The smallest backend that keeps the contract; the suite is tried on it, and on variants that do not. */
export class TinyBackend implements Backend<string> {
  readonly clock: Clock;
  readonly devices: ReadonlyMap<string, TinyDevice>;

  constructor(clock: Clock) {
    this.clock = clock;
    const wire = new TinyWire(clock);
    this.devices = new Map(['tiny0', 'tiny1'].map((id) => [id, new TinyDevice(clock, wire)]));
  }

  async list(): Promise<DeviceDescription[]> {
    return Promise.all([...this.devices.keys()].map((id) => this.describe(id)));
  }

  async describe(id: string): Promise<DeviceDescription> {
    this.find(id);
    const start = id === 'tiny0' ? 0x1000n : 0x2000n;
    const kinds = ['level', 'edge', 'message'] as const;
    return {
      id,
      domain: 'tiny',
      identity: { name: 'tiny' },
      spaces: [
        { kind: 'memory', name: 'registers', start, sizeBytes: SIZE_BYTES },
        { kind: 'port', name: 'ports', start: start + 0x100n, sizeBytes: SIZE_BYTES },
      ],
      interrupts: kinds.map((trigger, index) => ({ index, trigger })),
      simulated: true,
    };
  }

  async open(id: string): Promise<OpenDevice> {
    const device = this.find(id);
    if (device.open) throw new DeviceError('busy', `${id} is open already`);
    device.open = true;
    return new OpenTiny(device, await this.describe(id), this.clock);
  }

  async close(): Promise<void> {}

  find(id: string): TinyDevice {
    const device = this.devices.get(id);
    if (device === undefined) throw new DeviceError('not-found', `there is no ${id}`);
    return device;
  }
}

class OpenTiny implements OpenDevice {
  readonly description: DeviceDescription;
  readonly clock: Clock;
  readonly gone: Promise<string>;
  readonly #device: TinyDevice;
  readonly #open: { close(): void }[] = [];
  #closed = false;

  constructor(device: TinyDevice, description: DeviceDescription, clock: Clock) {
    this.description = description;
    this.clock = clock;
    this.gone = device.gone;
    this.#device = device;
  }

  openSpace({ start }: SpaceResource): RegisterSpace {
    this.#checkOpen();
    const resource = this.description.spaces.find((space) => space.start === start);
    if (resource === undefined) throw new DeviceError('not-found', `nothing at 0x${start.toString(16)}`);
    const { name = '', sizeBytes, kind } = resource;
    const description = { name, sizeBytes, start, memoryType: 'simulated', flush: { offset: 0, width: 32 } } as const;
    const access = this.#device.access(name);
    const space = kind === 'memory' ? new MemoryRegion(description, access) : new IoPortSpace(description, access);
    this.#open.push(space);
    this.#device.mapped++;
    return space;
  }

  openInterrupt({ index }: InterruptResource): InterruptSource {
    this.#checkOpen();
    const line = this.#device.lines[index];
    if (line === undefined) throw new DeviceError('not-found', `no interrupt ${index}`);
    const source = new InterruptSource(`${this.description.id} interrupt ${index}`, line, this.clock);
    this.#open.push(source);
    return source;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const one of this.#open) one.close();
    this.#device.mapped = 0;
    this.#device.open = false;
  }

  #checkOpen(): void {
    if (this.#closed) throw new DeviceError('closed', `${this.description.id} was closed`);
  }
}
