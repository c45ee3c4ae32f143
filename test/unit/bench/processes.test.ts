import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { usageOf } from '../../../bench/harness/processes.ts';
import { waitFor } from '../../support/wait-for.ts';

describe.runIf(process.platform === 'linux')('the use of a session', () => {
  it('is that of all its processes, also of those that have ended, and of no others', async () => {
    const burn = 'const end = process.cpuUsage().user + 3e5; while (process.cpuUsage().user < end);';
    const child = `require('child_process').spawnSync(process.execPath, ['-e', ${JSON.stringify(burn)}]);`;
    const leader = spawn(process.execPath, ['-e', `${child} ${burn} process.stdout.write('done'); setInterval(() => {}, 1e6);`], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      await once(leader.stdout, 'data');
      const usage = usageOf(leader.pid ?? 0);
      expect(usage.pids).toEqual([leader.pid]);
      expect(usage.cpuSeconds).toBeGreaterThanOrEqual(0.55);
      expect(usage.rssMb).toBeGreaterThan(10);
      expect(usage.peakMb).toBeGreaterThanOrEqual(usage.rssMb);
    } finally {
      leader.kill('SIGKILL');
    }
    await waitFor('the end of the session', () => usageOf(leader.pid ?? 0).pids.length === 0);
  }, 60_000);
});
