import { isMainThread } from 'node:worker_threads';
import { createEventFd } from './event-fd.ts';
import { bytesWaiting } from './ioctl.ts';
import { libc } from './libc.ts';
import { createNativeCallback, type NativeCallback, NativeLibrary } from './native.ts';
import { SystemCallError } from './system-call-error.ts';

// libuv's own uv_poll on the loop that Node runs: no thread, nothing on the pool, exit at any time. The C callback ends
// in a queue that the loop empties later, so an event may arrive after the watch was closed or paused: it is swallowed.

/** `uv_handle_type` of libuv's uv.h. */
const UV_POLL = 8;
/** `enum uv_poll_event`. */
const UV_READABLE = 1;
const UV_DISCONNECT = 4;

/** What a watched descriptor says: there is something to read, or there never will be again. */
export type WatchEvent = 'readable' | 'error';

/** A descriptor that is watched by the event loop. */
export interface Watch {
  /** No events until {@link resume}; what happens meanwhile is not lost, the descriptor stays readable. */
  pause(): void;
  resume(): void;
  /** Ends the watch at once and for good; the descriptor stays open and is the caller's. */
  close(): void;
}

function openUv() {
  const loop = new NativeLibrary('uv-loop', '', {
    uv_default_loop: { returns: 'i64', takes: [], harmless: [] },
    uv_handle_size: { returns: 'i64', takes: ['i32'], harmless: [UV_POLL] },
    calloc: { returns: 'i64', takes: ['i64', 'i64'], harmless: [0n, 1n] },
    free: { returns: 'i64', takes: ['i64'], harmless: [0n] },
  });
  const address = loop.call('uv_default_loop') as bigint;
  const size = loop.call('uv_handle_size', UV_POLL) as bigint;
  const allocate = () => loop.call('calloc', 1n, size) as bigint;
  const free = (handle: bigint) => loop.call('free', handle);
  const first = allocate();
  const event = createEventFd();
  // In this order the first calls are the life of a handle on which nothing is waited for.
  const uv = new NativeLibrary('uv', '', {
    uv_poll_init: { returns: 'i32', takes: ['i64', 'i64', 'i32'], harmless: [address, first, event.fd] },
    uv_poll_start: { returns: 'i32', takes: ['i64', 'i32', 'i64'], harmless: [first, 0, 0n] },
    uv_poll_stop: { returns: 'i32', takes: ['i64'], harmless: [first] },
    uv_close: { returns: 'i32', takes: ['i64', 'i64'], harmless: [first, 0n] },
  });
  event.close();
  afterClosing(() => free(first));
  return { address, allocate, free, uv };
}

let library: ReturnType<typeof openUv> | undefined;
/** All open watches, by the address of their handle. */
const watches = new Map<bigint, DescriptorWatch>();
/** Exists while a watch is open, and keeps the process alive as long. */
let callback: NativeCallback | undefined;

/** The loop is done with a closed handle at the end of the turn in which it was closed; two turns later for certain. */
function afterClosing(step: () => void): void {
  setImmediate(() => setImmediate(step));
}

class DescriptorWatch implements Watch {
  readonly #fd: number;
  readonly #listener: (event: WatchEvent) => void;
  readonly #handle: bigint;
  readonly #native: NonNullable<typeof library>;
  #state: 'watching' | 'paused' | 'failed' | 'closed' = 'paused';

  constructor(native: NonNullable<typeof library>, fd: number, listener: (event: WatchEvent) => void) {
    this.#fd = fd;
    this.#listener = listener;
    this.#native = native;
    this.#handle = native.allocate();
    const status = Number(native.uv.call('uv_poll_init', native.address, this.#handle, fd));
    if (status !== 0) {
      native.free(this.#handle);
      throw new SystemCallError('uv_poll_init', -status, `file descriptor ${fd}`);
    }
    watches.set(this.#handle, this);
    callback ??= createNativeCallback(['i64', 'i32', 'i32'], dispatch);
    try {
      this.resume();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  pause(): void {
    if (this.#state !== 'watching') return;
    this.#native.uv.call('uv_poll_stop', this.#handle);
    this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused' || callback === undefined) return;
    const events = UV_READABLE | UV_DISCONNECT;
    const status = Number(this.#native.uv.call('uv_poll_start', this.#handle, events, callback.address));
    if (status !== 0) throw new SystemCallError('uv_poll_start', -status, `file descriptor ${this.#fd}`);
    this.#state = 'watching';
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#native.uv.call('uv_close', this.#handle, 0n);
    watches.delete(this.#handle);
    // Events of this handle that are still queued are swallowed; its address is not used again before they are.
    afterClosing(() => this.#native.free(this.#handle));
    if (watches.size > 0) return;
    callback?.free();
    callback = undefined;
  }

  /** The loop's report. libuv reports an error once and has stopped the handle then. */
  happened(status: number, events: number): void {
    if (this.#state !== 'watching') return;
    if (status === 0 && ((events & UV_DISCONNECT) === 0 || bytesWaiting(this.#fd) > 0)) {
      this.#listener('readable');
      return;
    }
    this.pause();
    this.#state = 'failed';
    this.#listener('error');
  }
}

function dispatch(handle = 0, status = 0, events = 0): void {
  watches.get(BigInt(handle))?.happened(status, events);
}

/**
 * Calls `listener` whenever there is something to read, as long as there is (level-triggered), on the event loop of the
 * main thread. An event may come once more than there is something to read, so the descriptor is set to O_NONBLOCK and a
 * read may say EAGAIN. `error` (an error, or the other end is gone and everything is read) comes once; nothing comes after
 * it. An open watch keeps the process alive, also while it is paused. Close it before the descriptor.
 * @throws SystemCallError `uv_poll_init`: EPERM for a regular file, EBADF, EEXIST for a descriptor that is watched
 * already, by this function or by a stream of Node.
 * @throws Error in a worker: the loop belongs to the main thread.
 */
export function watchReadable(fd: number, listener: (event: WatchEvent) => void): Watch {
  if (!isMainThread) {
    throw new Error('watchReadable works on the main thread only: workers wait with poll(), see the README');
  }
  libc();
  library ??= openUv();
  return new DescriptorWatch(library, fd, listener);
}
