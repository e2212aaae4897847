import { describe, expect, it } from 'vitest';
import { libc, MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ } from './libc.ts';
import { NativeLibrary } from './native.ts';
import { SystemCallError } from './system-call-error.ts';
import { startScript } from './test-script.ts';

function thrown(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** Functions that change nothing and give back what they got. */
function absolutes() {
  return new NativeLibrary('test-absolutes', '', {
    abs: { returns: 'i32', takes: ['i32'], harmless: [0] },
    llabs: { returns: 'i64', takes: ['i64'], harmless: [0n] },
    ntohl: { returns: 'i32', takes: ['u32'], harmless: [0] },
    strlen: { returns: 'i64', takes: ['string'], harmless: [''] },
    memchr: { returns: 'i64', takes: ['bytes', 'i32', 'i64'], harmless: [new Uint8Array(1), 0, 0n] },
  });
}

describe.skipIf(process.platform !== 'linux')('a native call', () => {
  it('takes errno for an error only where the function says that it failed', () => {
    // F_GETFD of a descriptor that does not exist leaves EBADF behind.
    expect(thrown(() => libc().tryCall('fcntl', [-1, 1, new Uint8Array(32)]))).toMatchObject({ errno: 9 });
    expect(libc().tryCall('sysconf', [30])).toBeGreaterThanOrEqual(4096n);
    expect(libc().tryCall('fcntl', [0, 1, new Uint8Array(32)])).toBeTypeOf('number');
  });

  it('takes MAP_FAILED for the failure that it is', () => {
    const error = thrown(() => libc().tryCall('mmapAt', [0n, 4096n, PROT_READ, MAP_PRIVATE, -1, 0n], '/dev/nothing'));
    expect(error).toBeInstanceOf(SystemCallError);
    expect(error).toMatchObject({ message: 'mmap /dev/nothing: EBADF', code: 'EBADF', path: '/dev/nothing' });
  });

  it('keeps all bits of 64, addresses above 2^63 too', () => {
    const functions = absolutes();
    expect(functions.call('llabs', -(2n ** 53n + 1n))).toBe(2n ** 53n + 1n);
    expect(functions.call('llabs', 2n ** 63n - 1n)).toBe(2n ** 63n - 1n);
    expect(functions.call('llabs', 2n ** 64n - 5n)).toBe(5n);
    const address = libc().tryCall('mmapAt', [0n, 4096n, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0n]) as bigint;
    expect(address).toBeGreaterThan(0n);
    expect(libc().tryCall('munmap', [address, 4096n])).toBe(0);
  });

  it('keeps the sign of 32 bits', () => {
    expect(absolutes().call('abs', -(2 ** 31) + 1)).toBe(2 ** 31 - 1);
    expect(absolutes().call('ntohl', 0xff00_0000)).toBe(0xff);
  });

  it.each([
    ['abs', 2 ** 31],
    ['abs', -(2 ** 31) - 1],
    ['abs', 0.5],
    ['abs', Number.NaN],
    ['abs', 1n],
    ['ntohl', -1],
    ['ntohl', 2 ** 32],
    ['llabs', 1],
    ['llabs', 2n ** 64n],
    ['llabs', -(2n ** 63n) - 1n],
    ['strlen', 1],
  ] as const)('refuses what would arrive as something else: %s(%s)', (name, value) => {
    expect(() => absolutes().call(name, value)).toThrow(TypeError);
  });

  it('refuses a string that C would take for a shorter one', () => {
    expect(absolutes().call('strlen', 'grün')).toBe(5n);
    expect(() => absolutes().call('strlen', 'a\0b')).toThrow(TypeError);
  });

  it('refuses a wrong number of arguments', () => {
    expect(() => absolutes().call('abs')).toThrow('abs takes 1 arguments, not 0');
    expect(() => absolutes().call('abs', 1, 2)).toThrow('abs takes 1 arguments, not 2');
  });

  it('passes the bytes themselves, also those of a part', () => {
    const bytes = new Uint8Array(64).subarray(8, 16);
    bytes[3] = 7;
    const found = absolutes().call('memchr', bytes, 7, 8n) as bigint;
    const start = absolutes().call('memchr', bytes, 0, 8n) as bigint;
    expect(found - start).toBe(3n);
    expect(absolutes().call('memchr', new Uint8Array(64).subarray(8, 16), 7, 8n)).toBe(0n);
  });

  it('names the shared object that does not load', () => {
    const open = () => new NativeLibrary('test-missing', '/nowhere/missing.so', {});
    expect(open).toThrow(/^open the native library \/nowhere\/missing\.so: .*No such file/);
    expect(thrown(open)).toMatchObject({ name: 'DeviceError', code: 'unsupported' });
  });

  it('names the function that is missing, each time', () => {
    const open = () =>
      new NativeLibrary('test-strange', '', { ring3_strange: { returns: 'i32', takes: [], harmless: [] } });
    for (const attempt of [open, open]) expect(attempt).toThrow(/native library test-strange: .*ring3_strange/);
  });
});

/** A worker that calls `sysconf` many times and says what came of it. */
const WORKER = `
  import { Worker } from 'node:worker_threads';
  import { libc } from './libc.ts';
  const code = "import { libc } from " + JSON.stringify(process.argv[1]) + "; import { parentPort } from 'node:worker_threads';" +
    "parentPort.once('message', () => { try { let sum = 0n; for (let i = 0; i < 2000; i++) sum += libc().call('sysconf', 30);" +
    "parentPort.postMessage(String(sum / 2000n)); } catch (error) { parentPort.postMessage(error.message); } });";
  const start = () => {
    const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(code)));
    return new Promise<string>((resolve) => worker.once('online', () => {
      worker.once('message', resolve);
      worker.postMessage('go');
    }));
  };
`;

describe.skipIf(process.platform !== 'linux')('native calls in workers', () => {
  const module = new URL('./libc.ts', import.meta.url).href;

  it('work in many at once after the main thread has opened the library', async () => {
    const script = startScript(
      `${WORKER} libc(); console.log((await Promise.all([start(), start(), start(), start()])).join());`,
      module,
    );
    const size = String(libc().call('sysconf', 30));
    expect(await script.line()).toBe([size, size, size, size].join());
    expect(await script.ended).toMatchObject({ code: 0, signal: null });
  });

  it('are refused by name where a worker would be first, also when the main thread is second', async () => {
    const script = startScript(`${WORKER} const first = start(); libc(); console.log(await first);`, module);
    expect(await script.line()).toMatch(/^the native library c is used first in a worker: open it on the main thread/);
    expect(await script.ended).toMatchObject({ code: 0, signal: null });
  });
});

describe.skipIf(process.platform !== 'linux')('a machine without a binary of ffi-rs', () => {
  it.each([
    ['riscv64', 'it has no binary that loads on linux riscv64 with ', 'it has for linux x64 '],
    ['ppc64', 'it has no binary that loads on linux ppc64 with ', 'or run the devices on the simulator'],
    ['arm', 'arm has 32-bit addresses', 'use a 64-bit kernel and Node, or the simulator'],
  ])('is told so: %s', async (arch, cause, remedy) => {
    const script = startScript(
      `
      Object.defineProperty(process, 'arch', { value: '${arch}' });
      const { libc } = await import(process.argv[1] ?? '');
      try { libc(); } catch (error) { console.log(error.name, error.code, error.message); }`,
      new URL('./libc.ts', import.meta.url).href,
    );
    const words = await script.line();
    expect(words).toContain(`DeviceError unsupported load ffi-rs: ${cause}`);
    expect(words).toContain(remedy);
  });
});
