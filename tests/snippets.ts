/** A fenced block of TypeScript or JavaScript in a Markdown file. */
export interface Snippet {
  /** Line of the fence, for messages. */
  readonly line: number;
  /**
   * What the fence says behind the language. `run`: executed. `file=NAME`: written beside the snippets that run, for
   * them to import; a NAME that ends in `.test.ts` is run by vitest. `test=PATH`: executed by a test of its own, at this
   * path from the document. `sketch`: an illustration that is not a program.
   */
  readonly mark: string | undefined;
  readonly language: string;
  readonly code: string;
}

const FENCE = /^(?<indent> *)(?<fence>`{3,})(?<language>[\w-]*)(?: +(?<mark>\S+))? *$/;

/** The fenced blocks of a Markdown text. @throws Error for a block that does not end. */
export function snippetsIn(markdown: string): Snippet[] {
  const snippets: Snippet[] = [];
  let open: { readonly indent: number; readonly fence: string; readonly snippet: Omit<Snippet, 'code'> } | undefined;
  let code: string[] = [];
  for (const [index, text] of markdown.split('\n').entries()) {
    const { indent = '', fence, language = '', mark } = FENCE.exec(text)?.groups ?? {};
    if (open !== undefined && fence?.startsWith(open.fence) && language === '') {
      snippets.push({ ...open.snippet, code: `${code.join('\n')}\n` });
      open = undefined;
    } else if (open !== undefined) {
      code.push(text.slice(open.indent));
    } else if (fence !== undefined) {
      open = { indent: indent.length, fence, snippet: { line: index + 1, language, mark } };
      code = [];
    }
  }
  if (open !== undefined) throw new Error(`the block that begins in line ${open.snippet.line} does not end`);
  return snippets;
}

/** What is wrong with the marks of a file's snippets: every block of code says whether it is executed. */
export function unmarked(snippets: readonly Snippet[]): string[] {
  return snippets
    .filter(({ language }) => /^(?:[cm]?[tj]s|typescript|javascript)$/.test(language))
    .filter(({ mark }) => mark === undefined || !/^(?:run|sketch|file=[\w.-]+|test=\S+)$/.test(mark))
    .map(
      ({ line, mark = 'nothing' }) => `line ${line} is marked with ${mark}: write run, file=NAME, test=PATH or sketch`,
    );
}

/** The name under which a snippet is written to disk; `undefined` for what is only looked at. */
export function fileOf({ mark, line, language }: Snippet): string | undefined {
  if (mark === 'run') return `line-${line}.${language}`;
  return mark?.startsWith('file=') ? mark.slice('file='.length) : undefined;
}

/** The output that a snippet promises: what stands in comments behind `console.log(...)`. */
export function promisedOutput({ code }: Snippet): string[] {
  return [...code.matchAll(/^.*\bconsole\.log\(.*\);? *\/\/ (?<output>.*)$/gm)].map(
    ({ groups }) => groups?.['output'] ?? '',
  );
}

/** The path of the test that executes a snippet by itself. */
export function ownTestOf({ mark }: Snippet): string | undefined {
  return mark?.startsWith('test=') ? mark.slice('test='.length) : undefined;
}
