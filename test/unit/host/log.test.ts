import { describe, expect, it } from 'vitest';
import { lambdaLog } from '../../../host/lambda-log.ts';
import { type Log, logLine, openLog } from '../../../host/log.ts';
import { writtenLines } from '../../support/written-lines.ts';

const context = {
  functionName: 'wc-sink',
  functionVersion: '$LATEST',
  memoryLimitInMB: '1769',
  invokedFunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:wc-sink',
  awsRequestId: 'request-1',
} as Parameters<typeof lambdaLog>[2];

describe('on Lambda', () => {
  it("a line is one JSON object with Powertools' fields, the job, and what the line is about", async () => {
    const [line, ...others] = await writtenLines(() =>
      lambdaLog('info', { job: 'word-count' }, context)('warn', 'the broker is slow', {
        epoch: 4,
        attempt: 'a',
        subtask: 2,
        generation: 3,
      }),
    );
    expect(others).toEqual([]);
    expect(line).toMatchObject({
      level: 'WARN',
      message: 'the broker is slow',
      service: 'onceflow',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      function_name: 'wc-sink',
      function_request_id: 'request-1',
      cold_start: expect.any(Boolean),
      job: 'word-count',
      epoch: 4,
      attempt: 'a',
      subtask: 2,
      generation: 3,
    });
  });

  it('lines below ONCEFLOW_LOG_LEVEL are left out', async () => {
    const said = (log: Log) => () => {
      for (const level of ['debug', 'info', 'warn', 'error'] as const) log(level, level);
    };
    const messagesAt = async (level: 'debug' | 'info' | 'error') =>
      (await writtenLines(said(lambdaLog(level, {})))).map(({ message }) => message).sort();
    expect(await messagesAt('info')).toEqual(['error', 'info', 'warn']);
    expect(await messagesAt('error')).toEqual(['error']);
    expect(await messagesAt('debug')).toEqual(['debug', 'error', 'info', 'warn']);
  });

  it('what a connection has to say goes there too, with the job', async () => {
    const options = { logLevel: 'info', job: 'word-count' } as const;
    const lines = await writtenLines(async () => (await openLog(options, { AWS_LAMBDA_FUNCTION_NAME: 'wc-sink' }))('warn', 'lost'));
    expect(lines).toEqual([expect.objectContaining({ service: 'onceflow', job: 'word-count', level: 'WARN', message: 'lost' })]);
    expect(await openLog(options, {})).toBe(logLine);
  });
});

it('a local process writes its time, level and message', async () => {
  const [line] = await writtenLines(() => logLine('warn', 'lost', { epoch: 1 }));
  expect(line).toEqual({ time: expect.any(String), level: 'warn', message: 'lost', epoch: 1 });
});
