// Settings and configuration sources for tests: everything in memory.
import { parseCommandLine } from '../../../server/config/argv.ts';
import { ConfigFault, type ConfigSource, fatalReport, loadSettings } from '../../../server/config/load.ts';
import { createSettings, type Settings } from '../../../server/config/settings.ts';

export function testSettings(): Settings {
  let directory = '/start';
  return createSettings({
    currentDirectory: () => directory,
    changeDirectory: (path) => {
      if (path.startsWith('/missing')) return 'No such file or directory';
      directory = path;
      return undefined;
    },
  });
}

function memorySource(files: Readonly<Record<string, string>>, stdin = ''): ConfigSource {
  return {
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error('gone'), { code: 'ENOENT' });
      return Buffer.from(text);
    },
    readStdin: () => Buffer.from(stdin),
    glob: (pattern) => Object.keys(files).filter((path) => path.startsWith(pattern.replace(/\*.*/, ''))),
  };
}

/** Loads and gives the settings, or the report that ends the server. */
export function load(
  argv: readonly string[],
  files: Readonly<Record<string, string>> = {},
  stdin = '',
): Settings | string {
  const settings = testSettings();
  try {
    loadSettings(settings, parseCommandLine(argv), memorySource(files, stdin));
    return settings;
  } catch (error) {
    if (error instanceof ConfigFault) return fatalReport(error, '7.2.4');
    throw error;
  }
}

export function loaded(argv: readonly string[], files: Readonly<Record<string, string>> = {}, stdin = ''): Settings {
  const result = load(argv, files, stdin);
  if (typeof result === 'string') throw new Error(result);
  return result;
}
