import { describe, expect, it } from 'vitest';
import { OpsError } from '../../../src/errors.ts';
import { type AnswerSources, type Asker, collectAnswers, questions } from '../../../src/setup/answers.ts';

const defaults = (port: number) => ({
  port: String(port),
  confFile: `/etc/redis/${port}.conf`,
  logFile: `/var/log/redis_${port}.log`,
  dataDirectory: `/var/lib/redis/${port}`,
  executable: 'bundled',
});

const sources = (given: Partial<AnswerSources>): AnswerSources => ({
  flags: {},
  env: {},
  asker: undefined,
  acceptDefaults: false,
  defaults,
  ...given,
});

const complete = {
  REDIS_PORT: '6400',
  REDIS_CONFIG_FILE: '/etc/redis/a.conf',
  REDIS_LOG_FILE: '/var/log/a.log',
  REDIS_DATA_DIR: '/srv/a',
  REDIS_EXECUTABLE: '/usr/bin/redis-server',
};

const refusal = async (given: Partial<AnswerSources>): Promise<OpsError> => {
  const error = await collectAnswers(sources(given)).catch((caught: unknown) => caught);
  if (error instanceof OpsError) return error;
  throw new Error(`not refused: ${JSON.stringify(error)}`);
};

describe('answers', () => {
  it('asks nothing with all five variables set', async () => {
    const asker: Asker = {
      ask: () => Promise.reject(new Error('asked')),
      confirm: () => Promise.reject(new Error('asked')),
    };
    const { answers, asked } = await collectAnswers(sources({ env: complete, asker }));
    expect(asked).toBe(false);
    expect(answers).toEqual({
      port: 6400,
      confFile: '/etc/redis/a.conf',
      logFile: '/var/log/a.log',
      dataDirectory: '/srv/a',
      executable: '/usr/bin/redis-server',
    });
  });

  it('prefers flags to variables, and takes the rest by default with --yes', async () => {
    const { answers, explicit } = await collectAnswers(
      sources({ flags: { port: '6500' }, env: { REDIS_PORT: '6400', REDIS_DATA_DIR: '' }, acceptDefaults: true }),
    );
    expect(answers).toMatchObject({
      port: 6500,
      confFile: '/etc/redis/6500.conf',
      dataDirectory: '/var/lib/redis/6500',
    });
    expect([...explicit]).toEqual(['port']);
  });

  it('asks for what is missing, offering defaults for the port just given', async () => {
    const seen: string[] = [];
    const asker: Asker = {
      ask: async (text, initial) => {
        seen.push(`${text}? ${initial}`);
        return initial === '6379' ? '7000' : initial;
      },
      confirm: async () => true,
    };
    const { answers, asked } = await collectAnswers(sources({ asker }));
    expect(asked).toBe(true);
    expect(answers.port).toBe(7000);
    expect(seen[1]).toBe('Configuration file? /etc/redis/7000.conf');
    expect(seen).toHaveLength(questions.length);
  });

  it('gives the asker the check, so that a bad answer stays at its question', async () => {
    const problems: string[] = [];
    const asker: Asker = {
      ask: async (_text, initial, check) => {
        try {
          check('99999 or so');
        } catch (error) {
          problems.push((error as Error).message);
        }
        return initial;
      },
      confirm: async () => true,
    };
    await collectAnswers(sources({ asker }));
    expect(problems[0]).toBe('port 99999 or so is not a whole number from 1 to 65535');
  });

  it('says what is missing when nobody can be asked', async () => {
    const error = await refusal({ env: { ...complete, REDIS_LOG_FILE: undefined } });
    expect(error.code).toBe('answer-required');
    expect(error.message).toContain('Log file');
  });

  it.each(['99999', '0', '-1', 'abc', '63 79', '6379.5', '1e3', '0x10', '999999'])(
    'never takes port %j',
    async (port) => {
      expect((await refusal({ flags: { port }, acceptDefaults: true })).code).toBe('port-range');
    },
  );

  it.each(['/a#b/c', '/a&b', '/with space/x', '/it\'s "quoted"', '/größe', '/a$HOME/%i', '/a\\b'])(
    'takes the path %j as it is',
    async (path) => {
      const flags = { dataDirectory: path };
      expect((await collectAnswers(sources({ flags, acceptDefaults: true }))).answers.dataDirectory).toBe(path);
    },
  );

  it.each(['relative/x', '', ' ', '/a\nb', '/', './x', '/tab\tx'])('refuses the path %j', async (path) => {
    const error = await refusal({ flags: { dataDirectory: path }, acceptDefaults: true });
    expect(error.code).toBe('path-characters');
    expect(error.exitStatus).toBe(2);
  });

  it('refuses one path for two things', async () => {
    const flags = { confFile: '/x/a', logFile: '/x/a' };
    expect((await refusal({ flags, acceptDefaults: true })).message).toContain('is the configuration file, too');
  });
});
