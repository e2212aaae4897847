import {
  type Clock,
  type DeviceDescription,
  DeviceError,
  type DmaAllocator,
  type DmaLoan,
  type DmaResource,
  formatPciAddress,
  type InterruptResource,
  InterruptSource,
  IoPortSpace,
  type Logger,
  MemoryRegion,
  type OpenDevice,
  type RegisterSpace,
  type SpaceResource,
} from '@ring3/core';
import type { AttachedDevice } from './machine/attached-device.ts';
import type { SimulatedMachine } from './machine/simulated-machine.ts';
import type { ModelDescription } from './model/device-model.ts';

/** The name of a device within the simulator: its PCI address, or its name and first address, as in a device tree. */
export function deviceId(modelName: string, { identity, spaces }: ModelDescription): string {
  if (identity.pci?.address !== undefined) return formatPciAddress(identity.pci.address);
  const name = identity.name ?? modelName;
  const [first] = spaces;
  return first === undefined ? name : `${name}@${first.start.toString(16)}`;
}

/** A model's description as drivers and rigs see it. */
export function describeDevice(
  id: string,
  { identity, spaces, interrupts, busMaster }: ModelDescription,
  memory: DmaResource,
): DeviceDescription {
  return {
    id,
    domain: 'sim',
    identity,
    spaces: spaces.map(({ kind, bar, name, start, sizeBytes }) => ({
      kind,
      name,
      start,
      sizeBytes,
      ...(bar === undefined ? {} : { bar }),
    })),
    interrupts,
    ...(busMaster === true ? { dma: memory } : {}),
    simulated: true,
  };
}

/** How a {@link SimulatedDevice} is opened and closed. */
export interface OpenSettings {
  readonly log?: Logger | undefined;
  /** Closing is like pulling the plug. */
  readonly powerCutOnClose?: boolean | undefined;
  /** Told when it is closed. */
  readonly closed?: () => void;
}

/** A simulated device as a driver opens it. */
export class SimulatedDevice implements OpenDevice {
  readonly description: DeviceDescription;
  readonly clock: Clock;
  readonly gone: Promise<string>;
  readonly #device: AttachedDevice;
  readonly #machine: SimulatedMachine;
  readonly #settings: OpenSettings;
  readonly #spaces: RegisterSpace[] = [];
  readonly #sources = new Map<number, InterruptSource>();
  #dma: DmaLoan | undefined;
  #closed = false;

  constructor(device: AttachedDevice, machine: SimulatedMachine, settings: OpenSettings = {}) {
    this.description = describeDevice(device.id, device.description, machine.systemMemory.resource);
    this.clock = machine.clock;
    this.gone = device.gone;
    this.#device = device;
    this.#machine = machine;
    this.#settings = settings;
  }

  openSpace(resource: SpaceResource): MemoryRegion | IoPortSpace {
    this.#checkOpen();
    const found = this.#device.description.spaces.find(
      ({ kind, start, sizeBytes }) =>
        kind === resource.kind && start === resource.start && sizeBytes === resource.sizeBytes,
    );
    if (found === undefined) {
      throw new DeviceError(
        'not-found',
        `${this.description.id} has no ${resource.kind} space ${resource.name ?? ''} at 0x${resource.start.toString(16)}`,
      );
    }
    const { kind, name, start, sizeBytes, widths } = found;
    const description = {
      name: `${this.description.id} ${name}`,
      sizeBytes,
      start,
      memoryType: 'simulated' as const,
      ...(widths === undefined ? {} : { widths }),
    };
    const Space = kind === 'memory' ? MemoryRegion : IoPortSpace;
    const space = new Space(description, this.#device.access(name));
    this.#spaces.push(space);
    return space;
  }

  openInterrupt({ index, name }: InterruptResource): InterruptSource {
    this.#checkOpen();
    const open = this.#sources.get(index);
    if (open !== undefined) return open;
    const label = `${this.description.id} ${name ?? `interrupt ${index}`}`;
    const source = new InterruptSource(label, this.#device.line(index), this.clock, this.#settings.log);
    this.#sources.set(index, source);
    return source;
  }

  openDma(): DmaAllocator {
    this.#checkOpen();
    if (this.description.dma === undefined) {
      throw new DeviceError('not-found', `${this.description.id} makes no transfers to memory`);
    }
    this.#dma ??= this.#machine.systemMemory.pool.lend();
    this.#setBusMaster(true);
    return this.#dma;
  }

  silence(): void {
    if (!this.#closed) this.#setBusMaster(false);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.silence();
    this.#closed = true;
    this.#dma?.close();
    for (const source of this.#sources.values()) source.close();
    for (const space of this.#spaces) space.close();
    if (this.#settings.powerCutOnClose === true) this.#device.cutPower();
    this.#settings.closed?.();
    await this.#device.shutDown();
  }

  #setBusMaster(on: boolean): void {
    const { pci } = this.#device;
    if (pci !== undefined) pci.busMaster = on;
  }

  #checkOpen(): void {
    if (this.#closed) throw new DeviceError('closed', `${this.description.id} was closed`);
  }
}
