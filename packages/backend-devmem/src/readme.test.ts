import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { SELECTOR } from './selector.ts';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

test('the configuration of the README is one', () => {
  const [, yaml = ''] = /```yaml\n(.*?)```/s.exec(README) ?? [];
  const { type, ...selector } = (parse(yaml) as { devices: { fpga0: { backend: { type: string } } } }).devices.fpga0
    .backend;
  expect(type).toBe('devmem');
  expect(SELECTOR.parse(selector)).toEqual(selector);
});

test('the README explains every key and no other', () => {
  const explained = [...README.matchAll(/^\| (`\w+`(?:, `\w+`)*) \|/gm)].flatMap(([, keys = '']) =>
    keys.replaceAll('`', '').split(', '),
  );
  const { properties = {} } = SELECTOR.toJSONSchema();
  // `flush` stands inside of the entries.
  expect(explained.toSorted()).toEqual([...Object.keys(properties), 'flush'].toSorted());
});
