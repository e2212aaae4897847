import { describeValue, hex } from '@ring3/core';
import type { Place } from './find-register.ts';
import type { AccessWidth } from './numbers.ts';

/** A value as it is printed: hexadecimal, with the fields where the register is known. */
export function showValue(value: number | bigint, width: AccessWidth, place?: Place): string {
  const definition = place?.register?.definition;
  if (definition === undefined || typeof value === 'bigint') return hex(value, width);
  return describeValue(definition, value);
}

/** The fields of a known register, for `--json`. */
export function fieldsOf(value: number | bigint, place?: Place): Record<string, number> | undefined {
  const fields = place?.register?.definition.fields;
  if (fields === undefined || typeof value === 'bigint' || Object.keys(fields).length === 0) return undefined;
  return Object.fromEntries(Object.entries(fields).map(([name, { mask, shift }]) => [name, (value & mask) >>> shift]));
}
