import { DeviceError, type RegisterAccess } from '@ring3/core';
import type { SimClock } from '../clock/sim-clock.ts';
import type { DevicePin } from '../interrupts/device-pin.ts';
import type { InterruptPin, MemoryPort, ModelDescription } from '../model/device-model.ts';
import { type ActiveRule, type FaultContext, FaultyAccess } from './faulty-access.ts';
import { FaultyMemory } from './faulty-memory.ts';
import { FaultyPin } from './faulty-pin.ts';
import { OccurrenceCounter } from './occurrence.ts';
import type { FaultPlan, SpuriousInterrupt } from './plan.ts';
import { seededRandom } from './random.ts';
import { FaultTrace } from './trace.ts';

/** What the timed faults do to the device. */
export interface FaultTarget {
  remove(reason: string): void;
  cutPower(): void;
}

/** Brings a plan to one device. Where the plan says nothing, it stays out of the way altogether. */
export class FaultInjector {
  readonly trace: FaultTrace;
  readonly #plan: FaultPlan;
  readonly #seed: number;
  readonly #clock: SimClock;
  readonly #rules: readonly ActiveRule[];
  readonly #removeAt: number;
  #target: FaultTarget | undefined;
  #accesses = 0;

  /** @throws DeviceError `config` when a rule concerns a space, an interrupt or transfers that the device does not have. */
  constructor(device: string, description: ModelDescription, plan: FaultPlan, seed: number, clock: SimClock) {
    checkNames(device, description, plan);
    this.trace = new FaultTrace(device, () => clock.nowUs());
    this.#plan = plan;
    this.#seed = seed;
    this.#clock = clock;
    this.#removeAt = plan.removal?.atAccess ?? Number.POSITIVE_INFINITY;
    this.#rules = (plan.registers ?? []).map((fault, index) => ({
      fault,
      counter: new OccurrenceCounter(fault, seededRandom(seed, index)),
    }));
  }

  /** `inner` itself where no rule concerns the space. */
  wrapAccess(space: string, inner: RegisterAccess): RegisterAccess {
    const rules = this.#rules.filter(({ fault }) => fault.space === undefined || fault.space === space);
    const counted = Number.isFinite(this.#removeAt);
    if (rules.length === 0 && !counted) return inner;
    const context: FaultContext = {
      clock: this.#clock,
      trace: this.trace,
      count: counted ? (accesses) => this.#count(accesses) : undefined,
      left: () => this.#removeAt - this.#accesses,
    };
    return new FaultyAccess(space, inner, rules, context);
  }

  /** `inner` itself where no rule concerns the interrupt. */
  wrapPin(index: number, inner: DevicePin): InterruptPin {
    const rules = (this.#plan.interrupts ?? [])
      .map((fault, rule) => ({
        fault,
        counter: new OccurrenceCounter(fault, seededRandom(this.#seed, 0x1_0000 + rule)),
      }))
      .filter(({ fault }) => (fault.index ?? 0) === index);
    return rules.length === 0
      ? inner
      : new FaultyPin(`interrupt ${index}`, inner, rules, { clock: this.#clock, trace: this.trace });
  }

  /** `inner` itself where no rule concerns transfers. */
  wrapMemory(inner: MemoryPort): MemoryPort {
    const rules = (this.#plan.dma ?? []).map((fault, rule) => ({
      fault,
      counter: new OccurrenceCounter(fault, seededRandom(this.#seed, 0x2_0000 + rule)),
    }));
    return rules.length === 0 ? inner : new FaultyMemory(inner, rules, { clock: this.#clock, trace: this.trace });
  }

  /** The device is switched on: the times of the plan begin. */
  start(target: FaultTarget, pin: (index: number) => DevicePin | undefined): void {
    this.#target = target;
    const { removal, powerCut, spurious = [] } = this.#plan;
    if (removal?.atUs !== undefined) this.#clock.afterInDevice(removal.atUs, () => this.#remove('removal'));
    if (powerCut !== undefined) {
      this.#clock.afterInDevice(powerCut.atUs, () => {
        this.trace.add('power cut');
        target.cutPower();
      });
    }
    for (const fault of spurious) {
      const glitching = pin(fault.index ?? 0);
      if (glitching !== undefined) this.#glitch(fault, glitching, fault.atUs, 1);
    }
  }

  /** The device is gone: nothing more is injected. */
  stop(): void {
    this.#target = undefined;
  }

  #glitch(fault: SpuriousInterrupt, pin: DevicePin, delayUs: number, count: number): void {
    this.#clock.afterInDevice(delayUs, () => {
      if (this.#target === undefined) return;
      this.trace.add(`interrupt ${fault.index ?? 0}: spurious`);
      pin.glitch();
      const times = fault.times ?? (fault.everyUs === undefined ? 1 : Number.POSITIVE_INFINITY);
      if (count < times) this.#glitch(fault, pin, fault.everyUs ?? 1, count + 1);
    });
  }

  #count(accesses: number): void {
    this.#accesses += accesses;
    if (this.#accesses >= this.#removeAt) this.#remove(`removal at access ${this.#removeAt}`);
  }

  #remove(what: string): void {
    if (this.#target === undefined) return;
    this.trace.add(what);
    this.#target.remove('the device was removed');
  }
}

function checkNames(device: string, description: ModelDescription, plan: FaultPlan): void {
  const spaces = description.spaces.map((space) => space.name);
  for (const { space } of plan.registers ?? []) {
    if (space === undefined || spaces.includes(space)) continue;
    throw new DeviceError('config', `a fault names space "${space}"; ${device} has: ${spaces.join(', ')}`);
  }
  if (plan.dma !== undefined && plan.dma.length > 0 && description.busMaster !== true) {
    throw new DeviceError('config', `a fault concerns transfers; ${device} makes none by itself`);
  }
  const indices = description.interrupts.map((interrupt) => interrupt.index);
  for (const { index = 0 } of [...(plan.interrupts ?? []), ...(plan.spurious ?? [])]) {
    if (indices.includes(index)) continue;
    throw new DeviceError('config', `a fault names interrupt ${index}; ${device} has: ${indices.join(', ') || 'none'}`);
  }
}
