import { hex } from '@ring3/core';
import { allowRead, checkReach, sayWhenSimulated, widthFor } from '../access/check-access.ts';
import { type AccessWidth, parseSmallNumber } from '../access/numbers.ts';
import { type FoundTarget, findTarget, type ReachOptions, readOnce } from '../access/open-target.ts';
import { print, printJson } from '../access/output.ts';
import { fieldsOf, showValue } from '../access/show-value.ts';
import { parseTarget } from '../access/target-text.ts';
import { UsageError } from '../usage-error.ts';

/** What all commands that access registers take. */
export interface AccessOptions extends ReachOptions {
  readonly width?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `ring3 peek TARGET`: one read, or `--count` of them at rising addresses. */
export async function peek(text: string, options: AccessOptions & { readonly count?: string }): Promise<void> {
  const found = await findTarget(parseTarget(text), options);
  try {
    const width = widthFor(options.width, found);
    const count = parseSmallNumber(options.count ?? '1', '--count');
    if (count < 1) throw new UsageError('--count: at least one');
    if (count > 1 && found.place?.register !== undefined) {
      throw new UsageError(`${found.place.register.name} is one register: give SPACE+OFFSET to read several`);
    }
    const lengthBytes = count * (width / 8);
    checkReach(found, width, lengthBytes);
    await allowRead(found, lengthBytes, options);
    show(text, found, width, await readAll(found, { ...options, holder: 'ring3 peek', lengthBytes }, width), options);
  } finally {
    await found.close();
  }
}

/** Each word once, at rising addresses. */
export async function readAll(
  found: FoundTarget,
  request: Parameters<FoundTarget['open']>[0],
  width: AccessWidth,
): Promise<(number | bigint)[]> {
  const target = await found.open(request);
  try {
    sayWhenSimulated(target);
    const values: (number | bigint)[] = [];
    for (let at = 0; at < request.lengthBytes; at += width / 8) values.push(readOnce(target, found.offset + at, width));
    return values;
  } finally {
    await target.close();
  }
}

function show(
  target: string,
  { place, base, offset }: FoundTarget,
  width: AccessWidth,
  values: readonly (number | bigint)[],
  { json }: AccessOptions,
): void {
  const at = (index: number) => base + BigInt(offset + index * (width / 8));
  if (json === true) {
    const words = values.map((value, index) => {
      const fields = fieldsOf(value, place);
      return { at: hex(at(index)), value: hex(value, width), ...(fields === undefined ? {} : { fields }) };
    });
    printJson({ target, width, values: words });
    return;
  }
  for (const [index, value] of values.entries()) {
    const word = showValue(value, width, place);
    print(values.length === 1 ? word : `${hex(at(index), 32)}  ${word}`);
  }
}
