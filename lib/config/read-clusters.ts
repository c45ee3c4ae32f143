import { byName } from './by-name.ts';
import { clusterPrefix, isCluster } from './clusters.ts';
import { type ClusterConfig, clusterParameters, clusterRows, parameters, rows } from './parameters.ts';

const VARIABLES: readonly string[] = rows.map(([, { variable }]) => variable);
const RESTS = clusterRows.map((name) => parameters[name].variable.replace(/^ONCEFLOW_(KAFKA_)?/, ''));
const OF_A_CLUSTER = new RegExp(`^ONCEFLOW_KAFKA_([A-Z][A-Z0-9_]*?)_(?:${RESTS.join('|')})$`);

/** The cluster whose parameter this is, by name; undefined: it is none of a cluster with a name. */
export function clusterOfVariable(variable: string): string | undefined {
  const name = VARIABLES.includes(variable) ? undefined : OF_A_CLUSTER.exec(variable)?.[1]?.toLowerCase().replaceAll('_', '-');
  return isCluster(name) && variable.startsWith(clusterPrefix(name)) ? name : undefined;
}

/** The clusters that the environment names. */
export function clustersIn(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const found = Object.entries(env).flatMap(([variable, value]) =>
    (value ?? '').trim() === '' ? [] : (clusterOfVariable(variable) ?? []),
  );
  return [...new Set(found)].sort();
}

/** Of each cluster its values, as `read` reads them. Undefined: there is no cluster with a name. */
export function readClusters(
  env: Readonly<Record<string, string | undefined>>,
  read: (cluster: ReturnType<typeof clusterParameters>) => ClusterConfig,
): Readonly<Record<string, ClusterConfig>> | undefined {
  const clusters = clustersIn(env);
  return clusters.length === 0 ? undefined : byName(clusters.map((cluster) => [cluster, read(clusterParameters(cluster))] as const));
}
