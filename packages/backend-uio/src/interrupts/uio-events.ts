import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { deviceErrorOf, errnoOf, type Watch, type WatchEvent, watchReadable } from '@ring3/linux';

/** What can be done with the node of a UIO device. A fake takes its place in tests. */
export interface UioEvents {
  /**
   * The total of events, signed, as the kernel has it; `undefined` when it is the one that was read last.
   * @throws an error with the kernel's `code`: EIO when there is no interrupt, or the device is gone.
   */
  read(): number | undefined;
  /**
   * Unmasks or masks the line by the kernel driver.
   * @throws an error with the kernel's `code`: ENOSYS when the driver cannot.
   */
  control(on: boolean): void;
  /** Says when there is something to read. */
  watch(listener: (event: WatchEvent) => void): Watch;
  close(): void;
}

/** Opens a node. @throws DeviceError `permission`, `not-found`, `gone`. */
export type OpenUioEvents = (path: string) => UioEvents;

/** The node of a real device. */
export const openUioEvents: OpenUioEvents = (path) => {
  try {
    return new UioNode(openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
  } catch (error) {
    throw deviceErrorOf(error, 'UIO device', {
      EACCES: 'a udev rule must give the node to this user (README of backend-uio)',
      EPERM: 'the node is closed to this process: DeviceAllow= of systemd, or the devices of the container',
      ENOENT: 'sysfs has the device, /dev has not: PrivateDevices= of systemd, a container, or udev does not run',
    });
  }
};

class UioNode implements UioEvents {
  readonly #fd: number;
  /** The kernel takes reads and writes of exactly four bytes. Source: Linux, drivers/uio/uio.c. */
  readonly #word = new Int32Array(1);
  readonly #bytes = new Uint8Array(this.#word.buffer);

  constructor(fd: number) {
    this.#fd = fd;
  }

  read(): number | undefined {
    try {
      readSync(this.#fd, this.#bytes, 0, 4, null);
    } catch (error) {
      if (errnoOf(error) === 'EAGAIN') return undefined;
      throw error;
    }
    return this.#word[0];
  }

  control(on: boolean): void {
    this.#word[0] = on ? 1 : 0;
    writeSync(this.#fd, this.#bytes, 0, 4, null);
  }

  watch(listener: (event: WatchEvent) => void): Watch {
    return watchReadable(this.#fd, listener);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
