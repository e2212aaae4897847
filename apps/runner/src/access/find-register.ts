import type { DeviceDescription, Driver, RegisterDefinition, RegisterLayout, SpaceResource } from '@ring3/core';
import { didYouMean, selectSpace } from '@ring3/rig';
import { UsageError } from '../usage-error.ts';

/** A space of a device, by all its names, with the registers that the driver publishes for it. */
export interface NamedSpace {
  /** The driver's name for it, the device's, `barN`: the first is the one to show. */
  readonly names: readonly string[];
  readonly resource: SpaceResource;
  readonly layout: RegisterLayout;
}

/** Where a path of names leads. */
export interface Place {
  readonly space: NamedSpace;
  readonly register: { readonly name: string; readonly definition: RegisterDefinition } | undefined;
}

/** The spaces of a device as its driver names them, then those that the driver does not know. */
export function namedSpaces(description: DeviceDescription, driver?: Driver, options?: unknown): NamedSpace[] {
  const handles = new Map<SpaceResource, string>();
  for (const [handle, need] of Object.entries(driver?.needs ?? {})) {
    const inner = need.need === 'optional' ? need.inner : need;
    const resource = inner.need === 'space' ? selectSpace(description, inner) : 'no space';
    if (typeof resource !== 'string') handles.set(resource, handle);
  }
  const sizes = Object.fromEntries([...handles].map(([{ sizeBytes }, handle]) => [handle, sizeBytes]));
  const layouts: Readonly<Record<string, RegisterLayout | undefined>> = driver?.layouts?.(sizes, options) ?? {};
  return description.spaces.map((resource) => {
    const handle = handles.get(resource);
    const { name, bar } = resource;
    const names = [handle, name, bar === undefined ? undefined : `bar${bar}`].filter((each) => each !== undefined);
    return { names: [...new Set(names)], resource, layout: (handle === undefined ? undefined : layouts[handle]) ?? {} };
  });
}

/** Follows `REGISTER`, `SPACE` or `SPACE.REGISTER`. @throws UsageError with what there is. */
export function findPlace(device: string, spaces: readonly NamedSpace[], path: readonly string[]): Place {
  const [first, second, ...more] = path;
  if (first === undefined || more.length > 0) throw new UsageError(`${device}: ${choice(spaces)}`);
  const space = spaces.find(({ names }) => names.includes(first));
  if (space !== undefined && second === undefined) return { space, register: undefined };
  if (space !== undefined) return placeIn(`${device}.${first}`, [space], second ?? '');
  if (second === undefined) return placeIn(device, spaces, first);
  const hint = didYouMean(
    first,
    spaces.flatMap(({ names }) => names),
    'spaces',
  );
  throw new UsageError(`${device} has no space "${first}"; ${hint ?? choice(spaces)}`);
}

function placeIn(where: string, spaces: readonly NamedSpace[], name: string): Place {
  const found = spaces.filter(({ layout }) => Object.hasOwn(layout, name));
  const [space] = found;
  const definition = space?.layout[name];
  if (space === undefined || definition === undefined) throw unknown(where, spaces, name);
  if (found.length === 1) return { space, register: { name, definition } };
  const candidates = found.map(({ names }) => `${where}.${names[0]}.${name}`).join(', ');
  throw new UsageError(`${where}.${name} is in several spaces: ${candidates}`);
}

function unknown(where: string, spaces: readonly NamedSpace[], name: string): UsageError {
  const registers = spaces.flatMap(({ layout }) => Object.keys(layout));
  const known = [...new Set([...registers, ...spaces.flatMap(({ names }) => names)])];
  const hint = didYouMean(name, known, 'there is') ?? choice(spaces);
  return new UsageError(`${where} has no register or space "${name}"; ${hint}`);
}

/** What there is to choose from. */
function choice(spaces: readonly NamedSpace[]): string {
  const lines = spaces.map(({ names, layout, resource }) => {
    const registers = Object.keys(layout).join(', ');
    return `${names.join(' or ')} (0x${resource.sizeBytes.toString(16)} bytes${registers === '' ? '' : `: ${registers}`})`;
  });
  return `name a register or a space: ${lines.join('; ') || 'the device has none'}`;
}
