import { expect, it } from 'vitest';
import { parseArguments } from './arguments.ts';

it('takes options, then the command with its own options', () => {
  const words = [
    '--device',
    'edu',
    '--device=sdhci-pci',
    '--timeout',
    '7',
    '--verbose',
    '--',
    'ls',
    '--all',
    '--',
    'x',
  ];
  expect(parseArguments(words)).toMatchObject({
    command: ['ls', '--all', '--', 'x'],
    devices: ['edu', 'sdhci-pci'],
    timeoutSeconds: 7,
    verbose: true,
  });
});

it.each([
  ['a package manager that passes "--" on', ['--', 'ls', '-l']],
  ['one that does not', ['ls', '-l']],
])('takes a command from %s', (_who, words) => {
  expect(parseArguments(words)).toMatchObject({ command: ['ls', '-l'], memoryMib: 1024, modules: ['uio_pci_generic'] });
});

it.each([
  ['nothing', [], 'There is no command to run.'],
  ['an option that it does not know', ['--devise', 'edu', 'ls'], "Unknown option '--devise'"],
  ['an option without its value', ['--memory'], '--memory'],
  ['no number', ['--memory', 'much', 'ls'], '--memory takes a whole number above 0, not "much".'],
  ['no time at all', ['--timeout', '0', 'ls'], '--timeout takes a whole number above 0, not "0".'],
])('refuses %s', (_what, words, message) => {
  expect(() => parseArguments(words)).toThrow(
    expect.objectContaining({ wrongUsage: true, message: expect.stringContaining(message) }),
  );
});

it('asks for nothing else where help is wanted', () => {
  expect(parseArguments(['--help'])).toBe('help');
});
