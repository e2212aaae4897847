import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundleProgram } from '../../../tools/vm/src/bundle.ts';
import { runInVm } from '../../../tools/vm/src/run.ts';

// The device is QEMU's edu under a real kernel; the program in the machine is fixtures/claims-in-machine.ts.

interface Seen {
  readonly pid: number;
  readonly address: string;
  readonly secondStatus: number;
  readonly secondLog: readonly string[];
  readonly wasBusMaster: boolean;
  readonly refused: number;
  readonly granted: number;
  readonly isBusMasterWhenQuiet: boolean;
  readonly freeAfterMs: number;
}

describe('claims on a real kernel', () => {
  let seen: Seen;
  beforeAll(async () => {
    const bundle = (name: string) => bundleProgram(join(import.meta.dirname, '..'), name);
    const [cli, driver] = [await bundle('cli'), await bundle('../tests/fixtures/loud')];
    const program = await bundle('../tests/fixtures/claims-in-machine');
    const words: string[] = [];
    const { stdout, stderr } = await runInVm({
      command: ['node', program, cli, driver],
      devices: ['edu', 'edu'],
      timeoutSeconds: 500,
      onOutput: (_stream, chunk) => void words.push(chunk.toString()),
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${words.join('')}`, { cause: error });
    });
    if (stdout === '') throw new Error(stderr);
    seen = JSON.parse(stdout);
  }, 560_000);

  it('refuse a runner that reaches the device by /dev/mem, and name the one that has it through UIO', () => {
    expect(seen.secondStatus).toBe(75);
    expect(seen.secondLog.join('\n')).toContain(`card0 (process ${seen.pid}) holds ${seen.address}`);
  });

  it('are kept after kill -9 of a driver until the device is no bus master any more', () => {
    expect(seen).toMatchObject({ wasBusMaster: true, granted: 0, isBusMasterWhenQuiet: false });
    expect(seen.refused).toBeGreaterThan(0);
  });

  it('end with kill -9 of the supervisor', () => {
    process.stderr.write(`claims free ${seen.freeAfterMs.toFixed(0)} ms after kill -9 of the supervisor\n`);
    expect(seen.freeAfterMs).toBeLessThan(10_000); // On an emulated processor; see machine-claim.test.ts for a real one.
  });
});
