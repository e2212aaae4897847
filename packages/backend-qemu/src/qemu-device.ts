import {
  type Clock,
  type DeviceDescription,
  DeviceError,
  type DmaAllocator,
  type DmaLoan,
  hex,
  type InterruptResource,
  InterruptSource,
  IoPortSpace,
  type Logger,
  MemoryRegion,
  type OpenDevice,
  type SpaceResource,
  SystemClock,
} from '@ring3/core';
import type { LocatedDevice } from './describe.ts';
import type { WireLine } from './interrupts/interrupt-wire.ts';
import type { MachineConnection, Pin } from './machine/machine-connection.ts';
import type { FunctionNumber, PciConfigSpace } from './pci/config-space.ts';
import { assertsPin, maskPin, setBusMaster } from './pci/pci-power.ts';
import { QtestAccess } from './qtest/qtest-access.ts';

/** What was opened before there is a {@link QemuDevice}. */
export interface QemuDeviceParts {
  readonly located: LocatedDevice;
  readonly connection: MachineConnection;
  readonly log: Logger;
  /** Gives back what opening took, at the end of `close`. */
  readonly release: () => void;
}

/** A device model of QEMU. */
export class QemuDevice implements OpenDevice {
  readonly description: DeviceDescription;
  readonly clock: Clock = new SystemClock();
  readonly gone: Promise<string>;
  readonly #parts: QemuDeviceParts;
  readonly #pci: { readonly config: PciConfigSpace; readonly at: FunctionNumber } | undefined;
  readonly #spaces: (MemoryRegion | IoPortSpace)[] = [];
  readonly #sources = new Map<number, { readonly source: InterruptSource; readonly line: WireLine }>();
  #dma: DmaLoan | undefined;
  #closed = false;

  constructor(parts: QemuDeviceParts) {
    const { connection, located } = parts;
    const { config } = connection;
    this.#parts = parts;
    this.description = located.description;
    this.gone = connection.qtest.gone;
    this.#pci = located.pci && config && { config, at: located.pci };
    void this.gone.then((reason) => this.#endInterrupts(reason));
  }

  openSpace(resource: SpaceResource): MemoryRegion | IoPortSpace {
    this.#checkOpen();
    const { located, connection } = this.#parts;
    const { kind, start, sizeBytes } = resource;
    const found = located.spaces.find(
      ({ resource: one }) => one.kind === kind && one.start === start && one.sizeBytes === sizeBytes,
    );
    if (found === undefined) {
      throw new DeviceError(
        'not-found',
        `${this.description.id} has no ${kind} range of ${hex(sizeBytes)} bytes at ${hex(start)}`,
      );
    }
    const name = `${this.description.id} ${found.resource.name ?? kind}`;
    const description = { name, sizeBytes, start, memoryType: 'emulated' as const };
    const access = new QtestAccess(connection.qtest, found);
    const space = new (kind === 'memory' ? MemoryRegion : IoPortSpace)(description, access);
    this.#spaces.push(space);
    return space;
  }

  openInterrupt({ index }: InterruptResource): InterruptSource {
    this.#checkOpen();
    const open = this.#sources.get(index);
    if (open !== undefined) return open.source;
    const { connection, located, log } = this.#parts;
    const found = located.interrupts.find(({ resource }) => resource.index === index);
    if (found === undefined) throw new DeviceError('not-found', `${this.description.id} has no interrupt ${index}`);
    const { trigger, line: number } = found.resource;
    const name = `${this.description.id} ${number ?? 'interrupt'}`;
    const line = connection.connectLine(found.line, name, trigger === 'edge' ? 'edge' : 'level', this.#pin);
    const source = new InterruptSource(name, line, this.clock, log);
    this.#sources.set(index, { source, line });
    if (!connection.qtest.alive) void this.gone.then((reason) => line.end(reason));
    return source;
  }

  openDma(): DmaAllocator {
    this.#checkOpen();
    if (this.description.dma === undefined) {
      throw new DeviceError('not-found', `${this.description.id} makes no transfers to memory`);
    }
    this.#dma ??= this.#parts.connection.pool.lend();
    if (this.#pci !== undefined) setBusMaster(this.#pci.config, this.#pci.at, true);
    return this.#dma;
  }

  silence(): void {
    if (this.#closed || this.#pci === undefined) return;
    const { at, config } = this.#pci;
    setBusMaster(config, at, false);
    maskPin(config, at, true);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.silence();
    this.#closed = true;
    this.#dma?.close();
    for (const { source } of this.#sources.values()) source.close();
    this.#endInterrupts();
    for (const space of this.#spaces) space.close();
    this.#parts.release();
  }

  toString(): string {
    return `QemuDevice ${this.description.id}${this.#closed ? ', closed' : ''}`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  get #pin(): Pin | undefined {
    const pci = this.#pci;
    if (pci === undefined) return undefined;
    return {
      isAsserted: () => assertsPin(pci.config, pci.at),
      mask: (masked) => maskPin(pci.config, pci.at, masked),
    };
  }

  #endInterrupts(reason?: string): void {
    for (const { line } of this.#sources.values()) line.end(reason);
  }

  #checkOpen(): void {
    if (this.#closed) throw new DeviceError('closed', `${this.description.id} was closed`);
  }
}
