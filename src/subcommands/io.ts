// What a subcommand gets from the program: the machine, the terminal, and where its results go.
import type { Host } from '../host/host.ts';
import type { Asker } from '../setup/answers.ts';

export interface ToolIo {
  readonly host: Host;
  /** Writes one line to standard output. */
  readonly print: (line: string) => void;
  /** The exit status that the program shall end with. */
  readonly setExitStatus: (status: number) => void;
  /** Undefined when there is no terminal to ask at. */
  readonly asker: Asker | undefined;
  /** The folder of the package whose programs are installed. */
  readonly packageRoot: string;
}
