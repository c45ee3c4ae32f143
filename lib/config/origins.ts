import type { WhenUnset } from './parameters/row.ts';
import { clusterParameters, rows } from './parameters.ts';
import { clustersIn } from './read-clusters.ts';

/** A parameter as an environment has it. */
export interface ParameterValue {
  readonly variable: string;
  /** As it is written. Null: it has none. */
  readonly value: string | null;
  readonly unit: string | undefined;
  /** `environment`: the variable is set. `default`: it is not. `nowhere`: nor is there a default. */
  readonly from: 'environment' | 'default' | 'nowhere';
  /** What it means that there is no value. */
  readonly means: string | undefined;
}

/** Of every parameter of a job, in the order of the table, its value and where it comes from. */
export function parameterValues(env: Readonly<Record<string, string | undefined>>): ParameterValue[] {
  const own = rows.map(([, row]) => row).filter(({ readBy }) => readBy.some((reader) => !['local', 'test', 'bench'].includes(reader)));
  const ofClusters = clustersIn(env).flatMap((cluster) => Object.values(clusterParameters(cluster)));
  return [...own, ...ofClusters].map(({ variable, unit, whenUnset }) => {
    const given = env[variable]?.trim() ?? '';
    return { variable, unit, ...(given === '' ? unset(whenUnset) : { value: given, from: 'environment', means: undefined }) };
  });
}

function unset(whenUnset: WhenUnset): Pick<ParameterValue, 'value' | 'from' | 'means'> {
  switch (whenUnset.is) {
    case 'default':
      if (whenUnset.text === '') return { value: null, from: 'default', means: 'none' };
      return { value: whenUnset.text, from: 'default', means: undefined };
    case 'undefined':
      return { value: null, from: 'nowhere', means: whenUnset.means };
    case 'refused':
      return { value: null, from: 'nowhere', means: 'it is required to run the job' };
  }
}
