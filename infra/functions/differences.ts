import type { JobSummary } from '../../host/job/describe.ts';

const SHOWN = 3;

/** In what two descriptions of a job differ, for people; the first few. */
export function differencesOf(here: JobSummary, there: JobSummary): string[] {
  const found = [
    ...(here.name === there.name ? [] : [`its name is ${here.name} here and ${there.name} there`]),
    ...nodeDifferences(here.graph.nodes, there.graph.nodes),
    ...partDifferences('its graph', { edges: here.graph.edges }, { edges: there.graph.edges }),
    ...partDifferences('it', { fingerprint: here.fingerprint, plan: here.plan, parallelism: here.parallelism }, there),
  ];
  return found.slice(0, SHOWN);
}

function nodeDifferences(here: JobSummary['graph']['nodes'], there: JobSummary['graph']['nodes']): string[] {
  if (here.length !== there.length) return [`it has ${here.length} nodes here and ${there.length} there`];
  return here.flatMap((node, index) =>
    partDifferences('uid' in node ? `${node.kind} ${node.uid}` : `${node.kind} (node ${node.id})`, node, there[index] ?? {}),
  );
}

function partDifferences(what: string, here: object, there: object): string[] {
  const others = there as Readonly<Record<string, unknown>>;
  return Object.entries(here).flatMap(([name, value]) => {
    const [one, other] = [JSON.stringify(value), JSON.stringify(others[name])];
    return one === other ? [] : [`${what} has ${name} ${one} here and ${other} there`];
  });
}
