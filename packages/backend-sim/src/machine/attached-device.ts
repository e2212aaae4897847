import { type Claim, DeviceError, formatPciAddress, type Logger, type RegisterAccess } from '@ring3/core';
import { FaultInjector } from '../faults/fault-injector.ts';
import { DevicePin } from '../interrupts/device-pin.ts';
import type { InterruptWire } from '../interrupts/interrupt-wire.ts';
import type { SimulatedLine } from '../interrupts/simulated-line.ts';
import type { DeviceModel, InterruptPin, MemoryPort, ModelDescription, ModelPins } from '../model/device-model.ts';
import type { PlacedSpace } from './address-bus.ts';
import { ModelAccess } from './model-access.ts';
import { PciConfigSpace } from './pci-config-space.ts';
import type { PlugIn, SimulatedMachine } from './simulated-machine.ts';

interface Interrupt {
  readonly index: number;
  readonly wire: InterruptWire;
  readonly line: SimulatedLine;
  readonly pin: DevicePin;
  readonly output: InterruptPin;
}

/** A device model that is plugged into a machine: its addresses, its interrupts, its power. */
export class AttachedDevice {
  readonly id: string;
  readonly description: ModelDescription;
  readonly faults: FaultInjector;
  /** Resolves with the reason when the device was removed or lost its power. */
  readonly gone: Promise<string>;
  readonly pci: PciConfigSpace | undefined;
  /** Where its PCI function sits. */
  readonly pciAddress: string | undefined;
  readonly #machine: SimulatedMachine;
  readonly #claims: Claim[] = [];
  readonly #interrupts: Interrupt[] = [];
  #spaces: readonly PlacedSpace[] = [];
  #model: DeviceModel | undefined;
  #present = true;
  #unplugged = false;
  #resolveGone: (reason: string) => void = () => {};

  constructor(machine: SimulatedMachine, { id, description, faults = {}, seed = 1 }: PlugIn) {
    this.id = id;
    this.description = description;
    this.#machine = machine;
    this.faults = new FaultInjector(id, description, faults, seed, machine.clock);
    this.gone = new Promise((resolve) => {
      this.#resolveGone = resolve;
    });
    try {
      for (const { kind, start, sizeBytes } of description.spaces) {
        this.#claims.push(machine.claim(id, kind, start, sizeBytes));
      }
      this.pci = this.#makePciFunction();
      this.pciAddress = this.pci && machine.addFunction(id, this.pci, this.#wantedSlot());
      for (const interrupt of description.interrupts) this.#interrupts.push(this.#connect(interrupt));
    } catch (error) {
      this.unplug('it could not be plugged in');
      throw error;
    }
  }

  /** @throws DeviceError `closed` before the model was created. */
  get model(): DeviceModel {
    if (this.#model === undefined) throw new DeviceError('closed', `${this.id} is not switched on yet`);
    return this.#model;
  }

  /** What the model gets. */
  pins(log: Logger, resolvePath: (path: string) => string): ModelPins {
    const { clock } = this.#machine;
    return {
      interrupt: (index) => this.#interrupt(index).output,
      memory: this.faults.wrapMemory(this.#memoryPort()),
      nowUs: () => clock.nowUs(),
      after: (delayUs, callback) =>
        clock.afterInDevice(delayUs, () => {
          if (this.#present) callback();
        }),
      hold: (what, work) => clock.hold(`${this.id}: ${what}`, work),
      log,
      resolvePath,
    };
  }

  /** Switches the device on. */
  start(model: DeviceModel): void {
    this.#model = model;
    const { clock, timing } = this.#machine;
    this.#spaces = this.description.spaces.map((space) => {
      const costNs = space.kind === 'memory' ? timing.memoryAccessNs : timing.portAccessNs;
      const access = new ModelAccess(clock, costNs, model, space.name);
      const { name, kind, sizeBytes } = space;
      const base = Number(space.start);
      return {
        holder: this.id,
        name,
        kind,
        sizeBytes,
        base,
        model: access,
        access: this.faults.wrapAccess(name, access),
      };
    });
    for (const space of this.#spaces) this.#bus(space).add(space);
    this.faults.start(this, (index) => this.#interrupt(index).pin);
  }

  /** The registers of one space, faults included. */
  access(space: string): RegisterAccess {
    const found = this.#spaces.find(({ name }) => name === space);
    if (found !== undefined) return found.access;
    throw new DeviceError(
      'not-found',
      `${this.id} has no space ${space}; there is: ${this.#spaces.map(({ name }) => name).join(', ')}`,
    );
  }

  /** The driver's end of one interrupt. */
  line(index: number): SimulatedLine {
    return this.#interrupt(index).line;
  }

  /** Pulls the device out: registers read all ones, writes vanish, interrupts end, `gone` resolves. */
  remove(reason = 'the device was removed'): void {
    if (!this.#present) return;
    this.#disconnect(reason);
    this.#resolveGone(reason);
  }

  /** The power goes without warning: volatile contents are lost, and the device with them. */
  cutPower(): void {
    if (!this.#present) return;
    this.remove('the power was cut');
    this.#model?.cutPower?.();
  }

  /** Switches the device off in the orderly way and unplugs it; a second call does nothing. */
  async shutDown(): Promise<void> {
    if (this.#unplugged) return;
    this.unplug('the device was switched off');
    await this.#model?.close?.();
  }

  /** Gives the addresses, the slot and the interrupt lines back. */
  unplug(reason: string): void {
    this.#disconnect(reason);
    if (this.#unplugged) return;
    this.#unplugged = true;
    for (const space of this.#spaces) this.#bus(space).remove(space);
    for (const claim of this.#claims) claim.release();
    this.#machine.forget(this, this.pciAddress);
  }

  #disconnect(reason: string): void {
    if (!this.#present) return;
    this.#present = false;
    this.faults.stop();
    for (const { model } of this.#spaces) model.live = false;
    for (const { line, pin, wire } of this.#interrupts) {
      wire.drive(pin, false);
      line.end(reason);
      wire.disconnect(line);
    }
  }

  #bus(space: PlacedSpace) {
    return space.kind === 'memory' ? this.#machine.memory : this.#machine.ports;
  }

  #interrupt(index: number): Interrupt {
    const found = this.#interrupts.find((interrupt) => interrupt.index === index);
    if (found !== undefined) return found;
    throw new DeviceError('not-found', `${this.id} has no interrupt ${index}; it has ${this.#interrupts.length}`);
  }

  #connect({ index, trigger, line: name }: ModelDescription['interrupts'][number]): Interrupt {
    const wire = this.#machine.wire(name, trigger);
    const line = wire.connect(this.id, trigger);
    const pin = new DevicePin(wire, () => trigger !== 'level' || this.pci?.intxDisabled !== true);
    return { index, wire, line, pin, output: this.faults.wrapPin(index, pin) };
  }

  /** Only a device that is there, and is allowed to, reaches memory (PCI Local Bus 3.0, section 6.2.2, bit 2). */
  #memoryPort(): MemoryPort {
    const { systemMemory } = this.#machine;
    const mayMaster = () => this.#present && this.description.busMaster === true && this.pci?.busMaster !== false;
    return {
      read: (busAddress, into) => {
        if (mayMaster()) return systemMemory.read(busAddress, into);
        into.fill(0xff);
        return false;
      },
      write: (busAddress, from) => mayMaster() && systemMemory.write(busAddress, from),
    };
  }

  #wantedSlot(): string | undefined {
    const address = this.description.identity.pci?.address;
    return address === undefined ? undefined : formatPciAddress(address);
  }

  #makePciFunction(): PciConfigSpace | undefined {
    const { identity, spaces, interrupts } = this.description;
    if (identity.pci === undefined) return undefined;
    const intx = interrupts.find(({ trigger }) => trigger === 'level');
    return new PciConfigSpace({
      identity: identity.pci,
      spaces,
      interruptPin: intx === undefined ? 0 : 1,
      interruptLine: Number(/\d+/.exec(intx?.line ?? '')?.[0] ?? 0xff),
      interruptPending: () => this.#interrupts.some(({ pin }) => pin.trigger === 'level' && pin.level),
      changed: () => this.#followConfig(),
    });
  }

  /** After a write to the configuration space: decoding, addresses and interrupt masking may differ. */
  #followConfig(): void {
    const { pci } = this;
    if (pci === undefined || !this.#present) return;
    for (const space of this.#spaces) {
      space.model.live = pci.decodes(space.kind);
      const resource = this.description.spaces.find(({ name }) => name === space.name);
      if (resource !== undefined) space.base = Number(pci.base(resource));
    }
    for (const { pin } of this.#interrupts) pin.refresh();
  }
}
