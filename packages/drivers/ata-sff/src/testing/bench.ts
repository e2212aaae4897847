import {
  type DmaAllocator,
  type InterruptSource,
  type OpenDevice,
  type RegisterOp,
  type RegisterSpace,
  sleep,
} from '@ring3/core';

/** One channel of a controller, opened for a host that is no driver. */
export interface Channel {
  readonly command: RegisterSpace;
  readonly control: RegisterSpace;
  /** Where Device Control lies in `control`. */
  readonly controlOffset: number;
  readonly busMaster: RegisterSpace | undefined;
  /** Where this channel's registers begin in `busMaster`. */
  readonly busMasterOffset: number;
  readonly interrupt: InterruptSource | undefined;
}

/** A controller on a stand: the simulated one or QEMU's, reached in the same way. */
export interface Bench {
  readonly name: string;
  readonly channels: readonly [Channel, Channel];
  readonly memory: DmaAllocator | undefined;
  /** Lets the hardware go on for a moment; what it has to say has arrived then. */
  pause(): Promise<void>;
  close(): Promise<void>;
}

/** What is different between benches. */
export interface BenchParts {
  readonly name: string;
  readonly device: OpenDevice;
  /** Drives time, where it does not run by itself. */
  readonly run: <T>(work: Promise<T>) => Promise<T>;
  /** How long it takes for an interrupt to arrive; zero: a turn of the event loop. */
  readonly pauseUs: number;
}

/** Opens everything of a controller with two channels. */
export async function openBench({ name, device, run, pauseUs }: BenchParts): Promise<Bench> {
  const space = async (bar: number) => {
    const resource = device.description.spaces.find((each) => each.bar === bar);
    if (resource === undefined) throw new Error(`${device.description.id} has no BAR ${bar}`);
    return await device.openSpace(resource);
  };
  const hasMaster = device.description.spaces.some(({ bar }) => bar === 4);
  const busMaster = hasMaster ? await space(4) : undefined;
  const channel = async (number: 0 | 1): Promise<Channel> => {
    const control = await space(2 * number + 1);
    const resource = device.description.interrupts.find(({ index }) => index === number);
    const interrupt = resource && (await device.openInterrupt(resource));
    interrupt?.attach(() => 'handled');
    interrupt?.enable();
    return {
      command: await space(2 * number),
      control,
      controlOffset: control.sizeBytes >= 4 ? 2 : 0,
      busMaster,
      busMasterOffset: 8 * number,
      interrupt,
    };
  };
  const channels = [await channel(0), await channel(1)] as const;
  const memory = device.description.dma === undefined ? undefined : await device.openDma?.();
  const pause = () => (pauseUs > 0 ? run(sleep(device.clock, pauseUs)) : new Promise<void>(setImmediate));
  return { name, channels, memory, pause, close: () => device.close() };
}

/** A sequence of 8-bit accesses, in short. */
export const read8 = (offset: number): RegisterOp => ({ kind: 'read', width: 8, offset });
export const write8 = (offset: number, value: number): RegisterOp => ({ kind: 'write', width: 8, offset, value });
