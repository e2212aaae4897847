import type { DeviceErrorCode } from '@ring3/core';

/** Keys and indices from the root of the configuration to the place that is meant. */
export type ConfigPath = readonly (string | number)[];

/** Where a problem is. */
export interface Place {
  /** Missing for a configuration that is an object. */
  readonly file?: string;
  /** Of the key, counted from 1; missing for an object and for a file that cannot be read. */
  readonly line?: number;
  readonly column?: number;
}

/** One thing that is wrong with a configuration. */
export interface Problem extends Place {
  readonly path: ConfigPath;
  /** What was expected, and what is there. */
  readonly message: string;
  /** What to do about it: `did you mean "ata-sff"?` */
  readonly hint?: string;
  /** What the backend said of the device: `not-found`, `permission`. */
  readonly code?: DeviceErrorCode;
}

/** `devices.ata0.options`, `exports[0].name`. */
function formatPath(path: ConfigPath): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    const word = /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
    return text === '' ? word : `${text}.${word}`;
  }, '');
}

/** One line, as compilers print it: `rig.yaml:4:5: devices.ata0.driver: no driver "ata-fss"; did you mean "ata-sff"?` */
export function formatProblem({ file, line, column, path, message, hint }: Problem): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(':');
  const parts = [place, formatPath(path), message].filter((part) => part !== '');
  return printable(`${parts.join(': ')}${hint === undefined ? '' : `; ${hint}`}`);
}

/** Keys and values come from files of others: they cannot break the line or command the terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
