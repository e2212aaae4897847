import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeviceError } from '@ring3/core';
import { expect, it, onTestFinished } from 'vitest';
import { QtestConnection } from './qtest-connection.ts';

/** A process that hangs up on whom it accepts, without having read what was said. */
async function rudeServer(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-rude-'));
  const path = join(folder, 'socket');
  const program = `require('node:net').createServer({ pauseOnConnect: true }, (socket) => socket.destroy())
    .listen(${JSON.stringify(path)}, () => console.log('ready'))`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });
  await once(child.stdout, 'data');
  return path;
}

it('says that QEMU has ended when it hangs up in the middle of the greeting', async () => {
  const socket = await rudeServer();
  try {
    new QtestConnection({ socket, pid: 4711, answerTimeoutMs: 5000, irq: () => {} });
    expect.fail('nobody greets');
  } catch (error) {
    expect(isDeviceError(error, 'gone'), String(error)).toBe(true);
    expect(String(error)).toContain('QEMU (process 4711) ended');
  }
});
