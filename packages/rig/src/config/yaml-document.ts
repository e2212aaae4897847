import { LineCounter, parseDocument } from 'yaml';
import { type ConfigDocument, objectDocument } from './config-document.ts';
import type { ConfigPath, Place, Problem } from './problem.ts';
import { YamlReader } from './yaml-reader.ts';

const WORDS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'a tab cannot indent: write spaces',
  MULTIPLE_DOCS: 'a second document begins here: a configuration is one document',
  BLOCK_AS_IMPLICIT_KEY: 'a second key on the same line: begin a new line, or quote a text that contains ": "',
};

/** Reads a YAML 1.2 file with the places of all its keys. Broken syntax is the only problem then: the rest is not read. */
export function yamlDocument(text: string, file: string): ConfigDocument {
  const lines = new LineCounter();
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
    const faults = [...document.errors, ...document.warnings].map(({ code, message, pos }) => ({
      ...at(pos[0]),
      path: [],
      message: WORDS[code] ?? `not valid YAML: ${message}`,
    }));
    if (faults.length > 0) return { ...objectDocument(undefined, file), problems: firstOfLines(faults) };
    return readNodes(new YamlReader(document, at), file);
  } catch (error) {
    const problem = {
      file,
      path: [],
      message: `cannot be read as YAML: ${error instanceof Error ? error.message : error}`,
    };
    return { ...objectDocument(undefined, file), problems: [problem] };
  }
}

function readNodes(reader: YamlReader, file: string): ConfigDocument {
  const value = reader.read();
  const place = (path: ConfigPath): Place => {
    const known = reader.places.get(JSON.stringify(path));
    if (known !== undefined) return known;
    return path.length === 0 ? { file, line: 1, column: 1 } : place(path.slice(0, -1));
  };
  return { value, problems: reader.problems, place };
}

/** One mistake makes the parser stumble several times: what comes later on the same line says nothing new. */
function firstOfLines(problems: readonly Problem[]): Problem[] {
  const sorted = problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  return sorted.filter((problem, index) => problem.line !== sorted[index - 1]?.line);
}
