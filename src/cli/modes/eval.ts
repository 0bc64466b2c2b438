// --eval: sends a Lua script from a file; a comma among the arguments ends the keys.
import { readFileSync } from 'node:fs';
import { describeSystemError } from '../../../server/net/client.ts';
import { runCommand } from '../command.ts';
import type { Session } from '../session.ts';

export async function evalMode(session: Session, args: Buffer[]): Promise<number> {
  const path = session.options.modeValue;
  let script: Buffer;
  try {
    script = readFileSync(path);
  } catch (error) {
    session.host.writeError(`Can't open file '${path}': ${describeSystemError(error as NodeJS.ErrnoException)}\n`);
    return 1;
  }
  const comma = args.findIndex((arg) => arg.length === 1 && arg[0] === 0x2c);
  const keys = comma < 0 ? args : args.slice(0, comma);
  const values = comma < 0 ? [] : args.slice(comma + 1);
  const command = [Buffer.from('EVAL'), script, Buffer.from(String(keys.length)), ...keys, ...values];
  return (await runCommand(session, command)) ? 0 : 1;
}
