import { readdirSync, readFileSync } from 'node:fs';
import { withEmptyImage } from './empty-image.ts';
import type { Row } from './row.ts';
import { serveRing3 } from './served-rig.ts';

/** Private memory of each process of a rig that serves. */
export function memory(): Promise<Row[]> {
  return withEmptyImage(async (image) => {
    const rows: Row[] = [];
    for (const isolation of ['inline', 'process'] as const) {
      const served = await serveRing3(image, isolation);
      for (const pid of [served.pid, ...childrenOf(served.pid)]) rows.push(rowOf(pid, isolation));
      await served.stop();
    }
    return rows;
  });
}

/** Sums of smaps_rollup: proc_pid_smaps(5). */
function rowOf(pid: number, isolation: string): Row {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mib = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN) / 1024;
  const role = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    .split('\0')
    .find((word) => ['run', 'front', 'device-host'].includes(word));
  const privateMib = mib('Private_Dirty') + mib('Private_Clean');
  return {
    what: `private memory, isolation ${isolation}: ${role === 'run' ? (isolation === 'inline' ? 'the process' : 'supervisor') : role}`,
    ring3: `${privateMib.toFixed(1)} MiB (dirty ${mib('Private_Dirty').toFixed(1)}, PSS ${mib('Pss').toFixed(1)})`,
  };
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((candidate) => Number.isInteger(candidate) && parentOf(candidate) === pid);
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}
