import { UsageError } from '../../lib/config/usage-error.ts';

/**
 * What AWS charges, in US dollars: us-east-1, on demand, without free tiers and savings plans. From the public price lists as
 * known in the middle of 2025, written down by hand and not asked for again: check the ones that matter to you, and override
 * them with `--price name=dollars`.
 */
export const prices = {
  lambdaArmGbSecond: 0.0000133334,
  lambdaX86GbSecond: 0.0000166667,
  lambdaMillionRequests: 0.2,
  dynamoMillionWriteUnits: 0.625,
  dynamoMillionReadUnits: 0.125,
  dynamoGbMonth: 0.25,
  dynamoRestorableGbMonth: 0.2,
  s3ThousandPuts: 0.005,
  s3ThousandGets: 0.0004,
  s3GbMonth: 0.023,
  logsGb: 0.5,
  /** Fargate, for a job as long-lived processes. */
  fargateArmCpuHour: 0.03238,
  fargateArmGbHour: 0.00356,
  fargateX86CpuHour: 0.04048,
  fargateX86GbHour: 0.004445,
  /** Managed Service for Apache Flink: 1 vCPU and 4 GB; an application pays one more for its orchestration. */
  flinkKpuHour: 0.11,
  flinkStorageGbMonth: 0.1,
};

export type Prices = Readonly<typeof prices>;

/** `name=dollars`; throws for a name that is not in the table. */
export function withPrices(overrides: readonly string[]): Prices {
  const changed: Record<string, number> = { ...prices };
  for (const override of overrides) {
    const [name = '', value = ''] = override.split('=');
    const dollars = Number(value);
    if (!Object.hasOwn(prices, name) || value === '' || !(dollars >= 0))
      throw new UsageError(`--price ${override}: it must be name=dollars, with a name of ${Object.keys(prices).join(', ')}`);
    changed[name] = dollars;
  }
  return changed as Prices;
}
