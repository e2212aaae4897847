import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { env } from 'node:process';
import { type InitOptions, initScript } from './init-script.ts';
import { buildInitramfs } from './initramfs.ts';
import type { Kernel } from './kernel.ts';
import { copyEntries } from './memory-copies.ts';
import { StreamServer } from './stream-server.ts';
import { findTool } from './tools.ts';
import { VmError } from './vm-error.ts';

export interface MachineOptions {
  readonly kernel: Kernel;
  /** A private folder of the host for sockets and the initramfs. */
  readonly folder: string;
  /** The folder that the machine may write. */
  readonly share: string;
  readonly init: InitOptions;
  readonly modules: readonly string[];
  readonly memoryMib: number;
  /** More words for the kernel's command line. */
  readonly append: readonly string[];
  readonly qemuArguments: readonly string[];
  readonly timeoutSeconds: number;
  /** Kernel messages on stderr while they come. */
  readonly verbose: boolean;
  readonly onChannel?: (channel: Socket) => void;
  readonly signal?: AbortSignal;
  /** Output of the command; not used where the terminal is passed through. */
  onOutput(stream: 'stdout' | 'stderr', chunk: Buffer): void;
}

/** How a machine ended. */
export interface MachineEnd {
  readonly timedOut: boolean;
  /** The signal that this process got. */
  readonly stoppedBy: NodeJS.Signals | undefined;
  /** What the kernel printed on its console. */
  readonly kernelLog: string;
  /** What QEMU itself said. */
  readonly qemuWords: string;
}

/** Accelerator: emulation works everywhere; KVM is asked for, because it hangs on machines that only pretend to have it. */
export const accelerator = env['RING3_VM_ACCEL'] ?? 'tcg';

/** Less work for an emulated processor: no benchmarks of timers, no repairs of processors that it is not. */
const kernelWords = ['console=ttyS0', 'panic=-1', 'no_timer_check', 'tsc=reliable', 'mitigations=off'];
const moreKernelWords = ['random.trust_cpu=on', '8250.nr_uarts=4', 'apparmor=0', 'audit=0', 'net.ifnames=0'];

/** Boots a machine and waits until it is off. It never outlives this process or its time. */
export async function runMachine(options: MachineOptions): Promise<MachineEnd> {
  const streams = await openStreams(options.folder);
  const initrd = join(options.folder, 'initrd');
  const copies = await copyEntries(options.init.copies);
  await writeFile(initrd, await buildInitramfs(options.kernel, initScript(options.init), options.modules, copies));
  const log: Buffer[] = [];
  const drained = Promise.all([
    drain(streams.console, (chunk) => {
      log.push(chunk);
      if (options.verbose) process.stderr.write(chunk);
    }),
    drain(streams.stdout, (chunk) => options.onOutput('stdout', chunk)),
    drain(streams.stderr, (chunk) => options.onOutput('stderr', chunk)),
  ]);
  void streams.channel.connected.then((channel) => options.onChannel?.(channel));
  const child = startQemu(qemuArguments(options, initrd, streams), options.init.interactive);
  try {
    const end = await waitForEnd(child, options);
    if (!end.failed) await drained;
    return {
      timedOut: end.timedOut,
      stoppedBy: end.stoppedBy,
      qemuWords: end.words,
      kernelLog: Buffer.concat(log).toString(),
    };
  } finally {
    for (const stream of Object.values(streams)) stream.close();
  }
}

type Streams = Record<'console' | 'stdout' | 'stderr' | 'channel', StreamServer>;

async function openStreams(folder: string): Promise<Streams> {
  return {
    console: await StreamServer.listen(join(folder, 'console')),
    stdout: await StreamServer.listen(join(folder, 'stdout')),
    stderr: await StreamServer.listen(join(folder, 'stderr')),
    channel: await StreamServer.listen(join(folder, 'channel')),
  };
}

async function drain(server: StreamServer, onData: (chunk: Buffer) => void): Promise<void> {
  const socket = await server.connected;
  socket.on('data', onData);
  await new Promise((resolve) => socket.once('close', resolve));
}

function qemuArguments(options: MachineOptions, initrd: string, streams: Streams): string[] {
  const words = [...kernelWords, ...moreKernelWords, ...(options.verbose ? [] : ['quiet']), ...options.append];
  const terminal = options.init.interactive
    ? ['-chardev', 'stdio,id=terminal,signal=off', '-device', 'virtconsole,chardev=terminal']
    : [];
  const share9p = 'security_model=none,multidevs=remap';
  return [
    ...['-M', 'pc', '-accel', accelerator, '-cpu', 'max', '-m', String(options.memoryMib), '-smp', '2'],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-kernel', options.kernel.image, '-initrd', initrd, '-append', words.join(' ')],
    ...['-virtfs', `local,path=/,mount_tag=host,readonly=on,${share9p}`],
    ...['-virtfs', `local,path=${options.share},mount_tag=share,${share9p}`],
    ...[...streams.console.chardev('console'), '-serial', 'chardev:console'],
    // Out of the way: the first device that is plugged in gets 0000:00:04.0, as the documents say.
    ...['-device', 'virtio-serial-pci,addr=1e', ...terminal],
    ...[...streams.stdout.chardev('stdout'), '-device', 'virtserialport,chardev=stdout,name=stdout'],
    ...[...streams.stderr.chardev('stderr'), '-device', 'virtserialport,chardev=stderr,name=stderr'],
    ...[...streams.channel.chardev('channel'), '-device', 'virtserialport,chardev=channel,name=channel'],
    ...options.qemuArguments,
  ];
}

/** setpriv has the kernel kill QEMU when this process dies in whatever way. */
function startQemu(args: readonly string[], interactive: boolean): ChildProcess {
  const setpriv = findTool('setpriv') ?? 'setpriv';
  const terminal = interactive ? 'inherit' : 'ignore';
  return spawn(setpriv, ['--pdeathsig', 'KILL', '--', 'qemu-system-x86_64', ...args], {
    stdio: [terminal, interactive ? 'inherit' : 'pipe', 'pipe'],
  });
}

async function waitForEnd(child: ChildProcess, { timeoutSeconds, signal }: MachineOptions) {
  const words: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => words.push(chunk));
  let timedOut = false;
  let stoppedBy: NodeJS.Signals | undefined;
  const kill = () => child.kill('SIGKILL');
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, timeoutSeconds * 1000);
  const stop = (name: NodeJS.Signals) => {
    stoppedBy = name;
    kill();
  };
  for (const name of signals) process.on(name, stop);
  signal?.addEventListener('abort', kill);
  if (signal?.aborted === true) kill();
  const failed = await new Promise<boolean>((resolve, reject) => {
    child.once('error', (error) => reject(new VmError(`Cannot start QEMU: ${error.message}`, { cause: error })));
    child.once('close', (code) => resolve(code !== 0));
  });
  clearTimeout(timer);
  for (const name of signals) process.off(name, stop);
  signal?.removeEventListener('abort', kill);
  return { timedOut, stoppedBy, failed, words: Buffer.concat(words).toString().trim() };
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
