import { expect, test } from 'vitest';
import { closest, didYouMean } from './did-you-mean.ts';

test.each([
  ['ata-fss', 'ata-sff'],
  ['nmae', 'name'],
  ['opions', 'options'],
  ['Disk0', 'disk0'],
  ['periodms', 'periodMs'],
  ['simulator', 'simulated'],
])('%s was meant as %s', (typo, meant) => {
  expect(closest(typo, ['name', 'options', 'ata-sff', 'disk0', 'periodMs', 'simulated'])).toBe(meant);
});

test.each(['x', 'blinker', '', 'a'.repeat(10_000)])('nothing is like %s', (word) => {
  expect(closest(word, ['name', 'options', 'ata-sff'])).toBeUndefined();
});

test('a short choice is listed, a long one is not', () => {
  expect(didYouMean('x', ['one', 'two'], 'the keys are')).toBe('the keys are: one, two');
  expect(
    didYouMean(
      'x',
      Array.from({ length: 30 }, (_, index) => `key${index}`),
    ),
  ).toBeUndefined();
});
