import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'ata-model-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the file layer in a process of its own, which is killed in the middle of its work. */
function runAndKill(image: string, work: string): void {
  const modules = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  const script = `
    const { FileStore } = await import(${modules('./file-store.ts')});
    const { Medium } = await import(${modules('./medium.ts')});
    const { defectsSchema } = await import(${modules('./defects.ts')});
    const store = await FileStore.open(${JSON.stringify(image)}, { create: true, readOnly: false, sectors: 8192 });
    const medium = new Medium(store, { cacheSectors: 4096, survivors: 0, seed: 1 }, defectsSchema.parse({}));
    const write = (lba, count, value) => medium.write(lba, new Uint8Array(512 * count).fill(value));
    ${work}
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => setInterval(() => {}, 1000));`;
  const args = ['--conditions=ring3-source', '--input-type=module', '--eval', script];
  const { stderr, signal, status } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 });
  expect(signal ?? status, stderr).not.toBe(0);
}

describe('a process that is killed', { timeout: 30_000 }, () => {
  it('loses what its disk had not flushed, and nothing else', () => {
    const image = join(folder, 'killed.img');
    runAndKill(image, 'write(0, 8, 1); await medium.flush(); write(4, 8, 2); await medium.writeThrough(10, 1);');
    const firstBytes = Array.from({ length: 12 }, (_, lba) => readFileSync(image)[lba * 512]);
    expect(firstBytes).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 2, 0]);
  });

  it('keeps the oldest sectors that its full cache had pushed out', () => {
    const image = join(folder, 'full.img');
    runAndKill(image, 'write(0, 4096, 3); write(4096, 64, 4);');
    const bytes = readFileSync(image);
    // 64 sectors too many, and room for a quarter of the cache.
    expect([bytes[0], bytes[1087 * 512], bytes[1088 * 512], bytes[4096 * 512]]).toEqual([3, 3, 0, 0]);
  });
});
