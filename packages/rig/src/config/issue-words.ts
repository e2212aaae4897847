import type { SchemaIssue } from '@ring3/core';
import { closest, didYouMean } from '../modules/did-you-mean.ts';
import { valueAt } from './config-document.ts';
import type { ConfigPath } from './problem.ts';
import { choiceInWords, typeHint, typeInWords, valueInWords } from './words.ts';

/** An issue of zod 4, as far as it says more than its message. Other validators give message and path only. */
export interface Issue extends SchemaIssue {
  readonly code?: string;
  readonly expected?: string;
  readonly values?: readonly unknown[];
  readonly options?: readonly unknown[];
  readonly keys?: readonly unknown[];
  readonly errors?: readonly (readonly Issue[])[];
  readonly issues?: readonly Issue[];
  readonly origin?: string;
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
  readonly inclusive?: boolean;
  readonly exact?: boolean;
  readonly divisor?: number;
  readonly format?: string;
  readonly pattern?: string;
}

/** A problem with a value, in words. */
export interface IssueText {
  readonly path: ConfigPath;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** What was checked. */
export interface Checked {
  readonly value: unknown;
  /** The keys that the schema knows at a path. */
  allowedKeys(path: ConfigPath): readonly string[];
  /** What the schema says of the value at a path, for people. */
  descriptionOf(path: ConfigPath): string | undefined;
}

/** zod's own sentences; any other one was written by the author of the schema, who knows better. */
const ZOD_SENTENCE = /^(Invalid [\w ]+|Too (small|big):|Unrecognized key)/;

/** What was expected, and what is there. */
export function issueInWords(issue: Issue, checked: Checked, base: ConfigPath = []): IssueText[] {
  const path = [...base, ...pathOf(issue)];
  const value = valueAt(checked.value, path);
  if (issue.code === 'unrecognized_keys') return unknownKeys(issue, path, checked);
  if (issue.code === 'invalid_union') return unionInWords(issue, value, path, checked);
  if (issue.code === 'invalid_key') return (issue.issues ?? []).map(({ message }) => ({ path, message }));
  const isOwn = ZOD_SENTENCE.test(issue.message);
  const expected = isOwn ? expectation(issue) : issue.message;
  if (value === undefined) return [{ path, message: missing(expected, checked.descriptionOf(path)) }];
  if (!isOwn || expected === undefined) return [{ path, message: `${issue.message}${got(value)}` }];
  return [{ path, message: `expected ${expected}, got ${valueInWords(value)}`, hint: hintFor(issue, value) }];
}

/** Standard Schema allows keys to be wrapped. */
function pathOf(issue: Issue): ConfigPath {
  const keys = (issue.path ?? []).map((segment) => (typeof segment === 'object' ? segment.key : segment));
  return keys.map((key) => (typeof key === 'number' ? key : String(key)));
}

function missing(expected: string | undefined, description: string | undefined): string {
  const words = ['missing', expected && `; expected ${expected}`, description && ` (${description})`];
  return words.filter((part) => part !== undefined).join('');
}

function got(value: unknown): string {
  return value === undefined || typeof value === 'object' ? '' : `; got ${valueInWords(value)}`;
}

function unknownKeys(issue: Issue, path: ConfigPath, checked: Checked): IssueText[] {
  const allowed = checked.allowedKeys(path);
  return (issue.keys ?? []).map(String).map((key) => {
    const hint = didYouMean(key, allowed, 'the keys here are');
    return { path: [...path, key], message: `unknown key "${key}"`, hint };
  });
}

function expectation(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return typeInWords(issue.expected ?? '');
    case 'invalid_value':
      return choiceInWords(issue.values ?? []);
    case 'too_small':
      return sized(issue, issue.inclusive === false ? 'more than' : 'at least', issue.minimum);
    case 'too_big':
      return sized(issue, issue.inclusive === false ? 'less than' : 'at most', issue.maximum);
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return issue.format === 'regex'
        ? `a string like ${issue.pattern}`
        : `a valid ${issue.message.replace('Invalid ', '')}`;
    default:
      return undefined;
  }
}

function sized({ origin, exact }: Issue, relation: string, limit: number | bigint | undefined): string {
  const size = `${exact === true ? 'exactly' : relation} ${limit}`;
  const plural = (singular: string, many: string) => `${size} ${limit === 1 ? singular : many}`;
  if (origin === 'string' && size === 'at least 1') return 'a string that is not empty';
  if (origin === 'string') return `a string of ${plural('character', 'characters')}`;
  if (origin === 'array') return `a list of ${plural('entry', 'entries')}`;
  return size;
}

function hintFor(issue: Issue, value: unknown): string | undefined {
  if (issue.code === 'invalid_type') return typeHint(issue.expected ?? '', value);
  if (issue.code !== 'invalid_value' || (typeof value !== 'string' && typeof value !== 'number')) return undefined;
  const choices = issue.values ?? [];
  const same = choices.find((choice) => choice !== value && String(choice) === String(value));
  if (same !== undefined) return typeof same === 'string' ? 'write it in quotes' : 'write it without quotes';
  const near = closest(
    String(value),
    choices.filter((choice) => typeof choice === 'string'),
  );
  return near === undefined ? undefined : `did you mean "${near}"?`;
}

/** Says what is wrong in the alternative that fits best; where none fits from outside, what could stand here. */
function unionInWords(issue: Issue, value: unknown, path: ConfigPath, checked: Checked): IssueText[] {
  const branches = issue.errors ?? [];
  const choices = issue.options ?? branches.flatMap((issues) => choicesOf(issues) ?? []);
  const isChoice = issue.options !== undefined || branches.every((issues) => choicesOf(issues) !== undefined);
  if (isChoice) return inWords({ code: 'invalid_value', values: choices, message: 'Invalid input' }, path, checked);
  const best = branches.filter((issues) => !issues.some(isMisfit)).toSorted((a, b) => a.length - b.length)[0];
  if (best !== undefined && value !== undefined) return best.flatMap((inner) => issueInWords(inner, checked, path));
  const expected = branches.map((issues) => issues.find(isMisfit)).map((misfit) => misfit && expectation(misfit));
  const words = [...new Set(expected.filter((text) => text !== undefined))].join(', or ');
  const message = words === '' || !ZOD_SENTENCE.test(issue.message) ? `${issue.message}${got(value)}` : undefined;
  if (message !== undefined) return [{ path, message }];
  if (value === undefined) return [{ path, message: missing(words, checked.descriptionOf(path)) }];
  return [{ path, message: `expected ${words}, got ${valueInWords(value)}` }];
}

function inWords(issue: Issue, path: ConfigPath, checked: Checked): IssueText[] {
  return issueInWords({ ...issue, path: [] }, checked, path);
}

function choicesOf(issues: readonly Issue[]): readonly unknown[] | undefined {
  const [only] = issues;
  return issues.length === 1 && only?.code === 'invalid_value' && pathOf(only).length === 0 ? only.values : undefined;
}

/** Whether an alternative was not meant at all: another type, or another value of what tells the alternatives apart. */
function isMisfit(issue: Issue): boolean {
  return issue.code === 'invalid_value' || (issue.code === 'invalid_type' && pathOf(issue).length === 0);
}
