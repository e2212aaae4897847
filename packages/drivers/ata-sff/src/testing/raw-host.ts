import type { RegisterOp } from '@ring3/core';
import { type Bench, type Channel, read8, write8 } from './bench.ts';
import { DmaTransfer } from './dma-transfer.ts';
import type { Observation, Phase } from './observation.ts';
import { pattern } from './pattern.ts';
import { type CommandStep, movesMultiple, protocolOf, type Step, sectorsAsked } from './step.ts';

const BSY = 0x80;
const DRQ = 0x08;
const ERR_OR_DF = 0x21;
const NIEN = 0x02;
const SRST = 0x04;
const HOB = 0x80;
/** A command that moves more blocks than this is given up; that is a test too. */
const MOST_BLOCKS = 24;
const MOST_SECTORS = 64;
/** Looks at Alternate Status before a device is called silent. */
const PATIENCE = 100_000;
const PARAMETERS = ['error', 'count', 'low', 'mid', 'high', 'device'];

/**
 * A host that does what it is told, sensible or not, and writes down all that can be seen. It is no driver: it shares
 * nothing with the one under test and checks nothing. Numbers are those of ATA/ATAPI-6.
 */
export class RawHost {
  readonly #bench: Bench;
  readonly #channel: Channel;
  readonly #dma: DmaTransfer | undefined;
  #interruptsOn = true;
  #heard = 0;
  /** What was written before the last write is read back too: costs as much as a command, so only where it matters. */
  #looksBehind = false;
  /** What SET MULTIPLE MODE was told last, for each device. */
  readonly #multiple = [0, 0];

  constructor(bench: Bench, channel: 0 | 1) {
    this.#bench = bench;
    this.#channel = bench.channels[channel];
    const { busMaster, busMasterOffset } = this.#channel;
    if (busMaster !== undefined && bench.memory !== undefined) {
      this.#dma = new DmaTransfer(busMaster, busMasterOffset, bench.memory);
    }
  }

  async run(step: Step): Promise<Observation> {
    this.#listen();
    this.#looksBehind = step.kind !== 'command' || step.wide;
    switch (step.kind) {
      case 'command':
        return await this.#command(step);
      case 'write':
        this.#channel.command.write8(step.offset, step.value);
        return await this.#end([], NOTHING_MOVED);
      case 'interrupts':
        this.#interruptsOn = step.on;
        this.#control(0);
        return await this.#end([], NOTHING_MOVED);
      case 'reset':
        return await this.#end([await this.#reset()], NOTHING_MOVED);
    }
  }

  /** A command without data, with as few accesses as possible. */
  async prepare(step: CommandStep): Promise<void> {
    const { control, controlOffset, command } = this.#channel;
    command.sequence(taskFile(step));
    while ((control.read8(controlOffset) & BSY) !== 0) await this.#bench.pause();
    this.#noteMultiple(step, command.read8(7));
    await this.#bench.pause();
    this.#listen();
  }

  /** Makes all parameter registers and what lies behind them zero: where drafts leave open what they hold. */
  forgetRegisters(device: 0 | 1): void {
    const zeros = [1, 2, 3, 4, 5].map((offset) => write8(offset, 0));
    this.#channel.command.sequence([...zeros, ...zeros, write8(6, 0x40 | (device << 4))]);
  }

  async #command(step: CommandStep): Promise<Observation> {
    const protocol = protocolOf(step.opcode);
    const transfer = protocol.startsWith('dma') ? this.#dma : undefined;
    transfer?.prepare(step, protocol === 'dma-in');
    this.#channel.command.sequence(taskFile(step));
    transfer?.start();
    const phases = [await this.#phase(transfer)];
    const moved = await this.#moveBlocks(step, phases);
    const extra = transfer?.finish() ?? {};
    const silent = ((phases.at(-1)?.status ?? 0) & (BSY | DRQ)) !== 0;
    this.#noteMultiple(step, phases.at(-1)?.status ?? 0);
    const observation = await this.#end(phases, {
      data: protocol === 'dma-in' ? (transfer?.data ?? NOTHING) : moved.data,
      sectors: moved.sectors,
      registers: extra,
      abandoned: silent,
    });
    if (silent) await this.#reset();
    return observation;
  }

  #noteMultiple({ opcode, device, count }: CommandStep, status: number): void {
    if (opcode === 0xc6 && (status & (BSY | DRQ | ERR_OR_DF)) === 0) this.#multiple[device] = count & 0xff;
  }

  /** Moves DRQ blocks as long as the device wants it. */
  async #moveBlocks(step: CommandStep, phases: Phase[]): Promise<{ data: Uint8Array; sectors: number }> {
    const protocol = protocolOf(step.opcode);
    const inward = protocol === 'pio-in';
    const chunks: Uint8Array[] = [];
    let sectors = 0;
    if (!protocol.startsWith('pio')) return { data: NOTHING, sectors };
    const asked = sectorsAsked(step);
    const perBlock = movesMultiple(step.opcode) ? Math.max(this.#multiple[step.device] ?? 1, 1) : 1;
    for (let status = phases.at(-1)?.status ?? 0; (status & (BSY | DRQ)) === DRQ; status = phases.at(-1)?.status ?? 0) {
      if (phases.length > MOST_BLOCKS || sectors >= Math.min(asked, MOST_SECTORS)) break;
      const block = Math.min(perBlock, asked - sectors);
      const bytes = inward ? new Uint8Array(block * 512) : pattern(block, step.seed + sectors);
      this.#listen();
      if (inward) this.#channel.command.readFifo32(0, bytes);
      else this.#channel.command.writeFifo32(0, bytes);
      if (inward) chunks.push(bytes);
      sectors += block;
      phases.push(await this.#phase());
    }
    return { data: Buffer.concat(chunks), sectors };
  }

  /** Waits until the device has something to say, then reads Status, which acknowledges. */
  async #phase(transfer?: DmaTransfer): Promise<Phase> {
    const { control, controlOffset, command } = this.#channel;
    let alternate = control.read8(controlOffset);
    const working = () => (alternate & BSY) !== 0 || (transfer?.running(alternate) ?? false);
    for (let tries = 0; working() && tries < PATIENCE; tries++) {
      await this.#bench.pause();
      alternate = control.read8(controlOffset);
    }
    await this.#bench.pause();
    const interrupt = this.#listen();
    return { interrupt, status: command.read8(7) };
  }

  async #reset(): Promise<Phase> {
    this.#control(SRST);
    await this.#bench.pause();
    this.#control(0);
    const phase = await this.#phase();
    this.#multiple.fill(0);
    return phase;
  }

  /** Reads all registers, also what was written before the last write. */
  async #end(phases: Phase[], seen: Omit<Observation, 'phases'>): Promise<Observation> {
    const { command, control, controlOffset } = this.#channel;
    const alternate = control.read8(controlOffset);
    const current = command.sequence([1, 2, 3, 4, 5, 6].map(read8));
    const before = this.#looksBehind ? this.#before() : [];
    const registers: Record<string, number> = { alternate, ...seen.registers };
    for (const [index, name] of PARAMETERS.entries()) registers[name] = current[index] ?? -1;
    for (const [index, value] of before.entries()) registers[`${PARAMETERS[index + 1]} before`] = value;
    await this.#bench.pause();
    registers['late interrupt'] = Number(this.#listen());
    return { phases, ...seen, registers };
  }

  #before(): number[] {
    this.#control(HOB);
    const before = this.#channel.command.sequence([2, 3, 4, 5].map(read8));
    this.#control(0);
    return before;
  }

  #control(bits: number): void {
    this.#channel.control.write8(this.#channel.controlOffset, bits | (this.#interruptsOn ? 0 : NIEN));
  }

  /** Whether an interrupt came since the last time. */
  #listen(): boolean {
    const events = this.#channel.interrupt?.statistics.events ?? 0;
    const news = events !== this.#heard;
    this.#heard = events;
    return news;
  }
}

const NOTHING = new Uint8Array(0);
const NOTHING_MOVED = { data: NOTHING, sectors: 0, registers: {}, abandoned: false };

/** All writes of one command, the device first. */
function taskFile({ opcode, device, lbaMode, wide, features, count, address }: CommandStep): RegisterOp[] {
  const byte = (index: number) => Math.floor(address / 0x100 ** index) & 0xff;
  const select = (lbaMode ? 0x40 : 0) | (device << 4);
  const low = [features & 0xff, count & 0xff, byte(0), byte(1), byte(2)];
  const high = [features >>> 8, count >>> 8, byte(3), byte(4), byte(5)];
  const writes = (values: readonly number[]) => values.map((value, index) => write8(index + 1, value));
  return [
    write8(6, select | (wide ? 0 : byte(3) & 0x0f)),
    ...(wide ? writes(high) : []),
    ...writes(low),
    write8(7, opcode),
  ];
}
