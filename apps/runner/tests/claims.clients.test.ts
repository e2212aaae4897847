import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { claimMachine, listClaims } from '@ring3/linux';
import { describe, expect, it } from 'vitest';
import { childrenOf, ring3, ServingRunner, temporaryFolder } from './testing/runner-process.ts';

type Isolation = 'inline' | 'process';

interface CardRig {
  readonly isolation: Isolation;
  readonly silence?: 'waits' | 'never' | 'fails';
  readonly options?: { readonly stops?: boolean; readonly attaches?: boolean };
  readonly name?: string;
}

/** A configuration with one card that outlives its processes. */
function cardRig(folder: string, { isolation, silence, options = {}, name = 'rig' }: CardRig): string {
  const fixture = (module: string) => join(import.meta.dirname, 'fixtures', `${module}.ts`);
  const backend = { type: fixture('lasting-card'), folder, ...(silence === undefined ? {} : { silence }) };
  const devices = { card0: { driver: fixture('loud'), options, backend } };
  const file = join(folder, `${name}.yaml`);
  const exports = [{ type: 'nbd', service: 'card0/disk0' }];
  writeFileSync(
    file,
    JSON.stringify({ version: 1, isolation, runtimeDirectory: join(folder, name), devices, exports }),
  );
  return file;
}

/** What was done to the card, in order. */
const trace = (folder: string) => readFileSync(join(folder, 'trace'), 'utf8').trim().split('\n');

const claimsOf = (folder: string) => join(folder, 'claims');
const heldBy = (folder: string) => listClaims(claimsOf(folder)).map(({ pid }) => pid);

function tryToClaim(folder: string): boolean {
  const ranges = [{ kind: 'memory', start: 0xfebf1000n, sizeBytes: 1 }] as const;
  try {
    claimMachine({ directory: claimsOf(folder), holder: 'test', device: 'test', ranges }).release();
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const start = (file: string, folder: string) => ServingRunner.start(file, folder);

function killHost(runner: ServingRunner): void {
  process.kill(childrenOf(runner, 'device-host')[0] ?? expect.fail('no device host'), 'SIGKILL');
}

/** It takes a few milliseconds; the machine may be busy. */
const GENEROUS_MS = 1000;
const HELD = 'silence while held by rig.yaml: card0';
const OTHERS: Readonly<Record<Isolation, Isolation>> = { inline: 'process', process: 'inline' };

// Each starts up to five processes, perhaps on a machine that is busy.
describe.skipIf(process.platform !== 'linux')('claims', { timeout: 60_000 }, () => {
  for (const isolation of ['inline', 'process'] as const) {
    it(`refuse a second runner and name the first, which goes on: ${isolation}`, async () => {
      const folder = temporaryFolder();
      const runner = await start(cardRig(folder, { isolation }), folder);
      const second = await ring3('run', cardRig(folder, { isolation: OTHERS[isolation], name: 'second' }));
      expect(second.status).toBe(75);
      expect(second.stderr).toContain(`rig.yaml: card0 (process ${runner.process.pid}) holds card`);
      expect(trace(folder)).toEqual(['open', 'loud']);
      expect(heldBy(folder)).toEqual([runner.process.pid]);
      expect(await runner.stop()).toBe(0);
      expect(trace(folder)).toEqual(['open', 'loud', 'quiet', HELD, 'close']);
      expect(tryToClaim(folder)).toBe(true);
    });

    it(`end at once when the runner is killed: ${isolation}`, async () => {
      const folder = temporaryFolder();
      const runner = await start(cardRig(folder, { isolation }), folder);
      expect(tryToClaim(folder)).toBe(false);
      const killed = runner.kill();
      const from = performance.now();
      while (!tryToClaim(folder) && performance.now() - from < 10_000);
      expect(performance.now() - from).toBeLessThan(GENEROUS_MS);
      await killed;
      if (isolation === 'process') await until(() => trace(folder).at(-1) === 'close'); // The device host brings it to rest.
    });
  }

  it('stay with the supervisor when a driver is killed, until the card is quiet', async () => {
    const folder = temporaryFolder();
    const runner = await start(cardRig(folder, { isolation: 'process', silence: 'waits' }), folder);
    killHost(runner);
    await until(() => trace(folder).length === 5);
    expect(trace(folder)).toEqual(['open', 'loud', 'open', 'quiet', HELD]);
    expect(tryToClaim(folder)).toBe(false);
    expect(childrenOf(runner, 'device-host')).toHaveLength(1); // It makes the card quiet; the next driver waits.
    writeFileSync(join(folder, 'go on'), '');
    await runner.lineWith('card0: was made quiet, since its driver died');
    await runner.lineWith('card0 is loud');
    expect(trace(folder).slice(5)).toEqual(['close', 'open', 'loud']);
    expect(tryToClaim(folder)).toBe(false);
    expect(await runner.stop()).toBe(0);
    expect(tryToClaim(folder)).toBe(true);
  });

  it('wait at a stop for the card of a killed driver', async () => {
    const folder = temporaryFolder();
    const runner = await start(cardRig(folder, { isolation: 'process', silence: 'waits' }), folder);
    killHost(runner);
    await until(() => trace(folder).length === 5);
    const stopped = runner.stop();
    writeFileSync(join(folder, 'go on'), '');
    expect(await stopped).toBe(0);
    // While the front stops, the driver may come back once more.
    expect(trace(folder).slice(0, 6)).toEqual(['open', 'loud', 'open', 'quiet', HELD, 'close']);
    expect(trace(folder).slice(-3)).toEqual(['quiet', HELD, 'close']);
    expect(tryToClaim(folder)).toBe(true);
  });

  it('are kept until the card of a driver is quiet that did not come to rest', async () => {
    const folder = temporaryFolder();
    const runner = await start(cardRig(folder, { isolation: 'process', options: { stops: false } }), folder);
    expect(await runner.stop()).toBe(70);
    expect(trace(folder)).toEqual(['open', 'loud', 'open', 'quiet', HELD, 'close']);
  });

  it('are kept until the card of a driver is quiet that died while it attached', async () => {
    const folder = temporaryFolder();
    const { status } = await ring3('run', cardRig(folder, { isolation: 'process', options: { attaches: false } }));
    expect(status).toBe(70);
    expect(trace(folder)).toEqual(['open', 'loud', 'open', 'quiet', HELD, 'close']);
    expect(tryToClaim(folder)).toBe(true);
  });

  it('do not stop a driver from starting again on a card that cannot be made quiet, which is said', async () => {
    const folder = temporaryFolder();
    const runner = await start(cardRig(folder, { isolation: 'process', silence: 'fails' }), folder);
    killHost(runner);
    expect(await runner.lineWith('could not be made quiet')).toMatch(/error.*card0: .*the bridge does not answer/);
    await runner.lineWith('card0 is loud');
    expect(await runner.stop()).toBe(70);
  });

  it('wait for a card that never falls silent no longer than it takes to stop a driver', async () => {
    const folder = temporaryFolder();
    const runner = await start(cardRig(folder, { isolation: 'process', silence: 'never' }), folder);
    killHost(runner);
    expect(await runner.lineWith('could not be made quiet')).toContain('it did not become quiet within 2 s');
    await runner.lineWith('card0 is loud');
    expect(await runner.stop()).toBe(70);
  });
});
