import { isRecord } from './config-document.ts';

const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  bigint: 'a big integer',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'keys and values',
  record: 'keys and values',
  null: 'nothing',
};

/** A type as zod names it, in words. */
export function typeInWords(type: string): string {
  return TYPES[type] ?? `a ${type}`;
}

/** A value as it stands in the file, cut where it is long. */
export function valueInWords(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (isRecord(value))
    return Object.keys(value).length === 0
      ? 'nothing between { and }'
      : `keys and values (${cut(Object.keys(value).join(', '))})`;
  return typeof value === 'string' ? JSON.stringify(cut(value)) : cut(String(value));
}

/** `"sim" or "uio"`. */
export function choiceInWords(values: readonly unknown[]): string {
  const words = values.map((value) => (typeof value === 'string' ? JSON.stringify(value) : String(value)));
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** The usual reason why a value has another type than its writer thinks: quotes, or words that were booleans once. */
export function typeHint(expected: string, value: unknown): string | undefined {
  if (expected === 'boolean' && typeof value === 'string') {
    if (/^(yes|on|y|"?true"?)$/i.test(value)) return 'did you mean true?';
    if (/^(no|off|n|"?false"?)$/i.test(value)) return 'did you mean false?';
  }
  const isNumber = expected === 'number' || expected === 'int';
  if (isNumber && typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)))
    return 'write it without quotes';
  if (expected === 'string' && ['number', 'boolean'].includes(typeof value)) return 'write it in quotes';
  return undefined;
}

function cut(text: string): string {
  return text.length > 48 ? `${text.slice(0, 45)}...` : text;
}
