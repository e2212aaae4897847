import type { FaultPlan, RegisterFault } from '@ring3/backend-sim';
import { type BlockDevice, isDeviceError } from '@ring3/core';
import { pick, type Random, seededRandom, WriteOracle } from '@ring3/core/testing';
import { type ControllerOptionsInput, MemoryStore } from './model/index.ts';
import { withDmaFaults } from './test-dma-faults.ts';
import { attachDriver, blocks, type DriverSetUp, type TestDriver } from './test-driver.ts';

/** How one run ended; the same for the same seed. */
export interface RunReport {
  readonly seed: number;
  readonly plan: FaultPlan;
  /** Requests that went well, requests that failed with a DeviceError, by code. */
  readonly well: number;
  readonly failed: Readonly<Record<string, number>>;
  readonly disks: number;
  readonly injected: number;
  readonly simulatedUs: number;
  readonly said: readonly string[];
}

type DiskDefects = NonNullable<NonNullable<ControllerOptionsInput['disks']>[number]['defects']>;

const SECTORS = 4096;
/** Requests go to the first blocks, so that they meet each other. */
const REGION = 96;
const STEPS = 12;
/** No run needs more simulated time: each request has its deadlines, each disk its limit of resets. */
const LONGEST_US = 3_600_000_000;

/** One run: a plan of faults, a workload and a configuration, all from the seed; then the power is cut and all is judged. */
export async function runWithFaults(seed: number, byDma = false): Promise<RunReport> {
  const random = seededRandom(seed);
  const alone = random() < 0.1;
  const general = alone ? { registers: [lostWord(random)] } : faultPlan(random);
  const plan = byDma && !alone ? withDmaFaults(general, seed) : general;
  const store = new MemoryStore(SECTORS);
  const driver = await attachDriver({ ...configuration(random, !alone), byDma, faults: plan, seed, stores: [store] });
  const oracle = new WriteOracle({ blockSizeBytes: 512 });
  const report = { well: 0, failed: {} as Record<string, number> };
  const names = driver.services.list().map(({ name }) => name);
  if (names.includes('disk0')) {
    const disk = driver.disk();
    for (let step = 0; step < STEPS; step++) {
      const requests = Array.from({ length: 1 + pick(random, 3) }, () => request(disk, oracle, random));
      count(report, await driver.sim.run(Promise.allSettled(requests)));
    }
  }
  const simulatedUs = driver.sim.clock.nowUs();
  if (simulatedUs > LONGEST_US) throw new Error(`the run took ${simulatedUs} us of simulated time`);
  judgeWhatSurvived(driver, oracle, store);
  const { said, sim } = driver;
  const injected = sim.faults.count;
  await sim.close();
  return { seed, plan, ...report, disks: names.length, injected, simulatedUs, said };
}

/** The power is cut, and what is on the medium must be what the oracle allows. */
function judgeWhatSurvived(driver: TestDriver, oracle: WriteOracle, store: MemoryStore): void {
  driver.sim.cutPower();
  oracle.powerLost();
  const data = new Uint8Array(REGION * 512);
  store.read(0, data);
  oracle.check(0, data);
}

async function request(disk: BlockDevice, oracle: WriteOracle, random: Random): Promise<void> {
  const length = 1 + pick(random, pick(random, 4) === 0 ? 40 : 4);
  const block = pick(random, REGION - length);
  const kind = random();
  if (kind < 0.4) {
    const into = new Uint8Array(length * 512);
    const watched = oracle.read(block);
    await follow(disk.read(block, into), {
      acknowledged: () => watched.returned(into),
      failed: () => watched.failed(),
    });
  } else if (kind < 0.85) {
    const data = blocks(length, Math.floor(random() * 2 ** 31));
    const fua = random() < 0.2;
    await follow(disk.write(block, data, { fua }), oracle.write(block, data, { fua }));
  } else {
    await follow(disk.flush(), oracle.flush());
  }
}

async function follow(work: Promise<void>, watched: { acknowledged(): void; failed(): void }): Promise<void> {
  try {
    await work;
  } catch (error) {
    watched.failed();
    throw error;
  }
  watched.acknowledged();
}

/** Only a DeviceError may end a request badly. */
function count(report: { well: number; failed: Record<string, number> }, outcomes: PromiseSettledResult<void>[]): void {
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') report.well++;
    else if (!isDeviceError(outcome.reason)) throw outcome.reason;
    else report.failed[outcome.reason.code] = (report.failed[outcome.reason.code] ?? 0) + 1;
  }
}

function configuration(random: Random, maybeSick: boolean): DriverSetUp {
  const slave = { sectors: SECTORS, position: 'slave' as const };
  const defects = maybeSick && random() < 0.5 ? sickDisk(random) : {};
  const abilities = { lba48: random() < 0.7, fua: random() < 0.5, multiple: [0, 1, 4, 16][pick(random, 4)] ?? 16 };
  const disk = { sectors: SECTORS, ...abilities, defects };
  const model: ControllerOptionsInput = {
    mode: random() < 0.5 ? 'native' : 'compatibility',
    disks: random() < 0.3 ? [disk, slave] : [disk],
  };
  return { model, options: { interrupts: random() < 0.3 ? 'polling' : 'auto', verifyTaskFile: true } };
}

/**
 * A disk that is ill itself. Left out are lies that only the medium knows (`flush: 'lie'`), and sectors that are lost
 * behind the driver's back after it was told that they are written (`unwritable`).
 */
function sickDisk(random: Random): DiskDefects {
  const failures = [
    { error: 0x04 },
    { error: 0x40 },
    { error: 0x10 },
    { deviceFault: true },
    { drq: 'stuck' },
    { drq: 'block' },
  ] as const;
  const illnesses = [
    () => ({ hangUs: random() < 0.3 ? ('forever' as const) : 10 ** pick(random, 8) }),
    () => ({ loseInterrupt: true }),
    () => ({ lateDrqUs: random() < 0.5 ? ('forever' as const) : 10 ** pick(random, 7) }),
    () => ({ fail: failures[pick(random, failures.length)] }),
  ];
  const commands = Array.from({ length: 1 + pick(random, 3) }, () => ({
    ...illnesses[pick(random, illnesses.length)]?.(),
    skip: pick(random, 30),
    times: 1 + pick(random, 4),
    atBlock: pick(random, 3),
  }));
  const unreadable = Array.from({ length: pick(random, 3) }, () => pick(random, REGION));
  return { commands, unreadable, flush: random() < 0.1 ? 'fail' : 'good' };
}

/**
 * What goes wrong. Left out is what no driver can notice, since programmed I/O has no checksum and a register access
 * no acknowledgement: data words with other values or doubled, and another command code than the one that was written.
 * A distorted register is distorted in one direction and in one of the two status registers: what lies about the same
 * thing in the same way at two places is believed. BSY, DF and ERR that are never seen set are left out for the same
 * reason where nothing else tells the truth: by polling.
 */
function faultPlan(random: Random): FaultPlan {
  const kinds = [
    () => ({ registers: [distortion(random)] }),
    () => ({ registers: [lostOrDoubled(random)] }),
    () => ({ registers: [stall(random)] }),
    () => ({ interrupts: [{ ...occurrence(random, 40), ...interruptEffect(random) }] }),
    () => ({ spurious: [{ atUs: 150_000 + pick(random, 20_000), everyUs: 1 + pick(random, 5_000), times: 500 }] }),
    () => ({ removal: { atAccess: 100 + pick(random, 20_000) } }),
  ];
  const plans: FaultPlan[] = Array.from(
    { length: 1 + pick(random, 3) },
    () => kinds[pick(random, kinds.length)]?.() ?? {},
  );
  // One rule that distorts is enough; two might agree on a lie.
  const registers = plans.flatMap((plan) => plan.registers ?? []);
  const distorting = registers.find(isDistortion);
  return {
    registers: registers.filter((rule) => !isDistortion(rule) || rule === distorting),
    interrupts: plans.flatMap((plan) => plan.interrupts ?? []),
    spurious: plans.flatMap((plan) => plan.spurious ?? []),
    removal: plans.find((plan) => plan.removal !== undefined)?.removal,
  };
}

function isDistortion(rule: RegisterFault): boolean {
  return rule.value !== undefined || rule.xor !== undefined || rule.stuckBits !== undefined;
}

const STATUS = 7;
const COMMAND = 7;
/** Error/Features to Device. */
const PARAMETERS = [1, 2, 3, 4, 5, 6];

/** A register that lies, now and then or always. */
function distortion(random: Random): RegisterFault {
  const bits = 1 << pick(random, 8);
  const effects = [
    { value: pick(random, 256) },
    { xor: bits },
    { stuckBits: { mask: bits, value: random() < 0.5 ? 0 : bits } },
  ];
  const effect = effects[pick(random, effects.length)] ?? { xor: bits };
  const often = random() < 0.2 ? {} : occurrence(random, 200);
  const places: RegisterFault[] = [
    ...PARAMETERS.map((offset) => ({ space: 'command0', offset, access: 'read' as const })),
    ...PARAMETERS.map((offset) => ({ space: 'command0', offset, access: 'write' as const })),
    ...Array.from({ length: 5 }, () => ({ space: 'command0', offset: STATUS, access: 'read' as const })),
    ...Array.from({ length: 5 }, () => ({ space: 'control0', access: 'read' as const })),
    { space: 'control0', access: 'write' },
  ];
  return { ...places[pick(random, places.length)], ...often, ...effect };
}

/** Accesses that never arrive, or arrive twice. */
function lostOrDoubled(random: Random): RegisterFault {
  const effect = random() < 0.6 ? ({ drop: true } as const) : ({ duplicate: true } as const);
  // Never three commands in a row: a flush that nobody saw begin is given three times, not four.
  if (random() < 0.3)
    return { space: 'command0', offset: COMMAND, access: 'write', every: 3 + pick(random, 20), ...effect };
  const offset = PARAMETERS[pick(random, PARAMETERS.length)] ?? 1;
  const place = random() < 0.5 ? { space: 'command0', offset } : { space: 'control0' };
  return { ...place, ...occurrence(random, 150), ...effect };
}

/**
 * A data word that is lost on the bus: the device has counted another number than the driver. It is the only fault of its
 * run: by polling it is noticed at the end of the command only, when the words after it went to wrong places, and a
 * second fault may hide that end or prevent the repetition that puts things right.
 */
function lostWord(random: Random): RegisterFault {
  return { space: 'command0', offset: 0, nth: 1 + pick(random, 20_000), drop: true };
}

function interruptEffect(random: Random) {
  const effects = [{ lose: true }, { duplicate: true }, { delayUs: 10 ** pick(random, 8) }] as const;
  return effects[pick(random, effects.length)];
}

function occurrence(random: Random, rarity: number) {
  const kind = pick(random, 3);
  if (kind === 0) return { nth: 1 + pick(random, rarity) };
  if (kind === 1) return { every: 2 + pick(random, rarity) };
  return { probability: (1 + pick(random, 5)) / rarity };
}

/** The bus stands still before an access. */
function stall(random: Random): RegisterFault {
  const place = random() < 0.3 ? { space: 'control0' } : { space: 'command0', offset: 1 + pick(random, 7) };
  return { ...place, ...occurrence(random, 300), delayUs: 10 ** pick(random, 7) };
}
