import type { ComponentType } from 'preact';
import { Epochs } from './panels/epochs.ts';
import { Failures } from './panels/failures.ts';
import { Lag } from './panels/lag.ts';
import { Letters } from './panels/letters.ts';
import { Overview } from './panels/overview.ts';
import { Savepoints } from './panels/savepoints.ts';
import { Scale } from './panels/scale.ts';
import { State } from './panels/state.ts';
import { Transactions } from './panels/transactions.ts';
import type { PanelProps } from './props.ts';

interface Panel {
  /** In the address, behind the #. */
  readonly id: string;
  readonly title: string;
  readonly View: ComponentType<PanelProps>;
}

/** What the page can show, in the order of its menu. */
export const PANELS: readonly [Panel, ...Panel[]] = [
  { id: 'overview', title: 'Overview', View: Overview },
  { id: 'epochs', title: 'Epochs', View: Epochs },
  { id: 'lag', title: 'Lag and time', View: Lag },
  { id: 'transactions', title: 'Transactions', View: Transactions },
  { id: 'state', title: 'State', View: State },
  { id: 'savepoints', title: 'Savepoints', View: Savepoints },
  { id: 'scale', title: 'Subtasks', View: Scale },
  { id: 'failures', title: 'Failures', View: Failures },
  { id: 'letters', title: 'Dead letters', View: Letters },
];
