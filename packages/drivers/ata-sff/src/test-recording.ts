import type { BlockDevice } from '@ring3/core';
import { pick, seededRandom, WriteOracle } from '@ring3/core/testing';
import { MemoryStore, type SectorStore } from './model/index.ts';
import { attachDriver, blocks, type DriverSetUp } from './test-driver.ts';

/** Something that happened: to the medium, or between the host and the driver. */
export type Recorded =
  | { readonly kind: 'medium'; readonly block: number; readonly data: Uint8Array }
  | {
      readonly kind: 'write';
      readonly id: number;
      readonly block: number;
      readonly data: Uint8Array;
      readonly fua: boolean;
    }
  | { readonly kind: 'flush' | 'acknowledged' | 'failed'; readonly id: number };

/** Requests go to the first blocks, so that they meet each other. */
const REGION = 48;
const SECTORS = 1024;

/** A store that writes down, sector by sector, what reaches the medium. */
class RecordingStore extends MemoryStore implements SectorStore {
  readonly #record: (event: Recorded) => void;

  constructor(sectors: number, record: (event: Recorded) => void) {
    super(sectors);
    this.#record = record;
  }

  override write(lba: number, from: Uint8Array): void {
    for (let at = 0; at < from.length; at += 512) {
      this.#record({ kind: 'medium', block: lba + at / 512, data: from.slice(at, at + 512) });
    }
    super.write(lba, from);
  }
}

/** Drives a disk with random writes, FUA and flushes, several at once; everything in the order in which it happened. */
export async function recordTraffic(seed: number, setUp: DriverSetUp, requests: number): Promise<Recorded[]> {
  const events: Recorded[] = [];
  const random = seededRandom(seed);
  const driver = await attachDriver({ ...setUp, stores: [new RecordingStore(SECTORS, (event) => events.push(event))] });
  const disk = driver.disk();
  for (let id = 0; id < requests; ) {
    const together = Array.from({ length: 1 + pick(random, 4) }, () => request(disk, events, { id: id++, random }));
    await driver.sim.run(Promise.all(together));
  }
  driver.sim.cutPower();
  await driver.sim.close();
  return events;
}

async function request(
  disk: BlockDevice,
  events: Recorded[],
  { id, random }: { id: number; random: () => number },
): Promise<void> {
  const kind = random();
  if (kind < 0.25) events.push({ kind: 'flush', id });
  const block = pick(random, REGION - 8);
  const data = blocks(1 + pick(random, 8), 1 + id);
  const fua = kind > 0.8;
  if (kind >= 0.25) events.push({ kind: 'write', id, block, data, fua });
  const work = kind < 0.25 ? disk.flush() : disk.write(block, data, { fua });
  const end = await work.then(
    () => 'acknowledged' as const,
    () => 'failed' as const,
  );
  events.push({ kind: end, id });
}

/** The power goes after the first `length` events: what the medium holds then, judged by what the host knows then. @throws BrokenLaw */
export function judgePrefix(events: readonly Recorded[], length: number): void {
  const oracle = new WriteOracle({ blockSizeBytes: 512 });
  const medium = new Uint8Array(REGION * 512);
  const watched = new Map<number, ReturnType<WriteOracle['flush']>>();
  for (const event of events.slice(0, length)) {
    if (event.kind === 'medium') medium.set(event.data, event.block * 512);
    else if (event.kind === 'write') watched.set(event.id, oracle.write(event.block, event.data, { fua: event.fua }));
    else if (event.kind === 'flush') watched.set(event.id, oracle.flush());
    else {
      watched.get(event.id)?.[event.kind]();
      watched.delete(event.id);
    }
  }
  oracle.powerLost();
  for (const request of watched.values()) request.failed();
  oracle.check(0, medium);
}
