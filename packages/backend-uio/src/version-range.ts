import { DeviceError } from '@ring3/core';

type Comparison = '<' | '<=' | '=' | '>=' | '>';

/** One condition of a range. */
export interface VersionCondition {
  readonly comparison: Comparison;
  readonly version: readonly number[];
}

const CONDITION = /^(<=|>=|<|>|=)?v?(\d+(?:\.\d+)*)$/;

/**
 * Reads conditions that must all hold, with blanks between them: `>=1.2 <2`; a bare version means exactly that one.
 * @throws RangeError that shows the form.
 */
export function parseVersionRange(text: string): VersionCondition[] {
  // A blank after the comparison is allowed: ">= 1.2".
  const words = text
    .trim()
    .replace(/([<>=])\s+/g, '$1')
    .split(/\s+/);
  return words.map((word) => {
    const [, comparison = '=', version] = CONDITION.exec(word) ?? [];
    if (version === undefined) {
      throw new RangeError(`"${text}" is not a range of versions: write conditions like ">=1.2 <2"`);
    }
    return { comparison: comparison as Comparison, version: numbers(version) };
  });
}

/**
 * Whether a version that a kernel driver gives lies in a range. Missing parts count as 0.
 * @throws DeviceError `config` for a version that is no number: `devicetree` and free text cannot be compared.
 */
export function versionMatches(range: string, version: string, device: string): boolean {
  const conditions = parseVersionRange(range);
  const text = version.trim().replace(/^v/, '');
  if (!/^\d+(?:\.\d+)*$/.test(text)) {
    throw new DeviceError(
      'config',
      `${device}: version ${range} is asked for, but its kernel driver gives "${version}", which cannot be compared; leave "version" out of the selector, or take a kernel driver that numbers its versions`,
    );
  }
  return conditions.every((condition) => holds(condition, compare(numbers(text), condition.version)));
}

function numbers(text: string): number[] {
  return text.split('.').map(Number);
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let part = 0; part < Math.max(a.length, b.length); part++) {
    const difference = (a[part] ?? 0) - (b[part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function holds({ comparison }: VersionCondition, difference: number): boolean {
  switch (comparison) {
    case '<':
      return difference < 0;
    case '<=':
      return difference <= 0;
    case '=':
      return difference === 0;
    case '>=':
      return difference >= 0;
    case '>':
      return difference > 0;
  }
}
