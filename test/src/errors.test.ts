import { describe, expect, test } from 'vitest';
import { errorCodes, OpsError } from '../../src/errors.ts';

describe('OpsError', () => {
  test('fills its message and hint and carries an exit status', () => {
    const error = new OpsError('port-in-use', { port: 6379, owner: 'nginx (pid 12)' });
    expect(error.message).toBe('port 6379 is already in use by nginx (pid 12)');
    expect(error.hint).toContain('--port');
    expect(error.exitStatus).toBe(1);
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ code: 'port-in-use', details: { port: 6379 } });
  });

  test('every code has a message, a hint and a status that a shell can see', () => {
    for (const code of errorCodes) {
      const error = new OpsError(code, {} as never);
      expect(error.message, code).not.toBe('');
      expect(error.hint, code).not.toBe('');
      expect(error.exitStatus, code).toBeGreaterThan(0);
      expect(error.exitStatus, code).toBeLessThan(256);
    }
  });
});
