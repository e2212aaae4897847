import type { ModelDescription } from '@ring3/backend-sim/model';
import { BUS_MASTER } from './bus-master-registers.ts';
import type { ControllerOptions, LocalBusOptions } from './options.ts';

/** The vendor number that QEMU and others use for devices that exist in software only. */
const VENDOR_ID = 0x1234;
const DEVICE_ID = 0x1de0;

/** Mass storage, IDE controller, both channels in compatibility mode. PCI IDE Controller Specification 1.0. */
const CLASS_COMPATIBILITY = 0x010100;
/** The same with both channels in native mode; the mode bits are wired. */
const CLASS_NATIVE = 0x010105;
/** Bit 7 of the programming interface: there is a bus master behind BAR 4. */
const CLASS_BUS_MASTER = 0x000080;

/** What the simulated controller looks like on its bus. */
export function describeController(options: ControllerOptions): ModelDescription {
  if (options.bus.kind === 'memory') return localBus(options.bus);
  const channels = options.mode === 'native' ? nativeMode(options) : COMPATIBILITY_MODE;
  const whole = options.busMaster ? withBusMaster(channels, options.busMasterPorts) : channels;
  if (options.controlBlock) return whole;
  return { ...whole, spaces: whole.spaces.filter(({ name }) => !name.startsWith('control')) };
}

const identity = (classCode: number) => ({
  pci: { vendorId: VENDOR_ID, deviceId: DEVICE_ID, classCode, revision: 1 },
});

/** In both modes, BAR 4 is a real one: its ports can be moved. */
function withBusMaster(channels: ModelDescription, ports: number): ModelDescription {
  const classCode = (channels.identity.pci?.classCode ?? 0) | CLASS_BUS_MASTER;
  return {
    ...channels,
    identity: identity(classCode),
    busMaster: true,
    spaces: [
      ...channels.spaces,
      { name: 'busMaster', kind: 'port', bar: 4, start: BigInt(ports), sizeBytes: BUS_MASTER.sizeBytes },
    ],
  };
}

/** Fixed ports and interrupts of the AT. The control block is the one byte that is not the floppy controller's. */
const COMPATIBILITY_MODE: ModelDescription = {
  identity: identity(CLASS_COMPATIBILITY),
  spaces: [
    { name: 'command0', kind: 'port', bar: 0, start: 0x1f0n, sizeBytes: 8 },
    { name: 'control0', kind: 'port', bar: 1, start: 0x3f6n, sizeBytes: 1 },
    { name: 'command1', kind: 'port', bar: 2, start: 0x170n, sizeBytes: 8 },
    { name: 'control1', kind: 'port', bar: 3, start: 0x376n, sizeBytes: 1 },
  ],
  interrupts: [
    { index: 0, name: 'channel0', trigger: 'edge', line: 'IRQ 14' },
    { index: 1, name: 'channel1', trigger: 'edge', line: 'IRQ 15' },
  ],
};

/** Ports where the base address registers say, and one interrupt for both channels. */
function nativeMode({ bars, line }: ControllerOptions): ModelDescription {
  const [command0, control0, command1, control1] = bars;
  return {
    identity: identity(CLASS_NATIVE),
    spaces: [
      { name: 'command0', kind: 'port', bar: 0, start: BigInt(command0), sizeBytes: 8 },
      { name: 'control0', kind: 'port', bar: 1, start: BigInt(control0), sizeBytes: 4 },
      { name: 'command1', kind: 'port', bar: 2, start: BigInt(command1), sizeBytes: 8 },
      { name: 'control1', kind: 'port', bar: 3, start: BigInt(control1), sizeBytes: 4 },
    ],
    interrupts: [{ index: 0, name: 'both-channels', trigger: 'level', line }],
  };
}

/** A CompactFlash socket in True IDE mode, as the device tree calls it. */
function localBus({ start, stride, controlStart, controlOffset, interrupt, line }: LocalBusOptions): ModelDescription {
  const own = controlStart !== undefined;
  const inside = own ? undefined : controlOffset;
  const command = {
    name: 'command0',
    kind: 'memory' as const,
    start: BigInt(start),
    sizeBytes: inside === undefined ? 8 * stride : inside + stride,
  };
  const control = {
    name: 'control0',
    kind: 'memory' as const,
    start: BigInt(controlStart ?? 0),
    sizeBytes: (controlOffset ?? 0) + stride,
  };
  return {
    identity: { name: 'ata', compatible: ['ata-generic'] },
    spaces: own ? [command, control] : [command],
    interrupts: interrupt ? [{ index: 0, name: 'intrq', trigger: 'level', line }] : [],
  };
}
