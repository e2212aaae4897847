import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, type Row } from './row.ts';
import { serveRing3 } from './served-rig.ts';

const RUNS = 9;

/** From the start of `ring3 run` (bundled) to serving, over an empty Node. */
export async function startUp(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-bench-image-'));
  const image = join(folder, 'disk.img');
  writeFileSync(image, '');
  truncateSync(image, 16 * 2 ** 20);
  const empty: number[] = [];
  const inline: number[] = [];
  const isolated: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    empty.push(await emptyNodeMs());
    for (const [isolation, times] of [
      ['inline', inline],
      ['process', isolated],
    ] as const) {
      const served = await serveRing3(image, isolation);
      times.push(served.startMs);
      await served.stop();
    }
  }
  rmSync(folder, { recursive: true });
  return [row('inline', median(inline), median(empty), 250), row('process', median(isolated), median(empty))];
}

function row(isolation: string, ms: number, emptyMs: number, limitMs?: number): Row {
  const over = ms - emptyMs;
  return {
    what: `ring3 run to serving, bundled, ${isolation} (150 ms of it is the wait after an ATA reset)`,
    ring3: `${ms.toFixed(0)} ms, ${over.toFixed(0)} over an empty Node`,
    peer: `empty Node ${emptyMs.toFixed(0)} ms`,
    ...(limitMs === undefined ? {} : { target: `at most ${limitMs} ms over`, met: over <= limitMs }),
  };
}

async function emptyNodeMs(): Promise<number> {
  const start = performance.now();
  const child = spawn('taskset', ['-c', '0', process.execPath, '-e', '0'], { stdio: 'ignore' });
  await once(child, 'exit');
  return performance.now() - start;
}
