import { existsSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, realpath, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { env, execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { plugDevices } from './devices.ts';
import { guestShare } from './init-script.ts';
import { provideKernel } from './kernel.ts';
import { accelerator, type MachineEnd, runMachine } from './machine.ts';
import { foldersToCopy } from './memory-copies.ts';
import { requireTools, vmTools } from './tools.ts';
import { VmError } from './vm-error.ts';

/** The root of the checkout. */
export const checkout = fileURLToPath(new URL('../../../', import.meta.url)).replace(/\/$/, '');

/** Kernels and what is built for them; git does not see it. */
export const cacheFolder = join(checkout, '.toolchain', 'vm');

export interface RunOptions {
  /** Program and arguments; a relative path counts from the working folder. */
  readonly command: readonly string[];
  /** Devices as `plugDevices` takes them. */
  readonly devices?: readonly string[];
  /** Kernel modules to load, by name, or by the path of a .ko file. Default: uio_pci_generic. */
  readonly modules?: readonly string[];
  readonly memoryMib?: number;
  readonly timeoutSeconds?: number;
  /** More words for the kernel's command line. */
  readonly append?: readonly string[];
  /** More arguments for QEMU. */
  readonly qemuArguments?: readonly string[];
  /** Working folder of the command. Default: the checkout. */
  readonly folder?: string;
  /** More environment for the command. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The Node that comes first in the machine's PATH. Default: the one that runs this. */
  readonly node?: string;
  readonly interactive?: boolean;
  readonly verbose?: boolean;
  /** Gets the output while it comes. */
  readonly onOutput?: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
  /** Gets the other end of /dev/virtio-ports/channel, for a command that talks with this process. */
  readonly onChannel?: (channel: Socket) => void;
  /** Switches the machine off. */
  readonly signal?: AbortSignal;
  /** Looks at the folder that guest and host share before it is gone. */
  readonly collect?: (share: string) => Promise<void> | void;
}

/** How the command ended. */
export interface RunResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly kernelLog: string;
}

/**
 * Boots a machine, runs a command in it and returns its exit status and output.
 * @throws VmError when the machine does not start, does not end in time or stops before the command has ended.
 */
export async function runInVm(options: RunOptions): Promise<RunResult> {
  requireTools(vmTools);
  const kernel = await provideKernel(cacheFolder);
  const folder = await mkdtemp(join(tmpdir(), 'ring3-vm-'));
  const share = join(folder, 'share');
  // A runner of tests may end this process without letting it finish.
  const cleanUp = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', cleanUp);
  const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  try {
    await mkdir(share);
    await writeFile(join(share, 'command.sh'), commandScript(options, kernel.root));
    const devices = await plugDevices(options.devices ?? [], folder);
    const end = await runMachine({
      kernel,
      folder,
      share,
      init: await initOptions(kernel.root, options),
      modules: options.modules ?? ['uio_pci_generic'],
      memoryMib: options.memoryMib ?? 1024,
      append: options.append ?? [],
      qemuArguments: [...devices.qemuArguments, ...(options.qemuArguments ?? [])],
      timeoutSeconds: options.timeoutSeconds ?? 120,
      verbose: options.verbose ?? false,
      ...(options.onChannel === undefined ? {} : { onChannel: options.onChannel }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onOutput: (stream, chunk) => {
        output[stream].push(chunk);
        options.onOutput?.(stream, chunk);
      },
    });
    devices.close();
    await options.collect?.(share);
    const status = await readStatus(share, end, options.timeoutSeconds ?? 120);
    const stdout = Buffer.concat(output.stdout).toString();
    const stderr = Buffer.concat(output.stderr).toString();
    return { status, stdout, stderr, kernelLog: await readKernelLog(share, end) };
  } finally {
    process.off('exit', cleanUp);
    cleanUp();
  }
}

/** Folders that are memory in the machine; what it needs of the host below them stays visible. */
async function initOptions(modulesRoot: string, options: RunOptions) {
  const volatile = ['/tmp', '/run', '/var/tmp'];
  const needed = await Promise.all([checkout, dirname(options.node ?? execPath)].map((path) => realpath(path)));
  const kept = needed.filter((path) => volatile.some((folder) => path.startsWith(`${folder}/`)));
  const copies = await foldersToCopy(checkout);
  return { volatile, kept, modulesRoot, copies, interactive: options.interactive ?? false };
}

function commandScript(options: RunOptions, kernelRoot: string): string {
  const path = [dirname(options.node ?? execPath), join(checkout, 'node_modules', '.bin'), env['PATH'], '/usr/sbin'];
  const variables: Record<string, string> = {
    PATH: path.filter(Boolean).join(':'),
    HOME: '/tmp/home',
    TMPDIR: '/tmp',
    LANG: 'C.UTF-8',
    TERM: env['TERM'] ?? 'dumb',
    MODPROBE_OPTIONS: `-d ${kernelRoot}`,
    RING3_VM: '1',
    RING3_VM_SHARE: guestShare,
    ...options.environment,
  };
  const exports = Object.entries(variables).map(([name, value]) => `export ${name}=${quote(value)}`);
  const folder = options.folder ?? checkout;
  // The terminal of the host turns line feeds into new lines already.
  const terminal = `stty rows ${process.stdout.rows} cols ${process.stdout.columns} -onlcr`;
  return [
    ...(options.interactive === true ? [terminal] : []),
    'mkdir -p /tmp/home',
    ...exports,
    `cd ${quote(folder)}`,
    `exec ${options.command.map(quote).join(' ')}`,
    '',
  ].join('\n');
}

async function readStatus(share: string, end: MachineEnd, timeoutSeconds: number): Promise<number> {
  const file = join(share, 'status');
  const text = existsSync(file) ? await readFile(file, 'utf8') : '';
  if (/^\d+\s*$/.test(text)) return Number(text);
  if (end.stoppedBy !== undefined) throw new VmError(`Stopped by ${end.stoppedBy}.`, { signal: end.stoppedBy });
  const why = end.timedOut
    ? `The machine was not done after ${timeoutSeconds} s (--timeout) and was stopped.`
    : 'The machine stopped before the command had ended.';
  const hint =
    accelerator === 'tcg'
      ? ''
      : `RING3_VM_ACCEL=${accelerator} is set: without it the machine is emulated, which works everywhere.`;
  const words = [hint, end.qemuWords, end.kernelLog.trimEnd().split('\n').slice(-40).join('\n')];
  throw new VmError([why, ...words.filter(Boolean)].join('\n'));
}

async function readKernelLog(share: string, end: MachineEnd): Promise<string> {
  return readFile(join(share, 'kernel.log'), 'utf8').catch(() => end.kernelLog);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
