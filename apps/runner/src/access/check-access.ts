import { type DeviceDescription, hex, type RegisterDefinition } from '@ring3/core';
import { UsageError } from '../usage-error.ts';
import { type AskOptions, confirm } from './ask.ts';
import type { Place } from './find-register.ts';
import { type AccessWidth, checkAligned, parseWidth } from './numbers.ts';
import type { FoundTarget } from './open-target.ts';

/** The width of the access: that of the register where one is named, otherwise what was typed. */
export function widthFor(text: string | undefined, { place }: FoundTarget): AccessWidth {
  const register = place?.register;
  if (register === undefined) return parseWidth(text);
  const { width } = register.definition;
  if (text === undefined || parseWidth(text) === width) return width;
  throw new UsageError(
    `${register.name} has ${width} bits: leave --width out, or name it by its space and offset ${hex(register.definition.offset)}`,
  );
}

/** Refuses what cannot be right, before anything is opened. */
export function checkReach(found: FoundTarget, width: AccessWidth, lengthBytes: number): void {
  checkAligned(found.base + BigInt(found.offset), width);
  const size = found.place?.space.resource.sizeBytes;
  if (size !== undefined && found.offset + lengthBytes > size) {
    throw new UsageError(
      `${lengthBytes} bytes at ${hex(found.offset)} do not fit: ${found.place?.space.names[0]} has ${hex(size)} bytes`,
    );
  }
}

/** Asks before a read that changes something. @throws UsageError for a register that is only written. */
export async function allowRead(found: FoundTarget, lengthBytes: number, options: AskOptions): Promise<void> {
  const { place, offset } = found;
  const register = place?.register;
  if (register !== undefined && register.definition.access === 'write-only') {
    throw new UsageError(`${register.name} is only written, it cannot be read`);
  }
  const touched = register === undefined ? registersIn(place, offset, lengthBytes) : [register];
  const acting = touched.filter(({ definition }) => definition.readAction !== undefined);
  if (acting.length === 0) return;
  const words = acting.map(({ name, definition }) => `${name} (${definition.readAction})`).join(', ');
  await confirm(`reading changes the device: ${words}`, 'Read it?', options);
}

/** @throws UsageError for a register that is only read. */
export function checkWritable({ place, offset }: FoundTarget, lengthBytes: number): void {
  const register = place?.register;
  const touched = register === undefined ? registersIn(place, offset, lengthBytes) : [register];
  for (const { name, definition } of touched) {
    const isWritable = touched.some((other) => other.definition.offset === definition.offset && canWrite(other));
    if (!isWritable) throw new UsageError(`${name} is only read, it cannot be written`);
  }
}

function canWrite({ definition }: { readonly definition: RegisterDefinition }): boolean {
  return definition.access !== 'read-only';
}

function registersIn(place: Place | undefined, offset: number, lengthBytes: number) {
  return Object.entries(place?.space.layout ?? {})
    .map(([name, definition]) => ({ name, definition }))
    .filter(({ definition }) => definition.offset < offset + lengthBytes)
    .filter(({ definition }) => offset < definition.offset + definition.width / 8);
}

/** Says that a device is none: its registers begin with this command and end with it. */
export function sayWhenSimulated({ simulated }: Pick<DeviceDescription, 'simulated'>): void {
  if (simulated) process.stderr.write('simulated: the device is switched on for this command\n');
}
