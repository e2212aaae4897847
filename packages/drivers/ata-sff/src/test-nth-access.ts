import type { FaultPlan, RegisterFault } from '@ring3/backend-sim';
import { isDeviceError } from '@ring3/core';
import { MemoryStore } from './model/index.ts';
import { attachDriver, blocks, type DriverSetUp, same, type TestDriver } from './test-driver.ts';
import { type SeenAccess, Witness } from './test-witness.ts';

/** Eight sectors, with something else before and behind. */
const FIRST = 40;
const COUNT = 8;
export const SECTORS = 96;
/** Two commands that stay silent, and what belongs to them. */
const LONGEST_US = 300_000_000;

export type Request = 'read' | 'write';

/** What may happen to one access. */
export const EFFECTS = {
  lost: { drop: true },
  'all ones': { value: 0xffff_ffff },
  'all zeros': { value: 0 },
  'one bit wrong': { xor: 1 },
  inverted: { xor: 0xffff_ffff },
} as const satisfies Record<string, Partial<RegisterFault>>;

/** The accesses of one request, in order, without any fault; and how many came before, while the driver was attached. */
export interface Accesses {
  readonly before: number;
  readonly list: readonly SeenAccess[];
}

export async function accessesOf(request: Request, setUp: DriverSetUp): Promise<Accesses> {
  const driver = await attach(setUp, { registers: [{ every: 1, xor: 0 }] });
  const before = driver.sim.faults.count;
  const witness = new Witness(driver.sim, driver.hardware);
  await issueAlone(driver, request);
  const list = [...witness.seen];
  if (driver.sim.faults.count - before !== list.length) throw new Error('accesses were counted in two ways');
  await driver.sim.close();
  return { before, list };
}

/** How a request with one fault ended. */
export interface Outcome {
  readonly ended: 'well' | string;
  readonly said: readonly string[];
}

/**
 * One request during which the plan strikes, and what comes after it.
 * @throws Error when data is wrong, something other than a DeviceError is thrown, it takes too long, or something leaks.
 */
export async function runWith(request: Request, setUp: DriverSetUp, plan: FaultPlan): Promise<Outcome> {
  const store = filledStore();
  const driver = await attach(setUp, plan, store);
  const { usedBytes } = driver.sim.machine.systemMemory.pool;
  const startUs = driver.sim.clock.nowUs();
  const ended = await endOf(issue(driver, request));
  const next = await endOf(checkOneSector(driver));
  const written = await endOf(writeOneSector(driver));
  const tookUs = driver.sim.clock.nowUs() - startUs;
  if (tookUs > LONGEST_US) throw new Error(`took ${tookUs} us of simulated time`);
  const isGone = plan.removal !== undefined;
  if (!isGone && (next !== 'well' || written !== 'well')) throw new Error(`the next requests end ${next}, ${written}`);
  if (isGone && written === 'well') throw new Error('a device that is gone takes data');
  if (driver.sim.machine.systemMemory.pool.usedBytes > usedBytes) throw new Error('memory for DMA has leaked');
  await driver.stop().catch((error: unknown) => {
    if (!isDeviceError(error)) throw error;
  });
  await driver.sim.close();
  if (driver.sim.machine.systemMemory.pool.usedBytes > 0) throw new Error('memory for DMA was not given back');
  checkNeighbours(store);
  return { ended, said: driver.said };
}

function attach(setUp: DriverSetUp, faults: FaultPlan, store = filledStore()): Promise<TestDriver> {
  const options = { verifyTaskFile: true, ...setUp.options };
  // No larger than needed: there are thousands of machines.
  return attachDriver({ ...setUp, options, faults, stores: [store], seed: 1, memory: { sizeBytes: 0x1_0000 } });
}

function filledStore(): MemoryStore {
  const store = new MemoryStore(SECTORS);
  store.write(0, contents);
  return store;
}

const contents = blocks(SECTORS, 3);
const original = contents.subarray(FIRST * 512, (FIRST + COUNT) * 512);
const written = blocks(COUNT, 99);
const afterwards = blocks(1, 77);

/** The request alone, that its accesses can be counted. */
async function issueAlone(driver: TestDriver, request: Request): Promise<void> {
  if (request === 'write') await driver.write(FIRST, written);
  else await driver.read(FIRST, COUNT);
}

/** @throws Error `wrong data` when a read that went well is not what the disk holds. */
async function issue(driver: TestDriver, request: Request): Promise<void> {
  if (request === 'write') {
    await driver.write(FIRST, written);
    if (!same(await driver.read(FIRST, COUNT), written)) throw new Error('wrong data after a write');
    return;
  }
  checkSectors(await driver.read(FIRST, COUNT));
}

async function checkOneSector(driver: TestDriver): Promise<void> {
  checkSectors(await driver.read(FIRST, 1));
}

async function writeOneSector(driver: TestDriver): Promise<void> {
  await driver.write(FIRST, afterwards);
}

/** Each sector is old or new. */
function checkSectors(data: Uint8Array): void {
  for (let at = 0; at < data.length; at += 512) {
    const is = (other: Uint8Array) => same(data.subarray(at, at + 512), other.subarray(at, at + 512));
    if (!is(original) && !is(written)) throw new Error(`wrong data in sector ${at / 512}`);
  }
}

/** What lies beside the request is as it was. */
function checkNeighbours(store: MemoryStore): void {
  const medium = new Uint8Array(SECTORS * 512);
  store.read(0, medium);
  medium.set(original, FIRST * 512);
  if (!same(medium, contents)) throw new Error('sectors beside the request have changed');
}

async function endOf(work: Promise<void>): Promise<string> {
  try {
    await work;
    return 'well';
  } catch (error) {
    if (isDeviceError(error)) return error.code;
    throw error;
  }
}
