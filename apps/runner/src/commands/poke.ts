import { hex } from '@ring3/core';
import { checkReach, checkWritable, sayWhenSimulated, widthFor } from '../access/check-access.ts';
import { type AccessWidth, parseNumber } from '../access/numbers.ts';
import { type FoundTarget, findTarget, writeOnce } from '../access/open-target.ts';
import { printJson, say } from '../access/output.ts';
import { parseTarget } from '../access/target-text.ts';
import { UsageError } from '../usage-error.ts';
import type { AccessOptions } from './peek.ts';

/** `ring3 poke TARGET VALUE...`: one write each, at rising addresses; nothing is read. */
export async function poke(text: string, words: readonly string[], options: AccessOptions): Promise<void> {
  const found = await findTarget(parseTarget(text), options);
  try {
    const width = widthFor(options.width, found);
    const values = words.map((word) => checkedValue(word, width));
    const lengthBytes = values.length * (width / 8);
    if (values.length > 1 && found.place?.register !== undefined) {
      throw new UsageError(`${found.place.register.name} is one register: give one value`);
    }
    checkReach(found, width, lengthBytes);
    checkWritable(found, lengthBytes);
    await writeAll(found, { ...options, holder: 'ring3 poke', lengthBytes }, width, values);
    const written = values.map((value) => hex(value, width));
    if (options.json === true) printJson({ target: text, width, written });
    else say(`wrote ${written.join(' ')} to ${text}, ${width} bits`);
  } finally {
    await found.close();
  }
}

function checkedValue(text: string, width: AccessWidth): bigint {
  const value = parseNumber(text, 'the value');
  if (value < 1n << BigInt(width)) return value;
  throw new UsageError(`${text} does not fit ${width} bits: at most ${hex((1n << BigInt(width)) - 1n)}`);
}

async function writeAll(
  found: FoundTarget,
  request: Parameters<FoundTarget['open']>[0],
  width: AccessWidth,
  values: readonly bigint[],
): Promise<void> {
  const target = await found.open(request);
  try {
    sayWhenSimulated(target);
    for (const [index, value] of values.entries()) writeOnce(target, found.offset + index * (width / 8), width, value);
  } finally {
    await target.close();
  }
}
