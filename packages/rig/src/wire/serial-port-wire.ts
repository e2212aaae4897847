import { Buffer } from 'node:buffer';
import { checkSerialChange, SERIAL_PORT, type SerialChange, type SerialPort, type SerialStatus } from '@ring3/core';
import { z } from 'zod';
import { RemoteSerialPort } from './remote-serial-port.ts';
import { currentStatus, statusSchema } from './serial-port-status.ts';
import { type ServiceWire, unknownMethod, type WireCall } from './service-wire.ts';

/** The most bytes that one `read` brings. */
const MAX_READ_BYTES = 64 * 1024;

const portSchema = z.object({
  info: z.object({ model: z.string(), fifoBytes: z.int().positive(), simulated: z.boolean() }),
  status: statusSchema,
});

/**
 * Carries serial ports: `read {bytes}` with the bytes in its value, `write {}` with them as payload, `drain {}`,
 * `set {change}`, `status {seen}`, `abort {token}`. docs/service-protocol.md describes them.
 */
export const serialPortWire: ServiceWire<SerialPort> = {
  serviceClass: SERIAL_PORT,
  describe: (port) => ({ info: port.info, status: currentStatus(port) }),
  serve: serveSerialPort,
  proxy: (described, caller) => {
    const { info, status } = portSchema.parse(described);
    return new RemoteSerialPort(info, status, caller);
  },
};

async function serveSerialPort(port: SerialPort, { method, args, from, signal }: WireCall): Promise<unknown> {
  switch (method) {
    case 'read':
      return read(port, args['bytes'], signal);
    case 'write':
      return abortable(port, args, signal, (any) => port.write(from ?? new Uint8Array(0), { signal: any }));
    case 'drain':
      return abortable(port, args, signal, (any) => port.drain({ signal: any }));
    case 'set':
      await port.set(changeOf(args));
      return currentStatus(port);
    case 'status':
      return nextStatus(port, args['seen'], signal);
    case 'abort':
      running.get(port)?.get(args['token'])?.abort();
      return undefined;
    default:
      throw unknownMethod('serial-port', method);
  }
}

/** Short reads are the rule: base64 in the value is less work than a payload of a length that nobody knows before. */
async function read(port: SerialPort, bytes: unknown, signal: AbortSignal): Promise<unknown> {
  if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 1) {
    throw new RangeError(`a read of ${JSON.stringify(bytes)} bytes: give a whole number from 1 on`);
  }
  const into = Buffer.alloc(Math.min(bytes, MAX_READ_BYTES));
  const count = await port.read(into, { signal });
  return { data: into.toString('base64', 0, count), errors: currentStatus(port).errors };
}

function changeOf({ change }: WireCall['args']): SerialChange {
  if (typeof change !== 'object' || change === null) throw new TypeError(`change is ${JSON.stringify(change)}`);
  checkSerialChange(change);
  return change;
}

/** The next state that is not the one that the client has seen. */
function nextStatus(port: SerialPort, seen: unknown, signal: AbortSignal): Promise<SerialStatus> {
  const known = JSON.stringify(seen);
  return new Promise((resolve, reject) => {
    const done = () => {
      signal.removeEventListener('abort', aborted);
      queueMicrotask(() => subscription.unsubscribe());
    };
    const aborted = () => {
      done();
      reject(signal.reason);
    };
    signal.addEventListener('abort', aborted, { once: true });
    const subscription = port.status$.subscribe({
      next: (status) => {
        if (JSON.stringify(status) === known) return;
        done();
        resolve(status);
      },
      complete: () => {
        done();
        // How the port ended, in its own words.
        port.drain().then(() => resolve(seen as SerialStatus), reject);
      },
    });
  });
}

/** Calls that their clients may give up, by the token that the client gave them. */
const running = new WeakMap<SerialPort, Map<unknown, AbortController>>();

async function abortable(
  port: SerialPort,
  { token }: WireCall['args'],
  signal: AbortSignal,
  run: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  if (token === undefined) return run(signal);
  const calls = running.get(port) ?? new Map<unknown, AbortController>();
  running.set(port, calls);
  const controller = new AbortController();
  calls.set(token, controller);
  try {
    await run(AbortSignal.any([signal, controller.signal]));
  } finally {
    calls.delete(token);
  }
}
