import { type Document, LineCounter, parseDocument, visit } from 'yaml';
import { type ConfigDocument, objectDocument } from './config-document.ts';
import type { ConfigPath, Place, Problem } from './problem.ts';
import { inOrder } from './problems.ts';
import { YamlReader } from './yaml-reader.ts';

/** The parser calls itself for each level, and the stack ends somewhere. */
const TOO_DEEP = 'nested too deep to be read';

/**
 * Reads a YAML 1.2 file with the places of all its keys. What breaks the syntax is the only problem then: what the rest
 * means, nobody knows.
 */
export function yamlDocument(text: string, file: string): ConfigDocument {
  const lines = new LineCounter();
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
    const errors = document.errors.map((error) => fault(error, document, at));
    if (errors.length > 0) return { ...objectDocument(undefined, file), problems: firstOfLines(errors) };
    const warnings = document.warnings.map((warning) => fault(warning, document, at));
    return readNodes(new YamlReader(document, at), file, warnings);
  } catch (error) {
    const message = error instanceof RangeError ? TOO_DEEP : `cannot be read as YAML: ${String(error)}`;
    return { ...objectDocument(undefined, file), problems: [{ file, path: [], message }] };
  }
}

function readNodes(reader: YamlReader, file: string, warnings: readonly Problem[]): ConfigDocument {
  const value = reader.read();
  const place = (path: ConfigPath): Place => {
    const known = reader.places.get(JSON.stringify(path));
    if (known !== undefined) return known;
    return path.length === 0 ? { file, line: 1, column: 1 } : place(path.slice(0, -1));
  };
  return { value, problems: [...warnings, ...reader.problems], unreadable: reader.unreadable, place };
}

interface Fault {
  readonly code: string;
  readonly message: string;
  readonly pos: readonly [number, number];
}

function fault({ code, message, pos }: Fault, document: Document.Parsed, at: (offset: number) => Place): Problem {
  const quote = code === 'MISSING_CHAR' && /quote/.test(message) ? quoteBefore(document, pos[0]) : undefined;
  return { ...at(quote ?? pos[0]), path: [], message: inWords(code, message) };
}

function inWords(code: string, message: string): string {
  if (/stack/i.test(message)) return TOO_DEEP;
  const [, flow] = /^Flow (map|sequence) .*end with/.exec(message) ?? [];
  if (flow !== undefined)
    return `a ${flow === 'map' ? '{' : '['} before this place is not closed, or the lines in it are not indented`;
  if (/^Missing closing (["'])/.test(message)) return 'the quote that begins here is not closed';
  if (code === 'TAG_RESOLVE_FAILED')
    return `${message.replace('Unresolved tag: ', '')} means nothing here: write the value without a tag`;
  if (code === 'TAB_AS_INDENT') return 'a tab cannot indent: write spaces';
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here: a configuration is one document';
  if (code === 'BLOCK_AS_IMPLICIT_KEY')
    return 'a second key on the same line, or lines below it that are indented like keys of its own: begin a new line, indent keys of one section alike, or quote a text that contains ": "';
  if (/^Implicit (map )?keys need/.test(message)) return 'a key needs ": " between it and its value';
  return `not valid YAML: ${message}`;
}

/** Where the quoted text begins that the end of the file has cut off. */
function quoteBefore(document: Document.Parsed, offset: number): number | undefined {
  let found: number | undefined;
  visit(document, {
    Scalar: (_, { range, type }) => {
      if (type?.startsWith('QUOTE') && range && range[0] < offset && offset <= range[2]) found = range[0];
    },
  });
  return found;
}

/** One mistake makes the parser stumble several times: what comes later on the same line says nothing new. */
function firstOfLines(problems: readonly Problem[]): Problem[] {
  return inOrder(problems).filter((problem, index, sorted) => problem.line !== sorted[index - 1]?.line);
}
