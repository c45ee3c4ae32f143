import { isPromise } from '../format/serdes.ts';
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
import { copyOf } from './copy.ts';
import { UserCodeError } from './errors.ts';

/** Takes one value. Chains are built once, when a runtime is made; no function is made for a value. */
export type Push = (value: unknown) => void;

/** What a chain ends in. */
export interface ChainEnds {
  exchange(node: KeyByNode, label: string): Push;
  sink(node: SinkNode): Push;
}

/**
 * The operators behind node `id`, up to the exchanges and sinks, as one function. A user's function may change its value in
 * place: each branch that has one behind it, but for the last, gets a copy. `kept`: the last as well, since something before
 * the chain, a state, may keep the value.
 */
export function compileChain(job: JobDefinition, id: number, ends: ChainEnds, kept: 'kept' | 'passed' = 'passed'): Push {
  const branches = consumersOf(job, id).flatMap((node): { readonly push: Push; readonly isUsers: boolean }[] => {
    switch (node.kind) {
      case 'map':
        return [{ push: mapping(nodeLabel(job, node), node, compileChain(job, node.id, ends)), isUsers: true }];
      case 'filter':
        return [{ push: filtering(nodeLabel(job, node), node, compileChain(job, node.id, ends)), isUsers: true }];
      case 'flatMap':
        return [{ push: flatMapping(nodeLabel(job, node), node, compileChain(job, node.id, ends)), isUsers: true }];
      case 'keyBy':
        return [{ push: ends.exchange(node, nodeLabel(job, node)), isUsers: true }];
      case 'sink':
        return [{ push: ends.sink(node), isUsers: node.toRecord !== undefined }];
      default:
        return [];
    }
  });
  const last = branches.length - 1;
  const pushes = branches.map(({ push, isUsers }, index) => (isUsers && (kept === 'kept' || index < last) ? copying(push) : push));
  const [only] = pushes;
  if (only === undefined) return () => {};
  return pushes.length === 1 ? only : fanOut(pushes);
}

/** A promise where a result should be: the user's function is async in all but its declaration. */
export function refusePromise(result: unknown): void {
  if (!isPromise(result)) return;
  if (result instanceof Promise) result.catch(() => {});
  throw new TypeError('the function returned a promise; user functions return their result at once');
}

function copying(next: Push): Push {
  return (value) => next(typeof value === 'object' ? copyOf(value) : value);
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
    for (let index = 0; index < results.length; index++) {
      const each = results[index];
      if (typeof each === 'object') refusePromiseOf(label, each);
      next(each);
    }
  };
}

/** An iterable's values, taken before any is passed on: what the iterable throws is then the user's, and nothing else is. */
function collect(result: unknown): unknown[] {
  refusePromise(result);
  return [...(result as Iterable<unknown>)];
}

function refusePromiseOf(label: string, result: unknown): void {
  try {
    refusePromise(result);
  } catch (cause) {
    throw new UserCodeError(label, cause);
  }
}

function fanOut(pushes: readonly Push[]): Push {
  return (value) => {
    for (let index = 0; index < pushes.length; index++) (pushes[index] as Push)(value);
  };
}
