import { duration } from '../../../lib/inspect/duration.ts';
import { Chart, perSecond } from '../chart.ts';
import { ratesOf } from '../epochs.ts';
import { Graph } from '../graph.ts';
import { html, type View } from '../html.ts';
import type { PanelProps } from '../props.ts';
import { Facts, Note } from '../shown.ts';
import { ago, moment } from '../text.ts';

const CHARTED = 300;

export function Overview({ job, epochs }: PanelProps): View {
  const { status, graph, nowMs, table } = job;
  const all = epochs?.epochs ?? [];
  const rates = ratesOf(all, nowMs);
  const charted = all
    .filter(({ attempts, recordsIn, plannedAtMs, decidedAtMs }) => attempts > 1 || recordsIn > 0 || decidedAtMs > plannedAtMs)
    .slice(-CHARTED);
  const times = charted.map(({ decidedAtMs }) => decidedAtMs);
  const spanS = charted.map(({ decidedAtMs }, at) =>
    Math.max((decidedAtMs - (charted[at - 1]?.decidedAtMs ?? decidedAtMs)) / 1_000, 0.001),
  );
  const rate = (of: (at: number) => number) => charted.map((_, at) => (at === 0 ? null : of(at) / (spanS[at] ?? 1)));
  return html`
    ${status.failure !== null && html`<div class="note unknown" role="alert"><strong>The job failed and waits for a person.</strong> <span class="lines">${firstLine(status.failure)}</span> <a href="#failures">The whole of it</a></div>`}
    ${status.noProgress !== null && html`<div class="note unknown" role="alert"><strong>No progress for ${duration(nowMs - status.noProgress.sinceMs)}</strong>, though there is something to do. <a href="#failures">Why</a></div>`}
    <${Graph} graph=${graph} rates=${rates} underWay=${status.underWay} />
    ${underWayNote(job)}
    ${
      charted.length > 1 &&
      html`<div class="charts">
      <${Chart} title="Records a second" unit=${perSecond} times=${times} lines=${[
        { label: 'read', color: 'line-1', values: rate((at) => charted[at]?.recordsIn ?? 0) },
        { label: 'written', color: 'line-2', dash: [6, 3], values: rate((at) => charted[at]?.recordsOut ?? 0) },
      ]} />
      <${Chart} title="An epoch takes, from its plan to its decision" unit=${duration} times=${times} lines=${[
        { label: 'duration', color: 'line-1', values: charted.map(({ durationMs }) => durationMs) },
      ]} />
    </div>`
    }
    ${charted.length === 0 && html`<${Note} is="none" why="no epoch has had anything to do yet: it begins with the first record" />`}
    <${Facts} of=${[
      ['who runs it', holderText(job)],
      ['epochs', epochsText(job)],
      ['input', `${perSecond(rates.read)}, output ${perSecond(rates.written)}`],
      ['incarnation', status.incarnation],
      ['table', table],
      ...job.startedFrom.map(
        (each) =>
          [
            'started from',
            `${each.savepoint === undefined ? `epoch ${each.epoch}` : `savepoint ${each.savepoint} (epoch ${each.epoch})`}, ${moment(each.atMs)}`,
          ] as const,
      ),
    ]} />
  `;
}

/** How old the marks in the drawing are. */
function underWayNote({ status: { underWay }, nowMs }: PanelProps['job']): View {
  if (underWay === null || underWay.attempts.length === 0) return null;
  return html`<p class="quiet">◐ under way, as the coordinator said ${ago(underWay.atMs, nowMs)}. <a href="#epochs">By phase and stage</a></p>`;
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

function holderText({ status, nowMs }: PanelProps['job']): string {
  const { holder, generation, standing, leaseExpiresAtMs } = status;
  const who = `generation ${generation}, ${holder}`;
  if (standing === 'running' || standing === 'stopping') return `${who}; lease: ${duration(leaseExpiresAtMs - nowMs)} left`;
  if (leaseExpiresAtMs === 0) return `nobody; the last was ${who}, which gave up its lease`;
  return `nobody; the last was ${who}, whose lease ran out ${ago(leaseExpiresAtMs, nowMs)}`;
}

function epochsText({ status, nowMs }: PanelProps['job']): string {
  const { lastCompleted, lastCommitted, lastDecidedAtMs } = status;
  if (lastCompleted === null || lastCommitted === null) return 'none yet';
  const when = lastDecidedAtMs === null ? '' : ` ${ago(lastDecidedAtMs, nowMs)}`;
  const committed = lastCommitted >= lastCompleted ? 'and committed' : `not recorded as committed yet; ${lastCommitted} is`;
  return `${lastCompleted} completed${when}, ${committed}`;
}
