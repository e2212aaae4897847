import type { ConfigPath, Place, Problem } from './problem.ts';

/** A configuration as it was read, before anything in it was checked. */
export interface ConfigDocument {
  /** Plain data, or what an application passed in. */
  readonly value: unknown;
  /** What reading alone found. */
  readonly problems: readonly Problem[];
  /** Where the value is not what stands in the file, since it could not be read: nothing more is to be said of it. */
  readonly unreadable: readonly ConfigPath[];
  /** Where the key at the end of `path` is, or that of its nearest parent. */
  place(path: ConfigPath): Place;
}

/** A configuration that an application made itself. */
export function objectDocument(value: unknown, file?: string): ConfigDocument {
  return { value, problems: [], unreadable: [], place: () => (file === undefined ? {} : { file }) };
}

/** A document in which some values are replaced: `set` has them by dotted path. */
export function withSettings(document: ConfigDocument, set: Readonly<Record<string, unknown>>): ConfigDocument {
  const settings = Object.entries(set).map(([path, value]) => ({ keys: path.split('.').map(toKey), value }));
  return {
    value: settings.reduce((root, { keys, value }) => replaced(root, keys, value), document.value),
    problems: document.problems,
    unreadable: document.unreadable,
    place: (path) => {
      const isSet = settings.some(
        ({ keys }) => keys.length <= path.length && keys.every((key, index) => key === path[index]),
      );
      return isSet ? { file: '--set' } : document.place(path);
    },
  };
}

function toKey(text: string): string | number {
  return /^\d+$/.test(text) ? Number(text) : text;
}

function replaced(root: unknown, [key, ...rest]: ConfigPath, value: unknown): unknown {
  if (key === undefined) return value;
  if (Array.isArray(root) && typeof key === 'number' && key <= root.length) {
    return root.toSpliced(key, 1, replaced(root[key], rest, value));
  }
  const entries = new Map(Object.entries(isRecord(root) ? root : {}));
  entries.set(String(key), replaced(entries.get(String(key)), rest, value));
  return Object.fromEntries(entries);
}

/** Keys and values, as opposed to a list or a single value. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path, `undefined` where there is none. */
export function valueAt(root: unknown, path: ConfigPath): unknown {
  return path.reduce<unknown>((value, key) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    return (value as Record<string | number, unknown>)[key];
  }, root);
}
