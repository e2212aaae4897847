import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { PoolOptions, PoolWorker, WorkerRequest } from 'vitest/node';
import { encodeFrame, FrameReader } from './frames.ts';
import { provideTestModule } from './module.ts';
import { cacheFolder, type RunOptions, runInVm } from './run.ts';

/** A worker of vitest that runs in a virtual machine: one boot for each test file. */
export class MachineWorker implements PoolWorker {
  readonly name = 'vm';
  /** The machine does not see the host's cache of transformed files. */
  readonly cacheFs = false;
  readonly #events = new EventEmitter();
  readonly #frames = new FrameReader();
  readonly #machine: Partial<RunOptions>;
  readonly #options: PoolOptions;
  readonly #stopping = new AbortController();
  readonly #waiting: Buffer[] = [];
  #channel: Socket | undefined;
  #started = false;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: PoolOptions, machine: Partial<RunOptions>) {
    this.#options = options;
    this.#machine = machine;
  }

  on(event: string, callback: (...args: unknown[]) => void): void {
    this.#events.on(event, callback);
  }

  off(event: string, callback: (...args: unknown[]) => void): void {
    this.#events.off(event, callback);
  }

  deserialize(data: unknown): unknown {
    return data;
  }

  send(message: WorkerRequest): void {
    // vitest allows a worker a minute to start and waits for its end; a machine needs more, and is simply switched off.
    if (message.type === 'start') this.#answer('started');
    if (message.type === 'stop') this.#answer('stopped');
    else if (this.#started) this.#channel?.write(encodeFrame(message));
    else this.#waiting.push(encodeFrame(message));
  }

  async start(): Promise<void> {
    this.#ended = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
  }

  async #run(): Promise<void> {
    try {
      const { status, stdout, stderr } = await runInVm({
        timeoutSeconds: 600,
        ...this.#machine,
        command: workerCommand(),
        signal: this.#stopping.signal,
        environment: { ...this.#environment(), ...(await testModule()) },
        onChannel: (channel) => this.#connect(channel),
        onOutput: (stream, chunk) =>
          void this.#options.project.vitest.logger[stream === 'stdout' ? 'outputStream' : 'errorStream'].write(chunk),
      });
      this.#fail(new Error(`The worker in the machine ended with status ${status}.\n${stdout}${stderr}`));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** What vitest wants its workers to have, without the paths of the host. */
  #environment(): Record<string, string> {
    const wanted = Object.entries(this.#options.env).filter(([name]) =>
      /^(VITEST|TEST|NODE_ENV|DEV|PROD|CI|RING3_)/.test(name),
    );
    return Object.fromEntries(wanted.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  }

  #connect(channel: Socket): void {
    this.#channel = channel;
    const [start] = this.#waiting.splice(0, 1);
    if (start !== undefined) channel.write(start);
    channel.on('data', (chunk: Buffer) => {
      for (const message of this.#frames.push(chunk)) this.#receive(message);
    });
  }

  #receive(message: unknown): void {
    if (typeof message !== 'object' || message === null) return;
    if (!('type' in message) || message.type !== 'started') this.#events.emit('message', message);
    else if ('error' in message) this.#fail(message.error);
    else {
      this.#started = true;
      for (const frame of this.#waiting.splice(0)) this.#channel?.write(frame);
    }
  }

  #answer(type: 'started' | 'stopped'): void {
    setImmediate(() => this.#events.emit('message', { __vitest_worker_response__: true, type }));
  }

  #fail(error: unknown): void {
    if (!this.#stopping.signal.aborted) this.#events.emit('error', error);
  }
}

/** Where the tests find the module; the tests that load it say why there is none. */
async function testModule(): Promise<Record<string, string>> {
  try {
    return { RING3_VM_MODULE: await provideTestModule(cacheFolder) };
  } catch (error) {
    return { RING3_VM_MODULE_ERROR: error instanceof Error ? error.message : String(error) };
  }
}

/** The pipe in front of the worker lets it end while a read of the port would still wait. */
function workerCommand(): string[] {
  const entry = fileURLToPath(new URL('./guest-worker.ts', import.meta.url));
  const script = `
exec 3<>/dev/virtio-ports/channel
mkfifo /run/channel
cat <&3 >/run/channel 2>/dev/null &
exec node --conditions=ring3-source "$0" 4</run/channel`;
  return ['sh', '-c', script, entry];
}
