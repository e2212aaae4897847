import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { toolsMissing } from './require-tool.ts';

function folderWith(name: string, mode: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-tools-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, name), '#!/bin/sh\n');
  chmodSync(join(folder, name), mode);
  return folder;
}

test('nothing is missing when every tool is an executable on the path', () => {
  const path = [folderWith('other', 0o755), folderWith('frob', 0o755)].join(delimiter);
  expect(toolsMissing({ frob: 'frob-utils' }, path)).toBeUndefined();
});

test('missing tools are named once each, with the packages that hold them', () => {
  const path = folderWith('frob', 0o755);
  expect(toolsMissing({ frob: 'frob-utils', twist: 'knob-bin', turn: 'knob-bin' }, path)).toBe(
    'not installed: twist, turn (apt-get install knob-bin)',
  );
});

test('a file that cannot be executed is not a tool', () => {
  expect(toolsMissing({ frob: 'frob-utils' }, folderWith('frob', 0o644))).toContain('frob');
});
