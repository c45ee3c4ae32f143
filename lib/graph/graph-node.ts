import type { StoredState } from '../state/stored-state.ts';
import type { WindowShape } from './windows.ts';

/** A node of a job's graph without its functions: by its kind, what is told of it. */
export type GraphNode =
  | {
      readonly id: number;
      readonly kind: 'source';
      readonly uid: string;
      readonly formerly?: readonly string[];
      readonly topic: string;
      readonly startingOffsets: string;
      readonly key: string | undefined;
      readonly value: string;
    }
  | { readonly id: number; readonly kind: 'map' | 'filter' | 'flatMap' | 'union' | 'stamp' }
  | { readonly id: number; readonly kind: 'mapAsync'; readonly capacity: number; readonly timeoutMs: number }
  | { readonly id: number; readonly kind: 'keyBy'; readonly key: string; readonly value: string }
  | { readonly id: number; readonly kind: 'broadcast'; readonly value: string }
  | {
      readonly id: number;
      readonly kind: 'process';
      readonly uid: string;
      readonly formerly?: readonly string[];
      readonly key: string;
      readonly states: readonly StoredState[];
      /** What all its subtasks hold alike. Undefined: none of its inputs is broadcast. */
      readonly broadcastStates?: readonly StoredState[];
    }
  | {
      readonly id: number;
      readonly kind: 'window';
      readonly uid: string;
      readonly formerly?: readonly string[];
      readonly key: string;
      readonly windows: WindowShape;
      readonly time: string | undefined;
      readonly allowedLatenessMs: number;
      readonly earlyEveryMs: number | undefined;
      readonly states: readonly StoredState[];
    }
  | { readonly id: number; readonly kind: 'sideOutput'; readonly tag: string }
  /** With what its kind of sink says of it. */
  | { readonly id: number; readonly kind: 'sink'; readonly uid: string; readonly [ofItsKind: string]: unknown };
