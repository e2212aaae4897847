import { hex } from '@ring3/core';
import { allowRead, checkReach, sayWhenSimulated, widthFor } from '../access/check-access.ts';
import { type AccessWidth, parseNumber, parseSmallNumber } from '../access/numbers.ts';
import { type FoundTarget, findTarget, type OpenTarget, readOnce } from '../access/open-target.ts';
import { print, say } from '../access/output.ts';
import { showValue } from '../access/show-value.ts';
import { parseTarget } from '../access/target-text.ts';
import { EXIT } from '../exit-code.ts';
import { untilStopped } from '../until-stopped.ts';
import { UsageError } from '../usage-error.ts';
import type { AccessOptions } from './peek.ts';

/** Options of `ring3 watch`. */
export interface WatchOptions extends AccessOptions {
  /** Bits that count; default all. */
  readonly mask?: string;
  /** Milliseconds between two reads; default 100. */
  readonly interval?: string;
  /** Ends when the masked value is this one. */
  readonly until?: string;
  /** Ends after so many seconds; with `until`, that is a failure. */
  readonly seconds?: string;
}

interface Plan {
  readonly width: AccessWidth;
  readonly mask: bigint;
  readonly until: bigint | undefined;
  readonly intervalMs: number;
  readonly seconds: number | undefined;
}

/** `ring3 watch TARGET`: prints the value at first and whenever it has changed. */
export async function watch(text: string, options: WatchOptions): Promise<void> {
  const found = await findTarget(parseTarget(text), options);
  try {
    const plan = planOf(found, options);
    const lengthBytes = plan.width / 8;
    checkReach(found, plan.width, lengthBytes);
    await allowRead(found, lengthBytes, options);
    const target = await found.open({ ...options, holder: 'ring3 watch', lengthBytes });
    try {
      sayWhenSimulated(target);
      await watchTarget(found, target, plan, options.json === true);
    } finally {
      await target.close();
    }
  } finally {
    await found.close();
  }
}

function planOf(found: FoundTarget, options: WatchOptions): Plan {
  const width = widthFor(options.width, found);
  const all = (1n << BigInt(width)) - 1n;
  const mask = options.mask === undefined ? all : parseNumber(options.mask, '--mask');
  const until = options.until === undefined ? undefined : parseNumber(options.until, '--until');
  if (mask === 0n || mask > all) throw new UsageError(`--mask ${options.mask} leaves no bits of ${width}`);
  if (until !== undefined && (until & ~mask) !== 0n) {
    throw new UsageError(`--until ${options.until} has bits outside the mask ${hex(mask)}: it can never be`);
  }
  const intervalMs = parseSmallNumber(options.interval ?? '100', '--interval');
  if (intervalMs < 1) throw new UsageError('--interval: at least 1 ms');
  const seconds = options.seconds === undefined ? undefined : parseSmallNumber(options.seconds, '--seconds');
  return { width, mask, until, intervalMs, seconds };
}

async function watchTarget(found: FoundTarget, target: OpenTarget, plan: Plan, json: boolean): Promise<void> {
  const { width, mask, until, intervalMs, seconds } = plan;
  const startMs = performance.now();
  let before: bigint | undefined;
  let reached = false;
  const look = () => {
    const value = readOnce(target, found.offset, width);
    const masked = BigInt(value) & mask;
    const elapsed = (performance.now() - startMs) / 1000;
    if (masked !== before) {
      if (json) print(JSON.stringify({ seconds: Number(elapsed.toFixed(3)), value: hex(value, width) }));
      else print(`${elapsed.toFixed(3).padStart(9)}  ${showValue(value, width, found.place)}`);
    }
    before = masked;
    reached = masked === until;
    return reached || (seconds !== undefined && elapsed >= seconds);
  };
  await untilStopped(look, intervalMs);
  if (until !== undefined && !reached) {
    say(`it was not ${hex(until)} when the watch ended`);
    process.exitCode = EXIT.negative;
  }
}
