import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { exitCodeOf } from '../exit-code.ts';
import { confirm } from './ask.ts';

function terminal(answer: string, isTTY = true) {
  const input = Object.assign(new PassThrough(), { isTTY });
  const output = Object.assign(new PassThrough(), { isTTY });
  input.end(`${answer}\n`);
  return { input, output };
}

it.each(['y', 'Y', 'yes', ' yes '])('goes on after "%s"', async (answer) => {
  const asked = terminal(answer);
  await confirm('reading changes it', 'Read it?', {}, asked);
  expect(String(asked.output.read())).toContain('reading changes it. Read it? [y/N] ');
});

it.each(['', 'n', 'no', 'yesterday'])('stops with status 1 after "%s"', async (answer) => {
  const refused = await confirm('x', 'Do it?', {}, terminal(answer)).catch((error: unknown) => error);
  expect(refused).toMatchObject({ name: 'DeclinedError', message: 'nothing was done' });
  expect(exitCodeOf(refused)).toBe(1);
});

it('stops with status 64 where there is nobody to ask, and asks nobody with --yes', async () => {
  const refused = await confirm('it acts', 'Do it?', {}, terminal('y', false)).catch((error: unknown) => error);
  expect(refused).toMatchObject({ message: 'it acts. There is no terminal to ask on: add --yes' });
  expect(exitCodeOf(refused)).toBe(64);
  await confirm('it acts', 'Do it?', { yes: true }, terminal('n', false));
});
