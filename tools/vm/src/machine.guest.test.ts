import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { expect, it } from 'vitest';

it('runs on a kernel of its own', () => {
  expect(process.env['RING3_VM']).toBe('1');
  expect(readFileSync('/proc/cmdline', 'utf8')).toContain('no_timer_check');
  expect(release()).toMatch(/-amd64$/);
});
