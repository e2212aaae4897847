import process from 'node:process';
import { expect, it, onTestFinished } from 'vitest';
import { Scope } from './scope.ts';

function setUp() {
  const scope = new Scope('disk0');
  const log: string[] = [];
  const acquire = (what: string, into = scope) => into.defer(what, () => void log.push(what));
  const failing = (what: string) => {
    scope.defer(what, () => {
      log.push(what);
      throw new Error(`${what} is stuck`);
    });
  };
  return { scope, log, acquire, failing };
}

it('releases in reverse order, each step awaited', async () => {
  const { scope, log, acquire } = setUp();
  acquire('map');
  scope.defer('irq', async () => {
    log.push('irq begins');
    await Promise.resolve();
    log.push('irq ends');
  });
  acquire('disk');
  await scope.close();
  expect(log).toEqual(['disk', 'irq begins', 'irq ends', 'map']);
});

it('leaves no step out when some fail, and tells of all', async () => {
  const { scope, log, acquire, failing } = setUp();
  acquire('map');
  failing('irq');
  scope.defer('cache', () => Promise.reject(new Error('disk full')));
  acquire('disk');
  const error = await scope.close().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(AggregateError);
  expect(error).toMatchObject({
    message: 'disk0: releasing cache failed: disk full; releasing irq failed: irq is stuck',
    errors: [{ cause: new Error('disk full') }, { cause: new Error('irq is stuck') }],
  });
  expect(log).toEqual(['disk', 'irq', 'map']);
});

it('closes once, however often it is asked', async () => {
  const { scope, log, acquire } = setUp();
  acquire('map');
  expect(scope.closed).toBe(false);
  const first = scope.close();
  expect(scope.closed).toBe(true);
  await Promise.all([first, scope.close(), scope.close()]);
  await scope.close();
  expect(log).toEqual(['map']);
});

it('keeps the order when a release asks it to close again', async () => {
  const { scope, log, acquire } = setUp();
  acquire('map');
  scope.defer('irq', async () => {
    void scope.close();
    await Promise.resolve();
    log.push('irq');
  });
  await scope.close();
  expect(log).toEqual(['irq', 'map']);
});

it('releases what is acquired while it closes, and refuses it', async () => {
  const { scope, log, acquire } = setUp();
  acquire('map');
  scope.defer('irq', () => {
    expect(() => acquire('late')).toThrow(expect.objectContaining({ code: 'closed' }));
  });
  await scope.close();
  expect(log).toEqual(['late', 'map']);
});

it('releases what is acquired after it closed, even after a failure', async () => {
  const { scope, log, acquire, failing } = setUp();
  failing('irq');
  await expect(scope.close()).rejects.toThrow('irq is stuck');
  expect(() => acquire('late')).toThrow('disk0: late was acquired while the scope is closing');
  await expect(scope.close()).rejects.toThrow('irq is stuck');
  expect(log).toEqual(['irq', 'late']);
});

it('a late release that fails is heard by who closes next, and is no unhandled rejection', async () => {
  const { scope, failing } = setUp();
  const unhandled: unknown[] = [];
  const listener = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', listener);
  onTestFinished(() => void process.off('unhandledRejection', listener));
  await scope.close();
  expect(() => failing('late')).toThrow('late was acquired');
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  expect(unhandled).toEqual([]);
  await expect(scope.close()).rejects.toThrow('disk0: releasing late failed: late is stuck');
});

it('use remembers to close and hands the thing through', async () => {
  const { scope, log } = setUp();
  const resource = { close: () => void log.push('closed') };
  expect(scope.use('resource', resource)).toBe(resource);
  await scope.close();
  expect(log).toEqual(['closed']);
});

it('a child closes at its place in the order of its parent', async () => {
  const { scope, log, acquire } = setUp();
  acquire('map');
  const child = scope.child('channel');
  acquire('irq');
  acquire('first', child);
  acquire('second', child);
  expect(child.name).toBe('disk0/channel');
  await scope.close();
  expect(log).toEqual(['irq', 'second', 'first', 'map']);
});

it('a child that closed by itself is forgotten by its parent, failure and all', async () => {
  const { scope, log, acquire } = setUp();
  const child = scope.child('client');
  acquire('map');
  child.defer('socket', () => {
    log.push('socket');
    throw new Error('reset by peer');
  });
  await expect(child.close()).rejects.toThrow('disk0/client: releasing socket failed: reset by peer');
  await scope.close();
  expect(log).toEqual(['socket', 'map']);
});

it('a parent waits for a child that is closing already', async () => {
  const { scope, log, acquire } = setUp();
  acquire('map');
  const child = scope.child('client');
  let finish = () => {};
  child.defer('socket', async () => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    log.push('socket');
  });
  const closing = child.close();
  const all = scope.close();
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  finish();
  await Promise.all([closing, all]);
  expect(log).toEqual(['socket', 'map']);
});
