import { describe, expect, it } from 'vitest';
import type { Backend } from '../backend.ts';
import type { RegisterAccess } from '../register-access.ts';
import { BACKEND_CASES, backendConformance } from './backend-conformance.ts';
import type { BackendFixture, BackendHarness, LevelInterrupt } from './backend-harness.ts';
import { runCase } from './conformance.ts';
import { ManualClock } from './manual-clock.ts';
import { TINY_FIFO, TinyBackend, type TinyDevice } from './tiny-backend.ts';

type Break = (backend: TinyBackend, device: TinyDevice) => void;

function levelOf(device: TinyDevice): LevelInterrupt {
  const [line] = device.lines;
  return { index: 0, raise: () => line.wire.assert(device, true), clear: () => line.wire.assert(device, false) };
}

function offered(device: TinyDevice): Uint8Array {
  const bytes = Uint8Array.from({ length: 64 }, (_, index) => 255 - index);
  device.fifo.splice(0, device.fifo.length, ...bytes);
  return bytes;
}

function startTiny(damage: Break): BackendFixture {
  const clock = new ManualClock();
  const backend = new TinyBackend(clock);
  const device = backend.find('tiny0');
  const [, edge, message] = device.lines;
  let pending = 0;
  const place = { space: 0, offset: TINY_FIFO, width: 16 } as const;
  damage(backend, device);
  return {
    backend: backend satisfies Backend<string> as Backend,
    selector: 'tiny0',
    settle: clock.settle.bind(clock),
    quiet: () => clock.advance(100),
    scratch: [
      { space: 0, offset: 0, width: 32 },
      { space: 1, offset: 4, width: 16 },
    ],
    repetitions: 100,
    absent: 'tiny7',
    counter: { place: { space: 0, offset: 8, width: 8 }, accesses: () => device.accessesSinceLastCall() },
    mappings: () => device.mapped,
    fifoRead: { place, offer: () => offered(device) },
    fifoWrite: { place, lengthBytes: 64, taken: () => Uint8Array.from(device.fifo) },
    level: levelOf(device),
    edge: {
      index: 1,
      raise: () => {
        pending++;
        edge.latch();
      },
      take: () => pending > 0 && pending-- > 0,
    },
    message: { index: 2, send: () => message.latch() },
    neighbour: { selector: 'tiny1', level: levelOf(backend.find('tiny1')) },
    remove: () => device.remove(),
    stop: async () => {},
  };
}

const harnessOf = (damage: Break): BackendHarness => ({ name: 'tiny', start: async () => startTiny(damage) });

describe('the tiny backend keeps the contract', () => backendConformance(harnessOf(() => {})));

/** Replaces a part of an access of the device by something broken. */
function breakAccess(change: (sound: RegisterAccess, device: TinyDevice) => Partial<RegisterAccess>): Break {
  return (_backend, device) => {
    const access = device.access.bind(device);
    device.access = (space) => {
      const sound = access(space);
      return { ...sound, ...change(sound, device) };
    };
  };
}

/** Runs the case whose title begins like this on a damaged backend. */
async function runOn(damage: Break, title: string): Promise<void> {
  const found = BACKEND_CASES.find((one) => one.title.startsWith(title));
  if (found === undefined) expect.fail(`there is no case ${title}`);
  await runCase(harnessOf(damage), found);
}

const BROKEN: [what: string, damage: Break, title: string][] = [
  [
    'reads that are elided',
    breakAccess((sound, device) => {
      let last: number | undefined;
      const read: RegisterAccess['read'] = (offset, width) => {
        if (offset === 8 && last !== undefined && device.accesses % 2 === 1) return last;
        last = sound.read(offset, width);
        return last;
      };
      return { read };
    }),
    'does every read exactly once',
  ],
  [
    'FIFO words in the wrong byte order',
    breakAccess((sound) => ({
      readFifo: (offset, _width, into) => {
        for (let at = 0; at < into.length; at++) into[at ^ 1] = sound.read(offset, 8);
      },
    })),
    'reads a FIFO in order',
  ],
  [
    'a FIFO that is written in one go too much',
    breakAccess((sound) => ({
      writeFifo: (offset, _width, from) => {
        for (const byte of [...from, 0]) sound.write(offset, 8, byte);
      },
    })),
    'writes a FIFO in order',
  ],
  [
    'sequences that read first',
    breakAccess((sound) => ({
      sequence: (ops, results) => {
        for (const op of ops) if (op.kind === 'read') results.push(sound.read(op.offset, op.width));
        for (const op of ops) if (op.kind === 'write') sound.write(op.offset, op.width, op.value);
      },
    })),
    'does in a sequence what single accesses do',
  ],
  [
    'narrow writes that are widened',
    breakAccess((sound) => ({ write: (offset, width, value) => sound.write(offset, width, value & 0xffff) })),
    'reads back what was written',
  ],
  [
    'a level that is delivered inside of enable()',
    (_backend, { lines: [level] }) => {
      level.enable = () => void level.sink?.event();
    },
    'holds a level back while the source is disabled',
  ],
  [
    'a level that is not looked at again after the handler',
    (_backend, { lines: [level] }) => {
      level.rearm = () => {};
    },
    'delivers a level once per cause',
  ],
  [
    'a level whose event is delivered twice',
    (_backend, { lines: [level] }) => {
      const deliver = level.deliver.bind(level);
      level.deliver = () => deliver() && deliver();
    },
    'delivers a level once per cause',
  ],
  [
    'a line that is open while disabled',
    (_backend, { lines: [, edge] }) => {
      edge.disable = () => {};
    },
    'remembers an edge while the source is disabled',
  ],
  [
    'edges that get lost while the owner works',
    (_backend, { lines: [, edge] }) => {
      const latch = edge.latch.bind(edge);
      const deliver = edge.deliver.bind(edge);
      let busy = false;
      edge.latch = () => {
        if (!busy) latch();
      };
      edge.deliver = () => {
        busy = true;
        const handled = deliver();
        busy = false;
        return handled;
      };
    },
    'loses no edge that comes while the owner works',
  ],
  [
    'messages that are merged',
    (_backend, { lines: [, , message] }) => {
      message.latch = () => {
        message.latched = 1;
        message.wire.settle();
      };
    },
    'counts every message',
  ],
  [
    'a shared line that does not tell who wanted the event',
    (backend) => {
      for (const device of backend.devices.values()) {
        const [level] = device.lines;
        const listen = level.listen.bind(level);
        level.listen = (sink) => listen({ ...sink, handledElsewhere: () => {} });
      }
    },
    'lets two devices share a line',
  ],
  [
    'a device that vanishes without a word',
    (_backend, device) => {
      device.remove = () => {
        device.present = false;
      };
    },
    'reads all ones from a device that is gone',
  ],
  [
    'a device that can be opened twice',
    (backend) => {
      const open = backend.open.bind(backend);
      backend.open = (id) => {
        backend.find(id).open = false;
        return open(id);
      };
    },
    'opens a device once at a time',
  ],
  [
    'a description that changes',
    (backend, device) => {
      const describe = backend.describe.bind(backend);
      backend.describe = async (id) => ({ ...(await describe(id)), domain: `tiny ${device.accesses++}` });
    },
    'describes a device in plain data',
  ],
  [
    'opening that reads registers',
    (backend, device) => {
      const describe = backend.describe.bind(backend);
      backend.describe = async (id) => {
        device.access('registers').read(0, 32);
        return describe(id);
      };
    },
    'touches no register by describing and opening',
  ],
  [
    'spaces that stay mapped',
    (_backend, device) => {
      let mapped = 0;
      const set = (value: number) => {
        if (value > 0) mapped++;
      };
      Object.defineProperty(device, 'mapped', { get: () => mapped, set });
    },
    'maps nothing but what is asked for',
  ],
  [
    'something that is not there, as an empty answer',
    (backend) => {
      backend.find = () => backend.devices.get('tiny0') ?? expect.fail();
    },
    'says not-found',
  ],
];

describe('the backend suite finds', () => {
  it.each(BROKEN)('%s', async (_what, damage, title) => {
    await expect(runOn(damage, title)).rejects.toThrow();
  });
});
