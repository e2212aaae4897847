/** A translation between cylinder, head, sector and the number of a sector. ATA/ATAPI-6 section 6.2. */
export interface Geometry {
  readonly cylinders: number;
  readonly heads: number;
  readonly sectorsPerTrack: number;
}

interface ChsAddress {
  readonly cylinder: number;
  readonly head: number;
  /** From 1. */
  readonly sector: number;
}

/** The translation that a device of this size starts with: 16 heads, 63 sectors, at most 16383 cylinders. */
export function defaultGeometry(sectors: number): Geometry {
  return geometryWith(sectors, 16, 63);
}

/** The translation that INITIALIZE DEVICE PARAMETERS asks for. */
export function geometryWith(sectors: number, heads: number, sectorsPerTrack: number): Geometry {
  const whole = Math.floor(sectors / (heads * sectorsPerTrack));
  return { cylinders: Math.min(Math.max(whole, 1), 16_383), heads, sectorsPerTrack };
}

/** Sectors that the translation reaches, at most as many as the device has. */
export function chsCapacity(geometry: Geometry, sectors: number): number {
  return Math.min(geometry.cylinders * geometry.heads * geometry.sectorsPerTrack, sectors);
}

/** The number of a sector; `undefined` when the translation has no such place. */
export function lbaOf({ cylinder, head, sector }: ChsAddress, geometry: Geometry): number | undefined {
  const { cylinders, heads, sectorsPerTrack } = geometry;
  if (cylinder >= cylinders || head >= heads || sector === 0 || sector > sectorsPerTrack) return undefined;
  return (cylinder * heads + head) * sectorsPerTrack + sector - 1;
}

/** The place of a sector. */
export function chsOf(lba: number, { heads, sectorsPerTrack }: Geometry): ChsAddress {
  const track = Math.floor(lba / sectorsPerTrack);
  return { cylinder: Math.floor(track / heads), head: track % heads, sector: (lba % sectorsPerTrack) + 1 };
}
