import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, type Row } from './row.ts';

const RUNS = 11;
const TARGET_MS = 300;
const SIDE = join(import.meta.dirname, 'qemu-start-side.ts');

/** From the start of backend-qemu to the first register of a device, beside QEMU's own start to its first answer. */
export async function qemuStart(): Promise<Row[]> {
  const times = { qemu: [] as number[], load: [] as number[], start: [] as number[] };
  for (let run = 0; run < RUNS; run++) {
    times.qemu.push(await qemuAloneMs());
    const side = execFileSync(process.execPath, ['--conditions=ring3-source', SIDE], { encoding: 'utf8' });
    const { loadMs, startMs } = JSON.parse(side) as { loadMs: number; startMs: number };
    times.load.push(loadMs);
    times.start.push(startMs);
  }
  const [qemu, load, start] = [median(times.qemu), median(times.load), median(times.start)];
  return [
    {
      what: 'backend-qemu, from opening `edu` on `pc` to its first register',
      ring3: `${start.toFixed(0)} ms, ${(start - qemu).toFixed(0)} over QEMU's own start`,
      peer: `QEMU to its first answer over qtest ${qemu.toFixed(0)} ms`,
      target: `at most ${TARGET_MS} ms over`,
      met: start - qemu <= TARGET_MS,
    },
    { what: 'loading backend-qemu before that, from source', ring3: `${load.toFixed(0)} ms`, target: 'reported' },
  ];
}

/** The same board with the same device and nothing else: from its start to the answer to one read. */
async function qemuAloneMs(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-bench-'));
  const path = join(folder, 'qtest');
  const server = createServer().listen(path);
  await once(server, 'listening');
  const start = performance.now();
  const board = ['-machine', 'pc', '-m', '64M', '-accel', 'tcg', '-display', 'none', '-nodefaults', '-S'];
  const qtest = ['-chardev', `socket,id=qtest,path=${path}`, '-qtest', 'chardev:qtest', '-qtest-log', 'none'];
  const qemu = spawn('qemu-system-x86_64', [...board, ...qtest, '-device', 'edu'], { stdio: 'ignore' });
  try {
    const [socket] = (await once(server, 'connection')) as [Socket];
    socket.write('inl 0xcf8\n');
    await once(socket, 'data');
    return performance.now() - start;
  } finally {
    qemu.kill('SIGKILL');
    await once(qemu, 'exit');
    server.close();
    rmSync(folder, { recursive: true });
  }
}
