import { describe, expect, it } from 'vitest';
import { fileOf, promisedOutput, snippetsIn, unmarked } from './snippets.ts';

const MARKDOWN = `# Title
\`\`\`ts run
console.log(1 + 1); // 2
\`\`\`
   \`\`\`yaml file=rig.yaml
   version: 1
     indented: true
   \`\`\`
\`\`\`\`js
\`\`\`
\`\`\`\`
\`\`\`ts bogus
\`\`\`
\`\`\`sh
npm start
\`\`\`
\`\`\`ts sketch
...
\`\`\`
`;

describe('snippets of a document', () => {
  it('are found with line, language, mark and code', () => {
    expect(snippetsIn(MARKDOWN)).toEqual([
      { line: 2, language: 'ts', mark: 'run', code: 'console.log(1 + 1); // 2\n' },
      { line: 5, language: 'yaml', mark: 'file=rig.yaml', code: 'version: 1\n  indented: true\n' },
      { line: 9, language: 'js', mark: undefined, code: '```\n' },
      { line: 12, language: 'ts', mark: 'bogus', code: '\n' },
      { line: 14, language: 'sh', mark: undefined, code: 'npm start\n' },
      { line: 17, language: 'ts', mark: 'sketch', code: '...\n' },
    ]);
  });

  it('have to end', () => {
    expect(() => snippetsIn('text\n```ts run\nendless')).toThrow('the block that begins in line 2 does not end');
  });

  it('have to say whether they are executed, when they are code', () => {
    expect(unmarked(snippetsIn(MARKDOWN))).toEqual([
      'line 9 is marked with nothing: write run, file=NAME, test=PATH or sketch',
      'line 12 is marked with bogus: write run, file=NAME, test=PATH or sketch',
    ]);
  });

  it('go into files that the others can import', () => {
    expect(snippetsIn(MARKDOWN).map(fileOf)).toEqual([
      'line-2.ts',
      'rig.yaml',
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('promise the output that stands behind console.log', () => {
    const code = "console.log('a // b'); // a // b\nconsole.log('no promise');\n  console.log(c) // d\nx; // e\n";
    expect(promisedOutput({ line: 1, language: 'ts', mark: 'run', code })).toEqual(['a // b', 'd']);
  });
});
