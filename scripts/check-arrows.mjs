// Who may import whom: the arrows of ARCHITECTURE.md. What no rule allows is an error.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const core = ['@ring3/core', 'rxjs'];
const node = 'node:*';
const suite = ['vitest', 'fast-check', node];

/** The first rule whose folder matches a file decides. "*" at the end stands for anything. */
const rules = [
  { folder: /^packages\/core\/src\/testing\//, may: [...core, ...suite] },
  { folder: /^packages\/backend-sim\/src\/testing\//, may: [...core, ...suite] },
  { folder: /\/(testing\/|test-[^/]+$)/, may: ['*'] }, // Not published: only the suites above are.
  { folder: /^packages\/core\//, may: ['rxjs'] },
  { folder: /^packages\/rig\//, may: [...core, 'tsyringe', 'reflect-metadata*', 'yaml', 'zod', node] },
  { folder: /^packages\/linux\//, may: [...core, 'ffi-rs', node] },
  { folder: /^packages\/nbd\//, may: [...core, node] },
  { folder: /^packages\/backend-sim\//, may: [...core, 'zod', node] },
  { folder: /^packages\/backend-[^/]+\//, may: [...core, '@ring3/linux', 'zod', node] },
  { folder: /^packages\/drivers\/[^/]+\/src\/model\//, may: [...core, '@ring3/backend-sim/model', 'zod', node] },
  { folder: /^packages\/drivers\/[^/]+\//, may: [...core, 'zod'] },
  { folder: /^(apps|bench|campaign|tools)\//, may: ['*'] },
];

const sources = globSync('{apps,bench,campaign,packages,tools}/**/*.ts', {
  exclude: (path) => /node_modules|dist$/.test(path),
});
const problems = sources.filter((file) => !/\.test\.ts$|\/fixtures\//.test(file)).flatMap(check);
for (const problem of problems) console.error(problem);
console.error(`${sources.length} files, ${problems.length} forbidden imports`);
process.exitCode = problems.length > 0 || sources.length === 0 ? 1 : 0;

function check(file) {
  const rule = ruleOf(file);
  if (rule === undefined) return [`${file}: no rule in scripts/check-arrows.mjs covers this folder`];
  return importsOf(readFileSync(file, 'utf8'))
    .filter((name) => (name.startsWith('.') ? !staysInside(file, rule, name) : !isAllowed(name, rule.may)))
    .map((name) => `${file}: may not import ${name} (allowed: its own part of the package, ${rule.may.join(', ')})`);
}

function ruleOf(file) {
  return rules.find(({ folder }) => folder.test(file));
}

/** A driver does not know its model, a model shares no constants with the driver, and only tests see all. */
function staysInside(file, rule, name) {
  const target = join(dirname(file), name);
  if (packageOf(target) !== packageOf(file)) return false;
  return ruleOf(target) === rule || /\/(testing\/|test-[^/]+$)/.test(file);
}

function packageOf(file) {
  return /^(packages\/drivers\/[^/]+|packages\/[^/]+|apps\/[^/]+|tools\/[^/]+|bench)\//.exec(file)?.[1];
}

/** Formatted code has its static imports at the start of a line; comments and strings do not. */
function importsOf(source) {
  const statics = source.matchAll(/^(?:import\s+|(?:import|export)\s[^'";=(]*?\sfrom\s+)'([^']+)'/gm);
  const dynamics = source.matchAll(/^(?!\s*(?:\/?\*|\/\/)).*?\bimport\(\s*['"]([^'"]+)['"]/gm);
  return [...statics, ...dynamics].map((match) => match[1]);
}

function isAllowed(name, patterns) {
  return patterns.some((pattern) => {
    if (pattern.endsWith('*')) return name.startsWith(pattern.slice(0, -1));
    return name === pattern || (pattern === 'rxjs' && name.startsWith('rxjs/'));
  });
}
