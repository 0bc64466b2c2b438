// tsredis setup (and tsredis-setup): its flags and its report.
import { Command } from 'commander';
import { parseAssignment } from './instance-model.ts';
import type { ToolIo } from './io.ts';
import { setUp } from './set-up.ts';
import type { SetupOutcome } from './set-up-perform.ts';

interface Flags {
  readonly port?: string;
  readonly configFile?: string;
  readonly logFile?: string;
  readonly dataDir?: string;
  readonly executable?: string;
  readonly bind?: string[];
  readonly set?: string[];
  readonly manager?: string;
  readonly user?: boolean;
  readonly minimal?: boolean;
  readonly overwrite?: boolean;
  readonly linkRedisNames?: boolean;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

const examples = `
Examples:
  sudo tsredis-setup                      ask, show the plan, then do it
  sudo tsredis-setup --yes --port 6380    a second instance, no question asked
  tsredis-setup --yes --dry-run           show every file and command, change nothing
  sudo tsredis-setup --yes --bind 10.0.0.5 --set maxmemory=1gb

Environment: REDIS_PORT, REDIS_CONFIG_FILE, REDIS_LOG_FILE, REDIS_DATA_DIR, REDIS_EXECUTABLE; with all five set nothing
is asked. REDIS_PASSWORD_FILE or REDIS_PASSWORD sets the password.

Exit status: 0 done or nothing to do, 1 failed and put back, 2 wrong arguments, 4 not permitted, 5 something is not
installed, 6 a configuration is wrong, 130 cancelled.`;

export function setupCommand(io: ToolIo, name = 'setup'): Command {
  return new Command(name)
    .description('set up an instance: configuration, service, user, directories; start it and prove that it answers')
    .option('-p, --port <port>', 'port of the instance, which names it everywhere (default: 6379)')
    .option('--config-file <path>', 'configuration file')
    .option('--log-file <path>', 'log file')
    .option('--data-dir <path>', 'data directory')
    .option('--executable <path>', 'server program, a redis-server for example (default: the bundled server)')
    .option('--bind <address...>', 'listen on these addresses, too; a password is then generated')
    .option('--set <name=value...>', 'set further directives')
    .option('--manager <name>', 'systemd, openrc, launchd, sysv or daemon (default: what runs here)')
    .option('--user', 'for your own user, without the service user, even as root')
    .option('--minimal', 'write only the lines that are set, without explanations')
    .option('--no-minimal', 'write every directive with its explanation')
    .option('--overwrite', 'replace files that were changed by hand, after a backup')
    .option('--link-redis-names', 'also link the programs as redis-server, redis-cli, ...')
    .option('-y, --yes', 'ask nothing, take defaults')
    .option('--dry-run', 'show the plan and stop')
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples)
    .action(async (flags: Flags) => {
      const outcome = await setUp(io, optionsOf(flags));
      if (outcome !== undefined && !flags.json) for (const line of reportLines(outcome)) io.print(line);
    });
}

function optionsOf(flags: Flags) {
  const { port, configFile: confFile, logFile, dataDir: dataDirectory, executable } = flags;
  return {
    given: { port, confFile, logFile, dataDirectory, executable },
    userScope: flags.user ?? false,
    bind: flags.bind === undefined ? undefined : withLoopback(flags.bind),
    settings: (flags.set ?? []).map(parseAssignment),
    manager: flags.manager,
    minimal: flags.minimal,
    overwrite: flags.overwrite ?? false,
    linkRedisNames: flags.linkRedisNames ?? false,
    yes: flags.yes ?? false,
    dryRun: flags.dryRun ?? false,
    json: flags.json ?? false,
  };
}

/** This machine always gets in: its tools and health checks need to. */
function withLoopback(addresses: readonly string[]): string[] {
  if (addresses.some((address) => ['*', '0.0.0.0', '127.0.0.1'].includes(address))) return [...addresses];
  return ['127.0.0.1', '-::1', ...addresses];
}

function reportLines(outcome: SetupOutcome): string[] {
  const { instance, changed, started, pid, answer, generatedPassword } = outcome;
  const lines = [];
  if (!changed && !started) lines.push(`nothing to do: ${instance.service} is set up as asked and runs`);
  lines.push(`${instance.service} answers ${answer} on port ${instance.port} (pid ${pid}, ${outcome.manager})`);
  lines.push(`  configuration ${instance.confFile}`);
  lines.push(`  data          ${instance.dataDirectory}`);
  lines.push(`  log           ${instance.logFile}`);
  if (generatedPassword !== undefined) {
    lines.push(`  password      ${generatedPassword}  (shown once; it is in the configuration)`);
  }
  return lines;
}
