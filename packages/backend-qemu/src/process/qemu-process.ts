import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeviceError, duration, type Logger } from '@ring3/core';
import { createMemoryFile, listenUnix } from '@ring3/linux';
import type { Board } from '../boards/board.ts';
import type { MachineSpec } from '../machine/machine-spec.ts';
import { commandLine, RAM_FD } from './command-line.ts';
import { Qmp } from './qmp.ts';
import { refusal } from './refusal.ts';

/** On a machine that is busy with other things a start takes seconds. */
const START_TIMEOUT_MS = 30_000;

const RAM_NAME = 'ring3-qemu';

/** How a QEMU is found by the processes that use it. */
export interface QemuPlaces {
  /** Private to this user: sockets and what the first process found out. */
  readonly folder: string;
  readonly pid: number;
  readonly qtest: string;
  readonly qmp: string;
  /** Opens the guest's memory, as long as QEMU lives. */
  readonly ram: string;
}

/** The places of the QEMU with this process number in this folder. */
export function placesIn(folder: string, pid: number): QemuPlaces {
  return {
    folder,
    pid,
    qtest: join(folder, 'qtest.sock'),
    qmp: join(folder, 'qmp.sock'),
    ram: `/proc/${pid}/fd/${RAM_FD}`,
  };
}

/** Whether the QEMU is there: a process with its number, and the memory that it was started with. */
export function isThere({ ram }: QemuPlaces): boolean {
  try {
    return readlinkSync(ram).startsWith(`/memfd:${RAM_NAME} `);
  } catch {
    return false;
  }
}

const running = new Set<QemuProcess>();

/** This process ends without having closed its backends. */
function leave(): void {
  for (const qemu of running) qemu.abandon();
}

/** A QEMU that this process has started; it is killed with it, by the kernel. */
export class QemuProcess {
  readonly places: QemuPlaces;
  /** Resolves in words when it has ended. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  private constructor(child: ChildProcess, places: QemuPlaces, ended: Promise<string>) {
    this.#child = child;
    this.places = places;
    this.ended = ended;
    if (running.size === 0) process.on('exit', leave);
    running.add(this);
  }

  /**
   * Starts QEMU and waits until it answers.
   * @throws DeviceError as {@link refusal} has it, or `timeout`.
   */
  static async start(board: Board, spec: MachineSpec, log: Logger): Promise<QemuProcess> {
    sweep();
    const folder = mkdtempSync(join(tmpdir(), `${folderPrefix()}${process.pid}-`));
    try {
      const { child, said, ended } = launch(board, spec, folder, log);
      const started = new QemuProcess(child, placesIn(folder, child.pid ?? 0), ended);
      await started.#answers(board, said);
      return started;
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get pid(): number {
    return this.places.pid;
  }

  /** Ends it at once, as a power cut does. */
  async kill(): Promise<void> {
    this.#child.ref();
    (this.#child.stderr as Socket | null)?.ref();
    this.#child.kill('SIGKILL');
    await this.ended;
    running.delete(this);
    if (running.size === 0) process.off('exit', leave);
    rmSync(this.places.folder, { recursive: true, force: true });
  }

  /** As {@link kill}, without waiting for its end. */
  abandon(): void {
    this.#child.kill('SIGKILL');
    rmSync(this.places.folder, { recursive: true, force: true });
  }

  async #answers(board: Board, said: () => string): Promise<void> {
    const limit = new AbortController();
    const late = setTimeout(() => limit.abort(), START_TIMEOUT_MS);
    const isLate = new Promise<'late'>((resolve) => limit.signal.addEventListener('abort', () => resolve('late')));
    try {
      const greeting = Qmp.connect(this.places.qmp).then((qmp) => qmp.close());
      const failure = greeting.then(
        () => undefined,
        () => this.ended,
      );
      const end = await Promise.race([failure, this.ended, isLate]);
      if (end === undefined) return;
      await this.kill();
      if (end === 'late') {
        const limitText = duration(START_TIMEOUT_MS * 1000);
        throw new DeviceError(
          'timeout',
          `${board.program} did not answer within ${limitText} of its start${because(said())}`,
        );
      }
      throw refusal(board, end, said());
    } finally {
      clearTimeout(late);
    }
  }
}

function because(said: string): string {
  return said === '' ? '' : `: ${said}`;
}

function launch(board: Board, spec: MachineSpec, folder: string, log: Logger) {
  const places = placesIn(folder, 0);
  const romPath = join(folder, 'rom.bin');
  if (board.rom !== undefined) writeFileSync(romPath, board.rom());
  const fds: number[] = [];
  try {
    // They listen before QEMU runs: who connects waits for it, nobody asks again and again.
    fds.push(listenUnix(places.qtest), listenUnix(places.qmp), createMemoryFile(RAM_NAME, board.ramBytes));
    const args = ['--pdeathsig', 'KILL', '--', board.program, ...commandLine(board, spec, romPath)];
    // In a session of its own: Ctrl-C is for us, and our drivers still need their devices then.
    const stdio = ['ignore', 'ignore', 'pipe', ...fds] as const;
    const env = { ...process.env, LC_ALL: 'C' }; // What it says is looked at.
    const child = spawn('setpriv', args, { stdio: [...stdio], cwd: '/', detached: true, env });
    return { child, ...watch(child, log) };
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

function watch(child: ChildProcess, log: Logger) {
  const lines: string[] = [];
  const errors = child.stderr;
  if (errors !== null) {
    const { createInterface } = process.getBuiltinModule('node:readline');
    createInterface({ input: errors }).on('line', (line) => {
      if (lines.length < 20) lines.push(line);
      log.warn(line);
    });
  }
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`cannot be started through setpriv (${error.message})`));
    child.once('close', (code, signal) =>
      resolve(signal === null ? `exited with status ${code}` : `was killed by ${signal}`),
    );
  });
  // What waits for a device keeps the process alive, not the emulator of the device.
  child.unref();
  (errors as Socket | null)?.unref();
  return { ended, said: () => lines.join('; ') };
}

/** The numbers of processes mean something in their own name space only: containers may share the folder. */
function folderPrefix(): string {
  const [space = '0'] = /\d+/.exec(readlinkSync('/proc/self/ns/pid')) ?? [];
  return `ring3-qemu-${space}-`;
}

/** Removes what processes left that were killed. */
function sweep(): void {
  const prefix = folderPrefix();
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(prefix))) {
    const pid = Number.parseInt(name.slice(prefix.length), 10);
    if (Number.isNaN(pid) || isRunning(pid)) continue;
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    } catch {
      // Another user's.
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
