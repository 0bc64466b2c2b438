// The logrotate configuration of an instance's log.
import { dirname } from 'node:path';
import { render } from '../render/render.ts';
import type { Instance } from './instance.ts';
import type { ServiceFile } from './manager.ts';
import { quoteLogrotate } from './quote.ts';

/** For /etc/logrotate.d; undefined where logrotate does not look (the user scope) or nothing is written to a file. */
export function logrotateFile(instance: Instance): ServiceFile | undefined {
  if (instance.scope !== 'system' || !instance.logFile.startsWith('/')) return undefined;
  // logrotate refuses, as root, a directory that others may write to: there it has to become that user.
  const isOwnDirectory = dirname(instance.logFile) === instance.dataDirectory;
  const content = render('logrotate', {
    port: instance.port,
    logFile: quoteLogrotate(instance.logFile),
    su: isOwnDirectory && instance.user !== undefined ? `${instance.user} ${instance.group}` : undefined,
  });
  return { path: `/etc/logrotate.d/${instance.service}`, content, mode: 0o644 };
}
