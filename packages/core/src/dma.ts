/** What a device can address, and what a driver wants of a piece of memory. */
export interface DmaConstraints {
  /** The bus address is a multiple of this power of two. Default: 4. */
  readonly alignment?: number;
  /** The buffer crosses no multiple of this power of two. Default: it may. */
  readonly boundary?: number;
  /** How many bits of a bus address the device can drive. Default: 64. */
  readonly addressBits?: number;
}

/**
 * Memory that the processor and a device share, in one piece on the bus.
 *
 * The processor fills it, calls {@link syncForDevice}, and rings the doorbell by an ordered write (`writeOrdered8`); after
 * the completion was read by an ordered read it calls {@link syncForCpu} and looks. Where caches and bus are coherent the
 * two do nothing; a driver that leaves them out works there and nowhere else.
 */
export interface DmaBuffer {
  /** What the processor sees. Not to be used after {@link release}. */
  readonly bytes: Uint8Array;
  /** Where the device finds it. */
  readonly busAddress: bigint;
  /** Makes what the processor wrote visible to the device. Default: the whole buffer. */
  syncForDevice(offset?: number, lengthBytes?: number): void;
  /** Makes what the device wrote visible to the processor. Default: the whole buffer. */
  syncForCpu(offset?: number, lengthBytes?: number): void;
  /** Gives it back, once the device is known not to use it any more; a second call does nothing. */
  release(): void;
}

/** Memory for transfers that a device makes by itself: what a driver gets for the need `dma()`. */
export interface DmaAllocator {
  /** What kind of memory it is, for people: `simulated memory`, `huge pages, physical addresses`. */
  readonly memory: string;
  /**
   * Zeroed memory in one piece.
   * @throws RangeError for a size or a constraint that is none; DeviceError `unsupported` when no free piece fits, in words
   *   that name the constraint; DeviceError `closed` after the end of the device.
   */
  allocate(sizeBytes: number, constraints?: DmaConstraints): DmaBuffer;
}

/** How a device reaches memory. */
export interface DmaResource {
  /** As {@link DmaAllocator.memory}. */
  readonly memory: string;
  readonly sizeBytes: number;
}
