import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as milliseconds } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkout } from '../src/run.ts';

// `pnpm vm` as a person calls it.

function startVm(...words: readonly string[]) {
  const cli = join(checkout, 'tools', 'vm', 'src', 'cli.ts');
  const child = spawn(process.execPath, ['--conditions=ring3-source', cli, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk) => {
      output[stream] += chunk;
    });
  }
  const ended = once(child, 'close').then(([status]) => ({ status: status as number | null, ...output }));
  return { child, ended };
}

/** The process id of QEMU, as soon as there is one. */
async function qemuOf(pid: number): Promise<number> {
  for (;;) {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
    const qemu = children.find((child) => readFileSync(`/proc/${child}/comm`, 'utf8').startsWith('qemu'));
    if (qemu !== undefined) return Number(qemu);
    await milliseconds(20);
  }
}

async function untilGone(pid: number): Promise<void> {
  while (existsSync(`/proc/${pid}`)) await milliseconds(20);
}

describe('a command in the machine', () => {
  it('gives its output, its errors and its exit status, and changes no file of the host', async () => {
    const script = `echo out; echo err >&2; uname -r; cat /sys/bus/pci/devices/*/device; touch ${checkout}/x; exit 7`;
    const { status, stdout, stderr } = await startVm('--device', 'edu', '--', 'sh', '-c', script).ended;
    expect(status).toBe(7);
    expect(stdout).toMatch(/^out\n\d+\.\d+.*-amd64\n/);
    expect(stdout).toContain('0x11e8\n');
    expect(stderr).toMatch(/^err\n/);
    expect(stderr).toContain('Read-only file system');
    expect(existsSync(`${checkout}/x`)).toBe(false);
  });

  it('says why the machine stopped where the kernel has panicked', async () => {
    const { status, stderr } = await startVm('sh', '-c', 'echo c > /proc/sysrq-trigger').ended;
    expect(status).toBe(125);
    expect(stderr).toMatch(/^ring3: The machine stopped before the command had ended\.\n/);
    expect(stderr).toContain('Kernel panic');
  });
});

describe('no machine is left behind', () => {
  it('when its time is over', async () => {
    const { child, ended } = startVm('--timeout', '2', '--', 'sleep', '1000');
    const qemu = await qemuOf(child.pid ?? 0);
    const { status, stderr } = await ended;
    expect(stderr).toContain('The machine was not done after 2 s');
    expect(status).toBe(125);
    await untilGone(qemu);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGKILL', null],
  ] as const)('when its owner gets %s', async (signal, expected) => {
    const { child, ended } = startVm('sleep', '1000');
    const qemu = await qemuOf(child.pid ?? 0);
    child.kill(signal);
    expect((await ended).status).toBe(expected);
    await untilGone(qemu);
  });
});

it('refuses wrong usage with words', async () => {
  const { status, stderr } = await startVm('--devise', 'edu', 'ls').ended;
  expect(status).toBe(2);
  expect(stderr).toContain("Unknown option '--devise'");
});

it('says what QEMU says of a device that it does not have', async () => {
  const { status, stderr } = await startVm('--device', 'toaster', 'ls').ended;
  expect(status).toBe(125);
  expect(stderr).toContain("'toaster' is not a valid device model name");
});
