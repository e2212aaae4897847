import type { Logger } from '@ring3/core';
import { type DestinationStream, pino } from 'pino';

/** How log lines look: for a terminal, for systemd's journal, or one JSON object a line. */
export type LogFormat = 'text' | 'journal' | 'json';

/** Levels that `--log-level` takes. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** The format that fits where stderr goes. JOURNAL_STREAM: systemd.exec(5). */
export function defaultLogFormat(): LogFormat {
  if (process.env['JOURNAL_STREAM'] !== undefined) return 'journal';
  return process.stderr.isTTY ? 'text' : 'json';
}

/** What a line that could not be written costs: nothing but this counter (R22: a full disk, a closed pipe). */
let dropped = 0;

/** Lines that were lost because stderr took no more. */
export function droppedLines(): number {
  return dropped;
}

/** Writes to stderr, or drops the line when stderr has taken nothing for a while. */
export function writeToLog(line: string): void {
  if (process.stderr.writableLength > 1 << 20) {
    dropped++;
    return;
  }
  process.stderr.write(line);
}

process.stderr.on('error', () => {
  dropped++;
});

/** A logger to stderr; stdout is for data. */
export function createLogger(format: LogFormat, level: LogLevel, name?: string): Logger {
  const destination: DestinationStream = {
    write: format === 'json' ? writeToLog : (line) => writeToLog(readable(line, format)),
  };
  const base = name === undefined ? {} : { name };
  const log = pino({ level, base, timestamp: format !== 'journal' }, destination);
  const say =
    (method: LogLevel) =>
    (message: string, facts: Readonly<Record<string, unknown>> = {}) =>
      log[method](facts, message);
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}

interface PinoLine {
  readonly level: number;
  readonly time?: number;
  readonly name?: string;
  readonly msg: string;
}

/** `<prio>` prefixes of sd-daemon(3). */
function readable(json: string, format: 'text' | 'journal'): string {
  const { level, time, name, msg, ...facts } = JSON.parse(json) as PinoLine;
  const word = level >= 50 ? 'error' : level >= 40 ? 'warn' : level >= 30 ? 'info' : 'debug';
  const origin = name === undefined || msg.startsWith(name) ? '' : `${name}: `;
  const rest = Object.entries(facts).map(
    ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const text = `${origin}${msg}${rest.join('')}\n`;
  if (format === 'journal') return `<${{ error: 3, warn: 4, info: 6, debug: 7 }[word]}>${text}`;
  const clock = new Date(time ?? 0).toISOString().slice(11, 23);
  return `${clock} ${word.padEnd(5)} ${text}`;
}
