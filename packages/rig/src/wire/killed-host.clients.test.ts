import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlockDevice, type PublishedService, SILENT, SystemClock } from '@ring3/core';
import { BlockTraffic, seededRandom, WriteOracle } from '@ring3/core/testing';
import { expect, it, onTestFinished } from 'vitest';
import { connectServices } from './connect-services.ts';
import { followDisk } from './follow-disk.ts';
import { ReconnectingDisk } from './reconnecting-disk.ts';
import { socketFolder } from './testing/served.ts';
import { WIRES } from './wires.ts';

const KILLS = 20;
const BLOCKS = 256;
const SEED = Number(process.env['RING3_SEED'] ?? 1);

/** A device host that is a process, and the disk in front of it. */
async function setUp() {
  const folder = await socketFolder();
  const [socket, medium] = [join(folder, 'host.sock'), join(folder, 'medium')];
  await writeFile(medium, '');
  await truncate(medium, BLOCKS * 512);
  let [child, generation]: [ChildProcess | undefined, number] = [undefined, 0];
  let disk: ReconnectingDisk | undefined;

  const start = async () => {
    generation += 1;
    const program = join(import.meta.dirname, 'testing/disk-host.ts');
    const argv = [socket, medium, String(BLOCKS), String(generation)];
    child = fork(program, argv, { execArgv: ['--conditions=ring3-source'] });
    const died = once(child, 'exit').then(() => Promise.reject(new Error('the device host does not start')));
    await Promise.race([once(child, 'message'), died]);
    died.catch(() => {});
    const connection = await connectServices(socket, { wires: WIRES, log: SILENT, session: 'front' });
    expect(connection.generation).toBe(generation);
    const [published] = connection.services.list() as [PublishedService];
    const options = { name: 'disk0', clock: new SystemClock(), log: SILENT, journalBytes: 64 * 1024 };
    disk ??= new ReconnectingDisk((published.service as BlockDevice).info, options);
    await followDisk(disk, connection, published);
    return disk;
  };
  const kill = async () => {
    const dying = child;
    if (dying === undefined) return;
    dying.kill('SIGKILL');
    if (dying.exitCode === null && dying.signalCode === null) await once(dying, 'exit');
  };
  onTestFinished(kill);
  return { folder, medium, start, kill };
}

/** Lets something happen at the n-th answer of a disk, whatever it is: in the middle of what is under way. */
class Fuse implements BlockDevice {
  readonly info;
  readonly #disk: BlockDevice;
  #left = Number.POSITIVE_INFINITY;
  #burnt: () => void = () => {};

  constructor(disk: BlockDevice) {
    this.#disk = disk;
    this.info = disk.info;
  }

  afterAnswers(count: number): Promise<void> {
    this.#left = count;
    return new Promise((resolve) => {
      this.#burnt = resolve;
    });
  }

  read = (...request: Parameters<BlockDevice['read']>) => this.#count(this.#disk.read(...request));
  write = (...request: Parameters<BlockDevice['write']>) => this.#count(this.#disk.write(...request));
  flush = () => this.#count(this.#disk.flush());

  async #count(answer: Promise<void>): Promise<void> {
    await answer;
    this.#left -= 1;
    if (this.#left === 0) this.#burnt();
  }
}

/** Requests in rounds of sixteen, all of one round at once, until `stopped`. */
async function load(traffic: BlockTraffic, random: () => number, stopped: () => boolean): Promise<number> {
  let requests = 0;
  for (; !stopped(); requests += 16) {
    for (let at = 0; at < 16; at++) {
      const [block, count] = [Math.floor(random() * (BLOCKS - 16)), 1 + Math.floor(random() * 16)];
      const kind = random();
      if (kind < 0.35) void traffic.read(block, count);
      else if (kind < 0.8) traffic.write(block, count);
      else if (kind < 0.95) traffic.write(block, count, true);
      else traffic.flush();
    }
    await traffic.ended();
  }
  return requests;
}

it('killed with SIGKILL under load, a device host takes nothing acknowledged with it', {
  timeout: 180_000,
}, async () => {
  const { folder, medium, start, kill } = await setUp();
  const random = seededRandom(SEED);
  const disk = await start();
  const fuse = new Fuse(disk);
  const oracle = new WriteOracle({ blockSizeBytes: 512 });
  const traffic = new BlockTraffic(fuse, oracle);
  let killed = 0;
  const running = load(traffic, random, () => killed === KILLS);
  while (killed < KILLS) {
    await Promise.race([fuse.afterAnswers(1 + Math.floor(random() * 100)), running]); // Or the load has failed.
    await kill();
    await start();
    killed += 1;
  }
  expect(await running).toBeGreaterThan(KILLS);
  void traffic.read(0, BLOCKS);
  traffic.flush();
  await traffic.ended();
  expect(disk.statistics).toMatchObject({ connects: KILLS + 1, waiting: 0 });
  expect(disk.statistics['repeatedRequests']).toBeGreaterThan(KILLS);

  await kill(); // Everything was flushed, so the medium alone has to satisfy the oracle.
  oracle.powerLost();
  oracle.check(0, await readFile(medium));
  expect((await readdir(folder)).toSorted()).toEqual(['host.sock', 'medium']);
});
