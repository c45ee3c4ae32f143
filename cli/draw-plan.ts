import type { JobSummary } from '../host/job/describe.ts';
import { rangeOfStage } from '../lib/config/subtasks.ts';
import { duration } from '../lib/inspect/duration.ts';
import { sinkWritesTo } from '../lib/sinks/kinds.ts';
import { paint, plural } from './text.ts';

type Summary = Pick<JobSummary, 'graph' | 'plan' | 'parallelism'>;
type Stage = Summary['plan']['stages'][number];
type Edge = Summary['plan']['edges'][number];
type Node = Summary['graph']['nodes'][number];

/** What stands in a stage, and under it what reads its values. */
interface Branch {
  readonly label: string;
  readonly under: readonly Branch[];
}

/** A job's stages, in each what it does, and where its output goes. */
export function drawPlan(summary: Summary): string {
  return summary.plan.stages.map((stage) => drawStage(summary, stage)).join('\n\n');
}

function drawStage(summary: Summary, stage: Stage): string {
  const { least, most } = rangeOfStage(summary.parallelism, stage.id);
  const subtasks = least === most ? plural(most, 'subtask') : `${least} to ${most} subtasks`;
  const title = `${paint('bold', stage.id)}  ${titleOf(stage)}, ${subtasks}`;
  return [title, ...drawBranches(branchesOf(summary, stage))].join('\n');
}

function titleOf(stage: Stage): string {
  switch (stage.kind) {
    case 'source':
      return `reads topic ${stage.topic}, from ${stage.startingOffsets}${stage.eventTime === undefined ? '' : ', with event time'}`;
    case 'operator':
      return `keyed${stage.usesTime === true ? ', works by time' : ''}`;
    case 'sink':
      return sinkWritesTo(stage.to);
  }
}

function branchesOf(summary: Summary, stage: Stage): Branch[] {
  const { nodes } = summary.graph;
  const isOf = ({ kind, ...node }: Node) => kind !== 'sink' && 'uid' in node && operatorsOf(stage).includes(node.uid as string);
  if (stage.kind === 'source') return [...behind(summary, stage, nodes.find(isOf)?.id ?? -1), ...ofNoNode(summary, stage)];
  return nodes.filter(isOf).map((node) => ({ label: labelOf(node), under: behind(summary, stage, node.id) }));
}

/** Uids of the nodes that a stage begins with. */
function operatorsOf(stage: Stage): readonly string[] {
  if (stage.kind === 'operator') return stage.operators;
  return stage.kind === 'source' ? [stage.id] : [];
}

/** What of this stage reads the node's values. */
function behind(summary: Summary, stage: Stage, node: number): Branch[] {
  const { graph, plan } = summary;
  return graph.edges
    .filter(({ from }) => from === node)
    .flatMap(({ to }): Branch[] => {
      const edge = plan.edges.find((each) => each.node === to && each.from === stage.id);
      const reader = graph.nodes[to];
      if (reader === undefined) return [];
      if (edge !== undefined) return [{ label: `${howText(edge, reader)} ${paint('cyan', `──▶ ${edge.to}`)}`, under: [] }];
      return [{ label: labelOf(reader), under: behind(summary, stage, to) }];
    });
}

/** Edges that the configuration adds: to the dead letters. */
function ofNoNode({ plan }: Summary, { id }: Stage): Branch[] {
  const added = plan.edges.filter(({ from, node }) => from === id && node === undefined);
  return added.map(({ tag, to }) => ({ label: `${tag ?? 'output'} ${paint('cyan', `──▶ ${to}`)}`, under: [] }));
}

function howText({ how }: Edge, reader: Node): string {
  switch (how) {
    case 'key':
      return reader.kind === 'keyBy' ? `by key, ${reader.key}` : 'by key';
    case 'broadcast':
      return 'broadcast, to all subtasks';
    case 'sink':
      return 'output';
  }
}

function labelOf(node: Node): string {
  switch (node.kind) {
    case 'process':
      return `process ${node.uid}${statesText('state', node.states)}${statesText('broadcast state', node.broadcastStates)}`;
    case 'window':
      return `window ${node.uid}: ${shapeText(node.windows)}`;
    case 'sideOutput':
      return `side output ${node.tag}`;
    default:
      return node.kind;
  }
}

function statesText(
  what: string,
  states: readonly { readonly name: string; readonly kind: string; readonly serdes: readonly string[] }[] = [],
): string {
  // The others are the engine's own: what waits for its time, and timers.
  const declared = states.filter(({ name }) => !name.startsWith('@'));
  const each = declared.map(({ name, kind, serdes }) => `${name} (${[kind, ...serdes].join(' ')})`);
  return each.length === 0 ? '' : `, ${what} ${each.join(', ')}`;
}

function shapeText({ kind, ...sizes }: Extract<Node, { kind: 'window' }>['windows']): string {
  const each = Object.entries(sizes).flatMap(([name, size]) => {
    if (name === 'offsetMs' && size === 0) return [];
    return [name.endsWith('Ms') ? `${name.slice(0, -2)} ${duration(size)}` : `${name} ${size}`];
  });
  return [kind, ...each].join(', ');
}

function drawBranches(branches: readonly Branch[]): string[] {
  return branches.flatMap(({ label, under }, at) => {
    const isLast = at === branches.length - 1;
    return [`${isLast ? '└─ ' : '├─ '}${label}`, ...drawBranches(under).map((line) => `${isLast ? '   ' : '│  '}${line}`)];
  });
}
