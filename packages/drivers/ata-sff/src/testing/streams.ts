import fc from 'fast-check';
import { type CommandStep, isWide, protocolOf, type Step, type Table } from './step.ts';

/** What the generator must know of a channel. */
export interface Place {
  /** Sectors of device 0 and, where there is one, device 1. */
  readonly sectors: readonly number[];
  readonly dma: boolean;
}

const READ_WRITE = [0x20, 0x21, 0x24, 0x29, 0x30, 0x31, 0x34, 0x39, 0xc4, 0xc5];
const DMA = [0x25, 0xc8, 0xc9, 0x35, 0xca, 0xcb];
const VERIFY = [0x40, 0x41, 0x42];
const POWER = [0xe0, 0xe1, 0xe2, 0xe3, 0xe5];
/** Neither device knows them, or must refuse them: NOP, and codes that mean nothing to a disk. */
const REFUSED = [0x00, 0x01, 0x08, 0x0f, 0x23, 0x3d, 0x50, 0x80, 0x9a, 0xa0, 0xa1, 0xb1, 0xce, 0xde, 0xf0, 0xff];
/** Codes that one of them knows. */
const ONE_SIDED = [0x10, 0x37, 0x3c, 0x70, 0x94, 0x98, 0xb0, 0xf5, 0xf9];
const FEATURES = [0x01, 0x02, 0x03, 0x05, 0x42, 0x55, 0x66, 0x67, 0x69, 0x81, 0x82, 0xaa, 0xcc, 0x99];
const MODES = [0x00, 0x01, 0x08, 0x0c, 0x0d, 0x10, 0x20, 0x22, 0x40, 0x45, 0x50, 0xff];

const byte = fc.nat(0xff);
const seed = fc.nat(0xffff);

/** Steps for one channel. */
export function stepsFor(place: Place): fc.Arbitrary<Step> {
  return fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...READ_WRITE).chain((opcode) => sectors(place, opcode)) },
    ...(place.dma ? [{ weight: 8, arbitrary: fc.constantFrom(...DMA).chain((opcode) => sectors(place, opcode)) }] : []),
    { weight: 2, arbitrary: fc.constantFrom(...VERIFY).chain((opcode) => sectors(place, opcode)) },
    { weight: 8, arbitrary: fc.oneof(information(), settings(place)) },
    { weight: 2, arbitrary: wild() },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('write'), offset: fc.integer({ min: 1, max: 6 }), value: byte }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('interrupts'), on: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset') }) },
  );
}

/** What every command has; the rest is spread over it. */
const frame = {
  kind: fc.constant('command' as const),
  device: fc.constantFrom(0 as const, 1 as const),
  lbaMode: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  features: byte,
  seed,
  table: fc.constantFrom<Table>('whole', 'whole', 'pieces', 'longer', 'shorter'),
};

/** A read, write or verify, most of them on the disk, some over its end or nowhere. */
function sectors(place: Place, opcode: number): fc.Arbitrary<CommandStep> {
  const wide = isWide(opcode);
  const small = fc.integer({ min: 1, max: 20 });
  const count = fc.oneof({ weight: 20, arbitrary: small }, { weight: 1, arbitrary: fc.constantFrom(0, 21, 64, 256) });
  return fc
    .record({ ...frame, count })
    .chain((step) =>
      address(place.sectors[step.device] ?? 4096, wide).map((at) => ({ ...step, opcode, wide, address: at })),
    )
    .map((step) => (step.lbaMode ? step : inCylinders(step)));
}

function address(size: number, wide: boolean): fc.Arbitrary<number> {
  const limit = wide ? 2 ** 48 : 2 ** 28;
  const edges = [size - 1, size, size - 3, 2 ** 28 - 2, 2 ** 28 - 1, 2 ** 28, limit - 1].filter((at) => at < limit);
  return fc.oneof(
    { weight: 10, arbitrary: fc.nat(1023) },
    {
      weight: 3,
      arbitrary: fc.integer({ min: Math.min(Math.max(size - 30, 0), limit - 30), max: Math.min(size + 4, limit - 1) }),
    },
    { weight: 1, arbitrary: fc.constantFrom(...edges) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: limit - 1 }) },
  );
}

/**
 * Some address as cylinder, head and sector. Reads may be nonsense; writes name places that every translation of these
 * streams has, so that both disks keep the same content.
 */
function inCylinders(step: CommandStep): CommandStep {
  const writes = protocolOf(step.opcode).endsWith('out');
  if (writes && isWide(step.opcode)) return { ...step, lbaMode: true };
  const bits = step.address % 0x1000;
  const cylinder = [0, 1, 4, 5][bits % (writes ? 2 : 4)] ?? 0; // Not where streams trim.
  const head = (bits >>> 3) % (writes ? 4 : 16);
  const sector = writes ? 1 + (bits % 17) : (bits >>> 6) % 65;
  const table = writes && step.table === 'shorter' ? 'whole' : step.table;
  return { ...step, table, address: head * 0x100_0000 + cylinder * 0x100 + sector };
}

function information(): fc.Arbitrary<CommandStep> {
  const opcode = fc.constantFrom(0xec, 0xec, 0xe7, 0xea, 0x27, 0xf8, 0x90, ...POWER);
  return fc.record({ ...frame, opcode, wide: fc.boolean(), count: byte, address: fc.nat(2 ** 28 - 1) });
}

function settings({ dma }: Place): fc.Arbitrary<CommandStep> {
  const rest = { ...frame, wide: fc.constant(false), address: fc.nat(2 ** 28 - 1) };
  const multiple = fc.record({
    ...rest,
    opcode: fc.constant(0xc6),
    count: fc.constantFrom(0, 1, 2, 3, 4, 8, 16, 32, 128, 255),
  });
  const features = fc.record({
    ...rest,
    opcode: fc.constant(0xef),
    features: fc.constantFrom(...FEATURES),
    count: fc.constantFrom(...MODES),
  });
  const geometry = fc.record({
    ...rest,
    opcode: fc.constant(0x91),
    count: fc.constantFrom(63, 63, 32, 17),
    address: fc.constantFrom(15, 15, 7, 3).map((head) => head * 0x100_0000),
  });
  const trim = fc.record({
    ...rest,
    wide: fc.constant(true),
    opcode: fc.constant(0x06),
    features: fc.constantFrom(1, 1, 1, 0, 2),
    count: fc.constantFrom(1, 1, 2),
    address: fc.constant(0),
  });
  return fc.oneof(multiple, features, geometry, ...(dma ? [trim] : []));
}

/** Codes that at least one of them refuses. */
function wild(): fc.Arbitrary<CommandStep> {
  const opcode = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...REFUSED) },
    { weight: 1, arbitrary: fc.constantFrom(...ONE_SIDED) },
  );
  return fc.record({ ...frame, opcode, wide: fc.boolean(), count: byte, address: fc.nat(2 ** 28 - 1) });
}
