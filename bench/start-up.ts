import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { withEmptyImage } from './empty-image.ts';
import { median, type Row } from './row.ts';
import { serveRing3 } from './served-rig.ts';

const RUNS = 9;

/** From the start of `ring3 run` (bundled) to serving, over an empty Node. */
export function startUp(): Promise<Row[]> {
  return withEmptyImage(async (image) => {
    const times = { empty: [] as number[], inline: [] as number[], process: [] as number[] };
    for (let run = 0; run < RUNS; run++) {
      times.empty.push(await emptyNodeMs());
      for (const isolation of ['inline', 'process'] as const) {
        const served = await serveRing3(image, isolation);
        times[isolation].push(served.startMs);
        await served.stop();
      }
    }
    const empty = median(times.empty);
    return [row('inline', median(times.inline), empty, 250), row('process', median(times.process), empty)];
  });
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
