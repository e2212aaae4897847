import { hex } from './format.ts';
import type { RegisterOp, Width } from './register-access.ts';
import type { RegisterSpace } from './register-space.ts';

/** Bits of a register, with what a write does to them. */
export interface Field<Kind extends 'plain' | 'write-1-to-clear' = 'plain' | 'write-1-to-clear'> {
  readonly kind: Kind;
  readonly shift: number;
  /** The bits in place. */
  readonly mask: number;
}

type Fields = Readonly<Record<string, Field>>;

/** How a register may be used. */
export type Access = 'read-only' | 'write-only' | 'read-write';

/** A register as the datasheet has it: a place, a width, an access kind, named bits. */
export interface RegisterDefinition<A extends Access = Access, F extends Fields = Fields> {
  readonly access: A;
  readonly offset: number;
  readonly width: Width;
  readonly fields: F;
  /** The mask of each field, for `status & STATUS.mask.BSY`. */
  readonly mask: { readonly [Name in keyof F]: number };
  /** What reading it does to the device: `takes the interrupt back`. Absent: nothing. */
  readonly readAction?: string;
}

/** The registers of one space, by name. */
export type RegisterLayout = Readonly<Record<string, RegisterDefinition>>;

/** One bit, as datasheets number it. */
export function bit(number: number): Field<'plain'> {
  return bits(number, number);
}

/** The bits `high` to `low`, both included, as datasheets write it: `bits(6, 4)`. */
export function bits(high: number, low: number): Field<'plain'> {
  if (!(Number.isInteger(low) && Number.isInteger(high) && low >= 0 && high >= low && high < 32)) {
    throw new RangeError(`bits(${high}, ${low}): give the higher bit first, both from 0 to 31`);
  }
  const width = high - low + 1;
  return { kind: 'plain', shift: low, mask: ((2 ** width - 1) << low) >>> 0 };
}

/** The same bits, cleared by writing ones: such a register has no read-modify-write, which would clear by accident. */
export function write1ToClear(field: Field<'plain'>): Field<'write-1-to-clear'> {
  return { ...field, kind: 'write-1-to-clear' };
}

/** A register that is only read. */
export function readOnly<const F extends Fields = Record<never, never>>(
  offset: number,
  width: Width,
  fields?: F,
): RegisterDefinition<'read-only', F> {
  return define('read-only', offset, width, fields);
}

/** A register that is only written. */
export function writeOnly<const F extends Fields = Record<never, never>>(
  offset: number,
  width: Width,
  fields?: F,
): RegisterDefinition<'write-only', F> {
  return define('write-only', offset, width, fields);
}

/** A register that reads what was written, or has fields that do. */
export function readWrite<const F extends Fields = Record<never, never>>(
  offset: number,
  width: Width,
  fields?: F,
): RegisterDefinition<'read-write', F> {
  return define('read-write', offset, width, fields);
}

/** The same register, whose read changes something: tools ask before they read it. */
export function readActs<const R extends RegisterDefinition>(register: R, readAction: string): R {
  return { ...register, readAction };
}

function define<A extends Access, F extends Fields>(
  access: A,
  offset: number,
  width: Width,
  fields: F | undefined,
): RegisterDefinition<A, F> {
  const own = fields ?? ({} as F);
  for (const [name, field] of Object.entries(own)) {
    if (field.mask > 2 ** width - 1) throw new RangeError(`field ${name} does not fit a register of ${width} bits`);
  }
  const mask = Object.fromEntries(Object.entries(own).map(([name, field]) => [name, field.mask]));
  return { access, offset, width, fields: own, mask: mask as { readonly [Name in keyof F]: number } };
}

/** A value in words: `0x51 (DRDY DSC ERR)`; fields wider than a bit show their number. */
export function describeValue(register: RegisterDefinition, value: number): string {
  const words = Object.entries(register.fields)
    .filter(([, field]) => (value & field.mask) !== 0)
    .map(([name, { mask, shift }]) => ((mask >>> shift) & 2 ? `${name}=${hex((value & mask) >>> shift)}` : name));
  return words.length === 0 ? hex(value, register.width) : `${hex(value, register.width)} (${words.join(' ')})`;
}

interface Readable {
  /** One read access. */
  read(): number;
  /** The same access, as a step of {@link RegisterSpace.sequence}. */
  readonly readOp: RegisterOp;
}

interface Writable {
  /** One write access. */
  write(value: number): void;
  /** The same access, as a step of {@link RegisterSpace.sequence}. */
  writeOp(value: number): RegisterOp;
}

type NamesOf<F extends Fields, Kind extends Field['kind']> = {
  [Name in keyof F]: F[Name] extends Field<Kind> ? Name : never;
}[keyof F];

interface Modifiable<F extends Fields> {
  /** Reads, replaces the named fields, writes: two accesses. */
  modify(fields: { readonly [Name in keyof F]?: number }): void;
}

interface Clearable<F extends Fields> {
  /**
   * Writes ones to the named write-1-to-clear fields, zeros to the others of that kind: one access. Plain fields of the
   * same register keep their value, which takes a read before.
   */
  clear(...names: NamesOf<F, 'write-1-to-clear'>[]): void;
}

/** What can be done with a register of a given access kind; anything else does not compile. */
export type BoundRegister<R extends RegisterDefinition> =
  R extends RegisterDefinition<infer A, infer F>
    ? { readonly definition: R } & (A extends 'write-only' ? unknown : Readable) &
        (A extends 'read-only' ? unknown : Writable) &
        (A extends 'read-write' ? Changeable<F> : unknown)
    : never;

/** Registers without fields are written whole. */
type Changeable<F extends Fields> = keyof F extends never
  ? unknown
  : NamesOf<F, 'write-1-to-clear'> extends never
    ? Modifiable<F>
    : Clearable<F>;

/** The registers of a layout, bound to a space. */
export type BoundRegisters<L extends RegisterLayout> = {
  readonly [Name in keyof L]: BoundRegister<L[Name]>;
};

/** One class behind all kinds: the type of a bound register shows the part that its access kind allows. */
class BoundToSpace implements Readable, Writable {
  readonly definition: RegisterDefinition;
  readonly readOp: RegisterOp;
  readonly #name: string;
  readonly #space: RegisterSpace;
  readonly #offset: number;
  /** The bits of the plain fields. */
  readonly #plain: number;

  constructor(name: string, space: RegisterSpace, definition: RegisterDefinition, offset: number) {
    this.definition = definition;
    this.readOp = { kind: 'read', width: definition.width, offset };
    this.#name = name;
    this.#space = space;
    this.#offset = offset;
    this.#plain = Object.values(definition.fields)
      .filter(({ kind }) => kind === 'plain')
      .reduce((bits, { mask }) => (bits | mask) >>> 0, 0);
  }

  read(): number {
    const { width } = this.definition;
    if (width === 8) return this.#space.read8(this.#offset);
    return width === 16 ? this.#space.read16(this.#offset) : this.#space.read32(this.#offset);
  }

  write(value: number): void {
    const { width } = this.definition;
    if (width === 8) this.#space.write8(this.#offset, value);
    else if (width === 16) this.#space.write16(this.#offset, value);
    else this.#space.write32(this.#offset, value);
  }

  writeOp(value: number): RegisterOp {
    return { kind: 'write', width: this.definition.width, offset: this.#offset, value };
  }

  modify(fields: Readonly<Record<string, number>>): void {
    let replaced = 0;
    let wanted = 0;
    for (const [name, value] of Object.entries(fields)) {
      const { mask, shift } = this.#field(name);
      if (value >>> 0 !== value || value > mask >>> shift) {
        throw new RangeError(`${this.#where()}: ${value} does not fit field ${name}, at most ${hex(mask >>> shift)}`);
      }
      replaced |= mask;
      wanted |= value << shift;
    }
    this.write(((this.read() & ~replaced) | wanted) >>> 0);
  }

  clear(...names: string[]): void {
    const ones = names.reduce((bits, name) => bits | this.#field(name).mask, 0);
    const kept = this.#plain === 0 ? 0 : this.read() & this.#plain;
    this.write((ones | kept) >>> 0);
  }

  #field(name: string): Field {
    const field = this.definition.fields[name];
    if (field === undefined) throw new RangeError(`${this.#where()} has no field ${name}`);
    return field;
  }

  #where(): string {
    return `${this.#space.description.name} ${this.#name}`;
  }
}

/**
 * Binds a layout to a space.
 *
 * @param stride distance of neighbouring registers in bytes, for a device behind shifted address lines (a task
 *   file on a local bus); offsets are multiplied with it. Default 1.
 */
export function bindRegisters<const L extends RegisterLayout>(
  space: RegisterSpace,
  layout: L,
  stride = 1,
): BoundRegisters<L> {
  const bound = Object.entries(layout).map(([name, definition]) => [
    name,
    new BoundToSpace(name, space, definition, definition.offset * stride),
  ]);
  return Object.fromEntries(bound) as BoundRegisters<L>;
}
