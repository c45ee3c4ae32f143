import type { JobShown } from '../server/panels.ts';
import type { Known } from './epochs.ts';

/** What every panel of the page is given. */
export interface PanelProps {
  readonly job: JobShown;
  /** Undefined: none has been read yet. */
  readonly epochs: Known | undefined;
}
