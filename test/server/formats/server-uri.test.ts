import { expect, it } from 'vitest';
import { parseServerUri } from '../../../server/formats/server-uri.ts';

it.each([
  ['redis://', { tls: false }],
  ['redis://example.org', { tls: false, host: 'example.org' }],
  ['rediss://example.org:7000/4', { tls: true, host: 'example.org', port: 7000, database: 4 }],
  ['redis://user:p%40ss%C3%A9@h:1', { tls: false, user: 'user', password: 'p@ssé', host: 'h', port: 1 }],
  ['redis://:secret@h', { tls: false, password: 'secret', host: 'h' }],
  ['redis://secret@h', { tls: false, password: 'secret', host: 'h' }],
  ['redis://[::1]:6380/2', { tls: false, host: '::1', port: 6380, database: 2 }],
  ['redis://100%25:x%zz@h', { tls: false, user: '100%', password: 'x%zz', host: 'h' }],
  ['http://h', undefined],
])('reads %s', (uri, expected) => {
  expect(parseServerUri(uri)).toEqual(expected);
});
