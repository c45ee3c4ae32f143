/*
 * A job may read and write several clusters of Kafka. The one of ONCEFLOW_BROKERS has no name; the others have one, and all that is of such a
 * cluster is called by it: topic `clicks` of cluster `orders` is `orders/clicks`, in plans, manifests, rows, requests and messages, and so are
 * transactional ids. Neither has a slash of its own, and what has none is of the cluster without a name. Only the client of each cluster
 * is told the name alone (lib/kafka/clusters.ts).
 */

/** Completes "must be …". */
export const CLUSTER_RULE = 'the name of a cluster: at most 32 small letters, digits and -, beginning with a letter';

export function isCluster(name: unknown): name is string {
  return typeof name === 'string' && /^[a-z][a-z0-9-]{0,31}$/.test(name);
}

/** How a topic, or a transactional id, of a cluster is called. `cluster`: undefined or empty for the one without a name. */
export function inCluster(cluster: string | undefined, name: string): string {
  return cluster === undefined || cluster === '' ? name : `${cluster}/${name}`;
}

/** Of which cluster it is; empty: of the one without a name. */
export function clusterOf(name: string): string {
  const slash = name.indexOf('/');
  return slash < 0 ? '' : name.slice(0, slash);
}

/** How its own cluster calls it. */
export function nameInCluster(name: string): string {
  return name.slice(name.indexOf('/') + 1);
}

/** What the variables of a cluster begin with. */
export function clusterPrefix(cluster: string): `ONCEFLOW_KAFKA_${string}` {
  return `ONCEFLOW_KAFKA_${cluster.toUpperCase().replaceAll('-', '_')}`;
}
