import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Empty images of these sizes in sectors: sparse, so that the largest may be larger than the machine's own disk. */
export function emptyImages(sectors: readonly number[]): { readonly paths: string[]; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-ata-'));
  const paths = sectors.map((count, index) => {
    const path = join(folder, `disk${index}.img`);
    writeFileSync(path, '');
    truncateSync(path, count * 512);
    return path;
  });
  return { paths, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
