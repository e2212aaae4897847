import type { FaultPlan, RegisterFault } from '@ring3/backend-sim';
import { isDeviceError, type SerialPort, type SerialStatus, sleep } from '@ring3/core';
import { pick, type Random, seededRandom, serialPattern, statusNow } from '@ring3/core/testing';
import type { Keystroke } from './model/index.ts';
import { attachTerminal } from './test-driver.ts';

/** How one run ended; the same for the same seed. */
export interface RunReport {
  readonly seed: number;
  readonly plan: FaultPlan;
  readonly injected: number;
  readonly received: number;
  /** Characters that were typed and not received, for each of which an error was reported. */
  readonly lost: number;
  readonly sent: number;
  readonly failedWrites: Readonly<Record<string, number>>;
  readonly errors: SerialStatus['errors'];
  readonly lostInterrupts: number;
  readonly stuckTransmitters: number;
}

const BYTES = 1500;
/** Silence after which nothing more is awaited. */
const SILENCE_US = 8_000_000;

/** One run: a plan of faults, traffic in both directions and a configuration, all from the seed; then all is judged. */
export async function runWithFaults(seed: number): Promise<RunReport> {
  const random = seededRandom(seed);
  const plan = faultPlan(random);
  const flowControl = random() < 0.3 ? 'rts-cts' : 'none';
  const kind = random() < 0.2 ? '16450' : '16550A';
  const machine = await attachTerminal(
    {
      seed,
      faults: plan,
      model: { kind, silentEnable: random() < 0.3 },
      options: {
        flowControl,
        interrupts: random() < 0.2 ? 'polling' : 'auto',
        receiveTrigger: ([1, 4, 8, 14] as const)[pick(random, 4)] ?? 8,
        receiveBufferBytes: random() < 0.3 ? 256 : 65_536,
      },
    },
    { obeysRts: flowControl === 'rts-cts' },
  );
  const { port, terminal, driver, sim, hardware } = machine;
  const typed = keystrokes(random);
  const received: number[] = [];
  const reading = readAll(port, received, random).catch(onlyDeviceErrors);
  terminal.type(typed);
  if (random() < 0.3) stallTransmitter(sim.clock, hardware.uart.transmitter, random);
  const written = await sim.run(writeAll(port, random));
  await sim.run(sleep(sim.clock, SILENCE_US));
  const { errors } = await statusNow(port);
  const lost = judgeReceived(typed, received, errors);
  judgeSent(written.acknowledged, written.attempted, terminal.screen);
  const injected = sim.faults.count;
  await machine.stop();
  await sim.run(reading);
  await sim.close();
  const { lostInterrupts, stuckTransmitters, sent } = driver.statistics;
  const counts = { received: received.length, lost, sent, lostInterrupts, stuckTransmitters, injected };
  return { seed, plan, ...counts, failedWrites: written.failed, errors };
}

/** Everything that arrived was typed, in this order; what did not arrive was reported. */
function judgeReceived(
  typed: readonly Keystroke[],
  received: readonly number[],
  errors: SerialStatus['errors'],
): number {
  let at = 0;
  for (const [index, value] of received.entries()) {
    while (at < typed.length && typed[at]?.value !== value) at++;
    if (at === typed.length)
      throw new Error(`received character ${index} (${value}) was never typed, or not in this order`);
    at++;
  }
  const lost = typed.length - received.length;
  if (lost > 0 && errors.overruns + errors.bufferOverruns === 0) {
    throw new Error(`${lost} characters of ${typed.length} are lost, and no error says so`);
  }
  const damaged = typed.filter(({ damage }) => damage !== undefined).length;
  const counted = errors.parity + errors.framing;
  if (counted > damaged || (lost === 0 && counted !== damaged)) {
    throw new Error(`${damaged} characters were damaged, ${counted} were counted, ${lost} lost`);
  }
  return lost;
}

/** What was acknowledged is on the screen, in order; between that, only what was attempted. */
function judgeSent(
  acknowledged: readonly Uint8Array[],
  attempted: readonly Uint8Array[],
  screen: readonly number[],
): void {
  // Without a failure: exactly what was written. With one, the chip was told to drop what it had: up to a FIFO each.
  const all = attempted.flatMap((piece) => [...piece]);
  if (acknowledged.length === attempted.length) {
    if (all.length !== screen.length || all.some((value, index) => screen[index] !== value)) {
      throw new Error(`${all.length} characters were acknowledged, ${screen.length} arrived, or others`);
    }
    return;
  }
  let at = 0;
  for (const [index, value] of screen.entries()) {
    while (at < all.length && all[at] !== value) at++;
    if (at === all.length)
      throw new Error(`character ${index} on the screen (${value}) was never sent, or not in this order`);
    at++;
  }
}

/** Values in a row differ, so that a doubled or swapped one shows; line noise damages some. */
function keystrokes(random: Random): Keystroke[] {
  const noise = random() < 0.4 ? random() * 0.05 : 0;
  return [...serialPattern(BYTES, pick(random, 1000) + 1)].map((value) => {
    if (random() >= noise) return { value };
    return { value, damage: random() < 0.5 ? ('parity' as const) : ('framing' as const) };
  });
}

async function readAll(port: SerialPort, received: number[], random: Random): Promise<void> {
  for (;;) {
    const into = new Uint8Array(1 + pick(random, 200));
    const count = await port.read(into);
    received.push(...into.subarray(0, count));
  }
}

async function writeAll(port: SerialPort, random: Random) {
  const attempted: Uint8Array[] = [];
  const acknowledged: Uint8Array[] = [];
  const failed: Record<string, number> = {};
  for (let bytes = 0; bytes < BYTES; ) {
    const piece = serialPattern(1 + pick(random, 300), bytes + 7);
    bytes += piece.length;
    attempted.push(piece);
    try {
      await port.write(piece);
      if (random() < 0.2) await port.drain();
      acknowledged.push(piece);
    } catch (error) {
      if (!isDeviceError(error)) throw error;
      failed[error.code] = (failed[error.code] ?? 0) + 1;
    }
  }
  await port.drain().catch(onlyDeviceErrors);
  return { attempted, acknowledged, failed };
}

function onlyDeviceErrors(error: unknown): void {
  if (!isDeviceError(error)) throw error;
}

function stallTransmitter(
  clock: { after(us: number, callback: () => void): unknown },
  transmitter: { stalled: boolean; resume(): void },
  random: Random,
): void {
  clock.after(pick(random, 200_000), () => {
    transmitter.stalled = true;
  });
  clock.after(200_000 + 10 ** (3 + pick(random, 4)), () => {
    transmitter.stalled = false;
    transmitter.resume();
  });
}

/**
 * What goes wrong. Left out is what no driver can notice, since there is no checksum: data registers whose accesses are
 * distorted, lost or doubled, and lies of the line status about data.
 */
function faultPlan(random: Random): FaultPlan {
  const interrupts = [
    () => ({ ...occurrence(random, 40), lose: true as const }),
    () => ({ ...occurrence(random, 40), duplicate: true as const }),
    () => ({ ...occurrence(random, 40), delayUs: 10 ** pick(random, 6) }),
  ];
  const kinds: (() => FaultPlan)[] = [
    () => ({ interrupts: [interrupts[pick(random, 3)]?.() ?? { lose: true, nth: 1 }] }),
    () => ({ spurious: [{ atUs: pick(random, 20_000), everyUs: 1 + pick(random, 2000), times: 300 }] }),
    () => ({ registers: [stall(random)] }),
    () => ({ registers: [silence(random)] }),
  ];
  const plans = Array.from({ length: 1 + pick(random, 3) }, () => kinds[pick(random, kinds.length)]?.() ?? {});
  return {
    registers: plans.flatMap((plan) => plan.registers ?? []),
    interrupts: plans.flatMap((plan) => plan.interrupts ?? []),
    spurious: plans.flatMap((plan) => plan.spurious ?? []),
  };
}

/** The bus stands still before an access. */
function stall(random: Random): RegisterFault {
  return { space: 'registers', offset: pick(random, 7), ...occurrence(random, 300), delayUs: 10 ** pick(random, 5) };
}

/** THRE is not shown, now and then. */
function silence(random: Random): RegisterFault {
  const effect = { stuckBits: { mask: 0x60, value: 0 } };
  return { space: 'registers', offset: 5, access: 'read', ...occurrence(random, 60), ...effect };
}

function occurrence(random: Random, rarity: number) {
  const kind = pick(random, 3);
  if (kind === 0) return { nth: 1 + pick(random, rarity) };
  if (kind === 1) return { every: 2 + pick(random, rarity) };
  return { probability: (1 + pick(random, 5)) / rarity };
}
