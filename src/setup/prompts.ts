// Asks at the terminal. The only place that knows the prompt library.
import inquirer from 'inquirer';
import { OpsError } from '../errors.ts';
import type { Asker } from './answers.ts';

export function terminalAsker(): Asker {
  return {
    ask: async (message, initial, check) => {
      const question = { type: 'input', name: 'answer', message: `${message}:`, default: initial } as const;
      const validate = (text: string) => problem(text, check);
      return (await cancellable(inquirer.prompt([{ ...question, validate }]))).answer;
    },
    confirm: async (message) => {
      const question = { type: 'confirm', name: 'answer', message, default: true } as const;
      return (await cancellable(inquirer.prompt([question]))).answer;
    },
  };
}

/** `true`, or what is wrong, in the form the library shows under the question. */
function problem(text: string, check: (text: string) => string): true | string {
  try {
    check(text);
    return true;
  } catch (error) {
    return error instanceof OpsError ? `${error.message}. ${error.hint}` : String(error);
  }
}

/** Ctrl-C is an answer, too. */
async function cancellable<Value>(answer: Promise<Value>): Promise<Value> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && error.name === 'ExitPromptError')
      throw new OpsError('cancelled', {}, { cause: error });
    throw error;
  }
}
