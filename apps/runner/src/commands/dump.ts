import { hex } from '@ring3/core';
import { allowRead, checkReach, widthFor } from '../access/check-access.ts';
import { hexDump } from '../access/hex-dump.ts';
import { parseSmallNumber } from '../access/numbers.ts';
import { findTarget } from '../access/open-target.ts';
import { print, printJson } from '../access/output.ts';
import { parseTarget } from '../access/target-text.ts';
import { UsageError } from '../usage-error.ts';
import { type AccessOptions, readAll } from './peek.ts';

/** `ring3 dump TARGET LENGTH`: each word is read once, at rising addresses. */
export async function dump(text: string, length: string, options: AccessOptions): Promise<void> {
  const found = await findTarget(parseTarget(text), options);
  try {
    if (found.place?.register !== undefined) {
      throw new UsageError(`${text} is one register: ring3 peek reads it; a dump takes SPACE+OFFSET`);
    }
    const width = widthFor(options.width, found);
    const lengthBytes = parseSmallNumber(length, 'the length');
    if (lengthBytes === 0 || lengthBytes % (width / 8) !== 0) {
      throw new UsageError(`${length} bytes are not whole words of ${width} bits`);
    }
    checkReach(found, width, lengthBytes);
    await allowRead(found, lengthBytes, options);
    const values = await readAll(found, { ...options, holder: 'ring3 dump', lengthBytes }, width);
    const start = found.base + BigInt(found.offset);
    if (options.json === true) {
      printJson({ target: text, width, start: hex(start), values: values.map((value) => hex(value, width)) });
    } else {
      for (const line of hexDump(start, values, width)) print(line);
    }
  } finally {
    await found.close();
  }
}
