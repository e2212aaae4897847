import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needsTools } from '@ring3/core/testing';
import { onTestFinished } from 'vitest';
import { QEMU_SELECTOR, type QemuSelector } from './selector.ts';

/** Programs that tests on QEMU need. */
export const needsQemu = needsTools({
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-system-alpha': 'qemu-system-misc',
  'qemu-system-aarch64': 'qemu-system-arm',
  setpriv: 'util-linux',
});

/** What a configuration says, with the defaults filled in. */
export function selector(section: Readonly<Record<string, unknown>>): QemuSelector {
  return QEMU_SELECTOR.parse(section);
}

/** A disk image whose 32-bit words tell where they are, until the test ends. */
export function diskImage(sectors = 2048): { readonly path: string; readonly content: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-disk-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const content = Buffer.alloc(sectors * 512);
  for (let at = 0; at < content.length; at += 4) content.writeUInt32LE(Math.imul(at / 4 + 1, 0x9e37_79b1) >>> 0, at);
  const path = join(folder, 'disk.img');
  writeFileSync(path, content);
  return { path, content };
}

/** Whether a process is there and no zombie. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Several turns of the event loop. */
export function turns(count: number): Promise<void> {
  return new Promise((resolve) => {
    const next = (left: number) => (left === 0 ? resolve() : void setImmediate(() => next(left - 1)));
    next(count);
  });
}
