// Sets an instance up: answers -> model -> plan -> (shown) -> applied -> started -> proved -> receipt.
import { OpsError } from '../errors.ts';
import { planDocument, planLines } from '../setup/show.ts';
import type { ToolIo } from './io.ts';
import { perform, type SetupOutcome } from './set-up-perform.ts';
import { hasChanges, plannedCommands, prepare, type SetupOptions } from './set-up-prepare.ts';

/** Resolves to what was done; undefined for a dry run. Throws OpsError with everything put back. */
export async function setUp(io: ToolIo, options: SetupOptions): Promise<SetupOutcome | undefined> {
  const prepared = await prepare(io, options);
  const commands = plannedCommands(io, prepared);
  const plan = {
    service: prepared.instance.service,
    changes: prepared.changes,
    commands,
    warnings: prepared.warnings,
    serviceUser: prepared.user?.name,
  };
  if (!options.json) for (const line of planLines(plan, options.dryRun)) io.print(line);
  if (options.dryRun) {
    if (options.json) io.print(JSON.stringify({ dryRun: true, ...planDocument(plan) }, null, 2));
    else io.print(commands.length === 0 && !hasChanges(prepared) ? 'nothing to do' : 'dry run: nothing was changed');
    return undefined;
  }
  const needsConsent = prepared.collected.asked && !options.yes && (hasChanges(prepared) || commands.length > 0);
  if (needsConsent && !(await io.asker?.confirm('Do this now?'))) throw new OpsError('cancelled', {});
  const outcome = await perform(io, prepared);
  if (options.json) io.print(JSON.stringify({ ...reportDocument(outcome), plan: planDocument(plan) }, null, 2));
  return outcome;
}

function reportDocument(outcome: SetupOutcome): object {
  const { instance, manager, changed, started, pid, answer, generatedPassword } = outcome;
  return {
    service: instance.service,
    port: instance.port,
    manager,
    changed,
    started,
    pid,
    answer,
    confFile: instance.confFile,
    dataDirectory: instance.dataDirectory,
    logFile: instance.logFile,
    ...(generatedPassword === undefined ? {} : { generatedPassword }),
  };
}
