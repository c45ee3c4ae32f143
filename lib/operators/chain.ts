import {
  consumersOf,
  type FilterNode,
  type FlatMapNode,
  type JobDefinition,
  type KeyByNode,
  type MapNode,
  nodeLabel,
  type SinkNode,
} from '../graph/job.ts';
import { UserCodeError } from './errors.ts';

/** Takes one value. Chains are built once, when a runtime is made; no function is made for a value. */
export type Push = (value: unknown) => void;

/** What a chain ends in. */
export interface ChainEnds {
  exchange(node: KeyByNode, label: string): Push;
  sink(node: SinkNode): Push;
}

/** The operators behind node `id`, up to the exchanges and sinks, as one function. */
export function compileChain(job: JobDefinition, id: number, ends: ChainEnds): Push {
  const pushes = consumersOf(job, id).flatMap((node): Push[] => {
    switch (node.kind) {
      case 'map':
        return [mapping(nodeLabel(job, node), node, compileChain(job, node.id, ends))];
      case 'filter':
        return [filtering(nodeLabel(job, node), node, compileChain(job, node.id, ends))];
      case 'flatMap':
        return [flatMapping(nodeLabel(job, node), node, compileChain(job, node.id, ends))];
      case 'keyBy':
        return [ends.exchange(node, nodeLabel(job, node))];
      case 'sink':
        return [ends.sink(node)];
      default:
        return [];
    }
  });
  const [only] = pushes;
  if (only === undefined) return () => {};
  return pushes.length === 1 ? only : fanOut(pushes);
}

/** A promise where a result should be: the user's function is async in all but its declaration. */
export function refusePromise(result: unknown): void {
  if (result instanceof Promise) {
    result.catch(() => {});
    throw new TypeError('the function returned a promise; user functions return their result at once');
  }
}

function mapping(label: string, { fn }: MapNode, next: Push): Push {
  return (value) => {
    let result: unknown;
    try {
      result = fn(value);
      if (typeof result === 'object') refusePromise(result);
    } catch (cause) {
      throw new UserCodeError(label, cause);
    }
    next(result);
  };
}

function filtering(label: string, { fn }: FilterNode, next: Push): Push {
  return (value) => {
    let result: unknown;
    try {
      result = fn(value);
      if (typeof result === 'object') refusePromise(result);
    } catch (cause) {
      throw new UserCodeError(label, cause);
    }
    if (result) next(value);
  };
}

function flatMapping(label: string, { fn }: FlatMapNode, next: Push): Push {
  return (value) => {
    let results: unknown[];
    try {
      const result = fn(value);
      results = Array.isArray(result) ? result : collect(result);
    } catch (cause) {
      throw new UserCodeError(label, cause);
    }
    for (let index = 0; index < results.length; index++) next(results[index]);
  };
}

/** An iterable's values, taken before any is passed on: what the iterable throws is then the user's, and nothing else is. */
function collect(result: unknown): unknown[] {
  refusePromise(result);
  return [...(result as Iterable<unknown>)];
}

function fanOut(pushes: readonly Push[]): Push {
  return (value) => {
    for (let index = 0; index < pushes.length; index++) (pushes[index] as Push)(value);
  };
}
