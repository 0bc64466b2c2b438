// `:set hints` and `:set nohints`, at the prompt and in ~/.redisclirc.

export interface Preferences {
  hints: boolean;
}

/** Applies one line's words to the preferences; returns the complaint when they mean nothing. */
export function setPreference(preferences: Preferences, words: readonly string[]): string | undefined {
  const [command = '', name] = words;
  if (command.toLowerCase() !== ':set' || name === undefined) return `unknown redis-cli internal command '${command}'`;
  if (name.toLowerCase() === 'hints') preferences.hints = true;
  else if (name.toLowerCase() === 'nohints') preferences.hints = false;
  else return `unknown redis-cli preference '${name}'`;
  return undefined;
}

/** Applies the lines of ~/.redisclirc that begin with a colon; returns the complaints. */
export function loadPreferences(preferences: Preferences, lines: readonly string[]): string[] {
  const complaints: string[] = [];
  for (const line of lines) {
    const words = line.trim().split(/\s+/);
    if (!words[0]?.startsWith(':')) continue;
    const complaint = setPreference(preferences, words);
    if (complaint !== undefined) complaints.push(`.redisclirc: ${complaint}`);
  }
  return complaints;
}
