import {
  type Claim,
  DeviceError,
  formatPciAddress,
  type Logger,
  ResourceTree,
  SILENT,
  type Trigger,
} from '@ring3/core';
import type { SimClock } from '../clock/sim-clock.ts';
import type { FaultPlan } from '../faults/plan.ts';
import { InterruptWire } from '../interrupts/interrupt-wire.ts';
import type { DeviceModel, ModelDescription, ModelPins } from '../model/device-model.ts';
import { AddressBus } from './address-bus.ts';
import { AttachedDevice } from './attached-device.ts';
import type { PciConfigSpace } from './pci-config-space.ts';
import { type MemoryOptions, SystemMemory } from './system-memory.ts';

/** What things cost on the machine, in simulated time. */
export interface MachineTiming {
  /** One access to registers in memory. Default 100 ns, a posted write on PCI. */
  readonly memoryAccessNs: number;
  /** One access to I/O ports. Default 500 ns, a non-posted cycle on an old bus. */
  readonly portAccessNs: number;
  /** From the assertion of an interrupt to its handler. Default 2 us. */
  readonly interruptLatencyUs: number;
}

const DEFAULT_TIMING: MachineTiming = { memoryAccessNs: 100, portAccessNs: 500, interruptLatencyUs: 2 };

/** What {@link SimulatedMachine.attach} plugs in. */
export interface PlugIn {
  /** Unique on the machine; names the device as the holder of its addresses. */
  readonly id: string;
  readonly description: ModelDescription;
  readonly create: (pins: ModelPins) => DeviceModel | Promise<DeviceModel>;
  readonly faults?: FaultPlan | undefined;
  /** For faults that are left to chance. Default 1. */
  readonly seed?: number | undefined;
  readonly log?: Logger | undefined;
  readonly resolvePath?: ((path: string) => string) | undefined;
}

/** A computer without processor: addresses, memory for transfers, interrupt wires and PCI slots that simulated devices are plugged into. */
export class SimulatedMachine {
  readonly clock: SimClock;
  readonly timing: MachineTiming;
  /** Where devices transfer to and from. */
  readonly systemMemory: SystemMemory;
  /** Registers in memory, by address. */
  readonly memory: AddressBus;
  /** I/O ports, by address. */
  readonly ports: AddressBus;
  /** Who holds which memory; prints like `/proc/iomem`. */
  readonly memoryMap = new ResourceTree('memory');
  /** Who holds which ports; prints like `/proc/ioports`. */
  readonly portMap = new ResourceTree('port');
  readonly #wires = new Map<string, InterruptWire>();
  readonly #devices = new Map<string, AttachedDevice>();
  readonly #pci = new Map<string, { readonly holder: string; readonly config: PciConfigSpace }>();

  constructor(clock: SimClock, timing: Partial<MachineTiming> = {}, memory: Partial<MemoryOptions> = {}) {
    this.clock = clock;
    this.timing = { ...DEFAULT_TIMING, ...timing };
    this.systemMemory = new SystemMemory(memory);
    this.memory = new AddressBus(clock, this.timing.memoryAccessNs);
    this.ports = new AddressBus(clock, this.timing.portAccessNs);
    clock.explain(() => this.#hints());
  }

  get devices(): readonly AttachedDevice[] {
    return [...this.#devices.values()];
  }

  /**
   * Plugs a device in and switches it on.
   * @throws DeviceError `busy` that names the holder of an address, an interrupt wire or a PCI slot.
   */
  async attach(plug: PlugIn): Promise<AttachedDevice> {
    if (this.#devices.has(plug.id)) throw new DeviceError('busy', `there is a device ${plug.id} already`);
    const device = new AttachedDevice(this, plug);
    this.#devices.set(plug.id, device);
    try {
      device.start(await plug.create(device.pins(plug.log ?? SILENT, plug.resolvePath ?? ((path) => path))));
    } catch (error) {
      device.unplug('its model could not be created');
      throw error;
    }
    return device;
  }

  /** The configuration space of the function at an address such as `0000:00:01.0`. @throws DeviceError `not-found`. */
  pciConfig(address: string): PciConfigSpace {
    const found = this.#pci.get(address);
    if (found !== undefined) return found.config;
    throw new DeviceError(
      'not-found',
      `no PCI function ${address}; there is: ${[...this.#pci.keys()].join(', ') || 'none'}`,
    );
  }

  /** Unplugs every device in the orderly way. */
  async close(): Promise<void> {
    for (const device of [...this.#devices.values()].reverse()) await device.shutDown();
  }

  /** Claims a range for a device. */
  claim(holder: string, kind: 'memory' | 'port', start: bigint, sizeBytes: number): Claim {
    return (kind === 'memory' ? this.memoryMap : this.portMap).request(holder, start, BigInt(sizeBytes));
  }

  /** The interrupt wire with this name, made when it is first used. */
  wire(name: string, trigger: Exclude<Trigger, 'polled'>): InterruptWire {
    const known = this.#wires.get(name);
    if (known !== undefined && !known.unused) return known;
    const wire = new InterruptWire(name, trigger, this.clock, this.timing.interruptLatencyUs);
    this.#wires.set(name, wire);
    return wire;
  }

  /** Puts a function into the slot that its identity names, or into the first free one. @returns its address. */
  addFunction(holder: string, config: PciConfigSpace, wanted: string | undefined): string {
    const address = wanted ?? this.#freeSlot();
    const there = this.#pci.get(address);
    if (there !== undefined)
      throw new DeviceError('busy', `${holder} cannot be PCI function ${address}: ${there.holder} is there`);
    this.#pci.set(address, { holder, config });
    return address;
  }

  /** Forgets a device that was unplugged. */
  forget(device: AttachedDevice, pciAddress: string | undefined): void {
    if (this.#devices.get(device.id) === device) this.#devices.delete(device.id);
    if (pciAddress !== undefined) this.#pci.delete(pciAddress);
  }

  #freeSlot(): string {
    for (let device = 1; device < 32; device++) {
      const address = formatPciAddress({ domain: 0, bus: 0, device, function: 0 });
      if (!this.#pci.has(address)) return address;
    }
    throw new DeviceError('busy', 'all 31 PCI slots of the simulated machine are taken');
  }

  #hints(): string[] {
    const wires = [...this.#wires.values()].filter((wire) => !wire.unused).map((wire) => `interrupt ${wire}`);
    return [...wires, ...this.devices.flatMap((device) => device.faults.trace.lines())];
  }
}
