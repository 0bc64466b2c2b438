// The verbs of the toolkit, in the order of its help.
import type { Command } from 'commander';
import { checkCommand } from './check.ts';
import { configCommand } from './config.ts';
import type { ToolIo } from './io.ts';
import { serviceCommand } from './service.ts';
import { setupCommand } from './setup.ts';
import { uninstallCommand } from './uninstall.ts';

export const subcommands: readonly ((io: ToolIo) => Command)[] = [
  (io) => setupCommand(io),
  serviceCommand,
  checkCommand,
  configCommand,
  uninstallCommand,
];
