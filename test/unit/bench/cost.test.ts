import { describe, expect, it } from 'vitest';
import { asProcesses, epochDollars, idleBills, managedFlink, monthlyBill, total } from '../../../bench/cost/bill.ts';
import type { Job } from '../../../bench/cost/operations.ts';
import { prices, withPrices } from '../../../bench/cost/prices.ts';

const functions = { architecture: 'arm64', functionMemoryMb: 1769, coordinatorMemoryMb: 512 } as const;
const job: Job = {
  recordsPerSecond: 10,
  recordBytes: 100,
  intervalMs: 1_000,
  parallelism: 1,
  inlineBlobBytes: 16_384,
  changedStateBytes: 300,
  stateBytes: 1e6,
};

describe('the bill', () => {
  it('has the coordinator as what half a gigabyte for 730 hours costs', () => {
    const [coordinator] = monthlyBill(job, functions, prices);
    expect(coordinator).toEqual({ what: 'Lambda: coordinator', dollars: expect.closeTo(0.5 * 2_628_000 * 0.0000133334, 6) });
  });

  it('writes no blob for a slow job: they travel inline', () => {
    const s3 = (bytes: number) =>
      monthlyBill({ ...job, inlineBlobBytes: bytes }, functions, prices).find(({ what }) => what === 'S3: writes and lists')?.dollars ?? 0;
    expect(s3(0)).toBeGreaterThan(20 * s3(16_384));
  });

  it('of processes is two tasks of the smallest size for a small job, with the same stores, and more of them than one machine has for a large one', () => {
    const { tasks, cpus, dollars } = asProcesses(job, functions, prices);
    const stores = monthlyBill(job, functions, prices).filter(({ what }) => /^(DynamoDB|S3|CloudWatch)/.test(what));
    expect([tasks, cpus]).toEqual([2, 0.25]);
    expect(dollars).toBeCloseTo(2 * 730 * (0.25 * 0.03238 + 0.5 * 0.00356) + total(stores) + 2 * 2.628 * 0.125, 6);
    const large = asProcesses({ ...job, recordsPerSecond: 20_000_000, parallelism: 32 }, functions, prices);
    expect([large.cpus, large.tasks]).toEqual([16, expect.toSatisfy((count: number) => count > 2)]);
  });

  it('falls with longer epochs, and rises with the input', () => {
    const month = (change: Partial<Job>) => total(monthlyBill({ ...job, ...change }, functions, prices));
    expect(month({ intervalMs: 10_000 })).toBeLessThan(month({}));
    expect(month({ recordsPerSecond: 100_000 })).toBeGreaterThan(month({}));
  });

  it('of an idle job is cents when its coordinator ends', () => {
    const [stays, standby, ends] = idleBills(job, functions, prices).map(({ dollars }) => dollars);
    expect(ends).toBeLessThan(1);
    expect(stays).toBeGreaterThan(10);
    expect(standby).toBeGreaterThan(1.9 * (stays ?? 0));
  });

  it('uses the prices that are given', () => {
    const free = withPrices(Object.keys(prices).map((name) => `${name}=0`));
    expect(total(monthlyBill(job, functions, free))).toBe(0);
    expect(epochDollars(job, functions, free)).toBe(0);
    expect(managedFlink(job, withPrices(['flinkKpuHour=1', 'flinkStorageGbMonth=0']))).toEqual({ kpus: 1, dollars: 2 * 730 });
  });

  it.each(['kpu=1', 'flinkKpuHour', 'flinkKpuHour=', 'flinkKpuHour=-1', 'flinkKpuHour=x'])('refuses the price %s', (price) => {
    expect(() => withPrices([price])).toThrow(/--price .*: it must be name=dollars/);
  });
});
