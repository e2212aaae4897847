import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ModuleLoader } from '../modules/index.ts';
import { ConfigError } from './config-error.ts';
import type { ConfigSource } from './config-source.ts';
import { FAKES } from './fixtures/modules.ts';
import { formatProblem } from './problem.ts';
import { readConfig } from './read-config.ts';

const FIXTURES = fileURLToPath(new URL('fixtures', import.meta.url));
const GOOD = readFileSync(join(FIXTURES, 'good.yaml'), 'utf8');
const BROKEN = readdirSync(join(FIXTURES, 'broken')).filter((name) => name.endsWith('.yaml'));
const TEXTS = [GOOD, ...BROKEN.map((name) => readFileSync(join(FIXTURES, 'broken', name), 'utf8'))];
const FOLDER = mkdtempSync(join(tmpdir(), 'ring3-config-'));

/** Pieces that mean something in YAML or in a configuration. */
const PIECES = [
  ...[
    ':',
    ': ',
    '- ',
    '\n',
    '\n\n',
    '  ',
    '\t',
    '#',
    '"',
    "'",
    '{',
    '}',
    '[',
    ']',
    ',',
    '&a ',
    '*a',
    '<<: *a',
    '!!binary x',
  ],
  ...['? ', '| \n', '> \n', '---\n', '...\n', '%YAML 1.1\n', '!x ', '~', 'null', 'true', '.inf', '.nan', '-0', '1e999'],
  ...[
    '0x1fffffffffffffffff',
    '__proto__: 1\n',
    'constructor',
    'toString',
    '../',
    './x.ts',
    '\u0000',
    '\ufeff',
    '\ud800',
    '💾',
  ],
];

interface Edit {
  readonly at: number;
  readonly drop: number;
  readonly insert: string;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(2000),
  drop: fc.oneof(fc.constant(0), fc.nat(3), fc.nat(60)),
  insert: fc.oneof(fc.constant(''), fc.constantFrom(...PIECES), fc.string({ maxLength: 6, unit: 'binary' })),
});

function edited(text: string, { at, drop, insert }: Edit): string {
  const place = at % (text.length + 1);
  return text.slice(0, place) + insert + text.slice(place + drop);
}

/** Any path of the good configuration, and one key more. */
const paths = pathsOf(parse(GOOD) as unknown);

function pathsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.entries(value).flatMap(([key, below]) => [
    key,
    ...pathsOf(below).map((path) => `${key}.${path}`),
  ]);
  return [...inner, 'extra'];
}

/** Reads it. @returns the error, after looking whether it is one that a person can use. */
async function outcome(source: ConfigSource, lines: number): Promise<ConfigError | undefined> {
  const loader = new ModuleLoader({ builtins: FAKES, from: join(FOLDER, 'rig.yaml') });
  try {
    const config = await readConfig(source, loader);
    expect(config.devices.every(({ driver, description }) => driver.name !== '' && description.id !== '')).toBe(true);
    return undefined;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw new Error('no ConfigError', { cause: error });
    expect(error.problems).not.toEqual([]);
    for (const problem of error.problems) {
      expect(formatProblem(problem)).not.toMatch(/\p{Cc}/u);
      if (problem.line !== undefined) expect(problem.line).toBeLessThanOrEqual(lines + 1);
    }
    return error;
  }
}

afterAll(() => rmSync(FOLDER, { recursive: true }));

test('any text is a configuration or a ConfigError that can be printed', { timeout: 60_000 }, async () => {
  const file = join(FOLDER, 'rig.yaml');
  const edits = fc.array(edit, { minLength: 1, maxLength: 6 });
  const property = fc.asyncProperty(fc.constantFrom(...TEXTS), edits, async (text, changes) => {
    const mutated = changes.reduce(edited, text);
    writeFileSync(file, mutated);
    await outcome({ file }, mutated.split('\n').length);
  });
  await fc.assert(property, { numRuns: Number(process.env['RING3_RUNS'] ?? 200) });
});

test('any value at any place is a configuration or a ConfigError', { timeout: 60_000 }, async () => {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom(undefined, Number.NaN, 1n, new Map(), new Date(0)),
  );
  const setting = fc.tuple(fc.constantFrom(...paths), value);
  const property = fc.asyncProperty(fc.array(setting, { minLength: 1, maxLength: 3 }), async (settings) => {
    await outcome({ value: parse(GOOD), set: Object.fromEntries(settings) }, 0);
  });
  await fc.assert(property, { numRuns: Number(process.env['RING3_RUNS'] ?? 200) });
});
