import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Does `work` with an empty disk image of 16 MiB, which goes away afterwards. */
export async function withEmptyImage<T>(work: (image: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-bench-image-'));
  const image = join(folder, 'disk.img');
  writeFileSync(image, '');
  truncateSync(image, 16 * 2 ** 20);
  try {
    return await work(image);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
