import type { OptionsSchema } from '@ring3/core';
import { type Issue, issueInWords } from './issue-words.ts';
import { allowedKeys, descriptionOf } from './json-schema.ts';
import type { ConfigPath } from './problem.ts';
import type { Problems } from './problems.ts';

/** A part of a configuration and where it stands. */
export interface Section {
  readonly path: ConfigPath;
  readonly value: unknown;
}

/** Checks a section with a schema. @returns what the schema made of it; `undefined` when there are problems. */
export async function validate(
  schema: OptionsSchema,
  { path, value }: Section,
  problems: Problems,
): Promise<{ readonly value: unknown } | undefined> {
  try {
    const result = await schema['~standard'].validate(value);
    if (result.issues === undefined) return { value: result.value };
    const checked = {
      value,
      allowedKeys: (inside: ConfigPath) => allowedKeys(schema, inside),
      descriptionOf: (inside: ConfigPath) => descriptionOf(schema, inside),
    };
    const texts = result.issues.flatMap((issue) => issueInWords(issue as Issue, checked));
    for (const text of texts) problems.add([...path, ...text.path], text.message, text.hint);
    if (texts.length === 0) problems.add(path, 'not accepted, without a reason');
  } catch (error) {
    problems.add(path, `the check of it failed: ${error instanceof Error ? error.message : String(error)}`);
  }
  return undefined;
}
