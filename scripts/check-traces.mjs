// Nothing in the repository may name the machine it was written on, or pin a registry's host.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const traces = [
  { pattern: /(?<![\w.~-])\/(?:work|root)\//, what: 'a path of one machine' },
  {
    pattern: /registry\.(?:npmjs|yarnpkg|npmmirror)|npmjs\.org|deb\.debian\.org|security\.debian\.org/,
    what: 'a registry host',
  },
];

const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
});
const files = list.split('\0').filter(Boolean);
const problems = files.flatMap(check);
for (const problem of problems) console.error(problem);
console.error(`${files.length} files, ${problems.length} traces`);
process.exitCode = problems.length > 0 || files.length === 0 ? 1 : 0;

function check(file) {
  return textOf(file)
    .split('\n')
    .flatMap((line, index) =>
      traces
        .filter(({ pattern }) => pattern.test(line))
        .map(({ what }) => `${file}:${index + 1}: ${what}: ${line.trim().slice(0, 120)}`),
    );
}

function textOf(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return ''; // Deleted, but not yet in a commit.
    throw error;
  }
}
