import type { DeviceErrorCode } from '@ring3/core';
import { isDeviceError } from '@ring3/core';
import type { ConfigDocument } from './config-document.ts';
import type { ConfigPath, Problem } from './problem.ts';

/** Collects what is wrong with one configuration, with the places. */
export class Problems {
  readonly warnings: Problem[] = [];
  readonly #found: Problem[];
  readonly #document: ConfigDocument;

  constructor(document: ConfigDocument) {
    this.#document = document;
    this.#found = [...document.problems];
  }

  get count(): number {
    return this.#found.length;
  }

  add(path: ConfigPath, message: string, hint?: string, code?: DeviceErrorCode): void {
    if (this.#document.unreadable.some((above) => above.every((key, index) => key === path[index]))) return;
    this.#found.push({ ...this.#problem(path, message, hint), ...(code === undefined ? {} : { code }) });
  }

  /** What a module loader or a backend threw. */
  addError(path: ConfigPath, error: unknown): void {
    if (!isDeviceError(error)) {
      this.add(path, error instanceof Error ? `${error.name}: ${error.message}` : String(error));
      return;
    }
    const { hint } = error.details;
    this.add(path, error.message, typeof hint === 'string' ? hint : undefined, error.code);
  }

  warn(path: ConfigPath, message: string, hint?: string): void {
    this.warnings.push(this.#problem(path, message, hint));
  }

  /** All problems in the order of the file, each once; without places, in the order of the checks. */
  sorted(): Problem[] {
    return [
      ...new Map(
        inOrder(this.#found)
          .toReversed()
          .map((problem) => [identity(problem), problem]),
      ).values(),
    ].toReversed();
  }

  #problem(path: ConfigPath, message: string, hint: string | undefined): Problem {
    return { ...this.#document.place(path), path, message, ...(hint === undefined ? {} : { hint }) };
  }
}

/** Sorts by place. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}

/** The same for a mistake that shows twice: an alias or a merge key brings it to several devices. */
function identity({ line, column, path, message }: Problem): string {
  return JSON.stringify(line === undefined ? [path, message] : [line, column, path.at(-1), message]);
}
