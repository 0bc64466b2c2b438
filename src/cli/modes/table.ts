// The modes of tsredis-cli: what it does instead of sending a command or opening the prompt. Each is loaded when chosen.
import type { Mode } from '../options.ts';
import type { Session } from '../session.ts';

/** Runs to the mode's end and returns the exit status. */
type Runner = (session: Session, args: Buffer[]) => Promise<number>;

const RUNNERS: Record<Mode, () => Promise<Runner>> = {
  pipe: async () => (await import('./pipe.ts')).pipeMode,
  scan: async () => (await import('./scan.ts')).scanMode,
  bigkeys: async () => (await import('./big-keys.ts')).bigKeysMode,
  memkeys: async () => (await import('./big-keys.ts')).memoryKeysMode,
  hotkeys: async () => (await import('./hot-keys.ts')).hotKeysMode,
  stat: async () => (await import('./stat.ts')).statMode,
  latency: async () => (await import('./latency.ts')).latencyMode,
  'latency-history': async () => (await import('./latency.ts')).latencyHistoryMode,
  'latency-dist': async () => (await import('./latency-distribution.ts')).latencyDistributionMode,
  'lru-test': async () => (await import('./lru-test.ts')).lruTestMode,
  'intrinsic-latency': async () => (await import('./intrinsic-latency.ts')).intrinsicLatencyMode,
  rdb: async () => (await import('./dump.ts')).dumpMode,
  'functions-rdb': async () => (await import('./dump.ts')).functionsDumpMode,
  replica: async () => (await import('./replica.ts')).replicaModeFromStart,
  eval: async () => (await import('./eval.ts')).evalMode,
};

export async function runMode(mode: Mode, session: Session, args: Buffer[]): Promise<number> {
  const run = await RUNNERS[mode]();
  return await run(session, args);
}
