// The log, in Redis' form: `pid:role day month year time.ms level message`. Lines go out synchronously: a log that is
// lost in a crash is lost when it is needed.

import { closeSync, openSync, writeSync } from 'node:fs';

export type LogLevel = 'debug' | 'verbose' | 'notice' | 'warning';

const RANK: Readonly<Record<LogLevel | 'nothing', number>> = {
  debug: 0,
  verbose: 1,
  notice: 2,
  warning: 3,
  nothing: 4,
};
const MARK: Readonly<Record<LogLevel, string>> = { debug: '.', verbose: '-', notice: '*', warning: '#' };
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** Longest message; the rest is cut. */
const MESSAGE_BYTES_MAX = 1024;

export class Log {
  /** M primary, S replica, X sentinel. */
  role = 'M';
  private level: LogLevel | 'nothing' = 'notice';
  private path = '';
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  setLevel(level: LogLevel | 'nothing'): void {
    this.level = level;
  }

  /** Lines go to the end of this file, standard output for ''. It is opened for each line, so it can be rotated. */
  setFile(path: string): void {
    this.path = path;
  }

  readonly write = (level: LogLevel, message: string): void => {
    if (RANK[level] < RANK[this.level]) return;
    const text = message.slice(0, MESSAGE_BYTES_MAX).replace(/[\r\n]+$/, '');
    this.emit(`${process.pid}:${this.role} ${timestamp(this.now())} ${MARK[level]} ${text}\n`);
  };

  /** Text without a prefix (the start-up banner). */
  readonly raw = (text: string): void => {
    if (RANK.notice >= RANK[this.level]) this.emit(text);
  };

  /** Text without a prefix that goes out whatever the level is (a crash report). */
  readonly report = (text: string): void => this.emit(text);

  private emit(line: string): void {
    try {
      if (this.path === '') {
        writeSync(1, line);
        return;
      }
      const fd = openSync(this.path, 'a', 0o640);
      writeSync(fd, line);
      closeSync(fd);
    } catch {
      // A full disk or a closed terminal must not end the server; there is nowhere left to tell it.
    }
  }
}

function timestamp(nowMs: number): string {
  const date = new Date(nowMs);
  const two = (value: number) => String(value).padStart(2, '0');
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const ms = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getDate())} ${MONTHS[date.getMonth()]} ${date.getFullYear()} ${time}.${ms}`;
}
