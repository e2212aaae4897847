import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  type InterruptResource,
  type InterruptSource,
  isDeviceError,
  type MemoryRegion,
  type OpenDevice,
  type RegisterSpace,
} from '@ring3/core';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { QemuBackend, type QemuBackendOptions } from './backend.ts';
import { storeInventory } from './machine/inventory.ts';
import { machineKey } from './machine/machine-spec.ts';
import { QemuMachine } from './machine/qemu-machine.ts';
import { diskImage, isRunning, needsQemu, selector, turns } from './test-machine.ts';

beforeEach(needsQemu);

const EDU = selector({ machine: 'pc', devices: ['edu'] });

function backendFor(options: QemuBackendOptions = {}): QemuBackend {
  const backend = new QemuBackend(options);
  onTestFinished(() => backend.close());
  return backend;
}

async function openRegisters(device: OpenDevice, index = 0): Promise<RegisterSpace> {
  const resource = device.description.spaces[index];
  if (resource === undefined) expect.fail(`no space ${index}`);
  return device.openSpace(resource);
}

/** An edu device, its registers and its QEMU. */
async function edu(options: QemuBackendOptions = {}, section = EDU) {
  const backend = backendFor(options);
  const device = await backend.open(section);
  const registers = (await openRegisters(device)) as MemoryRegion;
  return { backend, device, registers, machine: await backend.machineOf(section) };
}

/** Accesses to edu as QEMU's trace has them from now on: `[cpu, region, offset, value, size]` in short. */
async function traced(machine: QemuMachine): Promise<() => string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-trace-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'trace.log');
  await machine.qmp('human-monitor-command', { 'command-line': `logfile ${path}` });
  for (const name of ['memory_region_ops_read', 'memory_region_ops_write']) {
    await machine.qmp('trace-event-set-state', { name, enable: true });
  }
  return () => {
    const lines = readFileSync(path, 'latin1').split('\n');
    return lines.flatMap((line) => {
      const [, kind, offset, value, size] =
        /ops_(read|write).* addr 0x[0-9a-f]*?([0-9a-f]{1,5}) value (0x[0-9a-f]+) size (\d) name 'edu-mmio'/.exec(
          line,
        ) ?? [];
      return kind === undefined ? [] : [`${kind} ${offset?.slice(-2)} ${value} ${size}`];
    });
  };
}

it('does each access of a sequence once, in order and in its width', async () => {
  const { registers, machine } = await edu();
  const seen = await traced(machine);
  registers.sequence([
    { kind: 'write', width: 32, offset: 0x04, value: 0x1234 },
    { kind: 'read', width: 32, offset: 0x04 },
    { kind: 'read', width: 32, offset: 0x00 },
  ]);
  expect(seen()).toEqual(['write 04 0x1234 4', 'read 04 0xffffedcb 4', 'read 00 0x10000ed 4']);
});

it('does 64 bits in one access', async () => {
  const { registers, machine } = await edu();
  const seen = await traced(machine);
  registers.write64(0x80, 0x0123_4567_89ab_cdefn);
  expect(registers.read64(0x80)).toBe(0x0123_4567_89ab_cdefn);
  expect(seen()).toEqual(['write 80 0x123456789abcdef 8', 'read 80 0x123456789abcdef 8']);
});

it('reads and writes each word of a FIFO once, also when it goes out in pieces', async () => {
  const { registers, machine } = await edu();
  const seen = await traced(machine);
  const words = 300;
  registers.writeFifo32(
    0x04,
    Uint8Array.from({ length: words * 4 }, (_, at) => at),
  );
  const into = new Uint8Array(words * 4);
  registers.readFifo32(0x04, into);
  const lines = seen();
  expect(lines.filter((line) => line.startsWith('write 04'))).toHaveLength(words);
  expect(lines.filter((line) => line.startsWith('read 04'))).toHaveLength(words);
  expect(lines[0]).toBe('write 04 0x3020100 4');
  // The register inverts; the last word written ends in (299 * 4 + n) modulo 256.
  expect([...into.subarray(0, 4)]).toEqual([0xac, 0xad, 0xae, 0xaf].map((byte) => 0xff - byte));
});

it('does blocks of memory by 32-bit accesses at rising offsets', async () => {
  const { registers, machine } = await edu();
  const seen = await traced(machine);
  registers.readBlock(0x80, new Uint8Array(8));
  expect(seen().map((line) => line.replace(/ 0x\w+/, ''))).toEqual(['read 80 4', 'read 84 4']);
});

it('has two devices on one machine', async () => {
  const devices = ['edu,id=one', 'edu,id=two'];
  const backend = backendFor();
  const sections = ['one', 'two'].map((select) => selector({ machine: 'pc', devices, select }));
  const opened = [];
  for (const section of sections) opened.push(await openRegisters(await backend.open(section)));
  const [one, two] = opened;
  one?.write32(0x80, 1);
  two?.write32(0x80, 2);
  expect([one?.read32(0x80), two?.read32(0x80)]).toEqual([1, 2]);
  const machines = await Promise.all(sections.map((section) => backend.machineOf(section)));
  expect(new Set(machines.map(({ pid }) => pid)).size).toBe(1);
});

it('is not disturbed by a device on the same line that nobody has opened', async () => {
  const devices = ['edu,id=one,addr=4', 'edu,id=loud,addr=8'];
  const { device, machine } = await edu({}, selector({ machine: 'pc', devices, select: 'one' }));
  const source = device.openInterrupt(device.description.interrupts[0] as InterruptResource) as InterruptSource;
  source.attach(() => 'not-mine');
  source.enable();
  const { bars } = machine.inventory.functions.find((fn) => fn.device === 8) ?? expect.fail('no function in slot 8');
  machine.access('memory', bars[0]?.start ?? 0n).write(0x60, 32, 1);
  await turns(20);
  expect(source.statistics.events).toBe(0);
});

it('starts one QEMU for equal sections of two backends, and ends it with the last', async () => {
  const first = backendFor();
  const second = backendFor();
  await Promise.all([first.describe(EDU), second.describe(EDU)]);
  const machine = await first.machineOf(EDU);
  await first.close();
  expect(isRunning(machine.pid)).toBe(true);
  await second.close();
  expect(isRunning(machine.pid)).toBe(false);
});

it('says in words that QEMU was killed, and starts another one for who asks again', async () => {
  const { backend, device, registers, machine } = await edu();
  process.kill(machine.pid, 'SIGKILL');
  expect(await device.gone).toBe(`QEMU (process ${machine.pid}) ended`);
  expect(registers.read32(0)).toBe(0xffff_ffff);
  expect(registers.sequence([{ kind: 'read', width: 32, offset: 0 }])).toEqual([0xffff_ffff]);
  await device.close();
  await machine.ended;
  expect((await openRegisters(await backend.open(EDU))).read32(0)).toBe(0x0100_00ed);
});

it('waits on when a signal comes while QEMU computes', async () => {
  const { registers } = await edu();
  const child = spawn('sh', ['-c', 'for i in $(seq 300); do kill -WINCH $0; done', String(process.pid)]);
  const sigwinch = () => {};
  process.on('SIGWINCH', sigwinch);
  onTestFinished(() => void process.off('SIGWINCH', sigwinch));
  let ended = false;
  child.once('exit', () => {
    ended = true;
  });
  const into = new Uint8Array(4096);
  while (!ended) {
    registers.readFifo32(0, into);
    expect([...into.subarray(-4)]).toEqual([0xed, 0x00, 0x00, 0x01]);
    await turns(1);
  }
});

it('gives up a QEMU that does not answer', async () => {
  const { device, registers, machine } = await edu({ answerTimeoutMs: 200 });
  process.kill(machine.pid, 'SIGSTOP');
  expect(registers.read32(0)).toBe(0xffff_ffff);
  expect(await device.gone).toBe(`QEMU (process ${machine.pid}) has not answered for 200 ms: was it stopped?`);
});

/** A process of its own that has opened an edu device. */
async function holder(): Promise<{ child: ChildProcess; places: QemuMachine['places'] }> {
  const script = fileURLToPath(new URL('./test-holder.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=ring3-source', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = await once(createInterface({ input: child.stdout as NonNullable<typeof child.stdout> }), 'line');
  return { child, places: JSON.parse(line as string) };
}

async function ended(pid: number): Promise<void> {
  while (isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
}

it('leaves no QEMU behind a process that was killed', async () => {
  const { child, places } = await holder();
  expect(isRunning(places.pid)).toBe(true);
  child.kill('SIGKILL');
  await ended(places.pid);
});

it('is found by a process that its owner has started, and outlives it', async () => {
  const backend = backendFor();
  const machine = await backend.machineOf(EDU);
  const { child, places } = await holder();
  expect(places.pid).toBe(machine.pid);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect((await openRegisters(await backend.open(EDU))).read32(0)).toBe(0x0100_00ed);
});

it('says that another process has the machine', async () => {
  const { places } = await holder();
  const machine = QemuMachine.join({ machine: 'pc', devices: [], drives: [] }, places.folder, places.pid, {
    answerTimeoutMs: 200,
  });
  // The fourth does not even get into the queue.
  for (let attempt = 1; attempt <= 4; attempt++) {
    expect(() => machine.connect()).toThrow(/talks to one process at a time, and either another one has it or/);
  }
});

/** This process is told of a QEMU of EDU as the children of its owner are. */
function tell(pid: number, folder: string): void {
  const variable = `RING3_QEMU_${machineKey({ machine: 'pc', devices: [{ driver: 'edu' }], drives: [] })}`;
  process.env[variable] = `${pid}:${folder}`;
  onTestFinished(() => {
    delete process.env[variable];
  });
}

it('starts a QEMU in place of that of another process, once that has ended', async () => {
  const { child, places } = await holder();
  tell(places.pid, places.folder);
  const backend = backendFor();
  expect((await backend.machineOf(EDU)).pid).toBe(places.pid);
  child.kill('SIGKILL');
  await ended(places.pid);
  expect((await openRegisters(await backend.open(EDU))).read32(0)).toBe(0x0100_00ed);
});

it('takes no other process for a QEMU that has ended without a word', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-left-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  storeInventory(folder, { functions: [], slots: {} });
  tell(process.pid, folder);
  expect((await openRegisters(await backendFor().open(EDU))).read32(0)).toBe(0x0100_00ed);
});

it('does not join a QEMU that is being ended', async () => {
  const { path } = diskImage();
  const drives = [{ id: 'd0', file: path }];
  const disk = selector({ machine: 'pc', select: 'ide', drives, devices: ['ide-hd,drive=d0,bus=ide.0'] });
  const [first, second] = [backendFor(), backendFor()];
  const old = await first.machineOf(disk);
  const closing = first.close();
  const device = await second.open(disk);
  await closing;
  expect((await second.machineOf(disk)).pid).not.toBe(old.pid);
  expect((await openRegisters(device, 1)).read8(0)).not.toBe(0xff);
});

/** A search path for programs with nothing but a folder of the test. */
function searchIn(folder: string): void {
  const search = process.env['PATH'];
  process.env['PATH'] = folder;
  onTestFinished(() => {
    process.env['PATH'] = search;
    rmSync(folder, { recursive: true });
  });
}

it('says how to install a QEMU that is missing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-path-'));
  const setpriv = (process.env['PATH'] ?? '').split(delimiter).map((part) => join(part, 'setpriv'));
  symlinkSync(setpriv.find((path) => isFile(path)) ?? '', join(folder, 'setpriv'));
  searchIn(folder);
  const error = await backendFor()
    .describe(EDU)
    .catch((reason: unknown) => reason);
  expect(isDeviceError(error, 'not-found')).toBe(true);
  expect(String(error)).toContain('qemu-system-x86_64 is not installed: apt-get install qemu-system-x86');
});

it('understands setpriv where people speak German', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-path-'));
  const speak = '[ "$LC_ALL" = C ] && echo failed to execute >&2 || echo konnte nicht ausgeführt werden >&2; exit 127';
  writeFileSync(join(folder, 'setpriv'), `#!/bin/sh\n${speak}\n`, { mode: 0o755 });
  searchIn(folder);
  await expect(backendFor().describe(EDU)).rejects.toMatchObject({ code: 'not-found' });
});

function isFile(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}

it('passes on what QEMU says of devices that it does not have, and of images that another QEMU has', async () => {
  const unknown = selector({ machine: 'pc', devices: ['flux-capacitor'] });
  await expect(backendFor().describe(unknown)).rejects.toThrow(
    /did not start: .*'flux-capacitor' is not a valid device/,
  );
  const { path } = diskImage();
  const drives = [{ id: 'd0', file: path }];
  const disk = (id: string) =>
    selector({ machine: 'pc', select: 'ide', drives, devices: [`ide-hd,id=${id},drive=d0,bus=ide.0`] });
  await backendFor().describe(disk('first'));
  await expect(backendFor().describe(disk('second'))).rejects.toMatchObject({
    code: 'busy',
    message: expect.stringMatching(/^the image .* is in use by another drive or process/),
  });
});

it('takes the path of a drive from where this process is', async () => {
  const drives = [{ id: 'd0', file: 'no-such.img' }];
  const section = selector({ machine: 'pc', select: 'ide', drives, devices: ['ide-hd,drive=d0,bus=ide.0'] });
  await expect(backendFor().describe(section)).rejects.toThrow(
    `cannot open ${resolve('no-such.img')}: No such file or directory`,
  );
});

it('keeps a device whose interrupt is disabled off the line of another', async () => {
  const devices = ['edu,id=one,addr=4', 'edu,id=quiet,addr=8'];
  const backend = backendFor();
  const open = async (select: string) => {
    const device = await backend.open(selector({ machine: 'pc', devices, select }));
    const source = device.openInterrupt(device.description.interrupts[0] as InterruptResource) as InterruptSource;
    return { source, registers: await openRegisters(device) };
  };
  const [one, quiet] = [await open('one'), await open('quiet')];
  one.source.attach(() => 'not-mine');
  one.source.enable();
  quiet.source.attach(() => {
    quiet.registers.write32(0x64, 1);
    return 'handled';
  });
  quiet.registers.write32(0x60, 1);
  await turns(20);
  expect(one.source.statistics.events).toBe(0);
  quiet.source.enable();
  await turns(20);
  expect(quiet.source.statistics).toMatchObject({ events: 1, handled: 1 });
  quiet.source.disable();
  quiet.registers.write32(0x60, 1);
  const before = one.source.statistics.events;
  await turns(20);
  expect(one.source.statistics.events).toBe(before);
});

it('says what there is when a device is not there', async () => {
  const backend = backendFor();
  const absent = { ...EDU, select: { pci: '0000:00:1e.0' } };
  await expect(backend.describe(absent)).rejects.toThrow(
    'the machine pc has no device at PCI address 0000:00:1e.0; there are: 0000:00:01.1 (',
  );
});

it('takes a screenshot through QMP', async () => {
  const { machine } = await edu({}, selector({ machine: 'pc', devices: ['edu', 'bochs-display'] }));
  const folder = mkdtempSync(join(tmpdir(), 'ring3-screen-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const filename = join(folder, 'screen.ppm');
  await machine.qmp('screendump', { filename });
  expect(readFileSync(filename).toString('latin1', 0, 2)).toBe('P6');
  await expect(machine.qmp('no-such-command')).rejects.toThrow(
    'QMP no-such-command: The command no-such-command has not been found',
  );
});
