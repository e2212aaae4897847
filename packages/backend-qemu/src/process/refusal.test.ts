import { expect, test } from 'vitest';
import { refusal } from './refusal.ts';

const PC = { program: 'qemu-system-x86_64', debianPackage: 'qemu-system-x86' };
const LOCKED =
  'qemu-system-x86_64: -device ide-hd,drive=d0: Failed to get "write" lock; Is another process using the image [/a b.img]?';
const OPEN = `qemu-system-x86_64: -blockdev {"driver":"raw"}: Could not open '/x.img': `;

test.each([
  ['cannot be started through setpriv (spawn setpriv ENOENT)', '', 'not-found', /apt-get install util-linux$/],
  [
    'exited with status 127',
    'setpriv: failed to execute qemu: No such file',
    'not-found',
    /apt-get install qemu-system-x86$/,
  ],
  ['exited with status 1', LOCKED, 'busy', /^the image \/a b\.img is in use by another drive or process: .*fuser/],
  [
    'exited with status 1',
    `${OPEN}No such file or directory`,
    'not-found',
    /^qemu-system-x86_64 cannot open \/x\.img: No such/,
  ],
  ['exited with status 1', `${OPEN}Permission denied`, 'permission', /cannot open \/x\.img: Permission denied$/],
  [
    'exited with status 1',
    `${OPEN}Is a directory`,
    'config',
    /did not start: it exited with status 1: .*Is a directory$/,
  ],
  ['was killed by SIGKILL', '', 'config', /^qemu-system-x86_64 did not start: it was killed by SIGKILL$/],
])('%s, %s', (end, said, code, message) => {
  expect(refusal(PC, end, said)).toMatchObject({ code, message: expect.stringMatching(message) });
});
