import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
  visit,
  type YAMLMap,
} from 'yaml';
import type { ConfigPath, Place, Problem } from './problem.ts';

const MAX_DEPTH = 64;
const MAX_NODES = 100_000;

/** Makes plain data of a YAML document, and remembers where every key is. Follows aliases and merge keys (`<<`). */
export class YamlReader {
  /** Of the keys, by their paths as JSON; of the items of lists, where they begin. */
  readonly places = new Map<string, Place>();
  readonly problems: Problem[] = [];
  readonly unreadable: ConfigPath[] = [];
  readonly #document: Document.Parsed;
  readonly #targets: ReadonlyMap<Alias, Node>;
  readonly #at: (offset: number) => Place;
  #nodes = 0;

  constructor(document: Document.Parsed, at: (offset: number) => Place) {
    this.#document = document;
    this.#targets = aliasTargets(document);
    this.#at = at;
  }

  read(): unknown {
    const { contents } = this.#document;
    if (contents !== null) this.places.set('[]', this.#placeOf(contents));
    return this.#value(contents, [], []);
  }

  #value(node: unknown, path: ConfigPath, inside: readonly Node[]): unknown {
    const resolved = this.#resolve(node, path);
    if (resolved === undefined) return null;
    if (inside.includes(resolved)) return this.#fault(path, resolved, 'an alias inside of what it stands for');
    if (inside.length >= MAX_DEPTH) return this.#fault(path, resolved, `nested more than ${MAX_DEPTH} levels deep`);
    if (this.#isTooMuch(resolved, path)) return null;
    if (isScalar(resolved)) return this.#scalar(resolved, path);
    const within = [...inside, resolved];
    if (isMap(resolved)) return Object.fromEntries(this.#entries(resolved, path, within));
    return isSeq(resolved) ? resolved.items.map((item, index) => this.#item(item, [...path, index], within)) : null;
  }

  /** A few aliases of aliases make millions of values. */
  #isTooMuch(node: Node, path: ConfigPath): boolean {
    this.#nodes += 1;
    if (this.#nodes === MAX_NODES) this.#fault(path, node, `more than ${MAX_NODES} values, with those of the aliases`);
    return this.#nodes >= MAX_NODES;
  }

  #item(item: unknown, path: ConfigPath, within: readonly Node[]): unknown {
    this.places.set(JSON.stringify(path), this.#placeOf(item));
    return this.#value(item, path, within);
  }

  #scalar(scalar: Scalar, path: ConfigPath): unknown {
    const { value, source } = scalar;
    if (typeof value !== 'number' || !Number.isInteger(value) || Number.isSafeInteger(value) || scalar.format === 'EXP')
      return value;
    return this.#fault(
      path,
      scalar,
      `${source} is too large for a number that keeps all its digits`,
      'write it in quotes',
    );
  }

  /** The pairs of a map; what is merged comes first, so that the map's own keys win. */
  #entries(map: YAMLMap, path: ConfigPath, within: readonly Node[]): Map<string, unknown> {
    const entries = new Map<string, unknown>();
    const isMerge = ({ key }: Pair) => isScalar(key) && key.value === '<<' && key.type === 'PLAIN';
    for (const pair of map.items.filter(isMerge)) this.#merge(pair.value, entries, path, within);
    const own = new Map<string, Place>();
    for (const pair of map.items.filter((pair) => !isMerge(pair))) {
      const key = this.#key(pair.key, path);
      if (key === undefined) continue;
      const place = this.#placeOf(pair.key);
      const first = own.get(key);
      if (first !== undefined) this.#duplicate([...path, key], place, first);
      own.set(key, place);
      this.places.set(JSON.stringify([...path, key]), place);
      entries.set(key, this.#value(pair.value, [...path, key], within));
    }
    return entries;
  }

  #merge(source: unknown, entries: Map<string, unknown>, path: ConfigPath, within: readonly Node[]): void {
    const node = this.#resolve(source, path);
    if (isSeq(node)) {
      for (const item of node.items.toReversed()) this.#merge(item, entries, path, within);
    } else if (node !== undefined && !isMap(node)) {
      this.#fault(path, node, '`<<` merges keys and values: what it names is something else');
    } else if (node !== undefined && (within.includes(node) || within.length >= MAX_DEPTH)) {
      this.#fault(path, node, 'an alias inside of what it stands for');
    } else if (node !== undefined && !this.#isTooMuch(node, path)) {
      for (const [key, value] of this.#entries(node, path, [...within, node])) entries.set(key, value);
    }
  }

  #resolve(node: unknown, path: ConfigPath): Node | undefined {
    if (!isAlias(node)) return (node ?? undefined) as Node | undefined;
    const target = this.#targets.get(node);
    if (target === undefined) this.#fault(path, node, `there is no anchor &${node.source} before it`);
    return target;
  }

  #key(key: unknown, path: ConfigPath): string | undefined {
    const node = this.#resolve(key, path);
    if (node === undefined || (isScalar(node) && typeof node.value !== 'object'))
      return String(isScalar(node) ? node.value : '');
    if (isScalar(node) && node.value === null) return '';
    this.problems.push({ ...this.#placeOf(node), path, message: 'a list or a mapping cannot be a key' });
    return undefined;
  }

  #duplicate(path: ConfigPath, place: Place, first: Place): void {
    this.problems.push({
      ...place,
      path,
      message: `there is a second "${path.at(-1)}": the first is in line ${first.line}`,
    });
  }

  #fault(path: ConfigPath, node: unknown, message: string, hint?: string): null {
    const place = this.places.get(JSON.stringify(path)) ?? this.#placeOf(node);
    this.problems.push({ ...place, path, message, ...(hint === undefined ? {} : { hint }) });
    this.unreadable.push(path);
    return null;
  }

  #placeOf(node: unknown): Place {
    return this.#at((node as Node | undefined)?.range?.[0] ?? 0);
  }
}

/** What each alias stands for: the last node before it that has the anchor. */
function aliasTargets(document: Document.Parsed): Map<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Node: (_, node) => {
      if ('anchor' in node && node.anchor !== undefined) anchors.set(node.anchor, node);
      const target = isAlias(node) ? anchors.get(node.source) : undefined;
      if (target !== undefined) targets.set(node as Alias, target);
    },
  });
  return targets;
}
