import { join } from 'node:path';
import {
  type Clock,
  type DeviceDescription,
  DeviceError,
  type DmaAllocator,
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
import type { HugePageLoan } from '@ring3/linux';
import type { LocatedDevice, Surroundings } from './describe.ts';
import { AutomaticControl, type InterruptControl } from './interrupts/interrupt-control.ts';
import type { UioEvents } from './interrupts/uio-events.ts';
import { UioLine } from './interrupts/uio-line.ts';
import type { Native } from './native.ts';
import { openRegisters } from './open-space.ts';
import type { PciConfigSpace } from './pci-config-space.ts';
import { setBusMaster } from './pci-power.ts';
import type { Presence } from './presence.ts';
import { RemovableAccess } from './removable-access.ts';
import type { UioSelector } from './selector.ts';
import { readEventCount } from './sysfs/uio-entry.ts';

/** What was opened before there is a {@link UioDevice}. */
export interface UioDeviceParts {
  readonly located: LocatedDevice;
  readonly surroundings: Surroundings;
  readonly settings: Omit<UioSelector, 'select'>;
  readonly native: Native;
  readonly log: Logger;
  readonly presence: Presence;
  readonly config: PciConfigSpace | undefined;
  /** The node; held open as long as the device is, since the kernel may switch off a device that nobody has open. */
  readonly events: UioEvents | undefined;
  readonly dma: HugePageLoan | undefined;
  /** Gives back what opening took, at the end of `close`. */
  readonly release: () => void;
}

/** A device of UIO, or a PCI function through sysfs. */
export class UioDevice implements OpenDevice {
  readonly description: DeviceDescription;
  readonly clock: Clock = new SystemClock();
  readonly gone: Promise<string>;
  readonly #parts: UioDeviceParts;
  readonly #control: InterruptControl | undefined;
  readonly #spaces: { readonly space: MemoryRegion | IoPortSpace; readonly access: RemovableAccess; close(): void }[] =
    [];
  #interrupt: { readonly source: InterruptSource; readonly line: UioLine } | undefined;
  #lost = false;
  #closed = false;

  constructor(parts: UioDeviceParts) {
    const { config, events, located, presence } = parts;
    this.#parts = parts;
    this.description = located.description;
    this.gone = presence.gone;
    this.#control = events && new AutomaticControl(this.description.id, events, config);
    void presence.gone.then((reason) => this.#leave(reason));
  }

  openSpace(resource: SpaceResource): MemoryRegion | IoPortSpace {
    this.#checkOpen();
    const { located, log, native, presence, settings, surroundings } = this.#parts;
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
    const context = { deviceId: this.description.id, native, surroundings, settings, log };
    const { access: registers, description, close } = openRegisters(found, context);
    const access = new RemovableAccess(registers, presence.suspect);
    if (this.#lost) access.remove();
    const space = new (kind === 'memory' ? MemoryRegion : IoPortSpace)(description, access);
    this.#spaces.push({ space, access, close });
    return space;
  }

  openInterrupt({ index }: InterruptResource): InterruptSource {
    this.#checkOpen();
    if (this.#interrupt !== undefined) return this.#interrupt.source;
    const resource = this.description.interrupts.find((one) => one.index === index);
    const { config, events, located, log, presence, settings } = this.#parts;
    const { candidate } = located;
    if (resource === undefined || events === undefined || this.#control === undefined) {
      throw new DeviceError('not-found', `${this.description.id} has no interrupt ${index}`);
    }
    if (config !== undefined && !config.writable) {
      throw new DeviceError(
        'permission',
        `${this.description.id}: an interrupt could not be re-armed: ${join(candidate.pci?.folder ?? '', 'config')} is open for reading only; a udev rule must open it to this user (README of backend-uio)`,
      );
    }
    const name = `${this.description.id} ${resource.line ?? 'interrupt'}`;
    const line = new UioLine({
      name,
      trigger: resource.trigger,
      events,
      control: this.#control,
      total: candidate.uio === undefined ? 0 : (readEventCount(candidate.uio) ?? 0),
      countsWhileMasked: settings.countsWhileMasked ?? resource.trigger === 'message',
      log,
      lost: (reason) => presence.lose(reason),
    });
    const source = new InterruptSource(name, line, this.clock, log);
    this.#interrupt = { source, line };
    return source;
  }

  openDma(): DmaAllocator {
    this.#checkOpen();
    const { dma } = this.#parts;
    if (dma !== undefined) return dma.open();
    throw new DeviceError(
      'not-found',
      `${this.description.id} has no memory for DMA: the configuration may give it some (dma: { memory: huge-pages, sizeMiB: 4 })`,
    );
  }

  silence(): void {
    if (this.#lost || this.#closed) return;
    const { config } = this.#parts;
    if (this.description.interrupts.length > 0) this.#control?.set(false);
    if (config?.writable === true) setBusMaster(config, false);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#interrupt?.source.close();
    this.#interrupt?.line.close();
    for (const { space } of this.#spaces) space.close();
    try {
      for (const { close } of this.#spaces.reverse()) close();
    } finally {
      this.#parts.dma?.close();
      this.#parts.presence.close();
      this.#parts.release();
    }
  }

  toString(): string {
    return `UioDevice ${this.description.id}${this.#closed ? ', closed' : this.#lost ? ', gone' : ''}`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  #leave(reason: string): void {
    this.#lost = true;
    for (const { access } of this.#spaces) access.remove();
    this.#interrupt?.line.end(reason);
  }

  #checkOpen(): void {
    if (this.#closed) throw new DeviceError('closed', `${this.description.id} was closed`);
  }
}
