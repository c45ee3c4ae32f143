import type { AttemptFailure } from '../../lib/ports/epoch-store.ts';
import { html, type View } from './html.ts';
import type { PanelProps } from './props.ts';
import { moment, plural } from './text.ts';

const MOST = 20;

/** What is known of attempts that failed, the newest first: those of epochs that are not decided yet, and those that epochs have taken. */
export function failuresOf({ job, epochs }: PanelProps): readonly AttemptFailure[] {
  const ofEpochs = (epochs?.epochs ?? []).flatMap(({ failed = [] }) => failed);
  return [...ofEpochs, ...(job.status.underWay?.failed ?? [])].toReversed();
}

export function FailedAttempts({ failures }: { readonly failures: readonly AttemptFailure[] }): View {
  if (failures.length === 0) return html`<p>✓ None is known, of the epochs that are kept and of what is under way.</p>`;
  return html`
    ${failures.length > MOST && html`<p class="quiet">The newest ${MOST} of ${failures.length}.</p>`}
    ${failures.slice(0, MOST).map((failure) => html`<${Failure} ...${failure} />`)}
  `;
}

function Failure({ atMs, epoch, stage, kind, message, stack, input }: AttemptFailure): View {
  return html`<article class="failure" aria-label=${`Failed attempt at epoch ${epoch}`}>
    <h3>▲ epoch ${epoch}, stage ${stage}: ${KINDS.get(kind) ?? kind}</h3>
    <p class="quiet">${moment(atMs)}${input !== undefined && input.length > 0 && `; in ${input.map(partText).join('; ')}`}</p>
    <pre tabindex="0">${stack === undefined || stack.startsWith(message) ? (stack ?? message) : `${message}\n${stack}`}</pre>
  </article>`;
}

function partText({ topic, partition, from, bound }: NonNullable<AttemptFailure['input']>[number]): string {
  const where = `topic ${topic}, partition ${partition}`;
  return bound - from === 1 ? `${where}, offset ${from}` : `${where}, ${plural(bound - from, 'offset')} from ${from}`;
}

/** As a stage calls them, in words. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ['user-code', "the job's own code threw"],
  ['record', 'a record can never be processed'],
  ['transient', 'broker, store or function failed: it is tried again as it was'],
  ['refused', 'broker or store refuse it'],
  ['stale', 'its function is of another build: an update is under way'],
]);
