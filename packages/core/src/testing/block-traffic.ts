import type { BlockDevice } from '../block-device.ts';
import { isDeviceError } from '../device-error.ts';
import { pattern } from './block-pattern.ts';
import type { Watched, WriteOracle } from './write-oracle.ts';

/** One request of a random sequence. */
export type TrafficStep =
  | { readonly kind: 'read' | 'write' | 'write-fua' | 'trim'; readonly block: number; readonly count: number }
  | { readonly kind: 'flush' }
  | { readonly kind: 'wait' }
  | { readonly kind: 'cut' };

/** Requests to a disk, many at once, each of them watched by the oracle. */
export class BlockTraffic {
  disk: BlockDevice;
  readonly #oracle: WriteOracle;
  readonly #pending = new Set<Promise<void>>();
  readonly #failures: unknown[] = [];
  #tag = 0;

  constructor(disk: BlockDevice, oracle: WriteOracle) {
    this.disk = disk;
    this.#oracle = oracle;
  }

  /** Issues a write of data that nobody wrote before. */
  write(block: number, count: number, fua = false): void {
    const data = pattern(this.disk.info.blockSizeBytes, block, count, ++this.#tag);
    const watched = this.#oracle.write(block, data, { fua });
    void this.#follow(this.disk.write(block, data, { fua }), watched);
  }

  flush(): void {
    const watched = this.#oracle.flush();
    void this.#follow(this.disk.flush(), watched);
  }

  /** Issues a trim to a disk that has one. */
  trim(block: number, count: number): void {
    const { disk } = this;
    const watched = this.#oracle.trim(block, count);
    void this.#follow(disk.trim?.(block, count) ?? Promise.reject(new Error('the disk has no trim')), watched);
  }

  /** @returns a promise that resolves when the read has ended, whether it went well or not. */
  read(block: number, count: number): Promise<void> {
    const data = new Uint8Array(count * this.disk.info.blockSizeBytes);
    const watched = this.#oracle.read(block);
    const acknowledged = () => watched.returned(data);
    return this.#follow(this.disk.read(block, data), { acknowledged, failed: () => watched.failed() });
  }

  /** Whether nothing is in flight. */
  get idle(): boolean {
    return this.#pending.size === 0;
  }

  /** Resolves when nothing is in flight; rejects with the first thing that went wrong since the last call. */
  async ended(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    const [failure] = this.#failures.splice(0);
    if (failure !== undefined) throw failure;
  }

  /** As {@link ended}, for requests that may have failed because the power was cut. */
  async endedByPowerCut(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    const failure = this.#failures.splice(0).find((error) => !isDeviceError(error));
    if (failure !== undefined) throw failure;
  }

  #follow(request: Promise<void>, watched: Watched): Promise<void> {
    const done = request.then(
      () => watched.acknowledged(),
      (error: unknown) => {
        watched.failed();
        throw error;
      },
    );
    const pending: Promise<void> = done
      .catch((error: unknown) => void this.#failures.push(error))
      .finally(() => this.#pending.delete(pending));
    this.#pending.add(pending);
    return pending;
  }
}
