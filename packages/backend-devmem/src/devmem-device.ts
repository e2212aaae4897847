import {
  type Clock,
  type DeviceDescription,
  DeviceError,
  type DmaAllocator,
  duration,
  hex,
  type InterruptResource,
  InterruptSource,
  IoPortSpace,
  type Logger,
  MemoryRegion,
  type MemoryType,
  type OpenDevice,
  type RegisterAccess,
  type RegisterSpace,
  type SpaceResource,
  type Width,
} from '@ring3/core';
import type { FoundDevice, PolledInterrupt } from './describe.ts';
import type { DmaMemory } from './dma-memory.ts';
import type { PlannedSpace } from './planned-space.ts';
import { PolledLine } from './polled-line.ts';

/** Registers that can be reached until they are closed. */
export interface Reached {
  readonly access: RegisterAccess;
  readonly memoryType: MemoryType;
  close(): void;
}

/** What a {@link DevmemDevice} gets from its backend. */
export interface DeviceSurroundings {
  readonly clock: Clock;
  readonly log: Logger;
  /** Maps a space, or gets its ports. @throws DeviceError */
  readonly reach: (space: PlannedSpace) => Reached;
  readonly dma: DmaMemory | undefined;
  /** Told when the device is closed. */
  readonly closed: () => void;
}

/** A device behind `/dev/mem` or I/O ports, as a driver opens it. */
export class DevmemDevice implements OpenDevice {
  readonly description: DeviceDescription;
  readonly clock: Clock;
  /** Nobody tells when such a device goes: never resolves. */
  readonly gone = new Promise<string>(() => {});
  readonly #found: FoundDevice;
  readonly #surroundings: DeviceSurroundings;
  readonly #reached = new Map<PlannedSpace, Reached>();
  readonly #spaces: RegisterSpace[] = [];
  #source: InterruptSource | undefined;
  #closed = false;

  constructor(found: FoundDevice, surroundings: DeviceSurroundings) {
    this.description = found.description;
    this.clock = surroundings.clock;
    this.#found = found;
    this.#surroundings = surroundings;
  }

  openSpace(resource: SpaceResource): MemoryRegion | IoPortSpace {
    this.#checkOpen();
    const { kind, start, sizeBytes } = resource;
    const space = this.#found.spaces.find(
      ({ resource: own }) => own.kind === kind && own.start === start && own.sizeBytes === sizeBytes,
    );
    if (space === undefined) {
      throw new DeviceError('not-found', `${this.description.id} has no ${kind} space at ${hex(start)}`);
    }
    return this.#open(space);
  }

  openInterrupt({ index }: InterruptResource): InterruptSource {
    this.#checkOpen();
    const { polled } = this.#found;
    if (polled === undefined || index !== polled.resource.index) {
      throw new DeviceError(
        'not-found',
        `${this.description.id} has no interrupt ${index}: /dev/mem and I/O ports have none; name a register in polledInterrupt:, or take UIO`,
      );
    }
    this.#source ??= this.#poll(polled);
    return this.#source;
  }

  openDma(): DmaAllocator {
    this.#checkOpen();
    const { dma } = this.#surroundings;
    if (dma !== undefined) return dma.open();
    throw new DeviceError(
      'not-found',
      `${this.description.id} has no memory for DMA: the configuration may give it some (dma: { memory: huge-pages, sizeMiB: 4 })`,
    );
  }

  /** Takes a PCI function off the bus that was lent memory; whatever else a device does is not to be stopped this way. */
  silence(): void {
    if (!this.#closed) this.#surroundings.dma?.silence();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#source?.close();
    for (const space of this.#spaces) space.close();
    try {
      for (const reached of [...this.#reached.values()].reverse()) reached.close();
    } finally {
      this.#reached.clear();
      this.#surroundings.dma?.close();
      this.#surroundings.closed();
    }
  }

  #open(space: PlannedSpace): MemoryRegion | IoPortSpace {
    const { resource, widths, byteOrder, flush } = space;
    const { access, memoryType } = this.#reach(space);
    const description = {
      name: `${this.description.id} ${resource.name}`,
      sizeBytes: resource.sizeBytes,
      start: resource.start,
      memoryType,
      ...(widths === undefined ? {} : { widths }),
      ...(byteOrder === undefined ? {} : { byteOrder }),
      ...(flush === undefined ? {} : { flush }),
    };
    const opened =
      resource.kind === 'memory' ? new MemoryRegion(description, access) : new IoPortSpace(description, access);
    this.#spaces.push(opened);
    return opened;
  }

  #reach(space: PlannedSpace): Reached {
    const reached = this.#reached.get(space) ?? this.#surroundings.reach(space);
    this.#reached.set(space, reached);
    return reached;
  }

  #poll(polled: PolledInterrupt): InterruptSource {
    const { space, offset, width, intervalUs } = polled;
    const { log } = this.#surroundings;
    const registers = this.#open(space);
    const read = () => readOf(registers, offset, width);
    const name = `${this.description.id} polled`;
    const where = `${space.resource.name} ${hex(offset)}`;
    log.info(
      `${name}: no interrupt reaches this backend; ${where} is read every ${duration(intervalUs)} instead, so events are seen that much later`,
    );
    return new InterruptSource(name, new PolledLine({ ...polled, read }, this.clock), this.clock, log);
  }

  #checkOpen(): void {
    if (this.#closed) throw new DeviceError('closed', `${this.description.id} was closed`);
  }
}

function readOf(registers: RegisterSpace, offset: number, width: Width): number {
  if (width === 8) return registers.read8(offset);
  return width === 16 ? registers.read16(offset) : registers.read32(offset);
}
