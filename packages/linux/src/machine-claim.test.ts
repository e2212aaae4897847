import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ClaimedRange, claimMachine, listClaims, type MachineClaim } from './index.ts';

const HOLD = join(import.meta.dirname, 'fixtures', 'hold-claim.ts');

/** It takes a few milliseconds; the machine may be busy. */
const GENEROUS_MS = 1000;

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'ring3-claims-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

const memory = (start: bigint, sizeBytes: number): ClaimedRange => ({ kind: 'memory', start, sizeBytes });
const port = (start: bigint, sizeBytes: number): ClaimedRange => ({ kind: 'port', start, sizeBytes });

/** Claims that end with the test. */
function claimer(directory: string) {
  return (device: string, ...ranges: readonly ClaimedRange[]): MachineClaim => {
    const claim = claimMachine({ directory, holder: `rig.yaml: ${device}`, device, ranges });
    onTestFinished(() => claim.release());
    return claim;
  };
}

/** Another process that holds 0x1000 bytes at 0xfebf1000, and the process that it started, if it did. */
async function holdElsewhere(directory: string, ...command: string[]) {
  const args = ['--conditions=ring3-source', HOLD, directory, '0xfebf1000', '4096', ...command];
  const holder = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void holder.kill('SIGKILL'));
  const [said] = (await once(holder.stdout, 'data')) as [Buffer];
  const child = Number(String(said));
  return { holder, child };
}

/** Tries until it succeeds. @returns how long that took after `from`, in milliseconds. */
function claimAsSoonAsPossible(claim: () => MachineClaim, fromMs: number): number {
  for (;;) {
    try {
      claim();
      return performance.now() - fromMs;
    } catch {
      if (performance.now() - fromMs > 10_000) throw new Error('still held after 10 s');
    }
  }
}

describe.skipIf(process.platform !== 'linux')('claims of the machine', () => {
  it('refuse what overlaps, in the same process, too, and name the holder', () => {
    const claim = claimer(folder());
    claim('ata0', memory(0xfebf1000n, 0x1000));
    expect(() => claim('ata1', memory(0xfebf1ffcn, 8))).toThrow(
      expect.objectContaining({
        code: 'busy',
        message:
          'rig.yaml: ata1 cannot have memory febf1ffc-febf2003: rig.yaml: ata0 (this process) holds ata0; stop it first, `ring3 claims` shows all',
        details: { holder: 'rig.yaml: ata0', pid: process.pid, device: 'ata0' },
      }),
    );
  });

  it('let neighbours and other address spaces be', () => {
    const claim = claimer(folder());
    claim('a', memory(0x1000n, 0x1000));
    claim('b', memory(0x2000n, 0x1000), memory(0xfffn, 1));
    claim('c', port(0x1000n, 0x1000));
    claim('d');
    claim('e');
  });

  it('take all ranges of a device or none', () => {
    const claim = claimer(folder());
    claim('a', port(0x3f8n, 8));
    expect(() => claim('b', memory(0x1000n, 16), port(0x3f8n, 1))).toThrow(/b cannot have I\/O ports 03f8-03f8/);
    claim('c', memory(0x1000n, 16));
  });

  it('give back exactly their own ranges, once', () => {
    const directory = folder();
    const claim = claimer(directory);
    const first = claim('a', memory(0x1000n, 0x1000));
    claim('b', memory(0x2000n, 0x1000));
    first.release();
    first.release();
    claim('c', memory(0x1000n, 0x1000));
    expect(() => claim('d', memory(0x2000n, 1))).toThrow(/b \(this process\) holds b/);
    expect(
      listClaims(directory)
        .map(({ device }) => device)
        .sort(),
    ).toEqual(['b', 'c']);
  });

  it('hold a device without addresses by its name', () => {
    const claim = claimer(folder());
    claim('irq-only');
    expect(() => claim('irq-only')).toThrow(/cannot have device irq-only: rig.yaml: irq-only \(this process\)/);
  });

  it('reach up to 2^63-1 and say so beyond', () => {
    const claim = claimer(folder());
    claim('edge', memory(2n ** 63n - 16n, 16));
    expect(() => claim('edge', memory(2n ** 63n - 1n, 1))).toThrow(expect.objectContaining({ code: 'busy' }));
    expect(() => claim('far', memory(2n ** 63n - 8n, 16))).toThrow(
      expect.objectContaining({
        code: 'unsupported',
        message: expect.stringContaining('lies above 0x7fffffffffffffff'),
      }),
    );
  });

  it.each([memory(-1n, 1), memory(0n, 0), port(0xffffn, 2), memory(0n, 0.5), memory(2n ** 64n - 1n, 2)])(
    'refuse a range that cannot be: %o',
    (range) => expect(() => claimer(folder())('a', range)).toThrow(RangeError),
  );

  it('of another process are named with its id', async () => {
    const directory = folder();
    const { holder } = await holdElsewhere(directory);
    expect(() => claimer(directory)('a', memory(0xfebf1800n, 4))).toThrow(
      `other.yaml: uart0 (process ${holder.pid}) holds uart`,
    );
    expect(listClaims(directory)).toEqual([
      { holder: 'other.yaml: uart0', pid: holder.pid, device: 'uart', ranges: [memory(0xfebf1000n, 0x1000)] },
    ]);
  });

  it('end with kill -9 of the holder at once, and their records with them', async () => {
    const directory = folder();
    const { holder } = await holdElsewhere(directory);
    const ended = once(holder, 'exit');
    holder.kill('SIGKILL');
    const tookMs = claimAsSoonAsPossible(() => claimer(directory)('a', memory(0xfebf1000n, 4096)), performance.now());
    expect(tookMs).toBeLessThan(GENEROUS_MS);
    await ended;
    expect(listClaims(directory).map(({ device }) => device)).toEqual(['a']);
    expect(readdirSync(directory).filter((name) => name.endsWith('.claim'))).toHaveLength(1);
  });

  it('are not inherited by a child that outlives the holder', async () => {
    const directory = folder();
    const { holder, child } = await holdElsewhere(directory, process.execPath, '-e', 'setTimeout(() => {}, 60000)');
    onTestFinished(() => void process.kill(child, 'SIGKILL'));
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    claimer(directory)('a', memory(0xfebf1000n, 4096));
    expect(existsSync(`/proc/${child}`)).toBe(true);
  });

  it('pass over records that nobody holds a lock on, and records that are none', () => {
    const directory = folder();
    writeFileSync(join(directory, '1-dead.claim'), '{"holder":"dead","pid":1,"device":"a","ranges":[]}');
    mkdirSync(join(directory, 'folder.claim'));
    writeFileSync(join(directory, 'notes.txt'), 'mine');
    expect(listClaims(directory)).toEqual([]);
    expect(readdirSync(directory).sort()).toEqual(['folder.claim', 'notes.txt']);
  });

  it('are none where nobody ever claimed', () => {
    expect(listClaims(join(folder(), 'missing'))).toEqual([]);
  });

  it('share their files with whom the directory is shared', () => {
    const directory = folder();
    chmodSync(directory, 0o2775);
    claimer(directory)('a', memory(0n, 1));
    const modes = readdirSync(directory).map((name) => statSync(join(directory, name)).mode & 0o777);
    expect(modes).toEqual([0o664, 0o664]);
  });

  it('outlive the tidying of old files by systemd-tmpfiles', (context) => {
    const place = folder();
    const directory = join(place, 'claims');
    const claim = claimer(directory);
    claim('a', memory(0n, 1));
    const other = join(directory, 'other');
    writeFileSync(other, '');
    for (const name of readdirSync(directory)) utimesSync(join(directory, name), 0, 0);
    const rules = join(place, 'rules.conf');
    writeFileSync(rules, `q ${directory} 0755 - - m:1s\n`);
    spawnSync('systemd-tmpfiles', ['--clean', rules]);
    if (existsSync(other)) context.skip('no systemd-tmpfiles that tidies by the time of the last change');
    expect(() => claim('b', memory(0n, 1))).toThrow(/a \(this process\) holds a/);
  });

  it('are not those of the dead, also while somebody else removes these', async () => {
    const directory = folder();
    const lister = spawn(
      process.execPath,
      ['--conditions=ring3-source', join(import.meta.dirname, 'fixtures', 'list-claims.ts'), directory],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    onTestFinished(() => void lister.kill('SIGKILL'));
    let found = 0;
    for (let round = 0; round < 10; round++) {
      for (let dead = 0; dead < 100; dead++) {
        writeFileSync(join(directory, `${dead}.claim`), '{"holder":"dead","pid":1,"device":"a","ranges":[]}');
      }
      const answer = once(lister.stdout, 'data');
      lister.stdin.write('\n');
      while (readdirSync(directory).length > 0) found += listClaims(directory).length;
      found += Number(String((await answer)[0]));
    }
    expect(found).toBe(0);
  });

  it('say what to do where the directory cannot be made', () => {
    expect(() => claimer('/sys/ring3-claims')('a')).toThrow(
      expect.objectContaining({ code: 'permission', message: expect.stringContaining('install -d -m 2775') }),
    );
  });
});
