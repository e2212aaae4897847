/** Data, for pipes. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Data for programs. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, 2));
}

/** Talk, for people. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
