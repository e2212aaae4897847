import type { Comparison } from './difference.ts';
import { DIFFERENCES } from './differences.ts';
import { fieldsOf, type Mismatch, mismatches, type Observation } from './observation.ts';
import type { RawHost } from './raw-host.ts';
import { type CommandStep, isWide, protocolOf, type Step, sectorsAsked } from './step.ts';
import type { Place } from './streams.ts';

/** A step after which the two controllers are not the same, and nobody knows why. */
class Unexplained extends Error {
  constructor(step: Step, found: readonly Mismatch[]) {
    const lines = found.map(({ what, ours, theirs }) => `  ${what}: model ${hex(ours)}, QEMU ${hex(theirs)}`);
    super(`after ${JSON.stringify(step)}\n${lines.slice(0, 20).join('\n')}`);
    this.name = 'Unexplained';
  }
}

/** Two controllers to which the same is done: what differs is explained, and evened out so that it does not spread. */
export class Twins {
  /** How often each difference was seen, by name. */
  readonly seen: Map<string, number>;
  commands = 0;
  readonly #hosts: readonly [RawHost, RawHost];
  readonly place: Place;
  #selected: 0 | 1 = 0;
  #previous: Step | undefined;
  #lastOpcode = 0;
  #diverged = false;

  constructor(ours: RawHost, theirs: RawHost, place: Place, seen: Map<string, number>) {
    this.#hosts = [ours, theirs];
    this.place = place;
    this.seen = seen;
  }

  /** The same state on both sides, whatever happened before. */
  async begin(): Promise<void> {
    await this.#both({ kind: 'interrupts', on: true });
    await this.run({ kind: 'reset' });
    if (!this.#diverged) return;
    for (const device of this.#devices)
      for (const range of this.#interesting(device)) await this.#rewrite(device, range);
    this.#diverged = false;
    for (const host of this.#hosts) host.forgetRegisters(0);
  }

  /** @throws Unexplained */
  async run(step: Step): Promise<void> {
    if (this.#wouldShrink(step)) return;
    if (step.kind === 'command') this.#selected = step.device;
    else if (step.kind === 'reset') this.#selected = 0;
    else if (step.kind === 'write' && step.offset === 6) this.#selected = (step.value & 0x10) === 0 ? 0 : 1;
    const seen = await this.#both(step);
    this.commands++;
    const raw = this.#compare(step, seen);
    if (step.kind === 'command' && step.opcode === 0x90) this.#selected = 0;
    await this.#evenOut(step, seen, raw);
    this.#previous = step;
  }

  /** SET MAX ADDRESS directly after READ NATIVE MAX ADDRESS makes the disk smaller that knows it; QEMU's does not. */
  #wouldShrink(step: Step): boolean {
    if (step.kind !== 'command') return false;
    const knowsMax = this.#lastOpcode === 0xf8 || this.#lastOpcode === 0x27;
    if (knowsMax && (step.opcode === 0xf9 || step.opcode === 0x37)) return true;
    this.#lastOpcode = step.opcode;
    return false;
  }

  get #devices(): readonly (0 | 1)[] {
    return this.place.sectors.length > 1 ? [0, 1] : [0];
  }

  async #both(step: Step): Promise<readonly [Observation, Observation]> {
    return [await this.#hosts[0].run(step), await this.#hosts[1].run(step)];
  }

  /** A command without data that is not looked at. */
  async #prepare(step: CommandStep): Promise<void> {
    for (const host of this.#hosts) await host.prepare(step);
  }

  /** Names what differed at all. */
  #compare(step: Step, [one, other]: readonly [Observation, Observation]): ReadonlySet<string> {
    const words = step.kind === 'command' && step.opcode === 0xec;
    const [ours, theirs] = [fieldsOf(one, other, words), fieldsOf(other, one, words)];
    const raw = new Set(mismatches(ours, theirs).map(({ what }) => what));
    const sectors = this.place.sectors[this.#selected] ?? 0;
    const comparison: Comparison = { step, previous: this.#previous, sectors, ours, theirs };
    let left = mismatches(ours, theirs).length;
    for (const difference of DIFFERENCES) {
      if (left === 0) break;
      const before = JSON.stringify(theirs);
      difference.explain(comparison);
      if (JSON.stringify(theirs) === before) continue;
      this.seen.set(difference.name, (this.seen.get(difference.name) ?? 0) + 1);
      left = mismatches(ours, theirs).length;
    }
    const found = mismatches(ours, theirs);
    if (found.length === 0) return raw;
    this.#diverged ||= found.some(({ what }) => what === 'data');
    throw new Unexplained(step, found);
  }

  /** What a difference leaves behind is made equal. */
  async #evenOut(
    step: Step,
    [one, other]: readonly [Observation, Observation],
    raw: ReadonlySet<string>,
  ): Promise<void> {
    const isCommand = step.kind === 'command';
    const ends = [one, other].map(({ phases }) => phases.at(-1)?.status ?? 0);
    const failed = raw.has('error') || (((ends[0] ?? 0) ^ (ends[1] ?? 0)) & 0xef) !== 0;
    const present = this.#selected < this.place.sectors.length;
    const refusedMultiple =
      isCommand && present && step.opcode === 0xc6 && ((one.phases.at(-1)?.status ?? 0) & 1) === 1;
    const setMode = isCommand && present && step.opcode === 0xef && (step.features & 0xff) === 0x03;
    if (setMode) await this.#look(command(0xec, step.device), step);
    if (refusedMultiple) await this.#look(command(0xc4, step.device, { count: 1 }), step);
    if (one.abandoned !== other.abandoned) await this.#both({ kind: 'reset' });
    if (step.kind === 'reset' || one.abandoned || other.abandoned || refusedMultiple || setMode) await this.#settle();
    else if (isCommand && failed && (step.opcode === 0xef || step.opcode === 0x90)) await this.#settle();
    if (isCommand && raw.size > 0 && protocolOf(step.opcode).endsWith('out')) await this.#repair(step);
    const diagnosed = isCommand && step.opcode === 0x90;
    if (diagnosed) for (const device of this.#devices) await this.#prepare(command(0xe5, device));
    else if (failed) await this.#prepare(command(0xe5, this.#selected));
    if (raw.size > 0) for (const host of this.#hosts) host.forgetRegisters(this.#selected);
  }

  /** A step that shows what another one has changed. */
  async #look(step: Step, previous: Step): Promise<void> {
    this.commands++;
    this.#previous = previous;
    this.#compare(step, await this.#both(step));
  }

  /** Settings that survive differently, compared once and then the same. */
  async #settle(): Promise<void> {
    for (const device of this.#devices) {
      this.#selected = device;
      const identify = command(0xec, device);
      for (const host of this.#hosts) host.forgetRegisters(device);
      await this.#look(identify, { kind: 'reset' });
      await this.#prepare(command(0xc6, device, { count: 16 }));
      await this.#prepare(command(0xef, device, { features: 0x02 }));
      await this.#prepare(command(0xef, device, { features: 0x03, count: 0x45 }));
      await this.#prepare(command(0x91, device, { count: 63, address: 15 * 0x100_0000 }));
    }
    this.#selected = 0;
    for (const host of this.#hosts) host.forgetRegisters(0);
  }

  /** Sectors that one of them may have written are written by both. */
  async #repair(step: CommandStep): Promise<void> {
    const size = this.place.sectors[step.device] ?? 0;
    if (size === 0 || !step.lbaMode || step.opcode === 0x06 || step.address > size) return;
    const first = Math.max(step.address - 1, 0);
    const asked = Math.min(sectorsAsked(step), 256) + 2;
    await this.#rewrite(step.device, [first, Math.min(first + asked, size)]);
    const wraps = !isWide(step.opcode) && step.address + asked > 2 ** 28 - 1 && size > 2 ** 28 - 1;
    if (wraps) await this.#rewrite(step.device, [0, asked]);
  }

  /** Where streams write. */
  #interesting(device: 0 | 1): readonly (readonly [number, number])[] {
    const size = this.place.sectors[device] ?? 0;
    const edges = size > 2 ** 28 ? [[2 ** 28 - 300, 2 ** 28 + 300] as const] : [];
    return [[0, Math.min(4096, size)], ...edges, [Math.max(size - 300, 0), size]];
  }

  async #rewrite(device: 0 | 1, [first, end]: readonly [number, number]): Promise<void> {
    for (let at = first; at < end; at += 64) {
      const opcode = this.place.dma ? 0x35 : 0x34;
      await this.#both(command(opcode, device, { wide: true, address: at, count: Math.min(64, end - at), seed: at }));
    }
  }
}

function command(opcode: number, device: 0 | 1, rest: Partial<CommandStep> = {}): CommandStep {
  const nothing = { lbaMode: true, wide: false, features: 0, count: 0, address: 0, seed: 0, table: 'whole' } as const;
  return { kind: 'command', opcode, device, ...nothing, ...rest };
}

function hex(value: number): string {
  return value < 0 ? 'nothing' : `${value.toString(16).toUpperCase()}h`;
}
