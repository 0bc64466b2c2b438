// What V8 is told of a program before it compiles it. It belongs to the loading of code: V8 refuses a code cache that was
// made under other flags.
import { setFlagsFromString } from 'node:v8';

/**
 * How much bytecode V8's compiler may put into one function from those that it calls: several times the ordinary amount,
 * which is meant for programs that compile more than they repeat. A request to the server passes through some thirty small
 * functions, over and over; put together in few, it takes a tenth less time. Far larger limits gain no more and compile
 * for seconds.
 */
const SERVER_FLAGS = [
  '--max-inlined-bytecode-size=1000',
  '--max-inlined-bytecode-size-cumulative=3000',
  '--max-inlined-bytecode-size-absolute=20000',
];

/** V8 complains of flags that it does not know: those of later Nodes may have other names. */
const NEWEST_NODE_TRIED = 26;

/** Tells V8 what kind of program it is going to run. */
export function prepareEngine(program: string): void {
  if (program !== 'tsredis-server' || Number.parseInt(process.versions.node, 10) > NEWEST_NODE_TRIED) return;
  for (const flag of SERVER_FLAGS) setFlagsFromString(flag);
}
