// Turns a template and its context into text. The only place that knows the template engine.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ejs from 'ejs';
import { OpsError } from '../errors.ts';

/** How `<%= %>` writes a value; `<%- %>` always writes it as it is. */
export type Escape = (text: string) => string;

/** Renders templates/NAME.ejs. `<%= %>` writes plain text unless `escapeValue` is given. Throws template-missing. */
export function render(name: string, context: object, escapeValue: Escape = plain): string {
  const path = templatePath(name);
  return ejs.render(
    readFileSync(path, 'utf8'),
    { ...context },
    { escape: (value: unknown) => escapeValue(String(value)), filename: path },
  );
}

/** Text content and attribute values of XML. */
export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** src/render/render.ts and dist/bin/PROGRAM.js both lie two folders below the package's root. */
function templatePath(name: string): string {
  const path = fileURLToPath(new URL(`../../templates/${name}.ejs`, import.meta.url));
  if (!existsSync(path)) throw new OpsError('template-missing', { name, places: path });
  return path;
}

function plain(text: string): string {
  return text;
}
